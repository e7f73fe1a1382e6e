//! Steps applied to attributes. Errors leave half-changed attributes behind:
//! the caller works on a copy and throws it away.

use serde_json::{Map, Value};

use super::{Action, Change, Content, Dialect, Parts};
use crate::scim::filter::is_present;
use crate::scim::reference::carries_references;
use crate::scim::schema::{Attribute, Mutability, ResourceType};
use crate::scim::{Attributes, ResourceId, ScimError};

impl Action {
    pub(super) fn apply(
        &self,
        dialect: Dialect,
        id: ResourceId,
        attributes: &mut Attributes,
    ) -> Result<(), ScimError> {
        match self {
            Self::SameId(value) if value.as_str() == Some(id.to_string().as_str()) => Ok(()),
            Self::SameId(_) => Err(ScimError::mutability("`id` cannot be changed")),
            Self::Clear(schema) => {
                let Some(extension) = attributes.shift_remove(&schema.id) else {
                    return Ok(());
                };
                let kept = schema.attributes.iter().find(|attribute| {
                    attribute.mutability == Mutability::Immutable
                        && extension.get(&attribute.name).is_some()
                });
                kept.map_or(Ok(()), |attribute| Err(immutable(attribute)))
            }
            Self::Change(change) => match change.path.extension {
                None => change.apply(dialect, attributes),
                Some(schema) => {
                    let extension = attributes.entry(schema.id.as_str()).or_insert(Value::Null);
                    in_object(extension, |members| change.apply(dialect, members))
                }
            },
        }
    }
}

/// What must hold after all operations: no empty extension, nothing missing
/// that is required.
pub(super) fn finish(
    resource_type: &'static ResourceType,
    attributes: &mut Attributes,
) -> Result<(), ScimError> {
    check_required(&resource_type.schema.attributes, attributes)?;
    for extension in &resource_type.extensions {
        let id = extension.schema.id.as_str();
        match attributes.get(id) {
            Some(Value::Object(members)) if !members.is_empty() => {
                check_required(&extension.schema.attributes, members)?;
            }
            _ if extension.required => {
                return Err(ScimError::invalid_value(format!("`{id}` is required")));
            }
            Some(_) => {
                attributes.shift_remove(id);
            }
            None => {}
        }
    }
    Ok(())
}

/// What a required attribute must have: blanks are nothing, as in a whole
/// resource.
fn is_given(value: &Value) -> bool {
    is_present(value) && value.as_str().is_none_or(|text| !text.trim().is_empty())
}

fn check_required(schema: &[Attribute], members: &Map<String, Value>) -> Result<(), ScimError> {
    for attribute in schema {
        let value = members.get(&attribute.name);
        if attribute.required
            && attribute.mutability != Mutability::ReadOnly
            && !value.is_some_and(is_given)
        {
            return Err(ScimError::invalid_value(format!(
                "`{}` is required",
                attribute.name
            )));
        }
        // Beside a reference `$ref` is always there: it is made from the `value`.
        let carries = carries_references(attribute);
        let needs = |sub: &&Attribute| {
            let kept = !carries || sub.name != "$ref";
            sub.required && sub.mutability != Mutability::ReadOnly && kept
        };
        for sub in attribute.sub_attributes.iter().filter(needs) {
            let elements = match value {
                Some(Value::Array(elements)) => elements.as_slice(),
                Some(value) => std::slice::from_ref(value),
                None => &[],
            };
            if !elements
                .iter()
                .all(|element| element.get(&sub.name).is_some_and(is_given))
            {
                let message = format!("`{}.{}` is required", attribute.name, sub.name);
                return Err(ScimError::invalid_value(message));
            }
        }
    }
    Ok(())
}

impl Change {
    fn apply(&self, dialect: Dialect, members: &mut Map<String, Value>) -> Result<(), ScimError> {
        let attribute = self.path.attribute;
        if attribute.mutability != Mutability::Immutable {
            return self.write(dialect, members);
        }
        let before = members.get(&attribute.name).cloned();
        self.write(dialect, members)?;
        match before {
            Some(before) if members.get(&attribute.name) != Some(&before) => {
                Err(immutable(attribute))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, dialect: Dialect, members: &mut Map<String, Value>) -> Result<(), ScimError> {
        let attribute = self.path.attribute;
        if attribute.multi_valued {
            let list = members
                .entry(attribute.name.as_str())
                .or_insert(Value::Null);
            if !list.is_array() {
                *list = Value::Array(Vec::new());
            }
            if let Value::Array(list) = list {
                self.write_list(dialect, list)?;
                if !list.is_empty() {
                    return Ok(());
                }
            }
            return drop_empty(members, attribute);
        }
        let parts = match (self.path.sub, &self.content) {
            (Some(sub), Content::Simple(value)) => &vec![(sub, Some(value.clone()))],
            (Some(sub), _) => &vec![(sub, None)],
            (None, Content::Parts(parts)) => parts,
            (None, Content::Simple(value)) => {
                members.insert(attribute.name.clone(), value.clone());
                return Ok(());
            }
            (None, Content::Nothing | Content::List(_)) => return unassign(members, attribute),
        };
        let value = members
            .entry(attribute.name.as_str())
            .or_insert(Value::Null);
        let empty = in_object(value, |members| {
            merge(members, parts)?;
            Ok(members.is_empty())
        })?;
        if empty {
            drop_empty(members, attribute)
        } else {
            Ok(())
        }
    }
}

/// Calls `f` with the members of an object; anything else becomes one first.
pub(super) fn in_object<T>(
    value: &mut Value,
    f: impl FnOnce(&mut Map<String, Value>) -> Result<T, ScimError>,
) -> Result<T, ScimError> {
    let mut members = match value.take() {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let result = f(&mut members);
    *value = Value::Object(members);
    result
}

pub(super) fn merge(members: &mut Map<String, Value>, parts: &Parts) -> Result<(), ScimError> {
    for (sub, value) in parts {
        match value {
            Some(value) => assign(members, sub, value.clone())?,
            None => unassign(members, sub)?,
        }
    }
    Ok(())
}

pub(super) fn assign(
    members: &mut Map<String, Value>,
    attribute: &Attribute,
    value: Value,
) -> Result<(), ScimError> {
    match members.get(&attribute.name) {
        Some(old) if attribute.mutability == Mutability::Immutable && *old != value => {
            Err(immutable(attribute))
        }
        _ => {
            members.insert(attribute.name.clone(), value);
            Ok(())
        }
    }
}

pub(super) fn unassign(
    members: &mut Map<String, Value>,
    attribute: &Attribute,
) -> Result<(), ScimError> {
    let immutable_value =
        attribute.mutability == Mutability::Immutable && members.contains_key(&attribute.name);
    drop_empty(members, attribute)?;
    if immutable_value {
        Err(immutable(attribute))
    } else {
        Ok(())
    }
}

/// RFC 7644 §3.5.2.2: what is required cannot become unassigned.
fn drop_empty(members: &mut Map<String, Value>, attribute: &Attribute) -> Result<(), ScimError> {
    if attribute.required {
        let name = &attribute.name;
        return Err(ScimError::mutability(format!(
            "`{name}` is required and cannot be removed"
        )));
    }
    members.shift_remove(&attribute.name);
    Ok(())
}

fn immutable(attribute: &Attribute) -> ScimError {
    ScimError::mutability(format!(
        "`{}` cannot be changed once it is set",
        attribute.name
    ))
}
