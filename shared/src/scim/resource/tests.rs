use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::{
    Place, ScimType,
    schema::{Extension, Type},
    urn,
};

const CORE: &str = urn::USER;
const ENTERPRISE: &str = urn::ENTERPRISE_USER;
const IBM: &str = "urn:ietf:params:scim:schemas:extension:ibm:2.0:User";

fn resource_type(name: &str) -> &'static ResourceType {
    catalogue().by_name(name).unwrap()
}

/// Checks the body of a user with a name, and shows what else is kept of it.
fn user(body: Value) -> Result<Value, ScimError> {
    let mut whole = json!({"schemas": [CORE], "userName": "bjensen"});
    whole
        .as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    let mut attributes = check(resource_type("User"), &whole)?;
    if attributes.get("userName") == Some(&json!("bjensen")) {
        attributes.shift_remove("userName");
    }
    Ok(Value::Object(attributes))
}

fn members(members: Value) -> Result<Value, ScimError> {
    let body = json!({"schemas": [urn::GROUP], "displayName": "g", "members": members});
    let mut attributes = check(resource_type("Group"), &body)?;
    Ok(attributes.shift_remove("members").unwrap_or(Value::Null))
}

#[test]
fn names_become_canonical_in_schema_order() {
    let body = json!({
        "SCHEMAS": [CORE.to_uppercase()],
        "Active": true,
        "NAME": {"GivenName": "B", "familyname": "J"},
        "username": "bjensen",
        ENTERPRISE.to_lowercase(): {"DEPARTMENT": "d"},
        "externalID": "e",
    });
    let attributes = Value::Object(check(resource_type("User"), &body).unwrap());
    insta::assert_snapshot!(attributes, @r#"{"externalId":"e","userName":"bjensen","name":{"familyName":"J","givenName":"B"},"active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"}}"#);
}

#[test]
fn what_is_unassigned_read_only_or_unknown_is_dropped() {
    for body in [
        json!({"displayName": null, "emails": [], "name": {}, "x509Certificates": null}),
        json!({"name": {"givenName": null}, "emails": [null, {}, {"value": null, "type": null}]}),
        json!({"id": 7, "meta": "x", "groups": [{"value": "g"}], "password": null}),
        json!({"nosuch": {"deep": [[[]]]}, "name": {"nosuch": 1}, "emails": [{"nosuch": 1}]}),
        json!({ENTERPRISE: null, IBM: {}}),
        json!({ENTERPRISE: {"manager": "", "department": null, "nosuch": 1}}),
        json!({ENTERPRISE: {"manager": {"displayName": "Boss", "value": ""}}}),
        json!({ENTERPRISE: {"manager": []}}),
        json!({"schemas": [CORE, "http://schemas.example.com/foreign", ENTERPRISE]}),
    ] {
        assert_eq!(user(body.clone()).unwrap(), json!({}), "{body}");
    }
}

#[test]
fn values_stay_as_written() {
    for body in [
        json!({"displayName": "  Babs \u{e9}e\u{301}\u{0} ", "title": ""}),
        json!({"password": " secret "}),
        json!({"emails": [{"value": "A@Example.COM", "type": "anything", "primary": true}]}),
        json!({"emails": [{"value": "a", "type": "work"}, {"value": "a", "type": "home"}]}),
        json!({"addresses": [
            {"type": "work", "locality": "a"},
            {"type": "work", "locality": "b", "primary": true},
        ]}),
        json!({"x509Certificates": [{"value": "MIIB"}, {"value": "TQ"}]}),
        json!({"profileUrl": "https://example.com/\u{e9}"}),
        json!({ENTERPRISE: {"employeeNumber": "007", "manager": {"value": "bulkId:boss"}}}),
        json!({IBM: {"userCategory": "federated", "twoFactorAuthentication": false}}),
    ] {
        assert_eq!(user(body.clone()).unwrap(), body);
    }
}

#[test]
fn habits_of_connectors_are_understood() {
    for (body, expected) in [
        (json!({"active": "True"}), json!({"active": true})),
        (json!({"active": "false"}), json!({"active": false})),
        (
            json!({"emails": {"value": "a", "primary": "True"}}),
            json!({"emails": [{"value": "a", "primary": true}]}),
        ),
        (
            json!({"name": [{"givenName": "B"}]}),
            json!({"name": {"givenName": "B"}}),
        ),
        (
            json!({ENTERPRISE: {"manager": "9"}}),
            json!({ENTERPRISE: {"manager": {"value": "9"}}}),
        ),
        (
            json!({ENTERPRISE: {"manager": [{"$ref": "../Users/9", "value": "9"}]}}),
            json!({ENTERPRISE: {"manager": {"value": "9"}}}),
        ),
        (
            json!({ENTERPRISE: {"manager": {"$ref": "https://example.com/scim/v2/Users/9"}}}),
            json!({ENTERPRISE: {"manager": {"value": "9"}}}),
        ),
        (
            json!({ENTERPRISE: {"manager": {"$ref": "Users/bulkId:a"}}}),
            json!({ENTERPRISE: {"manager": {"value": "bulkId:a"}}}),
        ),
        // A group is nobody's manager.
        (
            json!({ENTERPRISE: {"manager": {"$ref": "../Groups/9"}}}),
            json!({}),
        ),
    ] {
        assert_eq!(user(body.clone()).unwrap(), expected, "{body}");
    }
}

#[test]
fn equal_values_are_one_value() {
    let emails = json!({"emails": [
        {"value": "a", "type": "work"},
        {"value": "b", "type": "work"},
        {"value": "a", "type": "work", "primary": true},
        {"value": "a", "type": "work", "display": "A"},
        {"value": "a"},
    ]});
    insta::assert_snapshot!(user(emails).unwrap(), @r#"{"emails":[{"value":"a","type":"work","primary":true,"display":"A"},{"value":"b","type":"work"},{"value":"a"}]}"#);
}

#[test]
fn members_are_ids_with_at_most_a_type() {
    for (body, expected) in [
        (
            json!([{"value": "a", "display": "A", "$ref": null}]),
            json!([{"value": "a"}]),
        ),
        (
            json!(["a", "b", "a"]),
            json!([{"value": "a"}, {"value": "b"}]),
        ),
        (json!("a"), json!([{"value": "a"}])),
        (
            json!([{"value": "a", "type": "user"}]),
            json!([{"value": "a", "type": "User"}]),
        ),
        (json!([{"$ref": "/Groups/a"}]), json!([{"value": "a"}])),
        (
            json!([{"value": "a"}, {"value": "a", "type": "GROUP"}]),
            json!([{"value": "a", "type": "Group"}]),
        ),
        (json!([{}, null, {"value": null}]), Value::Null),
    ] {
        assert_eq!(members(body.clone()).unwrap(), expected, "{body}");
    }
    for (body, place) in [
        (
            json!([{"value": "a"}, {"display": "B"}]),
            "members[1].value",
        ),
        (json!([{"value": "", "type": "User"}]), "members[0].value"),
        (json!(["a", ""]), "members[1].value"),
        (json!([{"$ref": "/EndpointApps/a"}]), "members[0].value"),
        (
            json!([{"value": "a", "type": "EndpointApp"}]),
            "members[0].type",
        ),
        (json!([{"value": 1}]), "members[0].value"),
        (json!([["a"]]), "members[0]"),
    ] {
        let error = members(body.clone()).unwrap_err();
        assert_eq!(error.scim_type(), Some(ScimType::InvalidValue), "{body}");
        assert!(
            error.detail().starts_with(&format!("`{place}`: ")),
            "{body}: {error}"
        );
    }
}

#[test]
fn a_fault_names_its_place_and_what_was_expected() {
    let faults = [
        json!({"userName": "   "}),
        json!({"userName": 7}),
        json!({"userName": ["a"]}),
        json!({"name": "Babs"}),
        json!({"name": {"familyName": 1}}),
        json!({"name": [{}, {}]}),
        json!({"active": "yes"}),
        json!({"emails": ["a@example.com"]}),
        json!({"emails": [{"value": "a"}, {"value": "b"}, {"value": true}]}),
        json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": "true"}]}),
        json!({"x509Certificates": [{"value": "no base64"}]}),
        json!({"profileUrl": "no uri"}),
        json!({ENTERPRISE: "x"}),
        json!({ENTERPRISE: {"manager": 7}}),
        json!({ENTERPRISE: {"manager": {"value": 7}}}),
        json!({"nickName": "a", "NICKNAME": "b"}),
        json!({"name": {"givenName": "a", "GivenName": "b"}}),
        json!({"schemas": null}),
        json!({"schemas": []}),
        json!({"schemas": CORE}),
        json!({"schemas": [CORE, 7]}),
        json!({"schemas": [urn::GROUP]}),
    ];
    let told: Vec<String> = faults
        .into_iter()
        .map(|body| user(body).unwrap_err().to_string())
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    400 invalidValue: `userName`: the value must not be blank
    400 invalidValue: `userName`: expected a string, found a number
    400 invalidValue: `userName`: expected a string, found an array
    400 invalidValue: `name`: expected an object, found a string
    400 invalidValue: `name.familyName`: expected a string, found a number
    400 invalidValue: `name`: expected one value, found several
    400 invalidValue: `active`: expected true or false, found another string
    400 invalidValue: `emails[0]`: expected an object, found a string
    400 invalidValue: `emails[2].value`: expected a string, found a boolean
    400 invalidValue: `emails`: more than one value is primary
    400 invalidValue: `x509Certificates[0].value`: expected base64, found another string
    400 invalidValue: `profileUrl`: expected a URI, found another string
    400 invalidValue: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`: expected an object
    400 invalidValue: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager`: expected an object, found a number
    400 invalidValue: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`: expected a string, found a number
    400 invalidSyntax: `nickName` and `NICKNAME` are the same attribute
    400 invalidSyntax: `name`: `givenName` and `GivenName` are the same attribute
    400 invalidSyntax: `schemas`: a list with `urn:ietf:params:scim:schemas:core:2.0:User` is required
    400 invalidSyntax: `schemas`: `urn:ietf:params:scim:schemas:core:2.0:User` is missing from the list
    400 invalidSyntax: `schemas`: expected a list of strings
    400 invalidSyntax: `schemas`: expected a list of strings
    400 invalidSyntax: `schemas`: `urn:ietf:params:scim:schemas:core:2.0:User` is missing from the list
    ");
}

#[test]
fn programs_find_the_place_of_a_fault_in_steps() {
    let error = user(json!({ENTERPRISE: {"manager": {"value": 7}}})).unwrap_err();
    assert_eq!(
        error.places(),
        [Place {
            loc: vec![json!(ENTERPRISE), json!("manager"), json!("value")],
            msg: "expected a string, found a number".to_owned(),
            kind: "type_error",
        }]
    );
    let error = user(json!({"emails": [{}, {"value": 7}]})).unwrap_err();
    assert_eq!(
        error.places()[0].loc,
        [json!("emails"), json!(1), json!("value")]
    );
}

#[test]
fn a_body_that_is_no_resource_is_bad_syntax() {
    for body in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"userName": "bjensen"}),
    ] {
        let error = check(resource_type("User"), &body).unwrap_err();
        assert_eq!(error.scim_type(), Some(ScimType::InvalidSyntax), "{body}");
    }
    let error = check(resource_type("User"), &json!({"schemas": [CORE]})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "400 invalidValue: `userName`: a value is required"
    );
}

#[test]
fn a_patch_value_is_coerced_by_itself() {
    let manager = resource_type("User")
        .extension(ENTERPRISE)
        .unwrap()
        .attribute("manager");
    let members = resource_type("Group").attribute("members").unwrap();
    let id = json!("9");
    assert_eq!(
        coerce(manager.unwrap(), &id, "").unwrap(),
        Some(json!({"value": "9"}))
    );
    assert_eq!(
        coerce(members, &id, "").unwrap(),
        Some(json!([{"value": "9"}]))
    );
    assert_eq!(
        coerce_element(members, &id, "").unwrap(),
        Some(json!({"value": "9"}))
    );
    assert_eq!(
        coerce_element(members, &json!({"TYPE": "user"}), "").unwrap(),
        Some(json!({"type": "User"}))
    );
    assert_eq!(coerce(members, &json!([]), "").unwrap(), None);
    let error = coerce(members, &json!([7]), "Operations[3].value").unwrap_err();
    assert_eq!(
        error.detail(),
        "`Operations[3].value[0]`: expected an object, found a number"
    );
}

#[test]
fn a_put_keeps_the_password_and_clears_the_rest() {
    let stored = json!({
        "userName": "a",
        "title": "t",
        "password": {"phc": "$argon2id$"},
        ENTERPRISE: {"department": "d"},
    });
    let replaced = |new: Value| {
        let (Value::Object(stored), Value::Object(new)) = (stored.clone(), new) else {
            panic!("objects")
        };
        Value::Object(replace(resource_type("User"), &stored, new).unwrap())
    };
    assert_eq!(
        replaced(json!({"userName": "b"})),
        json!({"userName": "b", "password": {"phc": "$argon2id$"}})
    );
    let new = json!({"userName": "b", "password": "p", ENTERPRISE: {"division": "x"}});
    assert_eq!(replaced(new.clone()), new);
}

#[test]
fn what_is_immutable_stays_as_first_written() {
    let attribute = |name: &str, mutability, sub_attributes: Vec<Attribute>| {
        let mut attribute = catalogue().common.attribute("externalId").unwrap().clone();
        attribute.name = name.to_owned();
        attribute.mutability = mutability;
        attribute.sub_attributes = sub_attributes;
        attribute
    };
    let schema = [
        attribute("serial", Mutability::Immutable, vec![]),
        attribute(
            "case",
            Mutability::ReadWrite,
            vec![attribute("mark", Mutability::Immutable, vec![])],
        ),
    ];
    for (stored, new, expected) in [
        (
            json!({}),
            json!({"serial": "1"}),
            Some(json!({"serial": "1"})),
        ),
        (
            json!({"serial": "1"}),
            json!({}),
            Some(json!({"serial": "1"})),
        ),
        (
            json!({"serial": "1"}),
            json!({"serial": "1"}),
            Some(json!({"serial": "1"})),
        ),
        (json!({"serial": "1"}), json!({"serial": "2"}), None),
        (
            json!({"case": {"mark": "1"}}),
            json!({"case": {"mark": "2"}}),
            None,
        ),
    ] {
        let mut after = new.as_object().unwrap().clone();
        let kept = keep(
            &schema,
            stored.as_object().unwrap(),
            &mut after,
            &Trail::Root(""),
        );
        match expected {
            Some(expected) => {
                kept.unwrap();
                assert_eq!(Value::Object(after), expected, "{stored} {new}");
            }
            None => assert_eq!(kept.unwrap_err().scim_type(), Some(ScimType::Mutability)),
        }
    }
}

#[test]
fn each_data_type_admits_its_own_values() {
    let number: Value = serde_json::from_str("1e3").unwrap();
    for (kind, value, legal) in [
        (Type::Integer, json!(-7), true),
        (Type::Integer, json!(u64::MAX), true),
        (Type::Integer, json!(1.5), false),
        (Type::Integer, number.clone(), false),
        (Type::Integer, json!("7"), false),
        (Type::Decimal, number, true),
        (Type::Decimal, json!(7), true),
        (Type::Decimal, json!("7.0"), false),
        (Type::Boolean, json!(1), false),
        (Type::DateTime, json!("2026-01-31T23:59:59Z"), true),
        (Type::DateTime, json!("2026-01-31"), false),
        (Type::DateTime, json!(0), false),
        (Type::Binary, json!(""), true),
        (Type::Reference, json!({"value": "/Users/1"}), false),
        (Type::String, json!({}), false),
    ] {
        let mut attribute = catalogue().common.attribute("externalId").unwrap().clone();
        attribute.kind = kind;
        let attribute = Box::leak(Box::new(attribute));
        assert_eq!(
            coerce(attribute, &value, "x").is_ok(),
            legal,
            "{kind:?} {value}"
        );
    }
}

#[test]
fn a_schema_of_ones_own_is_obeyed() {
    let user = resource_type("User");
    let mut resource_type = user.clone();
    let mut schema = user.extension(ENTERPRISE).unwrap().clone();
    for attribute in &mut schema.attributes {
        attribute.required = attribute.name == "department";
        for sub in &mut attribute.sub_attributes {
            sub.required = sub.name == "value";
        }
    }
    resource_type.extensions = vec![Extension {
        schema: Box::leak(Box::new(schema)),
        required: true,
    }];
    let resource_type: &'static ResourceType = Box::leak(Box::new(resource_type));
    let place = |extension: Value| {
        let body = json!({"schemas": [CORE], "userName": "u", ENTERPRISE: extension});
        check(resource_type, &body)
            .err()
            .map(|error| error.places()[0].loc.clone())
    };
    assert_eq!(place(json!({"department": "d"})), None);
    assert_eq!(place(json!(null)), Some(vec![json!(ENTERPRISE)]));
    assert_eq!(place(json!({})), Some(vec![json!(ENTERPRISE)]));
    let department = vec![json!(ENTERPRISE), json!("department")];
    assert_eq!(place(json!({"division": "d"})), Some(department.clone()));
    assert_eq!(place(json!({"department": " "})), Some(department));
}

#[test]
fn a_hundred_thousand_members_are_ordinary() {
    let ids = |range: std::ops::Range<u32>| range.map(|n| json!({"value": n.to_string()}));
    let doubled: Value = ids(0..100_000).chain(ids(0..100_000)).collect();
    let Value::Array(kept) = members(doubled).unwrap() else {
        panic!("a list")
    };
    assert_eq!(kept.len(), 100_000);
    assert_eq!(kept[99_999], json!({"value": "99999"}));
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "value",
        "type",
        "primary",
        "display",
        "$ref",
        "givenName",
        "FAMILYNAME",
        "formatted",
        "manager",
        "department",
    ];
    let texts = [
        "",
        "a",
        "True",
        "user",
        "/Users/1",
        "2026-01-01T00:00:00Z",
        "\u{e9} \u{0}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let name = prop::sample::select(names.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_was_checked_is_checked_again_without_change(
        name in prop::sample::select(vec![
            "userName", "name", "emails", "active", "addresses", "photos", "groups", "password",
            "externalId", "members", ENTERPRISE, IBM,
        ]),
        value in any_json(),
        of in prop::sample::select(vec!["User", "Group"]),
    ) {
        let resource_type = resource_type(of);
        let mut body = json!({
            "schemas": [resource_type.schema.id], "userName": "u", "displayName": "d",
        });
        body[name] = value;
        if let Ok(once) = check(resource_type, &body) {
            let mut again = once.clone();
            again.insert("schemas".to_owned(), json!([resource_type.schema.id]));
            prop_assert_eq!(check(resource_type, &Value::Object(again)).unwrap(), once);
        }
    }
}
