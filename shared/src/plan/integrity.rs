//! References from one resource to another, other than memberships: a user's
//! `manager`, and whatever an extension declares in the same form.
//!
//! A reference that an operation newly writes must name a resource that exists,
//! as a member must, if it has the form of an id at all: connectors also send
//! what identifies a manager elsewhere, such as an employee number, and that is
//! kept and shown as written. One that has lost its target since is omitted when read
//! and erased by the next write (RFC 7643 §2.3.7 leaves both to the service
//! provider). No condition guards the target, so one deleted in the same
//! instant becomes a reference that has lost its target.

use serde_json::Value;

use crate::scim::{Attribute, Attributes, ResourceType, reference};

/// A reference found in a resource.
#[derive(Debug, Clone)]
pub(super) struct Found {
    extension: Option<&'static str>,
    attribute: &'static Attribute,
    /// The id as written.
    pub(super) value: String,
}

impl Found {
    /// The names of the resource types that it may point to.
    pub(super) fn types(&self) -> &'static [String] {
        self.attribute
            .sub("$ref")
            .map_or(&[], |sub| sub.reference_types.as_slice())
    }

    /// Whether both are the same reference in the same place.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.extension == other.extension
            && self.name() == other.name()
            && self.value == other.value
    }

    /// The name of the attribute.
    pub(super) fn name(&self) -> &'static str {
        &self.attribute.name
    }
}

/// The references of a resource. The members of a group are not among its
/// attributes.
pub(super) fn references(
    resource_type: &'static ResourceType,
    attributes: &Attributes,
) -> Vec<Found> {
    let mut found = Vec::new();
    collect(
        None,
        &resource_type.schema.attributes,
        attributes,
        &mut found,
    );
    for extension in &resource_type.extensions {
        if let Some(Value::Object(inner)) = attributes.get(&extension.schema.id) {
            collect(
                Some(&extension.schema.id),
                &extension.schema.attributes,
                inner,
                &mut found,
            );
        }
    }
    found
}

/// Removes these references from a resource.
pub(super) fn erase(attributes: &mut Attributes, gone: &[Found]) {
    for found in gone {
        let Some(extension) = found.extension else {
            erase_from(attributes, found);
            continue;
        };
        let Some(Value::Object(inner)) = attributes.get_mut(extension) else {
            continue;
        };
        erase_from(inner, found);
        if inner.is_empty() {
            attributes.shift_remove(extension);
        }
    }
}

fn collect(
    extension: Option<&'static str>,
    declared: &'static [Attribute],
    attributes: &Attributes,
    found: &mut Vec<Found>,
) {
    let carriers = declared.iter();
    for attribute in carriers.filter(|attribute| reference::carries_references(attribute)) {
        let elements: &[Value] = match attributes.get(&attribute.name) {
            Some(Value::Array(elements)) => elements,
            Some(single) => std::slice::from_ref(single),
            None => continue,
        };
        let values = elements
            .iter()
            .filter_map(|element| element.get("value")?.as_str());
        found.extend(values.map(|value| Found {
            extension,
            attribute,
            value: value.to_owned(),
        }));
    }
}

fn erase_from(attributes: &mut Attributes, found: &Found) {
    let points_there =
        |element: &Value| element.get("value").and_then(Value::as_str) == Some(&found.value);
    match attributes.get_mut(&found.attribute.name) {
        Some(Value::Array(elements)) => {
            elements.retain(|element| !points_there(element));
            if !elements.is_empty() {
                return;
            }
        }
        Some(single) if points_there(single) => {}
        _ => return,
    }
    attributes.shift_remove(&found.attribute.name);
}
