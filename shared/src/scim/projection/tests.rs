use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::urn;

const ENTERPRISE: &str = urn::ENTERPRISE_USER;

fn user() -> &'static ResourceType {
    catalogue().by_name("User").unwrap()
}

fn full() -> Value {
    json!({
        "schemas": [urn::USER, ENTERPRISE],
        "id": "1",
        "externalId": "e",
        "userName": "bjensen",
        "name": {"familyName": "J", "givenName": "B"},
        "password": "secret",
        "emails": [{"value": "a@example.com", "type": "work"}, {"value": "b@example.com"}],
        ENTERPRISE: {"department": "d", "manager": {"value": "9", "displayName": "Boss"}},
        "meta": {"resourceType": "User", "version": "W/\"1\""},
    })
}

/// What is shown besides `schemas` and `id`, which always are.
fn shown(attributes: &str, excluded: &str) -> String {
    let projection = Projection::parse(Some(attributes), Some(excluded)).unwrap();
    let mut shown = projection.apply(user(), full());
    let members = shown.as_object_mut().unwrap();
    assert!(members.shift_remove("schemas").is_some());
    assert!(members.shift_remove("id").is_some());
    shown.to_string()
}

#[test]
fn only_what_was_asked_for_is_shown() {
    for (attributes, expected) in [
        ("userName", json!({"userName": "bjensen"})),
        (" USERNAME ,, ", json!({"userName": "bjensen"})),
        ("name.givenName", json!({"name": {"givenName": "B"}})),
        (
            "name.givenName,name",
            json!({"name": {"familyName": "J", "givenName": "B"}}),
        ),
        ("emails.type", json!({"emails": [{"type": "work"}]})),
        ("emails.primary", json!({})),
        ("meta.version", json!({"meta": {"version": "W/\"1\""}})),
        (
            "urn:ietf:params:scim:schemas:core:2.0:user:USERNAME",
            json!({"userName": "bjensen"}),
        ),
        ("id", json!({})),
        ("password", json!({})),
        ("nosuch,userName.nosuch,urn:x:y,:,.,a.b.c", json!({})),
        ("department", json!({ENTERPRISE: {"department": "d"}})),
        (
            "manager.value",
            json!({ENTERPRISE: {"manager": {"value": "9"}}}),
        ),
    ] {
        assert_eq!(shown(attributes, ""), expected.to_string(), "{attributes}");
    }
    let whole = json!({ENTERPRISE: full()[ENTERPRISE]});
    assert_eq!(shown(ENTERPRISE, ""), whole.to_string());
    let boss = json!({ENTERPRISE: {"manager": {"displayName": "Boss"}}});
    assert_eq!(
        shown(&format!("{ENTERPRISE}:manager.displayname"), ""),
        boss.to_string()
    );
}

#[test]
fn what_was_excluded_is_left_out() {
    let without = |names: &[&str]| {
        let mut full = full();
        for name in ["schemas", "id", "password"].iter().chain(names) {
            full.as_object_mut().unwrap().shift_remove(*name);
        }
        full
    };
    let nameless = {
        let mut rest = without(&[]);
        rest["name"]
            .as_object_mut()
            .unwrap()
            .shift_remove("givenName");
        rest
    };
    let unmanaged = {
        let mut rest = without(&[]);
        rest[ENTERPRISE]
            .as_object_mut()
            .unwrap()
            .shift_remove("manager");
        rest
    };
    for (excluded, expected) in [
        ("nosuch", without(&[])),
        ("id,schemas", without(&[])),
        ("emails,META", without(&["emails", "meta"])),
        ("name.givenName", nameless),
        ("name.givenName,name.familyName", without(&["name"])),
        (&format!("{ENTERPRISE}:manager"), unmanaged),
        (ENTERPRISE, without(&[ENTERPRISE])),
    ] {
        assert_eq!(shown("", excluded), expected.to_string(), "{excluded}");
    }
}

#[test]
fn both_lists_exclude_each_other() {
    assert!(Projection::parse(Some("a"), Some("b")).is_err());
    let lists = [vec!["a".to_owned()], vec!["b".to_owned()]];
    assert!(Projection::from_lists(Some(&lists[0]), Some(&lists[1])).is_err());
    assert!(Projection::from_lists(Some(&lists[0]), Some(&[])).is_ok());
}

