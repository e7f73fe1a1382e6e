//! Values as DynamoDB keeps and counts them.
//!
//! Ids, numbers and sets to and from the SDK's attribute values, and the size
//! of an item in bytes. This file must not know what an item means.
//!
//! ```text
//! {"pk": "a", "rev": 120}  →  2 + 1 + 3 + 2 = 8 bytes
//! ```

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::scim::{ResourceId, Timestamp};

/// An item as the SDK holds it.
pub type Item = HashMap<String, AttributeValue>;

/// An item that does not have the form that this room writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("item without a valid `{attribute}`")]
pub struct MalformedItem {
    /// The attribute that is missing or of another type.
    pub attribute: &'static str,
}

/// The bytes that DynamoDB counts for an item: each name and value, in UTF-8
/// (Amazon DynamoDB Developer Guide, "Item sizes and formats").
pub fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

/// A number as it is sent.
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The set of ids, absent when empty: DynamoDB has no empty sets.
pub fn id_set<'a>(ids: impl IntoIterator<Item = &'a ResourceId>) -> Option<AttributeValue> {
    let blobs: Vec<Blob> = ids
        .into_iter()
        .map(|id| Blob::new(*id.as_bytes()))
        .collect();
    (!blobs.is_empty()).then_some(AttributeValue::Bs(blobs))
}

/// The set of numbers, absent when empty.
pub fn number_set(numbers: &BTreeSet<u64>) -> Option<AttributeValue> {
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    (!texts.is_empty()).then_some(AttributeValue::Ns(texts))
}

/// Time to live counts whole seconds; rounding up never shortens a promise.
pub fn seconds(instant: Timestamp) -> i64 {
    Timestamp(instant.0.saturating_add(999)).seconds()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => number_size(digits),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|digits| number_size(digits)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        AttributeValue::L(values) => {
            3 + values
                .iter()
                .map(|value| 1 + value_size(value))
                .sum::<usize>()
        }
        AttributeValue::M(entries) => {
            let entry =
                |(name, value): (&String, &AttributeValue)| 1 + name.len() + value_size(value);
            3 + entries.iter().map(entry).sum::<usize>()
        }
        _ => 1,
    }
}

/// One byte, one for two significant digits, one for a minus sign. All numbers
/// of ours are whole.
fn number_size(digits: &str) -> usize {
    let magnitude = digits.trim_start_matches('-');
    let significant = magnitude
        .trim_start_matches('0')
        .trim_end_matches('0')
        .len();
    1 + significant.div_ceil(2) + usize::from(digits.starts_with('-') && significant > 0)
}

pub(super) fn malformed(attribute: &'static str) -> MalformedItem {
    MalformedItem { attribute }
}

pub(super) fn read_text<'a>(
    item: &'a Item,
    attribute: &'static str,
) -> Result<&'a str, MalformedItem> {
    match item.get(attribute) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(malformed(attribute)),
    }
}

pub(super) fn read_id(item: &Item, attribute: &'static str) -> Result<ResourceId, MalformedItem> {
    ResourceId::parse(read_text(item, attribute)?).ok_or(malformed(attribute))
}

pub(super) fn parse_number<N: FromStr>(
    value: &AttributeValue,
    attribute: &'static str,
) -> Result<N, MalformedItem> {
    let digits = value.as_n().map_err(|_| malformed(attribute))?;
    digits.parse().map_err(|_| malformed(attribute))
}

pub(super) fn read_number<N: FromStr>(
    item: &Item,
    attribute: &'static str,
) -> Result<N, MalformedItem> {
    read_optional_number(item, attribute)?.ok_or(malformed(attribute))
}

pub(super) fn read_optional_number<N: FromStr>(
    item: &Item,
    attribute: &'static str,
) -> Result<Option<N>, MalformedItem> {
    item.get(attribute)
        .map(|value| parse_number(value, attribute))
        .transpose()
}

pub(super) fn read_number_set(
    item: &Item,
    attribute: &'static str,
) -> Result<BTreeSet<u64>, MalformedItem> {
    match item.get(attribute) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ns(texts)) => texts
            .iter()
            .map(|text| text.parse().map_err(|_| malformed(attribute)))
            .collect(),
        Some(_) => Err(malformed(attribute)),
    }
}

pub(super) fn read_id_set(
    item: &Item,
    attribute: &'static str,
) -> Result<BTreeSet<ResourceId>, MalformedItem> {
    match item.get(attribute) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Bs(blobs)) => {
            let id = |blob: &Blob| {
                let bytes: Result<[u8; 16], _> = blob.as_ref().try_into();
                bytes
                    .map(ResourceId::from_bytes)
                    .map_err(|_| malformed(attribute))
            };
            blobs.iter().map(id).collect()
        }
        Some(_) => Err(malformed(attribute)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_documented_rules() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        for (value, expected) in [
            (text(""), 0),
            (text("ä€"), 5),
            (number(0), 1),
            (number(7), 2),
            (number(42), 2),
            (number(123), 3),
            (number(1_200), 2),
            (number(-42), 3),
            (number(u64::MAX), 11),
            (AttributeValue::Bool(true), 1),
            (AttributeValue::B(Blob::new([0; 16])), 16),
            (
                AttributeValue::Bs(vec![Blob::new([0; 16]), Blob::new([1; 16])]),
                32,
            ),
            (AttributeValue::Ns(vec!["1".into(), "22".into()]), 4),
            (AttributeValue::L(Vec::new()), 3),
            (
                AttributeValue::L(vec![number(1), text("ab")]),
                3 + 1 + 2 + 1 + 2,
            ),
            (
                AttributeValue::M([("k".to_owned(), text("v"))].into()),
                3 + 1 + 1 + 1,
            ),
        ] {
            assert_eq!(value_size(&value), expected, "{value:?}");
        }
        let item = Item::from([
            ("pk".to_owned(), text("a")),
            ("rev".to_owned(), number(120)),
        ]);
        assert_eq!(item_size(&item), 8);
    }
}
