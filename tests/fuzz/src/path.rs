//! The path of a PATCH operation (RFC 7644 figure 7).
//!
//! A path is a name, brackets and a sub-attribute, and filters and attribute
//! names have parsers of their own: what PATCH takes they take too, and the
//! path that they write out does the same to a resource.

use serde_json::{Value, json};
use shared::scim::filter::Filter;
use shared::scim::patch::{Dialect, Patch};
use shared::scim::path::AttributePath;
use shared::scim::schema::catalogue;
use shared::scim::{Attributes, ResourceType, ScimError, urn};

use crate::filter::{over_a_limit, points_into};
use crate::{bounded, directory, own_id, refused};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for resource_type in &catalogue().resource_types {
        for (op, value) in [("remove", Value::Null), ("replace", json!("x"))] {
            match parse(resource_type, op, text, &value) {
                Ok(patch) => accepted(text, &patch, (op, &value), resource_type),
                Err(error) => {
                    let keywords = [
                        "invalidPath",
                        "invalidFilter",
                        "invalidValue",
                        "mutability",
                        "noTarget",
                    ];
                    refused(&error, &keywords);
                    assert!(error.detail().starts_with("Operations[0]: "), "{error}");
                    points_into(&error, text);
                }
            }
        }
    }
}

fn parse(
    resource_type: &'static ResourceType,
    op: &str,
    path: &str,
    value: &Value,
) -> Result<Patch, ScimError> {
    let operation = json!({"op": op, "path": path, "value": value});
    let message = json!({"schemas": [urn::PATCH_OP], "Operations": [operation]});
    Patch::parse(resource_type, &message, Dialect::default())
}

fn accepted(
    text: &str,
    patch: &Patch,
    (op, value): (&str, &Value),
    resource_type: &'static ResourceType,
) {
    let canonical = match canonical(text.trim(), resource_type) {
        Ok(Some(canonical)) => canonical,
        Ok(None) => return,
        Err(error) if over_a_limit(&error) => return,
        Err(error) => panic!("`{text}` is a path of PATCH: {error}"),
    };
    let again = match parse(resource_type, op, &canonical, value) {
        Ok(again) => again,
        Err(error) if over_a_limit(&error) => return,
        Err(error) => panic!("`{text}` is `{canonical}`: {error}"),
    };
    for resource in directory(resource_type) {
        let apply = |patch: &Patch| patch.apply(resource_type, own_id(), resource);
        let (first, second) = (apply(patch), apply(&again));
        assert_eq!(outcome(&first), outcome(&second), "{text} as {canonical}");
    }
}

/// The path as the other parsers write it out. None for what names no
/// attribute: nothing at all, or a schema.
fn canonical(
    text: &str,
    resource_type: &'static ResourceType,
) -> Result<Option<String>, ScimError> {
    let names_schema = |urn: &str| text.eq_ignore_ascii_case(urn);
    let extensions = &resource_type.extensions;
    if text.is_empty()
        || names_schema(&resource_type.schema.id)
        || extensions.iter().any(|one| names_schema(&one.schema.id))
    {
        return Ok(None);
    }
    let head = text.split(['[', ' ']).next().unwrap_or_default();
    if head == text {
        return AttributePath::parse(text, resource_type).map(|path| Some(path.to_string()));
    }
    if !text[head.len()..].starts_with('[') {
        // A comparison selects among elements that are no objects.
        return Filter::parse(text, resource_type).map(|filter| Some(filter.to_string()));
    }
    let (brackets, tail) = text.rsplit_once(']').expect("a bracket is closed");
    let filter = Filter::parse(&format!("{brackets}]"), resource_type)?;
    let Some(name) = tail.strip_prefix('.') else {
        return Ok(Some(filter.to_string()));
    };
    let path = AttributePath::parse(&format!("{head}.{name}"), resource_type)?;
    let sub = &path.sub.expect("a sub-attribute was named").name;
    Ok(Some(format!("{filter}.{sub}")))
}

fn outcome(result: &Result<Attributes, ScimError>) -> Result<&Attributes, String> {
    result.as_ref().map_err(|error| {
        bounded(error);
        error.to_string()
    })
}
