//! `attributes` and `excludedAttributes` (RFC 7644 §3.9): which parts of a
//! resource an answer shows.
//!
//! Names come as clients write them: in any letter case, with or without the
//! schema's URN, with or without a sub-attribute, and a URN alone for a whole
//! schema. An extension's attribute is also found without the URN, if the core
//! schema has none of that name. Names that mean nothing are ignored.
//!
//! ```text
//! attributes=userName,name.familyName    → schemas, id, userName, name {familyName}
//! excludedAttributes=members             → all but members; members need not be read
//! ```
//!
//! The schema has the last word: what is returned always stays, what is never
//! returned stays out, also when it is asked for by name.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::{
    ResourceType, ScimError,
    schema::{Attribute, Returned, Schema, catalogue},
};

/// Which parts of a resource to show. The default is what the schema returns
/// by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    choice: Choice,
}

// The names are in lower case, and each means something in some resource type:
// their number is bounded by the schemas, not by the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Choice {
    #[default]
    Default,
    Only(BTreeSet<String>),
    Without(BTreeSet<String>),
}

/// What a name means in a resource type: the id of a schema, one of its
/// attributes or all, one sub-attribute or all.
type Part = (&'static str, Option<&'static str>, Option<&'static str>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Default,
    Only,
    Without,
}

/// A projection as one resource type understands it.
struct Selection {
    mode: Mode,
    named: HashSet<Part>,
}

impl Projection {
    /// Reads the two query parameters, lists separated by commas.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` if both name something: they exclude each other.
    pub fn parse(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let split = |list: Option<&str>| names(list.unwrap_or_default().split(','));
        Self::new(split(attributes), split(excluded))
    }

    /// Reads the two lists of a search request (RFC 7644 §3.4.3).
    ///
    /// # Errors
    ///
    /// As [`Projection::parse`].
    pub fn from_lists(
        attributes: Option<&[String]>,
        excluded: Option<&[String]>,
    ) -> Result<Self, ScimError> {
        let read =
            |list: Option<&[String]>| names(list.unwrap_or_default().iter().map(String::as_str));
        Self::new(read(attributes), read(excluded))
    }

    fn new(
        attributes: Option<BTreeSet<String>>,
        excluded: Option<BTreeSet<String>>,
    ) -> Result<Self, ScimError> {
        let choice = match (attributes, excluded) {
            (None, None) => Choice::Default,
            (Some(names), None) => Choice::Only(names),
            (None, Some(names)) => Choice::Without(names),
            (Some(_), Some(_)) => {
                return Err(ScimError::invalid_value(
                    "`attributes` and `excludedAttributes` exclude each other",
                ));
            }
        };
        Ok(Self { choice })
    }

    /// Whether nothing was asked for. A client that asked for something gets a
    /// body even where none is customary (RFC 7644 §3.5.2).
    pub fn is_default(&self) -> bool {
        self.choice == Choice::Default
    }

    /// Whether any part of a common or core attribute would be shown: what is
    /// not need not be read. `false` for an unknown name.
    pub fn wants(&self, resource_type: &'static ResourceType, attribute: &str) -> bool {
        let common = catalogue().common;
        let found = common.attribute(attribute).map(|found| (common, found));
        let core = resource_type.schema;
        let found = found.or_else(|| core.attribute(attribute).map(|found| (core, found)));
        found.is_some_and(|(schema, found)| self.selection(resource_type).shows(schema, found))
    }

    /// Leaves out of a full representation what is not to be shown.
    pub fn apply(&self, resource_type: &'static ResourceType, resource: Value) -> Value {
        let Value::Object(resource) = resource else {
            return resource;
        };
        let selection = self.selection(resource_type);
        let core = [catalogue().common, resource_type.schema];
        let mut shown = Map::new();
        for (name, value) in resource {
            let value = match core
                .iter()
                .find_map(|schema| Some((schema, exact(schema, &name)?)))
            {
                Some((schema, attribute)) => selection.pick(schema, attribute, value),
                None => resource_type
                    .extension(&name)
                    .and_then(|schema| selection.pick_extension(schema, value)),
            };
            if let Some(value) = value {
                shown.insert(name, value);
            }
        }
        Value::Object(shown)
    }

    fn selection(&self, resource_type: &'static ResourceType) -> Selection {
        let (mode, names) = match &self.choice {
            Choice::Default => (Mode::Default, None),
            Choice::Only(names) => (Mode::Only, Some(names)),
            Choice::Without(names) => (Mode::Without, Some(names)),
        };
        let parts = names.into_iter().flatten();
        let named = parts
            .filter_map(|name| understand(resource_type, name))
            .collect();
        Selection { mode, named }
    }
}

impl Selection {
    fn names(&self, schema: &'static Schema, attribute: &'static Attribute) -> bool {
        self.named
            .contains(&(&schema.id, Some(&attribute.name), None))
    }

    fn names_schema(&self, schema: &'static Schema) -> bool {
        self.named.contains(&(&schema.id, None, None))
    }

    fn names_part(
        &self,
        schema: &'static Schema,
        attribute: &'static Attribute,
        sub: &'static Attribute,
    ) -> bool {
        self.named
            .contains(&(&schema.id, Some(&attribute.name), Some(&sub.name)))
    }

