//! The body of a POST or PUT, from bytes to attributes.
//!
//! JSON that is taken is what any parser makes of it; attributes that are
//! taken are in canonical form, so that they would be taken again unchanged,
//! and a resource replaced by itself is the same.

use serde_json::Value;
use shared::scim::schema::catalogue;
use shared::scim::{ResourceType, json, resource};

use crate::{refused, with_schemas};

/// Checks one input.
pub fn check(input: &[u8]) {
    let body = match json::parse(input) {
        Ok(body) => body,
        Err(error) => {
            refused(&error, &["invalidSyntax"]);
            let stricter = error.detail().contains("occurs twice");
            let usual = serde_json::from_slice::<Value>(input);
            assert!(stricter || usual.is_err(), "{error}");
            return;
        }
    };
    assert_eq!(
        serde_json::from_slice::<Value>(input).ok(),
        Some(body.clone())
    );
    for resource_type in &catalogue().resource_types {
        checked(resource_type, &body);
    }
    // Half of what would be tried lacks the one list without which nothing is
    // looked at.
    if let Value::Object(members) = &body {
        for resource_type in &catalogue().resource_types {
            checked(resource_type, &with_schemas(resource_type, members));
        }
    }
}

fn checked(resource_type: &'static ResourceType, body: &Value) {
    match resource::check(resource_type, body) {
        Ok(attributes) => {
            let again = resource::check(resource_type, &with_schemas(resource_type, &attributes));
            assert_eq!(again.as_ref(), Ok(&attributes), "{body}");
            let replaced = resource::replace(resource_type, &attributes, attributes.clone());
            assert_eq!(replaced.as_ref(), Ok(&attributes), "{body}");
        }
        Err(error) => {
            refused(&error, &["invalidSyntax", "invalidValue"]);
            assert!(!error.places().is_empty(), "{error}");
        }
    }
}
