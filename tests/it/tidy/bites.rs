//! Every rule shown to bite on made-up sources.

use super::*;

fn source(path: &str, text: &str) -> Vec<Source> {
    vec![Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }]
}

#[test]
fn each_rule_bites() {
    let plan = "shared/src/plan/graph.rs";
    let scim = "shared/src/scim/path.rs";
    type Rule = fn(&[Source]) -> Vec<String>;
    let cases: [(Rule, &str, &str, usize); 19] = [
        (one_way, scim, "use crate::scim::urn;", 0),
        (one_way, scim, "\nuse crate::table::Key;", 1),
        (
            one_way,
            plan,
            "use crate::{\n    scim::{urn, api},\n    store::Store,\n};",
            1,
        ),
        (
            one_way,
            plan,
            "// see crate::store\nfn f() -> crate::table::Key {}",
            0,
        ),
        (pure_rooms, plan, "use crate::ambient::Moment;", 1),
        (
            pure_rooms,
            plan,
            "fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::config;\n}",
            0,
        ),
        (clients, plan, "fn f(c: &aws_sdk_dynamodb::Client) {}", 2),
        (
            clients,
            "shared/src/provider/mod.rs",
            "use aws_sdk_dynamodb::{types, Client};",
            1,
        ),
        (
            clients,
            "shared/src/table/item.rs",
            "use aws_sdk_dynamodb::types::Put;",
            0,
        ),
        (
            clients,
            "shared/src/store/mod.rs",
            "use aws_sdk_dynamodb::Client;",
            0,
        ),
        (gateway, scim, "use lambda_http::Error;", 1),
        (environment, plan, "fn f() { std::env::var(\"A\"); }", 1),
        (environment, plan, "use std::{env, fmt};", 1),
        (environment, plan, "use std::fmt; fn env() {}", 0),
        (urns, scim, "const U: &str = \"urn:ietf:params:scim:x\";", 1),
        (
            urns,
            scim,
            "/// `\"urn:ietf:params:scim:x\"`\nconst U: u8 = b'\"';",
            0,
        ),
        (prefixes, plan, "let key = format!(\"{tenant}#User\");", 1),
        (
            prefixes,
            plan,
            "let name = format!(\"#{name}\"); let raw = r#\"{\"a\": 1}\"#;",
            0,
        ),
        (lengths, scim, &"\n".repeat(65 * 1_024), 1),
    ];
    for (number, (rule, path, text, expected)) in cases.into_iter().enumerate() {
        let complaints = rule(&source(path, text));
        assert_eq!(complaints.len(), expected, "case {number}: {complaints:?}");
    }
}

#[test]
fn a_complaint_names_the_file_and_the_line() {
    let complaints = one_way(&source(
        "shared/src/scim/path.rs",
        "\n\nuse crate::plan::Plan;\n",
    ));
    assert_eq!(
        complaints,
        ["shared/src/scim/path.rs:3: `scim` may not import `plan`"]
    );
}

#[test]
fn the_rules_for_manifests_and_events_bite() {
    let manifest = |path: &str, lines: &str| Source {
        path: path.to_owned(),
        text: format!(
            "[package]\nname = \"x\"\n\n[dependencies]\n{lines}\n\n[lints]\nworkspace = true\n"
        ),
    };
    let manifests = [
        manifest(
            "functions/users/Cargo.toml",
            "groups.workspace = true\nshared.workspace = true",
        ),
        manifest(
            "functions/groups/Cargo.toml",
            "local = { workspace = true }",
        ),
        manifest(
            "shared/Cargo.toml",
            "dynoxide-rs.workspace = true\nserde = \"1\"",
        ),
        manifest(
            "tests/Cargo.toml",
            "local.workspace = true\ndynoxide-rs.workspace = true",
        ),
    ];
    assert_eq!(
        dependencies(&manifests),
        [
            "functions/users/Cargo.toml:5: a function may not depend on another one",
            "functions/groups/Cargo.toml:5: only `tests` may depend on `local`",
            "shared/Cargo.toml:5: the emulator is for `local` and `tests`",
        ]
    );
    assert_eq!(
        versions(&manifests),
        ["shared/Cargo.toml:6: the version of `serde` belongs into the root manifest"]
    );
    let event = |path: &str| Source {
        path: path.to_owned(),
        text: String::new(),
    };
    let events = [
        event("events/users-create.json"),
        event("events/stray.json"),
    ];
    let functions = BTreeSet::from(["users".to_owned()]);
    assert_eq!(
        event_names(&events, &functions),
        ["events/stray.json:1: the name begins with no function's"]
    );
}
