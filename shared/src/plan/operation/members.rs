//! Members as a client names them.
//!
//! A group's members are items of their own, so they leave the attributes here.
//! A value that cannot be an id names nothing that exists and is refused without
//! looking.

use serde_json::Value;

use crate::scim::{Attributes, ResourceId, ResourceType, ScimError, urn};

/// A member as named by a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRef {
    /// Its id.
    pub id: ResourceId,
    /// The resource type name, when the client said it.
    pub resource_type: Option<String>,
}

/// Whether resources of this type hold members as items of their own.
pub fn holds_members(resource_type: &ResourceType) -> bool {
    resource_type.schema.id == urn::GROUP
}

/// Takes `members` out of the attributes of a group.
///
/// # Errors
/// 400 `invalidValue` for a member whose id cannot be one.
pub fn take_members(
    resource_type: &ResourceType,
    attributes: &mut Attributes,
) -> Result<Vec<MemberRef>, ScimError> {
    if !holds_members(resource_type) {
        return Ok(Vec::new());
    }
    let Some(Value::Array(elements)) = attributes.shift_remove("members") else {
        return Ok(Vec::new());
    };
    elements
        .iter()
        .enumerate()
        .map(|(position, element)| member_ref(position, element))
        .collect()
}

fn member_ref(position: usize, element: &Value) -> Result<MemberRef, ScimError> {
    let value = element
        .get("value")
        .and_then(Value::as_str)
        .ok_or_else(|| {
            ScimError::invalid_value(format!("`members[{position}].value` is required"))
        })?;
    let id = ResourceId::parse(value).ok_or_else(|| no_such_member(value))?;
    let resource_type = element
        .get("type")
        .and_then(Value::as_str)
        .map(str::to_owned);
    Ok(MemberRef { id, resource_type })
}

/// 400 `invalidValue`: the member does not exist.
pub(in crate::plan) fn no_such_member(id: &str) -> ScimError {
    ScimError::invalid_value(format!("member `{id}` does not exist"))
}
