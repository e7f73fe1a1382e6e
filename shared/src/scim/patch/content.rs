//! The value of an operation in canonical form, as its target needs it: a
//! simple value, elements, or the sub-attributes that are named.

use serde_json::{Map, Value};

use super::{Content, Parts, Verb};
use crate::scim::path::AttributePath;
use crate::scim::resource::{coerce, coerce_element};
use crate::scim::schema::{Attribute, Mutability, Type};
use crate::scim::{ScimError, reference};

/// The value of an operation in the form that its target needs.
pub(super) fn content(
    verb: Verb,
    path: &AttributePath,
    filtered: bool,
    value: Option<&Value>,
) -> Result<Content, ScimError> {
    let attribute = path.attribute;
    let whole_list = attribute.multi_valued && !filtered && path.sub.is_none();
    let value = match value {
        None | Some(Value::Null) => return Ok(Content::Nothing),
        // Only a list of elements says which of them to remove.
        Some(_) if verb == Verb::Remove && !whole_list => return Ok(Content::Nothing),
        Some(value) => value,
    };
    if whole_list {
        return list(verb, path, value);
    }
    if let Some(sub) = path.sub {
        let value = if attribute.multi_valued {
            value
        } else {
            sole(value)
        };
        return Ok(match simple(sub, value, path)? {
            Content::Simple(value) => match spelt(path, sub, value)? {
                Some(value) => Content::Simple(value),
                None => Content::Nothing,
            },
            content => content,
        });
    }
    let value = sole(value);
    if attribute.kind != Type::Complex && attribute.multi_valued {
        // The new value of each element that a filter selects, and not a list.
        let element = coerce_element(attribute, value, &path.to_string())?;
        return Ok(element.map_or(Content::Nothing, Content::Simple));
    }
    if attribute.kind != Type::Complex {
        return simple(attribute, value, path);
    }
    match value {
        Value::Object(members) if members.is_empty() && verb == Verb::Replace => {
            Ok(Content::Nothing)
        }
        Value::Object(members) => Ok(Content::Parts(parts(path, members)?)),
        // Entra ID sends a manager as its id, and an empty id to remove it.
        Value::String(text) => match attribute.sub("value") {
            Some(_) if text.is_empty() => Ok(Content::Nothing),
            Some(sub) => match coerce(sub, value, &path.to_string())? {
                Some(value) => Ok(Content::Parts(vec![(sub, Some(value))])),
                None => Ok(Content::Nothing),
            },
            None => Err(ScimError::invalid_value(format!(
                "`{path}` must be an object"
            ))),
        },
        Value::Array(values) if values.is_empty() => Ok(Content::Nothing),
        _ => Err(ScimError::invalid_value(format!(
            "`{path}` must be an object"
        ))),
    }
}

/// Sub-attributes that the service fills in beside a reference: what a client
/// writes there is passed over.
pub(super) fn is_derived(attribute: &Attribute, sub: &Attribute) -> bool {
    let shown_only = sub.name == "display" && sub.mutability == Mutability::ReadOnly;
    reference::carries_references(attribute) && (sub.name == "$ref" || shown_only)
}

/// The only element of an array, as connectors wrap a single value.
fn sole(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => value,
    }
}

/// A sub-attribute's value. The `type` of a reference must be one of those that
/// it can have, and is spelt as the resource type is. An empty id is none.
fn spelt(
    path: &AttributePath,
    sub: &'static Attribute,
    value: Value,
) -> Result<Option<Value>, ScimError> {
    if !reference::carries_references(path.attribute) {
        return Ok(Some(value));
    }
    if sub.name == "value" && !path.attribute.multi_valued && value == "" {
        return Ok(None);
    }
    if sub.name != "type" {
        return Ok(Some(value));
    }
    let whole = AttributePath { sub: None, ..*path };
    let element = Value::Object(Map::from_iter([(sub.name.clone(), value)]));
    let element = coerce_element(path.attribute, &element, &whole.to_string())?;
    Ok(element.and_then(|mut element| Some(element.get_mut(&sub.name)?.take())))
}

