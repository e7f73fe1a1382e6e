//! Attributes such as `manager`, which lead to another resource.
//!
//! The schema says which: single-valued complex attributes whose `$ref` names a
//! resource type. Stored is the id alone; URL and name are those of the resource
//! as it is now, and one that no longer exists is not shown. A value that has not
//! the form of an id is shown as written.
//!
//! ```text
//! {"value": "26118915-…"}
//!   → {"value": "26118915-…", "$ref": "…/Users/26118915-…", "displayName": "John"}
//! ```

use serde_json::{Value, json};

use super::{Surroundings, location};
use crate::plan::read_set::Want;
use crate::provider::Caller;
use crate::scim::schema::{Attribute, Mutability, catalogue};
use crate::scim::{Attributes, ResourceId, ResourceType};

/// The resource type that a single-valued attribute such as `manager` leads to.
fn referred(attribute: &Attribute) -> Option<&'static ResourceType> {
    if attribute.multi_valued {
        return None;
    }
    let names = &attribute.sub("$ref")?.reference_types;
    names.iter().find_map(|name| catalogue().by_name(name))
}

fn leads_to(
    attribute: &Attribute,
    within: &Attributes,
) -> Option<(&'static ResourceType, ResourceId)> {
    let target = referred(attribute)?;
    let value = within.get(&attribute.name)?.get("value")?.as_str()?;
    Some((target, ResourceId::parse(value)?))
}

/// What must be read to show where a resource's references lead.
pub(super) fn targets(resource_type: &'static ResourceType, attributes: &Attributes) -> Vec<Want> {
    let want = |(target, id): (&'static ResourceType, ResourceId)| Want::Resource {
        resource_type: &target.name,
        id,
    };
    let core = resource_type.schema.attributes.iter();
    let mut wants: Vec<Want> = core
        .filter_map(|attribute| leads_to(attribute, attributes))
        .map(want)
        .collect();
    for extension in &resource_type.extensions {
        if let Some(Value::Object(inner)) = attributes.get(&extension.schema.id) {
            let found = extension.schema.attributes.iter();
            wants.extend(
                found
                    .filter_map(|attribute| leads_to(attribute, inner))
                    .map(want),
            );
        }
    }
    wants
}

/// Completes every reference of a resource from what was read.
pub(super) fn show_references(
    caller: &Caller,
    resource_type: &'static ResourceType,
    attributes: &mut Attributes,
    around: &Surroundings,
) {
    for attribute in &resource_type.schema.attributes {
        show_reference(caller, attribute, attributes, around);
    }
    for extension in &resource_type.extensions {
        if let Some(Value::Object(inner)) = attributes.get_mut(&extension.schema.id) {
            for attribute in &extension.schema.attributes {
                show_reference(caller, attribute, inner, around);
            }
            if inner.is_empty() {
                attributes.remove(&extension.schema.id);
            }
        }
    }
}

/// Completes a reference with its URL and the name of what it leads to; takes
/// it out if that no longer exists. What was not read stays as it is.
fn show_reference(
    caller: &Caller,
    attribute: &Attribute,
    within: &mut Attributes,
    around: &Surroundings,
) {
    let Some((target, id)) = leads_to(attribute, within) else {
        return;
    };
    match around.read_set.resources.get(&(target.name.as_str(), id)) {
        None => {}
        Some(None) => {
            within.remove(&attribute.name);
        }
        Some(Some(found)) => {
            let Some(Value::Object(reference)) = within.get_mut(&attribute.name) else {
                return;
            };
            reference.insert("$ref".to_owned(), json!(location(caller, target, id)));
            let name = found.attributes.get("displayName");
            let shown = attribute.sub("displayName");
            if let (Some(name), Some(shown)) = (name, shown)
                && shown.mutability == Mutability::ReadOnly
            {
                reference.insert(shown.name.clone(), name.clone());
            }
        }
    }
}
