//! The one file that spells keys.
//!
//! A key is made of parts joined by `#`. No part can contain that character:
//! tenants and type names have a checked charset, ids are UUIDs, and what a
//! client wrote appears as a hash only. So two different inputs never make the
//! same key, and no key of one tenant is a key of another. This file must not
//! know what the items carry besides.
//!
//! ```text
//! resource    acme#User#3                        3f0c9a52-…
//! lookup      acme#User#userName#k7Vq…           =
//! membership  acme#members#9b1c5e00-…            3f0c9a52-…
//! counter     acme#User#count                    17
//! idempotency acme#idempotency#x0Pm…             =, 5d41…#lane#3, 5d41…#answer#1#1
//! page hint   acme#hint#Xq0d…                    101
//! ```

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::lookup::Lookup;
use super::name;
use super::value::Item;
use crate::scim::ResourceId;

/// Partitions over which the resources of one type and tenant are spread. A
/// partition takes 1,000 write units a second.
pub const SHARDS: u8 = 16;

/// The sort key of a lookup that only one resource can own.
const UNIQUE: &str = "=";

/// A tenant's name, `[A-Za-z0-9._-]{1,64}`: the first part of every partition
/// key, so that no key of one tenant can equal a key of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(String);

impl Tenant {
    /// Checks the form of the name.
    pub fn parse(text: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        ((1..=64).contains(&text.len()) && text.bytes().all(legal)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a request across its repetitions: a hash, since an `Idempotency-Key`
/// is the client's own text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(String);

impl RequestKey {
    /// The key that a client of an issuer has given to a request.
    pub fn new(issuer: &str, client: &str, key: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [issuer, client, key] {
            // With its length before each, no two triples run together.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(URL_SAFE_NO_PAD.encode(hash.finalize()))
    }

    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// An item with nothing but its key.
    pub fn to_item(&self) -> Item {
        HashMap::from([
            (name::PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (name::SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// The key of the secret that cursors are sealed with: one for the table, below
/// no tenant, whose name is never empty.
pub fn cursor_secret() -> Key {
    Key {
        pk: "#secret".to_owned(),
        sk: "cursor".to_owned(),
    }
}

/// The key of a resource. `resource_type` is the type's name.
pub fn resource(tenant: &Tenant, resource_type: &str, id: ResourceId) -> Key {
    Key {
        pk: shard_pk(tenant, resource_type, shard(id)),
        sk: id.to_string(),
    }
}

/// The partition of one shard of a type, below [`SHARDS`].
pub fn shard_pk(tenant: &Tenant, resource_type: &str, shard: u8) -> String {
    format!("{tenant}#{resource_type}#{shard:x}")
}

/// The shard that an id lives in: its first hexadecimal digit, so that the
/// order by shard and id is the order by id.
pub fn shard(id: ResourceId) -> u8 {
    let [first, ..] = id.as_bytes();
    first >> 4
}

/// The key of the item that joins a group and a member.
pub fn membership(tenant: &Tenant, group: ResourceId, member: ResourceId) -> Key {
    Key {
        pk: members_pk(tenant, group),
        sk: member.to_string(),
    }
}

/// The partition of a group's memberships.
pub fn members_pk(tenant: &Tenant, group: ResourceId) -> String {
    format!("{tenant}#members#{group}")
}

/// The key of the item by which `owner` is found. A unique lookup has one key
/// for all owners, which makes the item a reservation.
pub fn lookup(tenant: &Tenant, lookup: &Lookup, owner: ResourceId) -> Key {
    let sk = if lookup.unique {
        UNIQUE.to_owned()
    } else {
        owner.to_string()
    };
    Key {
        pk: lookup_pk(tenant, lookup),
        sk,
    }
}

/// The partition of all items of one looked-up value.
pub fn lookup_pk(tenant: &Tenant, lookup: &Lookup) -> String {
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(lookup.value.as_bytes()));
    format!(
        "{tenant}#{}#{}#{hash}",
        lookup.resource_type, lookup.attribute
    )
}

/// The key of one slot of a type's counter.
pub fn counter(tenant: &Tenant, resource_type: &str, slot: u8) -> Key {
    Key {
        pk: counter_pk(tenant, resource_type),
        sk: slot.to_string(),
    }
}

/// The key of the record of an idempotent request.
pub fn record(tenant: &Tenant, request: &RequestKey) -> Key {
    Key {
        pk: request_pk(tenant, request),
        sk: UNIQUE.to_owned(),
    }
}

/// The key of one lane of an idempotent request: what its transactions of one
/// lane have committed. `generation` is the record's.
pub fn lane(tenant: &Tenant, request: &RequestKey, generation: &str, lane: u8) -> Key {
    Key {
        pk: request_pk(tenant, request),
        sk: format!("{generation}#lane#{lane}"),
    }
}

/// The key of a further piece of the answer that an attempt has given to an
/// idempotent request.
pub fn piece(
    tenant: &Tenant,
    request: &RequestKey,
    generation: &str,
    attempt: u64,
    piece: usize,
) -> Key {
    Key {
        pk: request_pk(tenant, request),
        sk: format!("{generation}#answer#{attempt}#{piece}"),
    }
}

fn request_pk(tenant: &Tenant, RequestKey(hash): &RequestKey) -> String {
    format!("{tenant}#idempotency#{hash}")
}

/// The partition of a type's counter slots.
pub fn counter_pk(tenant: &Tenant, resource_type: &str) -> String {
    format!("{tenant}#{resource_type}#count")
}

/// The key of the hint where a list goes on at a one-based index. `sequence` is
/// all that tells one walk from another, the caller included; only its hash is
/// kept.
pub fn hint(tenant: &Tenant, sequence: &[&str], start: usize) -> Key {
    let mut hash = Sha256::new();
    for part in sequence {
        // With its length, so that no two lists run together.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hash = URL_SAFE_NO_PAD.encode(hash.finalize());
    Key {
        pk: format!("{tenant}#hint#{hash}"),
        sk: start.to_string(),
    }
}

#[cfg(test)]
mod tests;
