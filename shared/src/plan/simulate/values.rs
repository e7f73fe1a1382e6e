//! Values that point elsewhere: unique values to their owners, references to
//! resources.

use serde_json::Value;

use super::Fault;
use crate::plan::integrity;
use crate::plan::world::{Missing, World};
use crate::scim::schema::catalogue;
use crate::scim::{Attributes, ResourceId, ResourceType, ScimError};
use crate::table::{Lookup, lookup};

/// Moves the unique values from what a resource had to what it gets.
///
/// A value and the resource that should own it may have been read while a
/// transaction was committing, one as it was before and the other as it is
/// after. What disagrees with the resource is therefore left as it was found
/// and only checked: it is not so any more once the transaction is there.
pub(super) fn take_lookups(
    world: &mut World<'_>,
    resource_type: &'static ResourceType,
    id: ResourceId,
    before: &Attributes,
    after: &Attributes,
) -> Result<(), Fault> {
    let old = lookup::lookups(resource_type, before);
    let new = lookup::lookups(resource_type, after);
    let mut result = Ok(());
    for gone in old.difference(&new).filter(|lookup| lookup.unique) {
        if let Err(missing) = release(world, gone, id) {
            result = Err(Fault::from(missing));
        }
    }
    for come in new.difference(&old).filter(|lookup| lookup.unique) {
        match world.owner(come) {
            Ok(Some(owner)) if owner != id => {
                return Err(taken(resource_type, come, after).into());
            }
            Ok(_) => world.set_owner(come.clone(), Some(id)),
            Err(missing) => result = Err(Fault::from(missing)),
        }
    }
    result
}

/// Sets a unique value free that a resource owns.
pub(super) fn release(
    world: &mut World<'_>,
    lookup: &Lookup,
    id: ResourceId,
) -> Result<(), Missing> {
    // Looked at before it is changed: the change is conditional on its owner.
    let found = world.owner(lookup)?;
    world.set_owner(lookup.clone(), found.filter(|owner| *owner != id));
    Ok(())
}

fn taken(resource_type: &ResourceType, lookup: &Lookup, attributes: &Attributes) -> ScimError {
    let attribute = &lookup.attribute;
    let value = match attribute.rsplit_once(':') {
        Some((urn, name)) => attributes.get(urn).and_then(|inner| inner.get(name)),
        None => attributes.get(attribute),
    };
    let value = value.and_then(Value::as_str).unwrap_or_default();
    let name = &resource_type.name;
    ScimError::uniqueness(format!("{name} with {attribute} `{value}` already exists"))
}

/// Refuses a new reference to nothing; erases an old one.
pub(super) fn keep_references(
    world: &mut World<'_>,
    resource_type: &'static ResourceType,
    before: &Attributes,
    after: &mut Attributes,
) -> Result<(), Fault> {
    let old = integrity::references(resource_type, before);
    let mut gone = Vec::new();
    let mut result = Ok(());
    let references = integrity::references(resource_type, after);
    let ours = references
        .into_iter()
        .filter(|found| ResourceId::parse(&found.value).is_some());
    for found in ours {
        match find(world, &found.value, found.types()) {
            Ok(Some(_)) => {}
            Ok(None) if old.iter().any(|known| known.is(&found)) => gone.push(found),
            Ok(None) => {
                let (name, value) = (found.name(), &found.value);
                let detail = format!("`{name}.value` names `{value}`, which does not exist");
                return Err(ScimError::invalid_value(detail).into());
            }
            Err(missing) => result = Err(Fault::from(missing)),
        }
    }
    integrity::erase(after, &gone);
    result
}

/// The type of the resource with this id among the types named, if it exists.
pub(super) fn find(
    world: &mut World<'_>,
    id: &str,
    types: &[String],
) -> Result<Option<&'static ResourceType>, Missing> {
    let Some(id) = ResourceId::parse(id) else {
        return Ok(None);
    };
    let mut result = Ok(None);
    for resource_type in types.iter().filter_map(|name| catalogue().by_name(name)) {
        match world.resource(resource_type, id) {
            Ok(Some(_)) => return Ok(Some(resource_type)),
            Ok(None) => {}
            Err(missing) => result = Err(missing),
        }
    }
    result
}
