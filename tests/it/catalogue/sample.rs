//! Values as the schemas allow them, and values that they do not.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use shared::scim::ResourceType;
use shared::scim::reference::carries_references;
use shared::scim::schema::{Attribute, Mutability, Type, catalogue};

/// A source of bodies; the same in every run.
pub(super) struct Samples {
    chance: TestRunner,
    /// An id of each type, by its name.
    targets: BTreeMap<&'static str, String>,
    /// No two texts are the same, so none collide.
    number: usize,
}

/// How much of a resource is filled in.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    Required,
    Some,
    All,
}

impl Samples {
    pub(super) fn new(targets: BTreeMap<&'static str, String>) -> Self {
        Self {
            chance: TestRunner::deterministic(),
            number: targets.len() * 1_000,
            targets,
        }
    }

    /// With what is required alone.
    pub(super) fn least(&mut self, of: &'static ResourceType) -> Value {
        self.body(of, Extent::Required)
    }

    /// With any attributes.
    pub(super) fn some(&mut self, of: &'static ResourceType) -> Value {
        self.body(of, Extent::Some)
    }

    /// With every attribute that can be written.
    pub(super) fn full(&mut self, of: &'static ResourceType) -> Value {
        self.body(of, Extent::All)
    }

    /// Another legal value than this one.
    pub(super) fn other(&mut self, attribute: &'static Attribute, than: &Value) -> Value {
        let mut closed = attribute.canonical_values.iter().map(|value| json!(value));
        match closed.find(|value| attribute.closed && value != than) {
            Some(value) => value,
            None => self.value(attribute, Extent::All),
        }
    }

    fn body(&mut self, of: &'static ResourceType, extent: Extent) -> Value {
        let common = catalogue().common.attributes.iter();
        let common = common.filter(|attribute| attribute.name != "schemas");
        let core = common.chain(&of.schema.attributes);
        let mut body = self.object(core, extent);
        let mut schemas = vec![json!(of.schema.id)];
        for extension in &of.extensions {
            if !extension.required && !self.takes(extent) {
                continue;
            }
            let inner = self.object(&extension.schema.attributes, extent);
            if !inner.is_empty() {
                schemas.push(json!(extension.schema.id));
                body.insert(extension.schema.id.clone(), Value::Object(inner));
            }
        }
        body.insert("schemas".to_owned(), Value::Array(schemas));
        Value::Object(body)
    }

    fn takes(&mut self, extent: Extent) -> bool {
        match extent {
            Extent::Required => false,
            Extent::Some => self.draw(proptest::bool::ANY),
            Extent::All => true,
        }
    }

    fn object(
        &mut self,
        attributes: impl IntoIterator<Item = &'static Attribute>,
        extent: Extent,
    ) -> Map<String, Value> {
        let mut object = Map::new();
        for attribute in attributes {
            if attribute.mutability == Mutability::ReadOnly
                || !attribute.required && !self.takes(extent)
            {
                continue;
            }
            let value = match attribute.multi_valued {
                false => self.value(attribute, extent),
                true => self.list(attribute, extent),
            };
            object.insert(attribute.name.clone(), value);
        }
        object
    }

    fn list(&mut self, attribute: &'static Attribute, extent: Extent) -> Value {
        if carries_references(attribute) {
            let names = targets(attribute);
            return names
                .into_iter()
                .map(|name| self.link(attribute, name))
                .collect();
        }
        let count = self.draw(1..4_usize);
        (0..count)
            .map(|index| {
                let mut element = self.value(attribute, extent);
                // At most one element is the primary one (RFC 7643 §2.4).
                if let Some(primary) = element.get_mut("primary") {
                    *primary = json!(index == 0);
                }
                element
            })
            .collect()
    }

    fn value(&mut self, attribute: &'static Attribute, extent: Extent) -> Value {
        match attribute.kind {
            Type::String if attribute.closed => json!(attribute.canonical_values[0]),
            Type::String => {
                let text = self.draw("[a-zé]{1,3}[ -~äß漢]{0,12}");
                json!(self.different(&text))
            }
            Type::Boolean => json!(self.draw(proptest::bool::ANY)),
            Type::Decimal => json!(self.draw(-1e6..1e6_f64)),
            Type::Integer => json!(self.draw(proptest::num::i64::ANY)),
            Type::DateTime => {
                json!(self.draw("20[0-9]{2}-0[1-9]-[12][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]Z"))
            }
            Type::Binary => json!(self.draw("[A-Za-z0-9+/]{3}=")),
            Type::Reference => {
                let text = self.draw("https://example\\.com/[a-z]{1,8}");
                json!(self.different(&text))
            }
            Type::Complex if carries_references(attribute) => {
                let name = targets(attribute)[0];
                self.link(attribute, name)
            }
            Type::Complex => {
                let mut object = self.object(&attribute.sub_attributes, extent);
                if object.is_empty() || attribute.multi_valued {
                    // An element without a value is no element.
                    let subs = attribute.sub_attributes.iter();
                    let mut subs = subs.filter(|sub| sub.mutability != Mutability::ReadOnly);
                    let sub = subs.clone().find(|sub| sub.name == "value").or(subs.next());
                    let sub = sub.expect("something can be written");
                    let value = self.value(sub, extent);
                    object.entry(sub.name.clone()).or_insert(value);
                }
                Value::Object(object)
            }
        }
    }

    /// An element that names the resource of a type that there is.
    fn link(&mut self, attribute: &'static Attribute, name: &'static str) -> Value {
        let mut element = Map::new();
        element.insert("value".to_owned(), json!(self.targets[name]));
        if attribute.sub("type").is_some() && self.draw(proptest::bool::ANY) {
            element.insert("type".to_owned(), json!(name));
        }
        Value::Object(element)
    }

    fn different(&mut self, text: &str) -> String {
        self.number += 1;
        format!("{text}{}", self.number)
    }

    fn draw<S: Strategy>(&mut self, strategy: S) -> S::Value {
        strategy.new_tree(&mut self.chance).unwrap().current()
    }
}

/// The resource types that an attribute may lead to.
fn targets(attribute: &'static Attribute) -> Vec<&'static str> {
    let names = &attribute.sub("$ref").unwrap().reference_types;
    let known = names
        .iter()
        .filter(|name| catalogue().by_name(name).is_some());
    known.map(String::as_str).collect()
}

/// Values that an attribute, or an element of its list, cannot have. Connectors
/// may write a boolean as text, and a reference as the id alone.
pub(super) fn wrong(attribute: &Attribute) -> Vec<Value> {
    match attribute.kind {
        Type::String => vec![json!(7), json!(true), json!({"value": "x"}), json!([["x"]])],
        Type::Boolean => vec![json!("yes"), json!(1), json!({})],
        Type::Decimal => vec![json!("1.5"), json!(true)],
        Type::Integer => vec![json!("7"), json!(1.5), json!(false)],
        Type::DateTime => vec![
            json!("yesterday"),
            json!("2026-01-31"),
            json!(1_767_225_600),
        ],
        Type::Binary => vec![json!("not base64"), json!(7)],
        Type::Reference => vec![json!("no uri"), json!(7)],
        Type::Complex => vec![json!(7), json!(true)],
    }
}
