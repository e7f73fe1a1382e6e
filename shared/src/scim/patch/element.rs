//! Elements of a multi-valued attribute: when two are the same, which ones an
//! incomplete element stands for, and the one that is primary.
//!
//! Elements are compared by keys in hash sets, so that a hundred thousand
//! members cost as many look-ups and no more.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::scim::prepare::prepare;
use crate::scim::schema::{Attribute, Mutability};

/// The sub-attribute that marks the preferred element (RFC 7643 §2.4).
pub(super) const PRIMARY: &str = "primary";

/// What tells an element from others: equal for two elements exactly when they
/// are the same.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Identity<'a> {
    /// Its `value` alone, where that is immutable (a member).
    Value(&'a str),
    /// Its `value` and `type` (RFC 7643 §2.4), or everything it has where it
    /// has no value.
    Whole(String),
}

/// What tells this element from others of its attribute.
pub(super) fn identity<'a>(attribute: &Attribute, element: &'a Value) -> Identity<'a> {
    if attribute.sub_attributes.is_empty() {
        return Identity::Whole(simple_key(attribute, element));
    }
    match identifying(attribute).map(|value| (value, element.get(&value.name))) {
        Some((value, Some(Value::String(text)))) if value.case_exact => Identity::Value(text),
        Some((value, Some(_))) => Identity::Whole(key(&[value], element)),
        _ => {
            let valued = element.get("value").is_some_and(|value| !value.is_null());
            let subs = attribute.sub_attributes.iter();
            let subs = subs.filter(|sub| !valued || is_pair(sub));
            Identity::Whole(key(&subs.collect::<Vec<_>>(), element))
        }
    }
}

/// Whether a sub-attribute is of the pair that no two elements share.
fn is_pair(sub: &Attribute) -> bool {
    ["value", "type"].contains(&sub.name.as_str())
}

/// Adds the elements that are not there yet. One that is takes over what is
/// said of it besides, so that the same value of the same type is not there
/// twice. Gives the index of the element that is to be the primary one.
pub(super) fn append(
    attribute: &Attribute,
    list: &mut Vec<Value>,
    elements: &[Value],
) -> Option<usize> {
    let mut known: HashMap<Identity<'_>, usize> = HashMap::new();
    for (index, element) in list.iter().enumerate() {
        known.entry(identity(attribute, element)).or_insert(index);
    }
    let mut length = list.len();
    let mut places = Vec::with_capacity(elements.len());
    for element in elements {
        let place = *known.entry(identity(attribute, element)).or_insert(length);
        length = length.max(place + 1);
        places.push(place);
    }
    let mut primary = None;
    for (element, place) in elements.iter().zip(places) {
        match list.get_mut(place) {
            None => list.push(element.clone()),
            Some(_) if identifying(attribute).is_some() => continue,
            Some(known) => complete(attribute, known, element),
        }
        if is_primary(element) {
            primary = Some(place);
        }
    }
    primary
}

/// Takes over what differs in meaning, besides value and type.
fn complete(attribute: &Attribute, known: &mut Value, element: &Value) {
    for sub in attribute.sub_attributes.iter().filter(|sub| !is_pair(sub)) {
        let differs = key(&[sub], known) != key(&[sub], element);
        if let (Some(value), Some(known)) = (element.get(&sub.name), known.as_object_mut())
            && differs
        {
            known.insert(sub.name.clone(), value.clone());
        }
    }
}

/// Drops what a replacement of the whole list drops: all, or where elements
/// are known by their `value`, those that are not listed again, so that the
/// others stay as they are.
pub(super) fn keep(attribute: &Attribute, list: &mut Vec<Value>, elements: &[Value]) {
    if identifying(attribute).is_none() {
        list.clear();
        return;
    }
    let listed: HashSet<Identity<'_>> = elements
        .iter()
        .map(|element| identity(attribute, element))
        .collect();
    list.retain(|element| listed.contains(&identity(attribute, element)));
}

/// Keeps the first of elements that are the same.
pub(super) fn keep_distinct(attribute: &Attribute, list: &mut Vec<Value>) {
    let first: Vec<bool> = {
        let mut known = HashSet::with_capacity(list.len());
        let new = list
            .iter()
            .map(|element| known.insert(identity(attribute, element)));
        new.collect()
    };
    let mut first = first.into_iter();
    list.retain(|_| first.next().unwrap_or(true));
}

/// Elements to remove, each standing for all that have what it has.
pub(super) struct Selection<'a> {
    attribute: &'a Attribute,
    /// For each set of sub-attributes that is named, the keys that are named.
    keys: HashMap<Vec<usize>, HashSet<String>>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(attribute: &'a Attribute, elements: &[Value]) -> Self {
        let mut selection = Self {
            attribute,
            keys: HashMap::new(),
        };
        for element in elements {
            let named = selection.named(element);
            let key = selection.key(&named, element);
            selection.keys.entry(named).or_default().insert(key);
        }
        selection
    }

    pub(super) fn contains(&self, element: &Value) -> bool {
        self.keys
            .iter()
            .any(|(named, keys)| keys.contains(&self.key(named, element)))
    }

    /// Indexes of the sub-attributes that an element names; a member is named
    /// by its `value`, whatever else is said of it.
    fn named(&self, element: &Value) -> Vec<usize> {
        let subs = self.attribute.sub_attributes.iter().enumerate();
        let named = subs.filter(|(_, sub)| element.get(&sub.name).is_some());
        match identifying(self.attribute).filter(|value| element.get(&value.name).is_some()) {
            Some(value) => named
                .filter(|(_, sub)| sub.name == value.name)
                .map(|(i, _)| i)
                .collect(),
            None => named.map(|(index, _)| index).collect(),
        }
    }

    fn key(&self, named: &[usize], element: &Value) -> String {
        if self.attribute.sub_attributes.is_empty() {
            return simple_key(self.attribute, element);
        }
        let subs = named
            .iter()
            .filter_map(|index| self.attribute.sub_attributes.get(*index));
        key(&subs.collect::<Vec<_>>(), element)
    }
}

/// Whether an element says that it is the primary one.
pub(super) fn is_primary(element: &Value) -> bool {
    element.get(PRIMARY) == Some(&Value::Bool(true))
}

/// Makes one element the only primary one.
pub(super) fn keep_primary(list: &mut [Value], primary: usize) {
    for (index, element) in list.iter_mut().enumerate() {
        if index != primary
            && let Some(mark @ Value::Bool(true)) = element.get_mut(PRIMARY)
        {
            *mark = Value::Bool(false);
        }
    }
}

fn identifying(attribute: &Attribute) -> Option<&Attribute> {
    attribute
        .sub("value")
        .filter(|value| value.mutability == Mutability::Immutable)
}

fn key(subs: &[&Attribute], element: &Value) -> String {
    let mut key = String::new();
    for sub in subs {
        match element.get(&sub.name) {
            // An element without `primary` is not the primary one.
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(value) => {
                key.push_str(&sub.name);
                key.push('=');
                key.push_str(&simple_key(sub, value));
                key.push(',');
            }
        }
    }
    key
}

fn simple_key(attribute: &Attribute, value: &Value) -> String {
    match value {
        Value::String(text) => Value::String(prepare(attribute, text)).to_string(),
        value => value.to_string(),
    }
}
