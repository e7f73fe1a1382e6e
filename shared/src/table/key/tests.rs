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
