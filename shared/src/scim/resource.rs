//! The body of a POST or PUT becomes a resource's attributes.
//!
//! What a client may send differs from what is kept: names in any letter case,
//! nulls, read-only attributes, attributes of no known schema, the habits of
//! connectors. [`check`] turns the first into the second or names the place
//! that is wrong; [`replace`] lays it over what is stored.
//!
//! ```text
//! {"schemas": ["urn:…:core:2.0:User"], "USERNAME": "bjensen", "id": "x",
//!  "emails": [], "active": "True"}     →   {"userName": "bjensen", "active": true}
//! ```
//!
//! Whether a reference points to anything, and whether a value is taken, must
//! not be known here: that needs the stored state.

use serde_json::{Map, Value};

use super::{
    Attributes, ResourceType, ScimError,
    schema::{Attribute, Mutability, Returned, Schema, catalogue},
};

mod coerce;
mod simple;
mod trail;

use coerce::{arrange, assigned, position};
pub use coerce::{coerce, coerce_element};
use trail::Trail;

/// Checks the body of a POST or PUT and brings it into canonical form: names
/// in schema spelling and order; null, empty lists and objects that end up
/// empty left out (RFC 7643 §2.5); read-only attributes, attributes of no
/// schema of the type, `$ref` and `display` of references dropped. Values stay
/// as written, a password included. An extension may stand inside another one,
/// as RFC 9944 §7.1 shows pairing methods; it is kept beside it, where RFC 7643
/// §3.3 has it.
///
/// A required attribute that is write-only is not asked for here: see
/// [`check_secrets`].
///
/// # Errors
///
/// 400 `invalidSyntax` if the body is no object, lacks `schemas`, does not list
/// the core schema there, or has an attribute twice in different letter case.
/// 400 `invalidValue` naming the place if a value has the wrong type, a
/// required one is missing or blank, or more than one value of an attribute is
/// primary.
pub fn check(resource_type: &'static ResourceType, data: &Value) -> Result<Attributes, ScimError> {
    let root = Trail::Root("");
    let Value::Object(body) = data else {
        return Err(root.malformed("type_error", "the resource must be a JSON object"));
    };
    let common = &catalogue().common.attributes;
    let core = &resource_type.schema.attributes;
    let extensions = &resource_type.extensions;

    let find = |name: &str| {
        position(common, name)
            .or_else(|| position(core, name).map(|index| common.len() + index))
            .or_else(|| {
                let mut urns = extensions.iter().map(|extension| &extension.schema.id);
                let index = urns.position(|urn| urn.eq_ignore_ascii_case(name))?;
                Some(common.len() + core.len() + index)
            })
    };
    let count = common.len() + core.len() + extensions.len();
    let is_extension = |name: &str| resource_type.extension(name).is_some();
    let outer = body.iter().filter(|(name, _)| is_extension(name));
    let inner = outer.filter_map(|(_, value)| value.as_object()).flatten();
    let nested = inner.filter(|(name, _)| is_extension(name));
    let mut values = arrange(body.iter().chain(nested), count, find, &root)?.into_iter();

    let mut attributes = Attributes::new();
    for (attribute, value) in common.iter().zip(&mut values) {
        if attribute.name == "schemas" {
            check_schemas(resource_type.schema, value)?;
        } else {
            fill(&mut attributes, attribute, value, &root)?;
        }
    }
    for (attribute, value) in core.iter().zip(&mut values) {
        fill(&mut attributes, attribute, value, &root)?;
    }
    for (extension, value) in extensions.iter().zip(values) {
        let urn = &extension.schema.id;
        let trail = Trail::Member(&root, urn);
        match check_extension(extension.schema, value, &trail)? {
            Some(members) => {
                attributes.insert(urn.clone(), Value::Object(members));
            }
            None if extension.required => {
                return Err(trail.invalid("missing", "the extension is required"));
            }
            None => {}
        }
    }
    Ok(attributes)
}

/// What a PUT makes of a stored resource (RFC 7644 §3.5.1): `new`, with what is
/// write-only or immutable kept from `stored` where `new` leaves it out. A
/// write-only value could not be read to be sent back, so leaving it out
/// cannot mean to clear it; leaving out a whole extension does, if there was
/// anything of it to be read.
///
/// # Errors
///
/// 400 `mutability` if an immutable attribute has a value and `new` has
/// another. 400 `invalidValue` as [`check_secrets`].
pub fn replace(
    resource_type: &'static ResourceType,
    stored: &Attributes,
    mut new: Attributes,
) -> Result<Attributes, ScimError> {
    let root = Trail::Root("");
    keep(&resource_type.schema.attributes, stored, &mut new, &root)?;
    for extension in &resource_type.extensions {
        let urn = &extension.schema.id;
        let Some(Value::Object(stored)) = stored.get(urn) else {
            continue;
        };
        let hidden = |name: &str| {
            let found = extension.schema.attribute(name);
            found.is_some_and(|found| found.returned == Returned::Never)
        };
        let (mut members, cleared) = match new.get_mut(urn) {
            Some(Value::Object(members)) => (std::mem::take(members), false),
            _ => (Map::new(), stored.keys().any(|name| !hidden(name))),
        };
        keep(
            &extension.schema.attributes,
            stored,
            &mut members,
            &Trail::Member(&root, urn),
        )?;
        if cleared {
            members.retain(|name, _| !hidden(name));
        }
        if members.is_empty() {
            new.shift_remove(urn);
        } else {
            new.insert(urn.clone(), Value::Object(members));
        }
    }
    check_secrets(resource_type, &new)?;
    Ok(new)
}

