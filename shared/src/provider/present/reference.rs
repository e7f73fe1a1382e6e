//! Attributes such as `manager`, which lead to another resource.
//!
//! The schema says which: complex attributes whose `$ref` names a resource
//! type; the derived ones, `members` and `groups`, are not stored and not met
//! here. Stored is the id alone; URL and name are those of the resource as it is
//! now, and one that no longer exists is not shown. A value that has not the
//! form of an id is shown as written.
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

/// The resource types that an attribute such as `manager` may lead to.
fn referred(attribute: &Attribute) -> impl Iterator<Item = &'static ResourceType> {
    let link = attribute.sub("$ref");
    let names = link.map_or(&[][..], |link| &link.reference_types);
    names.iter().filter_map(|name| catalogue().by_name(name))
}

/// The value of an attribute, or its elements.
fn elements<'v>(attribute: &Attribute, within: &'v Attributes) -> &'v [Value] {
    match within.get(&attribute.name) {
        Some(Value::Array(elements)) => elements,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

/// The id that an element leads by.
fn target(element: &Value) -> Option<ResourceId> {
    ResourceId::parse(element.get("value")?.as_str()?)
}

fn wants<'a>(
    attribute: &'a Attribute,
    within: &'a Attributes,
) -> impl Iterator<Item = Want> + use<'a> {
    let ids = elements(attribute, within).iter().filter_map(target);
    ids.flat_map(move |id| {
        referred(attribute).map(move |target| Want::Resource {
            resource_type: &target.name,
            id,
        })
    })
}

/// What must be read to show where a resource's references lead.
pub(super) fn targets(resource_type: &'static ResourceType, attributes: &Attributes) -> Vec<Want> {
    let core = resource_type.schema.attributes.iter();
    let mut found: Vec<Want> = core
        .flat_map(|attribute| wants(attribute, attributes))
        .collect();
    for extension in &resource_type.extensions {
        if let Some(Value::Object(inner)) = attributes.get(&extension.schema.id) {
            let declared = extension.schema.attributes.iter();
            found.extend(declared.flat_map(|attribute| wants(attribute, inner)));
        }
    }
    found
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

/// Completes the references of an attribute; takes out those whose target no
/// longer exists. What was not read stays as it is.
fn show_reference(
    caller: &Caller,
    attribute: &Attribute,
    within: &mut Attributes,
    around: &Surroundings,
) {
    if referred(attribute).next().is_none() {
        return;
    }
    let gone = match within.get_mut(&attribute.name) {
        Some(Value::Array(elements)) => {
            elements.retain_mut(|element| complete(caller, attribute, element, around));
            elements.is_empty()
        }
        Some(single) => !complete(caller, attribute, single, around),
        None => false,
    };
    if gone {
        within.remove(&attribute.name);
    }
}

/// Adds the URL and the name of what an element leads to; false if there is
/// nothing there any more.
fn complete(
    caller: &Caller,
    attribute: &Attribute,
    element: &mut Value,
    around: &Surroundings,
) -> bool {
    let Some(id) = target(element) else {
        return true;
    };
    let mut found = None;
    for target in referred(attribute) {
        match around.read_set.resources.get(&(target.name.as_str(), id)) {
            None => return true,
            Some(None) => {}
            Some(Some(stored)) => found = Some((target, stored)),
        }
    }
    let (Some((target, stored)), Value::Object(reference)) = (found, element) else {
        return false;
    };
    reference.insert("$ref".to_owned(), json!(location(caller, target, id)));
    let name = stored.attributes.get("displayName");
    let shown = attribute.sub("displayName");
    if let (Some(name), Some(shown)) = (name, shown)
        && shown.mutability == Mutability::ReadOnly
    {
        reference.insert(shown.name.clone(), name.clone());
    }
    true
}
