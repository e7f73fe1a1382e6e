//! Resources, lookups and counters, and how each is kept as an item.
//!
//! An item is a map of short attribute names ([`super::name`]). The document of a
//! resource is one JSON string, so that no attribute name of a schema can meet
//! a reserved word or a name of ours. This file must not know conditions, nor
//! the client.
//!
//! ```text
//! pk acme#User#3  sk 3f0c…  rev 2  created 17…  modified 17…
//! doc {"userName":"bjensen"}  in {<9b1c…>}  mrev 1
//! ```

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::digest::Digest;
use super::key::Key;
use super::membership::Membership;
use super::name;
use super::value::{
    Item, MalformedItem, id_set, item_size, malformed, number, number_set, read_id, read_id_set,
    read_number, read_number_set, read_optional_number, read_text,
};
use crate::scim::{Attributes, ResourceId, ScimError, Timestamp, Version};

/// The most bytes that a resource may take as stored. DynamoDB's own limit is
/// 400 KB; the rest is room for the groups that it will be put into.
pub const MAX_STORED: usize = 350_000;

/// A resource as stored, with its metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The permanent id.
    pub id: ResourceId,
    /// Grows with every change that the resource's version shows.
    pub rev: u64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// What clients wrote, without `members`. A password is an object
    /// `{"phc": …}` once hashed and a string before.
    pub attributes: Attributes,
    /// The groups it is directly in, as far as known: a superset of the truth.
    pub groups: BTreeSet<ResourceId>,
    /// Bumped with every change of `groups`; 0 before the first.
    pub groups_rev: u64,
    /// Of a group only.
    pub header: Option<Header>,
}

impl Stored {
    /// The version as clients see it.
    pub fn version(&self) -> Version {
        Version(self.rev)
    }

    /// Whether this membership of the group holds at its revision.
    pub fn shows(&self, membership: &Membership) -> bool {
        match &self.header {
            Some(header) => membership.visible(self.rev, &header.open),
            None => false,
        }
    }

    /// Whether those of these that hold at the group's revision are all that do.
    pub fn shows_all(&self, memberships: &[Membership]) -> bool {
        let shown = memberships.iter().filter(|found| self.shows(found));
        let digest: Digest = shown.map(|membership| membership.member).collect();
        self.header
            .as_ref()
            .is_none_or(|header| header.members == digest)
    }

    /// The whole item under this key.
    pub fn to_item(&self, key: &Key) -> Item {
        let mut item = key.to_item();
        item.insert(name::REV.into(), number(self.rev));
        item.insert(name::CREATED.into(), number(self.created.0));
        item.insert(name::MODIFIED.into(), number(self.modified.0));
        item.insert(name::DOC.into(), document(&self.attributes));
        if let Some(groups) = id_set(&self.groups) {
            item.insert(name::IN.into(), groups);
        }
        if self.groups_rev > 0 {
            item.insert(name::MREV.into(), number(self.groups_rev));
        }
        if let Some(header) = &self.header {
            item.insert(name::NEXT.into(), number(header.next));
            if let Some(open) = number_set(&header.open) {
                item.insert(name::OPEN.into(), open);
            }
            if let Some(digest) = header.members.to_value() {
                item.insert(name::DIGEST.into(), digest);
            }
        }
        item
    }

    /// Reads an item that [`Stored::to_item`] wrote, piecemeal or whole.
    pub fn from_item(item: &Item) -> Result<Self, MalformedItem> {
        let groups = read_id_set(item, name::IN)?;
        let header = match item.get(name::NEXT) {
            Some(_) => Some(Header {
                next: read_number(item, name::NEXT)?,
                open: read_number_set(item, name::OPEN)?,
                members: Digest::of_item(item)?,
            }),
            None => None,
        };
        Ok(Self {
            id: read_id(item, name::SK)?,
            rev: read_number(item, name::REV)?,
            created: Timestamp(read_number(item, name::CREATED)?),
            modified: Timestamp(read_number(item, name::MODIFIED)?),
            attributes: serde_json::from_str(read_text(item, name::DOC)?)
                .map_err(|_| malformed(name::DOC))?,
            groups,
            groups_rev: read_optional_number(item, name::MREV)?.unwrap_or(0),
            header,
        })
    }
}

/// Refuses a resource that takes more than [`MAX_STORED`] bytes: 413, naming
/// limit and size.
pub fn check_size(stored: &Stored) -> Result<(), ScimError> {
    let size = stored_size(stored);
    if size <= MAX_STORED {
        return Ok(());
    }
    let detail =
        format!("the resource takes {size} bytes as stored, the limit is {MAX_STORED} bytes");
    Err(ScimError::new(413, detail))
}

/// The groups that a resource may be in before its size is looked at: with
/// [`MAX_STORED`] they are far from DynamoDB's 400 KB.
const MANY_GROUPS: usize = 1_000;

/// DynamoDB takes no item of more bytes (service limit).
const MAX_ITEM: usize = 400 * 1024;

/// Refuses a resource that is put into one group too many to be stored: 413,
/// naming limit and size.
pub fn check_joined(stored: &Stored) -> Result<(), ScimError> {
    if stored.groups.len() <= MANY_GROUPS {
        return Ok(());
    }
    // Room for the keys, which are not known here, and for a password's hash.
    let (size, most) = (stored_size(stored), MAX_ITEM - 1024);
    if size <= most {
        return Ok(());
    }
    let groups = stored.groups.len();
    let detail = format!(
        "the member takes {size} bytes with its {groups} groups, the limit is {most} bytes"
    );
    Err(ScimError::new(413, detail))
}

/// But for the partition key.
fn stored_size(stored: &Stored) -> usize {
    let key = Key {
        pk: String::new(),
        sk: stored.id.to_string(),
    };
    item_size(&stored.to_item(&key))
}

/// What a group's item carries besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The last change number given out; never reused.
    pub next: u64,
    /// The numbers of unfinished large changes.
    pub open: BTreeSet<u64>,
    /// Over the members visible at the group's revision.
    pub members: Digest,
}

/// The owner that a lookup's item names.
pub fn owner_of(item: &Item) -> Result<ResourceId, MalformedItem> {
    read_id(item, name::OWNER)
}

/// The item of a lookup.
pub fn lookup_item(key: &Key, owner: ResourceId) -> Item {
    let mut item = key.to_item();
    item.insert(name::OWNER.into(), AttributeValue::S(owner.to_string()));
    item
}

/// What a counter slot's item holds.
pub fn count_of(item: &Item) -> Result<i64, MalformedItem> {
    read_number(item, name::N)
}

/// The document as it is kept.
pub fn document(attributes: &Attributes) -> AttributeValue {
    AttributeValue::S(serde_json::Value::Object(attributes.clone()).to_string())
}

#[cfg(test)]
mod tests;