/// Whether every required attribute that is write-only has a value, sent or
/// kept from before. It is asked when the whole resource is known, because a
/// client that reads a resource and sends it back cannot send them.
///
/// # Errors
///
/// 400 `invalidValue` naming the one that is missing or blank.
pub fn check_secrets(
    resource_type: &ResourceType,
    attributes: &Attributes,
) -> Result<(), ScimError> {
    let root = Trail::Root("");
    let missing = |schema: &Schema, members: &Map<String, Value>, trail: &Trail<'_>| {
        let attributes = schema.attributes.iter();
        let mut secrets =
            attributes.filter(|found| found.required && found.mutability == Mutability::WriteOnly);
        let absent = secrets.find(|secret| match members.get(&secret.name) {
            None => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        });
        match absent {
            Some(secret) => {
                let trail = Trail::Member(trail, &secret.name);
                Err(trail.invalid("missing", "a value is required"))
            }
            None => Ok(()),
        }
    };
    missing(resource_type.schema, attributes, &root)?;
    for extension in &resource_type.extensions {
        let urn = &extension.schema.id;
        if let Some(Value::Object(members)) = attributes.get(urn) {
            missing(extension.schema, members, &Trail::Member(&root, urn))?;
        }
    }
    Ok(())
}

/// The list must contain the core schema. Other URIs are ignored: extensions
/// are known by their objects, and Entra lists a URI of its own.
fn check_schemas(core: &Schema, schemas: Option<&Value>) -> Result<(), ScimError> {
    let root = Trail::Root("");
    let trail = Trail::Member(&root, "schemas");
    let urn = &core.id;
    let Some(schemas) = schemas.filter(|schemas| !schemas.is_null()) else {
        return Err(trail.malformed("missing", format!("a list with `{urn}` is required")));
    };
    let list = schemas
        .as_array()
        .filter(|list| list.iter().all(Value::is_string));
    let Some(list) = list else {
        return Err(trail.malformed("type_error", "expected a list of strings"));
    };
    if list
        .iter()
        .filter_map(Value::as_str)
        .any(|schema| schema.eq_ignore_ascii_case(urn))
    {
        return Ok(());
    }
    Err(trail.malformed("value_error", format!("`{urn}` is missing from the list")))
}

fn check_extension(
    schema: &'static Schema,
    value: Option<&Value>,
    trail: &Trail<'_>,
) -> Result<Option<Map<String, Value>>, ScimError> {
    let object = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(object)) if object.values().all(Value::is_null) => return Ok(None),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(trail.invalid("type_error", "expected an object")),
    };
    let attributes = &schema.attributes;
    let values = arrange(
        object,
        attributes.len(),
        |name| position(attributes, name),
        trail,
    )?;
    let mut members = Map::new();
    for (attribute, value) in attributes.iter().zip(values) {
        fill(&mut members, attribute, value, trail)?;
    }
    Ok((!members.is_empty()).then_some(members))
}

fn fill(
    members: &mut Map<String, Value>,
    attribute: &'static Attribute,
    value: Option<&Value>,
    trail: &Trail<'_>,
) -> Result<(), ScimError> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    let trail = Trail::Member(trail, &attribute.name);
    let value = match value {
        Some(value) => assigned(attribute, value, &trail)?,
        None => None,
    };
    if attribute.required && attribute.mutability != Mutability::WriteOnly {
        match &value {
            None => return Err(trail.invalid("missing", "a value is required")),
            Some(Value::String(text)) if text.trim().is_empty() => {
                return Err(trail.invalid("value_error", "the value must not be blank"));
            }
            Some(_) => {}
        }
    }
    if let Some(value) = value {
        members.insert(attribute.name.clone(), value);
    }
    Ok(())
}

// Of an attribute with several values the elements come and go as wholes, so
// their immutable parts need no guard here.
fn keep(
    attributes: &[Attribute],
    stored: &Map<String, Value>,
    new: &mut Map<String, Value>,
    trail: &Trail<'_>,
) -> Result<(), ScimError> {
    for attribute in attributes {
        let Some(before) = stored.get(&attribute.name) else {
            continue;
        };
        match (attribute.mutability, new.get_mut(&attribute.name)) {
            (Mutability::Immutable | Mutability::WriteOnly, None) => {
                new.insert(attribute.name.clone(), before.clone());
            }
            (Mutability::Immutable, Some(after)) if after != before => {
                let place = Trail::Member(trail, &attribute.name);
                return Err(ScimError::mutability(format!(
                    "`{place}` cannot be changed"
                )));
            }
            (Mutability::ReadWrite, Some(Value::Object(after))) => {
                if let Value::Object(before) = before {
                    let trail = Trail::Member(trail, &attribute.name);
                    keep(&attribute.sub_attributes, before, after, &trail)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
