//! One attribute's value in canonical form: names in schema spelling,
//! sub-attributes in schema order, what is read-only or unassigned left out.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Map, Value};

use super::{
    simple::{kind, simple},
    trail::Trail,
};
use crate::scim::{
    ScimError,
    reference::carries_references,
    schema::{Attribute, Mutability, Type, catalogue},
};

/// What an attribute is given, in canonical form; `None` when that leaves it
/// unassigned. A multi-valued attribute takes a list or a single element and
/// yields a list. Connectors' habits that are understood: `"True"` for true, a
/// list of one for a single complex value, an id for `{"value": id}` where the
/// attribute carries references.
///
/// The mutability of the attribute itself is the caller's affair. `place`
/// stands before the name of the faulty part in an error and may be empty.
///
/// # Errors
///
/// 400 `invalidValue` naming the place: a wrong type, a missing required
/// sub-attribute, two primary values, a reference without its value. 400
/// `invalidSyntax`: two names in an object that differ only in letter case.
pub fn coerce(
    attribute: &'static Attribute,
    value: &Value,
    place: &str,
) -> Result<Option<Value>, ScimError> {
    assigned(attribute, value, &Trail::Root(place))
}

/// One element of a multi-valued attribute, or the value of a single-valued
/// one. An element of an attribute that carries references may lack its
/// `value` here, as parts of elements do in PATCH.
///
/// # Errors
///
/// As [`coerce`].
pub fn coerce_element(
    attribute: &'static Attribute,
    value: &Value,
    place: &str,
) -> Result<Option<Value>, ScimError> {
    element(attribute, value, &Trail::Root(place))
}

pub(super) fn assigned(
    attribute: &'static Attribute,
    value: &Value,
    trail: &Trail<'_>,
) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Null => Ok(None),
        Value::Array(values) if attribute.multi_valued => {
            let trails = (0..).map(|index| Trail::Element(trail, index));
            elements(attribute, values.iter().zip(trails), trail)
        }
        one if attribute.multi_valued => elements(attribute, [(one, *trail)], trail),
        one => element(attribute, one, trail),
    }
}

/// The members of an object in the order of the names that `find` numbers, in
/// any letter case (RFC 7643 §2.1). Others are dropped.
pub(super) fn arrange<'v>(
    members: impl IntoIterator<Item = (&'v String, &'v Value)>,
    count: usize,
    find: impl Fn(&str) -> Option<usize>,
    trail: &Trail<'_>,
) -> Result<Vec<Option<&'v Value>>, ScimError> {
    let mut slots: Vec<Option<(&str, &Value)>> = vec![None; count];
    for (name, value) in members {
        let Some(slot) = find(name).and_then(|index| slots.get_mut(index)) else {
            continue;
        };
        if let Some((other, _)) = slot.replace((name, value)) {
            let msg = format!("`{other}` and `{name}` are the same attribute");
            return Err(trail.malformed("duplicate", msg));
        }
    }
    Ok(slots
        .into_iter()
        .map(|slot| slot.map(|(_, value)| value))
        .collect())
}

