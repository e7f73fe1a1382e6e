//! Page hints, and how each is kept as an item.
//!
//! A hint says after which resource the page at an index begins, so that a walk
//! by `startIndex` does not read again what it skips. It holds an id and the
//! name of a resource type, nothing that a client wrote. It may be lost, late or
//! gone at any time: whoever reads it must be able to do without. This file must
//! not know who walks.
//!
//! ```text
//! pk acme#hint#Xq0d…  sk 101  type User  after 3f0c…  expires 17…
//! ```

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::key::Key;
use super::name;
use super::value::{Item, MalformedItem, number, read_id, read_number, read_text, seconds};
use crate::scim::{ResourceId, Timestamp};

/// How long a hint holds. Long enough for a client that asks for one page after
/// another, short enough that a page never begins by a directory long gone.
pub const HINT_LIFE: Duration = Duration::from_secs(300);

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The name of the type of the last resource of the page before.
    pub resource_type: String,
    /// Its id.
    pub after: ResourceId,
    /// Seconds since the epoch.
    expires: i64,
}

impl Hint {
    /// A hint given at this instant.
    pub fn new(resource_type: &str, after: ResourceId, now: Timestamp) -> Self {
        let life = i64::try_from(HINT_LIFE.as_millis()).unwrap_or(i64::MAX);
        Self {
            resource_type: resource_type.to_owned(),
            after,
            expires: seconds(Timestamp(now.0.saturating_add(life))),
        }
    }

    /// Whether it still holds: time to live removes items up to days late.
    pub fn holds(&self, now: Timestamp) -> bool {
        now.seconds() < self.expires
    }

    /// The item under this key.
    pub fn to_item(&self, key: &Key) -> Item {
        let mut item = key.to_item();
        let text = |text: String| AttributeValue::S(text);
        item.insert(name::TYPE.into(), text(self.resource_type.clone()));
        item.insert(name::AFTER.into(), text(self.after.to_string()));
        item.insert(name::EXPIRES.into(), number(self.expires));
        item
    }

    /// Reads an item that [`Hint::to_item`] wrote.
    pub fn from_item(item: &Item) -> Result<Self, MalformedItem> {
        Ok(Self {
            resource_type: read_text(item, name::TYPE)?.to_owned(),
            after: read_id(item, name::AFTER)?,
            expires: read_number(item, name::EXPIRES)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::key;
    use crate::table::key::Tenant;

    fn kept() -> (Hint, Item) {
        let hint = Hint::new("User", ResourceId::from_bytes([7; 16]), Timestamp(1_500));
        let tenant = Tenant::parse("acme").unwrap();
        let item = hint.to_item(&key::hint(&tenant, &["a"], 101));
        (hint, item)
    }

    #[test]
    fn a_hint_comes_back_as_it_was_kept() {
        let (hint, item) = kept();
        assert_eq!(Hint::from_item(&item), Ok(hint));
    }

    #[test]
    fn a_hint_without_one_of_its_parts_is_none() {
        for attribute in [name::TYPE, name::AFTER, name::EXPIRES] {
            let (_, mut item) = kept();
            item.insert(attribute.to_owned(), AttributeValue::Bool(true));
            assert_eq!(Hint::from_item(&item), Err(MalformedItem { attribute }));
            item.remove(attribute);
            assert_eq!(Hint::from_item(&item), Err(MalformedItem { attribute }));
        }
    }

    #[test]
    fn a_hint_holds_five_minutes_and_no_second_longer_than_rounding_gives() {
        let (hint, _) = kept();
        assert!(hint.holds(Timestamp(1_500)));
        assert!(hint.holds(Timestamp(301_500)));
        assert!(!hint.holds(Timestamp(302_000)));
    }
}