    /// Whether a simple attribute is shown, or a complex one as a whole, as far
    /// as its parts are.
    fn shows_whole(&self, schema: &'static Schema, attribute: &'static Attribute) -> bool {
        match (attribute.returned, self.mode) {
            (Returned::Never, _) => false,
            (Returned::Always, _) => true,
            (Returned::Request, Mode::Only) => self.names(schema, attribute),
            (Returned::Request, _) => false,
            (Returned::Default, Mode::Default) => true,
            (Returned::Default, Mode::Only) => {
                self.names(schema, attribute) || self.names_schema(schema)
            }
            (Returned::Default, Mode::Without) => {
                !self.names(schema, attribute) && !self.names_schema(schema)
            }
        }
    }

    fn shows_part(
        &self,
        schema: &'static Schema,
        attribute: &'static Attribute,
        sub: &'static Attribute,
    ) -> bool {
        let whole = self.shows_whole(schema, attribute);
        let named = self.names_part(schema, attribute, sub);
        match (sub.returned, self.mode) {
            (Returned::Never, _) => false,
            (Returned::Always, _) => whole || named,
            (Returned::Request, mode) => mode == Mode::Only && named,
            (Returned::Default, Mode::Default) => whole,
            (Returned::Default, Mode::Only) => whole || named,
            (Returned::Default, Mode::Without) => whole && !named,
        }
    }

    fn shows(&self, schema: &'static Schema, attribute: &'static Attribute) -> bool {
        if attribute.returned == Returned::Never {
            return false;
        }
        let mut subs = attribute.sub_attributes.iter();
        match attribute.sub_attributes.is_empty() {
            true => self.shows_whole(schema, attribute),
            false => subs.any(|sub| self.shows_part(schema, attribute, sub)),
        }
    }

    fn pick(
        &self,
        schema: &'static Schema,
        attribute: &'static Attribute,
        value: Value,
    ) -> Option<Value> {
        if !self.shows(schema, attribute) {
            return None;
        }
        let mut parts = Vec::new();
        for sub in &attribute.sub_attributes {
            if self.shows_part(schema, attribute, sub) {
                parts.push(sub.name.as_str());
            }
        }
        match value {
            Value::Array(elements) => {
                let elements = elements
                    .into_iter()
                    .filter_map(|element| reduce(element, &parts));
                let elements: Vec<Value> = elements.collect();
                (!elements.is_empty()).then_some(Value::Array(elements))
            }
            value => reduce(value, &parts),
        }
    }

    fn pick_extension(&self, schema: &'static Schema, value: Value) -> Option<Value> {
        let Value::Object(members) = value else {
            return None;
        };
        let mut shown = Map::new();
        for (name, value) in members {
            let picked =
                exact(schema, &name).and_then(|attribute| self.pick(schema, attribute, value));
            if let Some(value) = picked {
                shown.insert(name, value);
            }
        }
        (!shown.is_empty()).then_some(Value::Object(shown))
    }
}

fn exact(schema: &'static Schema, name: &str) -> Option<&'static Attribute> {
    schema
        .attributes
        .iter()
        .find(|attribute| attribute.name == name)
}

fn reduce(value: Value, parts: &[&str]) -> Option<Value> {
    match value {
        Value::Object(mut members) => {
            members.retain(|name, _| parts.contains(&name.as_str()));
            (!members.is_empty()).then_some(Value::Object(members))
        }
        simple => Some(simple),
    }
}

/// `None` if the list is empty. Names that mean nothing anywhere do not count
/// as empty, they just select nothing.
fn names<'n>(list: impl Iterator<Item = &'n str>) -> Option<BTreeSet<String>> {
    let mut list = list
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .peekable();
    list.peek()?;
    let types = &catalogue().resource_types;
    let known = |name: &&str| types.iter().any(|of| understand(of, name).is_some());
    Some(list.filter(known).map(str::to_ascii_lowercase).collect())
}

fn understand(resource_type: &'static ResourceType, name: &str) -> Option<Part> {
    let extensions = resource_type
        .extensions
        .iter()
        .map(|extension| extension.schema);
    let schemas = std::iter::once(resource_type.schema).chain(extensions);
    if name.contains(':') {
        return schemas.into_iter().find_map(|schema| {
            let (urn, rest) = name.split_at_checked(schema.id.len())?;
            if !urn.eq_ignore_ascii_case(&schema.id) {
                return None;
            }
            match rest.strip_prefix(':') {
                Some(rest) => attribute_part(schema, rest),
                None => rest.is_empty().then_some((&schema.id, None, None)),
            }
        });
    }
    let all = std::iter::once(catalogue().common).chain(schemas);
    all.into_iter()
        .find_map(|schema| attribute_part(schema, name))
}

fn attribute_part(schema: &'static Schema, name: &str) -> Option<Part> {
    let (name, sub) = match name.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (name, None),
    };
    let attribute = schema.attribute(name)?;
    let sub = match sub {
        Some(sub) => Some(attribute.sub(sub)?.name.as_str()),
        None => None,
    };
    Some((&schema.id, Some(&attribute.name), sub))
}

#[cfg(test)]
mod tests;
