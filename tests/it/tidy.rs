//! The layering and hygiene rules of the workspace, enforced by reading its
//! sources. Each rule is a function from sources to complaints, so that
//! `bites` can show that it bites.

mod bites;
mod source;

use std::collections::BTreeSet;

use source::{
    ROOMS, Source, at, code, complain_of, crate_names, dependency_lines, files, function_of,
    functions, is_production, literals, manifests, mentions, room, rust, words,
};

#[test]
fn rooms_import_only_from_the_left() {
    none(one_way(&rust()));
}

#[test]
fn pure_rooms_know_no_environment() {
    none(pure_rooms(&rust()));
}

#[test]
fn only_the_store_and_config_hold_a_client() {
    none(clients(&rust()));
}

#[test]
fn only_the_api_knows_the_gateway() {
    none(gateway(&rust()));
}

#[test]
fn only_config_and_local_read_the_environment() {
    none(environment(&rust()));
}

#[test]
fn functions_do_not_depend_on_each_other_and_only_tests_depend_on_local() {
    none(dependencies(&manifests()));
}

#[test]
fn versions_stand_in_the_root_manifest_only() {
    none(versions(&manifests()));
}

#[test]
fn each_urn_is_spelt_once() {
    none(urns(&rust()));
}

#[test]
fn key_prefixes_are_spelt_in_one_file() {
    none(prefixes(&rust()));
}

#[test]
fn no_source_file_is_over_64_kib() {
    none(lengths(&rust()));
}

#[test]
fn every_event_is_named_after_a_function() {
    let events = files("events", "json");
    none(event_names(&events, &functions()));
}

/// `crate::room` where the room is not to the left.
fn one_way(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let Some(room) = room(&source.path) else {
            continue;
        };
        for (line, name) in crate_names(&code(&source.text)) {
            if let Some(other) = ROOMS.iter().position(|known| *known == name)
                && other > room
            {
                let from = ROOMS[room];
                complaints.push(at(
                    source,
                    line,
                    &format!("`{from}` may not import `{name}`"),
                ));
            }
        }
    }
    complaints
}

fn pure_rooms(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources
        .iter()
        .filter(|source| room(&source.path).is_some_and(|room| room < 3))
    {
        for (line, name) in crate_names(&code(&source.text)) {
            if ["config", "ambient", "telemetry"].contains(&name.as_str()) {
                complaints.push(at(
                    source,
                    line,
                    &format!("a pure room may not import `{name}`"),
                ));
            }
        }
        for word in [
            "SystemTime",
            "Instant::now",
            "Timestamp::now",
            "getrandom",
            "tokio::",
        ] {
            complain_of(
                source,
                word,
                "a pure room has no clock, chance or waiting",
                &mut complaints,
            );
        }
    }
    complaints
}

fn clients(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| is_production(&source.path)) {
        let allowed = source.path.starts_with("shared/src/store")
            || source.path == "shared/src/config.rs"
            || source.path.starts_with("local/");
        let code = code(&source.text);
        for (line, statement) in mentions(&code, "aws_sdk_dynamodb::") {
            if !allowed && words(statement).any(|word| word == "Client") {
                complaints.push(at(
                    source,
                    line,
                    "only `store` and `config.rs` hold a `Client`",
                ));
            }
        }
        let pure = ["shared/src/scim", "shared/src/plan"];
        if pure.iter().any(|room| source.path.starts_with(room)) {
            complain_of(
                source,
                "aws_",
                "this room does not know AWS",
                &mut complaints,
            );
        }
    }
    complaints
}

fn gateway(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        if source.path.starts_with("shared/") && !source.path.starts_with("shared/src/api") {
            let message = "only `api` and the functions know the gateway's events";
            complain_of(source, "lambda_http", message, &mut complaints);
        }
    }
    complaints
}

