//! The one file that spells keys.
//!
//! A key is made of parts joined by `#`. No part can contain that character:
//! tenants and type names have a checked charset, ids are UUIDs, and what a
//! client wrote appears as a hash only. So two different inputs never make the
//! same key, and no key of one tenant is a key of another. This file must not
//! know what the items carry.
//!
//! ```text
//! resource    acme#User#3                        3f0c9a52-…
//! lookup      acme#User#userName#k7Vq…           =
//! membership  acme#members#9b1c5e00-…            3f0c9a52-…
//! counter     acme#User#count                    17
//! idempotency acme#idempotency#x0Pm…             =, 5d41…#lane#3, 5d41…#answer#1#1
//! page hint   acme#hint#Xq0d…                    101
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::lookup::Lookup;
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
}

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
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
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    enum Input {
        Resource(Tenant, &'static str, ResourceId),
        Membership(Tenant, ResourceId, ResourceId),
        Lookup(Tenant, Lookup, ResourceId),
        Counter(Tenant, &'static str, u8),
        Record(Tenant, RequestKey),
        Lane(Tenant, RequestKey, u8),
        Piece(Tenant, RequestKey, usize),
        Hint(Tenant, Vec<&'static str>, usize),
    }

    fn key(input: &Input) -> Key {
        match input {
            Input::Resource(tenant, name, id) => resource(tenant, name, *id),
            Input::Membership(tenant, group, member) => membership(tenant, *group, *member),
            Input::Lookup(tenant, value, owner) => lookup(tenant, value, *owner),
            Input::Counter(tenant, name, slot) => counter(tenant, name, *slot),
            Input::Record(tenant, request) => record(tenant, request),
            Input::Lane(tenant, request, number) => lane(tenant, request, "00ff", *number),
            Input::Piece(tenant, request, number) => piece(tenant, request, "00ff", 1, *number),
            Input::Hint(tenant, sequence, start) => hint(tenant, sequence, *start),
        }
    }

    fn tenants() -> impl Strategy<Value = Tenant> {
        prop::sample::select(vec!["a", "a-", "a.User", "members", "a_b", "A"])
            .prop_map(|name| Tenant::parse(name).unwrap())
    }

    fn ids() -> impl Strategy<Value = ResourceId> {
        (0_u8..3, 0_u8..3).prop_map(|(a, b)| {
            let mut bytes = [a * 16; 16];
            bytes[15] = b;
            ResourceId::from_bytes(bytes)
        })
    }

    fn lookups() -> impl Strategy<Value = Lookup> {
        let attribute = prop::sample::select(vec!["userName", "count", "0"]);
        let value = prop::sample::select(vec!["", "=", "x", "x#y", "#", "0\u{1f}", "\u{0}"]);
        (types(), attribute, value, any::<bool>()).prop_map(
            |(resource_type, attribute, value, unique)| Lookup {
                resource_type,
                attribute: attribute.to_owned(),
                value: value.to_owned(),
                unique,
            },
        )
    }

    fn requests() -> impl Strategy<Value = RequestKey> {
        let part = || prop::sample::select(vec!["", "a", "aa", "a#", "=", "\u{0}"]);
        (part(), part(), part()).prop_map(|(a, b, c)| RequestKey::new(a, b, c))
    }

    fn sequences() -> impl Strategy<Value = Vec<&'static str>> {
        let part = prop::sample::select(vec!["", "a", "b", "ab", "a,b"]);
        prop::collection::vec(part, 0..4)
    }

    fn types() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["User", "Group", "count"])
    }

    fn inputs() -> impl Strategy<Value = Input> {
        prop_oneof![
            (tenants(), types(), ids()).prop_map(|(a, b, c)| Input::Resource(a, b, c)),
            (tenants(), ids(), ids()).prop_map(|(a, b, c)| Input::Membership(a, b, c)),
            (tenants(), lookups(), ids()).prop_map(|(a, b, c)| Input::Lookup(a, b, c)),
            (tenants(), types(), 0_u8..20).prop_map(|(a, b, c)| Input::Counter(a, b, c)),
            (tenants(), requests()).prop_map(|(a, b)| Input::Record(a, b)),
            (tenants(), requests(), 0_u8..4).prop_map(|(a, b, c)| Input::Lane(a, b, c)),
            (tenants(), requests(), 0_usize..4).prop_map(|(a, b, c)| Input::Piece(a, b, c)),
            (tenants(), sequences(), 0_usize..20).prop_map(|(a, b, c)| Input::Hint(a, b, c)),
        ]
    }

    /// What is meant to share a key: the owners of one unique value.
    fn same(a: &Input, b: &Input) -> bool {
        match (a, b) {
            (Input::Lookup(s, x, _), Input::Lookup(t, y, _)) if x.unique => s == t && x == y,
            _ => a == b,
        }
    }

    #[test]
    fn issuer_client_and_key_cannot_run_together() {
        let parts = ["", "a", "aa", "ab", "b"];
        let mut seen = std::collections::HashSet::new();
        for issuer in parts {
            for client in parts {
                for key in parts {
                    assert!(seen.insert(RequestKey::new(issuer, client, key)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn different_inputs_never_make_the_same_key(
            inputs in prop::collection::vec(inputs(), 2..60)
        ) {
            let mut seen: HashMap<Key, Input> = HashMap::new();
            for input in inputs {
                if let Some(earlier) = seen.insert(key(&input), input.clone()) {
                    prop_assert!(same(&earlier, &input), "{earlier:?} and {input:?}");
                }
            }
        }

        #[test]
        fn ids_in_order_are_in_order_of_shard(mut bytes in prop::collection::vec(any::<[u8; 16]>(), 2..20)) {
            bytes.sort_unstable();
            let shards: Vec<u8> = bytes.into_iter().map(|b| shard(ResourceId::from_bytes(b))).collect();
            prop_assert!(shards.is_sorted());
            prop_assert!(shards.iter().all(|shard| *shard < SHARDS));
        }
    }

    #[test]
    fn a_tenant_cannot_contain_a_delimiter() {
        for name in ["", "a#b", "a/b", "a b", "ä", "a\u{0}", &"x".repeat(65)] {
            assert_eq!(Tenant::parse(name), None, "{name}");
        }
    }

    #[test]
    fn keys_read_as_documented() {
        let tenant = Tenant::parse("acme").unwrap();
        let id = ResourceId::from_bytes([0xab; 16]);
        let name = Lookup {
            resource_type: "User",
            attribute: "userName".into(),
            value: "abc".into(),
            unique: true,
        };
        let keys = [
            resource(&tenant, "User", id),
            membership(&tenant, id, id),
            lookup(&tenant, &name, id),
            lookup(
                &tenant,
                &Lookup {
                    unique: false,
                    ..name.clone()
                },
                id,
            ),
            counter(&tenant, "User", 17),
            record(&tenant, &RequestKey::new("https://i/", "app", "k")),
            lane(
                &tenant,
                &RequestKey::new("https://i/", "app", "k"),
                "00ff",
                3,
            ),
            piece(
                &tenant,
                &RequestKey::new("https://i/", "app", "k"),
                "00ff",
                2,
                1,
            ),
            hint(&tenant, &["caller", "User"], 101),
        ];
        let text: Vec<String> = keys
            .iter()
            .map(|key| format!("{} {}", key.pk, key.sk))
            .collect();
        insta::assert_snapshot!(text.join("\n"), @"
        acme#User#a abababab-abab-abab-abab-abababababab
        acme#members#abababab-abab-abab-abab-abababababab abababab-abab-abab-abab-abababababab
        acme#User#userName#ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0 =
        acme#User#userName#ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0 abababab-abab-abab-abab-abababababab
        acme#User#count 17
        acme#idempotency#tgNFtRf_GHhk4p2ZTwf2C-aQJkm2i7seRAGBYMu06Ao =
        acme#idempotency#tgNFtRf_GHhk4p2ZTwf2C-aQJkm2i7seRAGBYMu06Ao 00ff#lane#3
        acme#idempotency#tgNFtRf_GHhk4p2ZTwf2C-aQJkm2i7seRAGBYMu06Ao 00ff#answer#2#1
        acme#hint#E-iEkormc7_0p7IWOJPIpvHtHNJP9ovUu60o1RAy1-c 101
        ");
    }
}
