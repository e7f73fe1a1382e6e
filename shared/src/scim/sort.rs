//! The order of a list (RFC 7644 §3.4.2.3).
//!
//! A resource without the attribute comes last in ascending order and first in
//! descending order. Of a multi-valued attribute the primary element counts,
//! else the first; of a complex attribute its `value`. Strings compare by the
//! attribute's `caseExact`, instants by time.
//!
//! A key is taken once from each resource, so that sorting prepares no text
//! twice. This knows nothing of pages.
//!
//! ```text
//! resources.sort_by_cached_key(|resource| sort::key(&path, false, resource));
//! ```

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::Attributes;
use super::filter::{compare_numbers, instant};
use super::path::AttributePath;
use super::prepare::prepare;
use super::schema::Type;

/// Where a resource stands in an order.
#[derive(Debug, Clone)]
pub struct Key {
    rank: Option<Rank>,
    descending: bool,
}

#[derive(Debug, Clone)]
enum Rank {
    Boolean(bool),
    Number(Number),
    Instant(jiff::Timestamp),
    Text(String),
}

/// The key of a resource for `sortBy` and `sortOrder`.
pub fn key(path: &AttributePath, descending: bool, resource: &Attributes) -> Key {
    Key {
        rank: rank(path, resource),
        descending,
    }
}

/// Compares two resources. To sort a list, take each one's [`key`] once.
pub fn compare(
    path: &AttributePath,
    descending: bool,
    left: &Attributes,
    right: &Attributes,
) -> Ordering {
    key(path, descending, left).cmp(&key(path, descending, right))
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (&self.rank, &other.rank) {
            (Some(left), Some(right)) => left.compare(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

impl Rank {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => {
                compare_numbers(left, right).unwrap_or(Ordering::Equal)
            }
            (Self::Instant(left), Self::Instant(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            // One attribute has one type; an odd value still needs a place.
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

fn rank(path: &AttributePath, resource: &Attributes) -> Option<Rank> {
    let chosen = match path.find(resource)? {
        Value::Array(elements) => elements
            .iter()
            .find(|element| element.get("primary") == Some(&Value::Bool(true)))
            .or_else(|| elements.first())?,
        value => value,
    };
    let sub = path.sub.or_else(|| path.attribute.sub("value"));
    let (leaf, value) = match sub {
        Some(sub) => (sub, chosen.get(&sub.name)?),
        None => (path.attribute, chosen),
    };
    match value {
        Value::Bool(value) => Some(Rank::Boolean(*value)),
        Value::Number(number) => Some(Rank::Number(number.clone())),
        Value::String(text) if leaf.kind == Type::DateTime => instant(text).map(Rank::Instant),
        Value::String(text) if !text.is_empty() => Some(Rank::Text(prepare(leaf, text))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::catalogue;

    fn sorted(name: &str, descending: bool, resources: &[Value]) -> String {
        let user = catalogue().by_name("User").unwrap();
        let path = AttributePath::parse(name, user).unwrap();
        let mut resources: Vec<&Value> = resources.iter().collect();
        resources.sort_by(|left, right| {
            let (left, right) = (left.as_object().unwrap(), right.as_object().unwrap());
            compare(&path, descending, left, right)
        });
        let ids = resources
            .iter()
            .map(|resource| resource["id"].as_str().unwrap());
        ids.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_missing_comes_last_and_in_descending_order_first() {
        let resources = [
            json!({"id": "none"}),
            json!({"id": "b", "title": "beta"}),
            json!({"id": "empty", "title": ""}),
            json!({"id": "A", "title": "ALPHA"}),
        ];
        insta::assert_snapshot!(sorted("title", false, &resources), @"A b none empty");
        insta::assert_snapshot!(sorted("title", true, &resources), @"none empty b A");
    }

    #[test]
    fn the_primary_value_counts_and_else_the_first() {
        let resources = [
            json!({"id": "3", "emails": [{"value": "a"}, {"value": "c", "primary": true}]}),
            json!({"id": "2", "emails": [{"value": "b"}, {"value": "a"}]}),
            json!({"id": "1", "emails": [{"value": "a"}]}),
        ];
        insta::assert_snapshot!(sorted("emails", false, &resources), @"1 2 3");
        insta::assert_snapshot!(sorted("emails.value", true, &resources), @"3 2 1");
    }

    #[test]
    fn types_and_letter_case_decide_the_order() {
        let exact = [
            json!({"id": "b", "externalId": "b"}),
            json!({"id": "C", "externalId": "C"}),
        ];
        insta::assert_snapshot!(sorted("externalId", false, &exact), @"C b");
        let times = [
            json!({"id": "later", "meta": {"created": "2011-05-13T04:00:00Z"}}),
            json!({"id": "sooner", "meta": {"created": "2011-05-13T05:00:00+02:00"}}),
        ];
        insta::assert_snapshot!(sorted("meta.created", false, &times), @"sooner later");
        let flags = [
            json!({"id": "on", "active": true}),
            json!({"id": "off", "active": false}),
        ];
        insta::assert_snapshot!(sorted("active", false, &flags), @"off on");
    }
}