/// A build script is told by its environment where to write.
fn environment(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| is_production(&source.path)) {
        if source.path == "shared/src/config.rs"
            || source.path.starts_with("local/")
            || source.path.ends_with("/build.rs")
        {
            continue;
        }
        let code = code(&source.text);
        for (line, statement) in mentions(&code, "std::") {
            let names = statement
                .trim_start_matches("std::")
                .trim_start_matches('{');
            let listed = statement.starts_with("std::{") && words(names).any(|word| word == "env");
            if listed || words(names).next() == Some("env") {
                complaints.push(at(
                    source,
                    line,
                    "only `config.rs` and `local` read `std::env`",
                ));
            }
        }
    }
    complaints
}

fn dependencies(manifests: &[Source]) -> Vec<String> {
    let functions: BTreeSet<String> = manifests
        .iter()
        .filter_map(|m| function_of(&m.path))
        .collect();
    let mut complaints = Vec::new();
    for manifest in manifests {
        let member = manifest.path.trim_end_matches("/Cargo.toml");
        for (line, name, _) in dependency_lines(&manifest.text) {
            let complaint = match name.as_str() {
                name if functions.contains(name) && member.starts_with("functions/") => {
                    "a function may not depend on another one"
                }
                name if functions.contains(name) && member == "shared" => {
                    "`shared` may not depend on a function"
                }
                "local" if member != "tests" => "only `tests` may depend on `local`",
                "tests" | "harness" => "nothing may depend on the tests",
                "dynoxide-rs" if !["local", "tests"].contains(&member) => {
                    "the emulator is for `local` and `tests`"
                }
                _ => continue,
            };
            complaints.push(at(manifest, line, complaint));
        }
    }
    complaints
}

fn versions(manifests: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for manifest in manifests {
        for (line, name, rest) in dependency_lines(&manifest.text) {
            if !rest.contains("workspace = true") || rest.contains("version") {
                let message = format!("the version of `{name}` belongs into the root manifest");
                complaints.push(at(manifest, line, &message));
            }
        }
    }
    complaints
}

fn urns(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for source in sources.iter().filter(|source| is_production(&source.path)) {
        let code = code(&source.text);
        for (line, text) in literals(&code).filter(|(_, text)| text.contains("urn:ietf:params:")) {
            if source.path != "shared/src/scim/urn.rs" {
                complaints.push(at(source, line, &format!("`{text}` belongs into `urn.rs`")));
            } else if !seen.insert(text.to_owned()) {
                complaints.push(at(source, line, &format!("`{text}` is spelt twice")));
            }
        }
    }
    complaints
}

/// Besides whole prefixes such as `#members` no other file may join a key's
/// parts itself, which looks like `}#`.
fn prefixes(sources: &[Source]) -> Vec<String> {
    const HOME: &str = "shared/src/table/key.rs";
    let home = sources
        .iter()
        .find(|source| source.path == HOME)
        .map(|source| code(&source.text));
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (_, text) in home.iter().flat_map(|code| literals(code)) {
        let parts = text
            .split('#')
            .skip(1)
            .map(|part| part.split('{').next().unwrap_or(part));
        known.extend(
            parts
                .filter(|part| part.len() > 2)
                .map(|part| format!("#{part}")),
        );
    }
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| is_production(&source.path)) {
        if source.path == HOME {
            continue;
        }
        let code = code(&source.text);
        for (line, text) in literals(&code) {
            if text.contains("}#") || known.iter().any(|prefix| text.contains(prefix)) {
                complaints.push(at(
                    source,
                    line,
                    &format!("the key `{text}` belongs into `key.rs`"),
                ));
            }
        }
    }
    complaints
}

fn lengths(sources: &[Source]) -> Vec<String> {
    let long = sources
        .iter()
        .filter(|source| source.text.len() > 64 * 1_024);
    long.map(|source| at(source, 1, &format!("{} bytes", source.text.len())))
        .collect()
}

fn event_names(events: &[Source], functions: &BTreeSet<String>) -> Vec<String> {
    let named = |event: &&Source| {
        let name = event.path.trim_start_matches("events/");
        let first = name.split(['-', '.', '/', '_']).next().unwrap_or_default();
        !functions.contains(first)
    };
    let complaint = |event: &Source| at(event, 1, "the name begins with no function's");
    events.iter().filter(named).map(complaint).collect()
}

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
