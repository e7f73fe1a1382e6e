//! The bodies that most tests send.

use serde_json::{Value, json};
use shared::scim::urn;

/// A user with nothing but a userName.
pub fn user(name: &str) -> Value {
    json!({"schemas": [urn::USER], "userName": name})
}

/// A group with members by id or bulkId reference.
pub fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members
        .iter()
        .map(|member| json!({"value": member}))
        .collect();
    json!({"schemas": [urn::GROUP], "displayName": name, "members": members})
}

/// A PATCH with these operations.
pub fn patch(operations: &[Value]) -> Value {
    json!({"schemas": [urn::PATCH_OP], "Operations": operations})
}

/// Text as it stands in a query string.
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
