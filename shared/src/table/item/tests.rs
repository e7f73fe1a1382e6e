use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::table::key::{self, Tenant};

fn attributes() -> impl Strategy<Value = Attributes> {
    let leaf = prop_oneof![
        any::<String>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
    ];
    let value = leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    });
    prop::collection::vec((".{0,12}", value), 0..5).prop_map(|list| list.into_iter().collect())
}

prop_compose! {
    fn stored()(
        id in any::<[u8; 16]>(),
        numbers in any::<(u64, i64, i64, u64)>(),
        attributes in attributes(),
        groups in prop::collection::btree_set(any::<[u8; 16]>(), 0..4),
        header in prop::option::of((
            any::<u64>(),
            prop::collection::btree_set(any::<u64>(), 0..4),
            prop::option::of(any::<[u8; 16]>()),
        )),
    ) -> Stored {
        Stored {
            id: ResourceId::from_bytes(id),
            rev: numbers.0,
            created: Timestamp(numbers.1),
            modified: Timestamp(numbers.2),
            attributes,
            groups: groups.into_iter().map(ResourceId::from_bytes).collect(),
            groups_rev: numbers.3,
            header: header.map(|(next, open, member)| Header {
                next,
                open,
                members: member.into_iter().map(ResourceId::from_bytes).collect(),
            }),
        }
    }
}

proptest! {
    #[test]
    fn a_resource_survives_its_item(stored in stored()) {
        let tenant = Tenant::parse("acme").unwrap();
        let item = stored.to_item(&key::resource(&tenant, "User", stored.id));
        prop_assert_eq!(Stored::from_item(&item), Ok(stored));
    }
}

fn sized(bytes: usize) -> Stored {
    Stored {
        id: ResourceId::from_bytes([1; 16]),
        rev: 1,
        created: Timestamp(0),
        modified: Timestamp(0),
        attributes: json!({"userName": "x".repeat(bytes)})
            .as_object()
            .unwrap()
            .clone(),
        groups: BTreeSet::new(),
        groups_rev: 0,
        header: None,
    }
}

#[test]
fn a_resource_over_the_limit_is_refused_with_limit_and_size() {
    assert_eq!(check_size(&sized(349_000)), Ok(()));
    let error = check_size(&sized(350_000)).unwrap_err();
    insta::assert_snapshot!(error, @"413: the resource takes 350080 bytes as stored, the limit is 350000 bytes");
}

#[test]
fn an_item_that_lacks_something_names_what() {
    let tenant = Tenant::parse("acme").unwrap();
    let stored = sized(1);
    let whole = stored.to_item(&key::resource(&tenant, "User", stored.id));
    for attribute in [
        name::SK,
        name::REV,
        name::CREATED,
        name::MODIFIED,
        name::DOC,
    ] {
        let mut item = whole.clone();
        item.remove(attribute);
        assert_eq!(Stored::from_item(&item), Err(MalformedItem { attribute }));
        item.insert(attribute.into(), AttributeValue::Bool(true));
        assert_eq!(Stored::from_item(&item), Err(MalformedItem { attribute }));
    }
    for attribute in [name::IN, name::MREV, name::NEXT] {
        let mut item = whole.clone();
        item.insert(attribute.into(), AttributeValue::S("x".into()));
        assert_eq!(Stored::from_item(&item), Err(MalformedItem { attribute }));
    }
}

#[test]
fn an_owner_survives_its_item() {
    let id = ResourceId::from_bytes([9; 16]);
    let key = Key {
        pk: "p".into(),
        sk: "=".into(),
    };
    assert_eq!(owner_of(&lookup_item(&key, id)), Ok(id));
    assert_eq!(
        owner_of(&key.to_item()),
        Err(MalformedItem {
            attribute: name::OWNER
        })
    );
}