fn simple(
    attribute: &'static Attribute,
    value: &Value,
    path: &AttributePath,
) -> Result<Content, ScimError> {
    if !attribute.multi_valued && value.as_array().is_some_and(|values| !values.is_empty()) {
        return Err(ScimError::invalid_value(format!(
            "`{path}` has one value, not a list"
        )));
    }
    Ok(coerce(attribute, value, &path.to_string())?.map_or(Content::Nothing, Content::Simple))
}

fn list(verb: Verb, path: &AttributePath, value: &Value) -> Result<Content, ScimError> {
    let attribute = path.attribute;
    if verb == Verb::Remove {
        let elements = match value {
            Value::Array(elements) => elements.as_slice(),
            element => std::slice::from_ref(element),
        };
        // An empty list names nothing, and must not empty the attribute.
        let elements = elements.iter().map(|element| partial(path, element));
        return Ok(Content::List(elements.collect::<Result<Vec<_>, _>>()?));
    }
    match coerce(attribute, value, &path.to_string())? {
        Some(Value::Array(elements)) => Ok(Content::List(elements)),
        Some(element) => Ok(Content::List(vec![element])),
        None => Ok(Content::List(Vec::new())),
    }
}

/// An element to remove: what it has selects all elements that have the same.
fn partial(path: &AttributePath, element: &Value) -> Result<Value, ScimError> {
    let attribute = path.attribute;
    let place = path.to_string();
    let wrong = || {
        Err(ScimError::invalid_value(format!(
            "`{place}` has no such element"
        )))
    };
    let selected: Map<String, Value> = match (attribute.kind, element) {
        (Type::Complex, Value::Object(members)) => parts(path, members)?
            .into_iter()
            .filter_map(|(sub, value)| Some((sub.name.clone(), value?)))
            .collect(),
        (Type::Complex, Value::String(_)) => {
            let Some(sub) = attribute.sub("value") else {
                return wrong();
            };
            let value = coerce(sub, element, &place)?;
            value
                .map(|value| (sub.name.clone(), value))
                .into_iter()
                .collect()
        }
        (Type::Complex, _) => return wrong(),
        _ => match coerce(attribute, element, &place)? {
            Some(Value::Array(values)) => match values.into_iter().next() {
                Some(value) => return Ok(value),
                None => return wrong(),
            },
            Some(value) => return Ok(value),
            None => return wrong(),
        },
    };
    if selected.is_empty() {
        wrong()
    } else {
        Ok(Value::Object(selected))
    }
}

/// The sub-attributes that an object names. Those that no schema knows, that
/// are read-only or that the service fills in itself are passed over.
fn parts(path: &AttributePath, members: &Map<String, Value>) -> Result<Parts, ScimError> {
    let attribute = path.attribute;
    let mut parts = Parts::with_capacity(members.len());
    for (key, value) in members {
        let Some(sub) = attribute.sub(key) else {
            continue;
        };
        if sub.mutability == Mutability::ReadOnly || is_derived(attribute, sub) {
            continue;
        }
        if parts.iter().any(|(known, _)| known.name == sub.name) {
            let message = format!("`{path}` has `{}` twice", sub.name);
            return Err(ScimError::invalid_syntax(message));
        }
        let place = AttributePath {
            sub: Some(sub),
            ..*path
        }
        .to_string();
        let value = coerce(sub, value, &place)?;
        let value = value.map(|value| spelt(path, sub, value)).transpose()?;
        parts.push((sub, value.flatten()));
    }
    if reference::carries_references(attribute) && !parts.iter().any(|(sub, _)| sub.name == "value")
    {
        // A link without the id: the id is at its end.
        let whole = coerce_element(
            attribute,
            &Value::Object(members.clone()),
            &path.to_string(),
        )?;
        let id = whole.as_ref().and_then(|whole| whole.get("value"));
        if let (Some(id), Some(sub)) = (id, attribute.sub("value")) {
            parts.push((sub, Some(id.clone())));
        }
    }
    Ok(parts)
}
