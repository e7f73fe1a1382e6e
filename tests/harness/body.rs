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

/// A row of a bulk request that creates a resource.
pub fn post(bulk_id: &str, endpoint: &str, data: Value) -> Value {
    json!({"method": "POST", "path": endpoint, "bulkId": bulk_id, "data": data})
}

/// The id that ends the location in a row of a bulk response.
///
/// # Panics
/// When it has none.
pub fn id_of(row: &Value) -> &str {
    let id = row["location"]
        .as_str()
        .and_then(|at| at.rsplit('/').next());
    id.expect("a row about a resource has its location")
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