#[test]
fn a_blank_list_is_none_and_an_unknown_name_is_one() {
    for blank in [None, Some(""), Some(" , ")] {
        assert!(Projection::parse(blank, blank).unwrap().is_default());
    }
    assert!(
        Projection::from_lists(Some(&[]), None)
            .unwrap()
            .is_default()
    );
    assert!(
        !Projection::parse(Some("nosuch"), None)
            .unwrap()
            .is_default()
    );
}

#[test]
fn what_is_not_shown_need_not_be_read() {
    let group = catalogue().by_name("Group").unwrap();
    for (attributes, excluded, expected) in [
        ("", "", true),
        ("members", "", true),
        ("members.value", "", true),
        ("urn:ietf:params:scim:schemas:core:2.0:Group", "", true),
        ("displayName", "", false),
        ("nosuch", "", false),
        ("", "MEMBERS", false),
        ("", "members.display", true),
        (
            "",
            "members.value,members.$ref,members.type,members.display",
            false,
        ),
        ("", "displayName", true),
    ] {
        let projection = Projection::parse(Some(attributes), Some(excluded)).unwrap();
        assert_eq!(
            projection.wants(group, "members"),
            expected,
            "{attributes} -{excluded}"
        );
    }
    assert!(!Projection::default().wants(group, "nosuch"));
    assert!(!Projection::default().wants(user(), "password"));
}

#[test]
fn what_is_returned_on_request_is_shown_when_named() {
    let mut resource_type = user().clone();
    let mut schema = resource_type.schema.clone();
    for attribute in &mut schema.attributes {
        match attribute.name.as_str() {
            "title" => attribute.returned = Returned::Request,
            "nickName" => attribute.returned = Returned::Always,
            "name" => attribute.sub_attributes[0].returned = Returned::Request,
            _ => {}
        }
    }
    resource_type.schema = Box::leak(Box::new(schema));
    let resource_type: &'static ResourceType = Box::leak(Box::new(resource_type));
    let full = json!({
        "title": "t", "nickName": "n", "name": {"formatted": "f", "givenName": "g"},
    });
    for (attributes, excluded, expected) in [
        ("", "", json!({"nickName": "n", "name": {"givenName": "g"}})),
        ("title", "", json!({"title": "t", "nickName": "n"})),
        (
            urn::USER,
            "",
            json!({"nickName": "n", "name": {"givenName": "g"}}),
        ),
        (
            "name",
            "",
            json!({"nickName": "n", "name": {"givenName": "g"}}),
        ),
        (
            "name.formatted",
            "",
            json!({"nickName": "n", "name": {"formatted": "f"}}),
        ),
        ("", "nickName,name", json!({"nickName": "n"})),
    ] {
        let projection = Projection::parse(Some(attributes), Some(excluded)).unwrap();
        let shown = projection.apply(resource_type, full.clone());
        assert_eq!(
            shown.to_string(),
            expected.to_string(),
            "{attributes} -{excluded}"
        );
    }
}

#[test]
fn names_without_meaning_are_not_kept() {
    let many: Vec<String> = (0..100_000).map(|n| format!("a{n}")).collect();
    let none = Projection::parse(Some("nosuch"), None).unwrap();
    assert_eq!(Projection::from_lists(Some(&many), None).unwrap(), none);
}

proptest! {
    #[test]
    fn a_password_never_gets_out_and_the_id_always_does(
        names in prop::collection::vec(
            prop::sample::select(vec![
                "password", "PASSWORD", "password.value", "userName", "emails", "id", "schemas",
                "meta", "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:core:2.0:User:password", "",
            ]),
            0..4,
        ),
        excluding in any::<bool>(),
    ) {
        let list = names.join(",");
        let (attributes, excluded) = if excluding { ("", &*list) } else { (&*list, "") };
        let projection = Projection::parse(Some(attributes), Some(excluded)).unwrap();
        let shown = projection.apply(user(), full());
        prop_assert!(!shown.to_string().contains("secret"));
        prop_assert_eq!(&shown["id"], "1");
        prop_assert!(shown.get("schemas").is_some());
        prop_assert_eq!(projection.apply(user(), shown.clone()), shown);
    }
}
