//! What no client means to send.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::filter::MAX_LENGTH;

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(
        &[
            "value",
            "type",
            "primary",
            "givenName",
            "emails",
            "name",
            "userName",
            "members",
            "x.y",
            "id",
            "schemas",
            "emails[type eq \"work\"].value",
            ENTERPRISE,
            "manager",
            "$ref",
        ][..],
    );
    let texts = prop::sample::select(&["", "work", "w@x", "True", M1, "\u{fffd}", "babs"][..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        let members = prop::collection::vec((names.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()),
        ]
    })
}

fn any_operation() -> impl Strategy<Value = Value> {
    let ops = prop::sample::select(&["add", "Replace", "remove", "REPLACE"][..]);
    let paths = prop::sample::select(
        &[
            "",
            "userName",
            "name",
            "name.givenName",
            "emails",
            "emails.value",
            "members",
            "manager",
            "emails[type eq \"work\"]",
            "emails[type eq \"other\"].value",
            "active",
            "password",
            "emails[not (primary eq true)].primary",
            ENTERPRISE,
            "members[type pr].value",
        ][..],
    );
    (ops, paths, any_json()).prop_map(|(op, path, value)| match path {
        "" => json!({"op": op, "value": value}),
        path => json!({"op": op, "path": path, "value": value}),
    })
}

#[test]
fn a_path_of_megabytes_is_refused_and_not_repeated() {
    for path in [
        "a".repeat(2_000_000),
        format!("emails[{}", "(".repeat(2_000_000)),
    ] {
        for operation in [
            json!({"op": "add", "path": path, "value": 1}),
            json!({"op": "add", "value": {path.clone(): 1}}),
            json!({"op": path, "path": "title", "value": 1}),
        ] {
            let error = parse("User", &json!([operation])).unwrap_err();
            assert!(error.detail().len() < 200);
        }
    }
}

#[test]
fn a_path_may_have_as_many_bytes_as_a_filter() {
    let selecting = |length: usize| {
        let (head, tail) = ("emails[value eq \"", "\"]");
        let text = "a".repeat(length - head.len() - tail.len());
        json!([{"op": "remove", "path": format!("{head}{text}{tail}")}])
    };
    assert!(parse("User", &selecting(MAX_LENGTH)).is_ok());
    insta::assert_snapshot!(
        parse("User", &selecting(MAX_LENGTH + 1)).unwrap_err(),
        @"400 invalidPath: Operations[0]: a path has 16385 bytes, more than 16384"
    );
}

#[test]
fn two_spellings_of_one_member_are_refused() {
    let user = catalogue().by_name("User").unwrap();
    let urn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    let message = |operations: &str| format!(r#"{{"schemas":["{urn}"],{operations}}}"#);
    let refusals = [
        r#""Operations":[{"op":"add","OP":"remove","path":"title","value":"x"}]"#,
        r#""Operations":[{"op":"add","path":"title","Path":"userName","value":"x"}]"#,
        r#""Operations":[{"op":"add","path":"title","value":"x","VALUE":"y"}]"#,
        r#""Operations":[{"op":"add","path":"title","value":"x"}],"operations":[]"#,
        r#""Schemas":[],"Operations":[{"op":"add","path":"title","value":"x"}]"#,
    ]
    .map(|operations| {
        let message = serde_json::from_str(&message(operations)).unwrap();
        let error = Patch::parse(user, &message, Dialect::default()).unwrap_err();
        error.to_string()
    });
    insta::assert_snapshot!(refusals.join("\n"), @"
    400 invalidSyntax: Operations[0]: `op` occurs twice, in different letter case
    400 invalidSyntax: Operations[0]: `path` occurs twice, in different letter case
    400 invalidSyntax: Operations[0]: `value` occurs twice, in different letter case
    400 invalidSyntax: `Operations` occurs twice, in different letter case
    400 invalidSyntax: `schemas` occurs twice, in different letter case
    ");
}

/// Nothing in it stands for an unassigned attribute (RFC 7643 §2.5). Empty text
/// is a value.
fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => !elements.is_empty() && elements.iter().all(is_assigned),
        Value::Object(parts) => !parts.is_empty() && parts.values().all(is_assigned),
        _ => true,
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_the_outcome_is_a_legal_resource_or_an_error(
        operations in prop::collection::vec(any_operation(), 1..4),
        odd in any_json(),
    ) {
        for before in [user(), group()] {
            let Ok(after) = apply(&before, &json!(operations), Dialect::default()) else { continue };
            for (name, value) in &after {
                prop_assert!(is_assigned(value), "{name} {value}");
            }
            let primary = after.get("emails").and_then(Value::as_array).into_iter().flatten();
            let primary = primary.filter(|email| email["primary"] == json!(true)).count();
            prop_assert!(primary <= 1, "{primary} primary");
            prop_assert!(after.contains_key("userName") || after.contains_key("displayName"));
        }
        let _ = apply(&user(), &odd, Dialect::default());
        let _ = Patch::parse(catalogue().by_name("User").unwrap(), &odd, Dialect::default());
    }

    #[test]
    fn attributes_of_any_shape_are_no_reason_to_panic(
        operations in prop::collection::vec(any_operation(), 1..4),
        before in any_json(),
    ) {
        let user = catalogue().by_name("User").unwrap();
        if let Ok(patch) = Patch::parse(user, &message(&json!(operations)), Dialect { entra: true }) {
            let _ = patch.apply(user, id(), &attributes(&before));
        }
    }
}