pub(super) fn position(attributes: &[Attribute], name: &str) -> Option<usize> {
    attributes
        .iter()
        .position(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

fn elements<'v, 't>(
    attribute: &'static Attribute,
    values: impl IntoIterator<Item = (&'v Value, Trail<'t>)>,
    trail: &Trail<'_>,
) -> Result<Option<Value>, ScimError> {
    let carries = carries_references(attribute);
    let mut kept: Vec<Value> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (value, trail) in values {
        let element = element(attribute, value, &trail)?;
        let named = element
            .as_ref()
            .is_some_and(|element| element.get("value").is_some());
        if carries && !named && !is_blank(value) {
            return Err(Trail::Member(&trail, "value").invalid("missing", "a value is required"));
        }
        let Some(element) = element else { continue };
        // Equal values are one value (RFC 7643 §2.4). Hashing: lists of members are long.
        match known.entry(identity(&element, carries)) {
            Entry::Vacant(entry) => {
                entry.insert(kept.len());
                kept.push(element);
            }
            Entry::Occupied(entry) => {
                if let Some(first) = kept.get_mut(*entry.get()) {
                    complete(first, element);
                }
            }
        }
    }
    let primary = |element: &&Value| element.get("primary") == Some(&Value::Bool(true));
    if attribute.sub("primary").is_some() && kept.iter().filter(primary).count() > 1 {
        return Err(trail.invalid("value_error", "more than one value is primary"));
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

/// Unassigned by itself: null, or an object of nothing else.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(Value::is_null),
        _ => false,
    }
}

/// Equal for elements that are one value: the same `value` and `type`, or the
/// same resource.
fn identity(element: &Value, reference: bool) -> String {
    match (element.get("value"), element.get("type")) {
        (None, _) => element.to_string(),
        (Some(value), Some(of)) if !reference => format!("{of}{value}"),
        (Some(value), _) => value.to_string(),
    }
}

fn complete(first: &mut Value, other: Value) {
    if let (Value::Object(first), Value::Object(other)) = (first, other) {
        for (name, value) in other {
            first.entry(name).or_insert(value);
        }
    }
}

fn element(
    attribute: &'static Attribute,
    value: &Value,
    trail: &Trail<'_>,
) -> Result<Option<Value>, ScimError> {
    if attribute.kind != Type::Complex {
        return match value {
            Value::Null => Ok(None),
            value => simple(attribute, value, trail)
                .and_then(|value| canonical(attribute, value, trail))
                .map(Some),
        };
    }
    // Entra's samples show the manager as a list of one.
    let value = match value {
        Value::Array(values) if !attribute.multi_valued => match values.as_slice() {
            [] => return Ok(None),
            [one] => one,
            _ => return Err(trail.invalid("type_error", "expected one value, found several")),
        },
        value => value,
    };
    match value {
        Value::Null => Ok(None),
        Value::Object(members) => complex(attribute, members, trail),
        Value::String(id) if carries_references(attribute) => {
            let mut members = Map::new();
            if !id.is_empty() {
                members.insert("value".to_owned(), Value::String(id.clone()));
            }
            Ok((!members.is_empty()).then_some(Value::Object(members)))
        }
        other => {
            let found = kind(other);
            Err(trail.invalid("type_error", format!("expected an object, found {found}")))
        }
    }
}

fn complex(
    attribute: &'static Attribute,
    object: &Map<String, Value>,
    trail: &Trail<'_>,
) -> Result<Option<Value>, ScimError> {
    let subs = &attribute.sub_attributes;
    let carries = carries_references(attribute);
    let values = arrange(object, subs.len(), |name| position(subs, name), trail)?;
    let mut members = Map::new();
    let mut link = None;
    for (sub, value) in subs.iter().zip(values) {
        let Some(value) = value else { continue };
        let trail = Trail::Member(trail, &sub.name);
        if sub.name == "$ref" && carries {
            link = value.as_str();
        } else if sub.mutability != Mutability::ReadOnly
            && let Some(value) = assigned(sub, value, &trail)?
        {
            members.insert(sub.name.clone(), value);
        }
    }
    if carries {
        settle_reference(attribute, &mut members, link, trail)?;
        if !attribute.multi_valued && !members.contains_key("value") {
            return Ok(None);
        }
    }
    if members.is_empty() {
        return Ok(None);
    }
    // Beside a reference `$ref` is always there: it is made from the `value`.
    let kept = |sub: &&Attribute| !carries || sub.name != "$ref";
    for sub in subs.iter().filter(|sub| sub.required).filter(kept) {
        if !members.contains_key(&sub.name) {
            return Err(Trail::Member(trail, &sub.name).invalid("missing", "a value is required"));
        }
    }
    Ok(Some(Value::Object(members)))
}

/// One of the canonical values, spelt as the schema spells it, where the schema
/// admits no other.
fn canonical(attribute: &Attribute, value: Value, trail: &Trail<'_>) -> Result<Value, ScimError> {
    let Value::String(text) = &value else {
        return Ok(value);
    };
    if !attribute.closed {
        return Ok(value);
    }
    let mut known = attribute.canonical_values.iter();
    let known = known.find(|known| match attribute.case_exact {
        true => *known == text,
        false => known.eq_ignore_ascii_case(text),
    });
    known
        .map(|known| Value::String(known.clone()))
        .ok_or_else(|| {
            let msg = format!("expected `{}`", attribute.canonical_values.join("` or `"));
            trail.invalid("value_error", msg)
        })
}

/// An empty `value` is none, a missing one is read from the `$ref`, and `type`
/// is spelt as the resource type is.
fn settle_reference(
    attribute: &'static Attribute,
    members: &mut Map<String, Value>,
    link: Option<&str>,
    trail: &Trail<'_>,
) -> Result<(), ScimError> {
    if members.get("value").is_some_and(|value| value == "") {
        members.shift_remove("value");
    }
    let types = attribute
        .sub("$ref")
        .map_or(&[][..], |sub| &sub.reference_types);
    if !members.contains_key("value")
        && let Some(id) = link.and_then(|link| linked(types, link))
    {
        members.shift_insert(0, "value".to_owned(), Value::String(id.to_owned()));
    }
    let Some(sub) = attribute.sub("type") else {
        return Ok(());
    };
    let is_enumeration = sub.canonical_values.iter().all(|name| types.contains(name));
    if is_enumeration && let Some(Value::String(name)) = members.get_mut("type") {
        let known = sub
            .canonical_values
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        let Some(known) = known else {
            let msg = format!("expected `{}`", sub.canonical_values.join("` or `"));
            return Err(Trail::Member(trail, "type").invalid("value_error", msg));
        };
        name.clone_from(known);
    }
    Ok(())
}

/// The id at the end of `…/Users/{id}`, of an endpoint of one of the types.
fn linked<'l>(types: &[String], link: &'l str) -> Option<&'l str> {
    let (rest, id) = link.rsplit_once('/')?;
    let endpoint = rest.rsplit_once('/').map_or(rest, |(_, endpoint)| endpoint);
    let resource_type = catalogue().by_endpoint(endpoint)?;
    (types.contains(&resource_type.name) && !id.is_empty()).then_some(id)
}
