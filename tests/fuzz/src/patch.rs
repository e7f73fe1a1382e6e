//! A PATCH applied to a resource (RFC 7644 §3.5.2).
//!
//! An input is JSON: `{"type", "before", "Operations"}`, or a list of operations
//! for the resources of this service. Whatever it says, what comes out is a
//! resource in canonical form or an error; what a client may not write is as it
//! was; what changes nothing leaves an equal resource; and the members that
//! PATCH says it needs are all that it looks at.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::scim::patch::{Dialect, MemberNeed, Patch};
use shared::scim::schema::{Attribute, Mutability};
use shared::scim::{Attributes, ResourceType, ScimError, json as strict, resource, urn};

use crate::{bounded, by_name, directory, own_id, refused, with_schemas};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(message) = strict::parse(input) else {
        return;
    };
    if let Value::Array(operations) = &message {
        for name in ["User", "Group"] {
            for before in directory(by_name(name)) {
                patched(by_name(name), before, operations);
            }
        }
        return;
    }
    let name = match message.get("type").and_then(Value::as_str) {
        Some("Group") => "Group",
        _ => "User",
    };
    let (Some(before), Some(operations)) = (
        message.get("before").and_then(Value::as_object),
        message.get("Operations").and_then(Value::as_array),
    ) else {
        return;
    };
    let resource_type = by_name(name);
    if let Ok(before) = resource::check(resource_type, &with_schemas(resource_type, before)) {
        patched(resource_type, &before, operations);
    }
}

fn patched(resource_type: &'static ResourceType, before: &Attributes, operations: &[Value]) {
    changes_nothing(resource_type, before);
    for entra in [false, true] {
        let message = json!({"schemas": [urn::PATCH_OP], "Operations": operations});
        let patch = match Patch::parse(resource_type, &message, Dialect { entra }) {
            Ok(patch) => patch,
            Err(error) => {
                let keywords = [
                    "invalidSyntax",
                    "invalidPath",
                    "invalidFilter",
                    "invalidValue",
                    "mutability",
                    "noTarget",
                ];
                refused(&error, &keywords);
                return;
            }
        };
        let result = patch.apply(resource_type, own_id(), before);
        needs_no_other_members(resource_type, &patch, before, &result);
        match &result {
            Ok(after) => {
                is_canonical(resource_type, after);
                keeps_immutable(&resource_type.schema.attributes, before, after);
            }
            // A text may be written to more elements than there is room for.
            Err(error) if error.status() == 413 => bounded(error),
            Err(error) => refused(error, &["invalidValue", "mutability", "noTarget"]),
        }
    }
}

/// What a PATCH leaves would be taken from a PUT, and come out as it went in:
/// it holds no read-only attribute, no null, nothing empty, one primary value.
/// Two elements that have become one value are two until then.
fn is_canonical(resource_type: &'static ResourceType, after: &Attributes) {
    let checked = resource::check(resource_type, &with_schemas(resource_type, after));
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => panic!("{error}: {}", Value::Object(after.clone())),
    };
    for (name, value) in &checked {
        let length = |value: &Value| value.as_array().map(Vec::len);
        let was = &after[name];
        assert!(
            value == was || length(value) < length(was),
            "{value} of {was}"
        );
    }
    let names: BTreeSet<&String> = after.keys().collect();
    assert_eq!(names, checked.keys().collect());
}

fn keeps_immutable(attributes: &[Attribute], before: &Attributes, after: &Attributes) {
    for attribute in attributes {
        let (Some(was), is) = (before.get(&attribute.name), after.get(&attribute.name)) else {
            continue;
        };
        if attribute.mutability == Mutability::Immutable {
            assert_eq!(Some(was), is, "{}", attribute.name);
        }
        if let (Value::Object(was), Some(Value::Object(is))) = (was, is) {
            keeps_immutable(&attribute.sub_attributes, was, is);
        }
    }
}

/// Every attribute replaced by the value that it has.
fn changes_nothing(resource_type: &'static ResourceType, before: &Attributes) {
    let operations = before
        .iter()
        .map(|(name, value)| json!({"op": "replace", "path": name, "value": value}));
    let whole = json!({"op": "replace", "value": before});
    let operations: Vec<Value> = operations.chain([whole]).collect();
    let patch = Patch::parse(resource_type, &json!(operations), Dialect::default());
    let patch = patch.expect("the attributes of a resource are legal values");
    let after = patch.apply(resource_type, own_id(), before);
    assert_eq!(after.as_ref(), Ok(before));
}

/// The store reads the members that PATCH asks for and no others.
fn needs_no_other_members(
    resource_type: &'static ResourceType,
    patch: &Patch,
    before: &Attributes,
    result: &Result<Attributes, ScimError>,
) {
    let named = match patch.members() {
        MemberNeed::All => return,
        MemberNeed::None => BTreeSet::new(),
        MemberNeed::Named(named) => named,
    };
    let (known, others): (Vec<Value>, Vec<Value>) = members(before)
        .into_iter()
        .partition(|member| named.contains(value(member)));
    let mut partial = before.clone();
    partial.insert("members".to_owned(), json!(known));
    if known.is_empty() {
        partial.shift_remove("members");
    }
    let seen = patch.apply(resource_type, own_id(), &partial);
    match (result, seen) {
        (Ok(whole), Ok(seen)) => {
            let kept: BTreeSet<String> = members(&seen)
                .iter()
                .chain(&others)
                .map(Value::to_string)
                .collect();
            let all: BTreeSet<String> = members(whole).iter().map(Value::to_string).collect();
            assert_eq!(kept, all, "of {before:?}");
        }
        (Err(whole), Err(seen)) => assert_eq!(*whole, seen),
        (whole, seen) => assert_eq!(whole.is_ok(), seen.is_ok(), "{whole:?} {seen:?}"),
    }
}

fn members(attributes: &Attributes) -> Vec<Value> {
    let members = attributes.get("members").and_then(Value::as_array);
    members.cloned().unwrap_or_default()
}

fn value(member: &Value) -> &str {
    member
        .get("value")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
