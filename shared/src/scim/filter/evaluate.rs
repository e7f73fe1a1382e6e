//! Whether a resource, or one element of an attribute, matches a filter. Each
//! term looks at each value of its attribute once.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Filter, Operand, Operator};
use crate::scim::Attributes;
use crate::scim::path::AttributePath;
use crate::scim::prepare::prepare;
use crate::scim::schema::{Attribute, Type};

/// Whether a whole resource matches.
pub(super) fn resource_matches(filter: &Filter, resource: &Attributes) -> bool {
    holds(filter, Scope::Resource(resource))
}

/// Whether an element of the attribute that the filter is about matches.
pub(super) fn element_matches(filter: &Filter, element: &Value) -> bool {
    holds(filter, Scope::Element(element))
}

/// Reads an xsd:dateTime; without an offset it is taken as UTC.
pub(in crate::scim) fn instant(text: &str) -> Option<jiff::Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    let has_time = text.contains(['T', 't']);
    let instant = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    has_time.then_some(instant)
}

/// Compares numbers, integers exactly.
pub(in crate::scim) fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    let whole = |number: &Number| {
        number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
    };
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// RFC 7644 table 3, `pr`: neither absent, null nor empty.
pub(in crate::scim) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
    }
}

#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a Attributes),
    Element(&'a Value),
}

fn holds(filter: &Filter, scope: Scope<'_>) -> bool {
    match filter {
        Filter::And(terms) => terms.iter().all(|term| holds(term, scope)),
        Filter::Or(terms) => terms.iter().any(|term| holds(term, scope)),
        Filter::Not(term) => !holds(term, scope),
        Filter::Present(path) => has_value(path, scope),
        Filter::Value { path, filter } => match scope {
            Scope::Resource(resource) => {
                elements(path.find(resource)).any(|element| holds(filter, Scope::Element(element)))
            }
            Scope::Element(_) => false,
        },
        Filter::Compare {
            path,
            operator: Operator::Eq,
            operand: Operand::Null,
        } => !has_value(path, scope),
        Filter::Compare {
            path,
            operand: Operand::Null,
            ..
        } => has_value(path, scope),
        Filter::Compare {
            path,
            operator,
            operand,
        } => {
            let Some(test) = Test::new(path.leaf(), *operator, operand) else {
                return *operator == Operator::Ne;
            };
            // `ne` means that no value equals, so that it agrees with `not`.
            any_value(path, scope, &mut |value| test.holds(value)) != (*operator == Operator::Ne)
        }
    }
}

fn has_value(path: &AttributePath, scope: Scope<'_>) -> bool {
    any_value(path, scope, &mut |value| value.is_some_and(is_present))
}

/// Whether one value at the path passes. An element without the sub-attribute
/// is tried as `None`.
fn any_value(
    path: &AttributePath,
    scope: Scope<'_>,
    test: &mut dyn FnMut(Option<&Value>) -> bool,
) -> bool {
    let mut leaves = |element: &Value| match path.sub {
        None => test(Some(element)),
        Some(sub) => match element.get(&sub.name) {
            Some(Value::Array(values)) => values.iter().any(|value| test(Some(value))),
            value => test(value),
        },
    };
    match scope {
        Scope::Element(element) => leaves(element),
        Scope::Resource(resource) => elements(path.find(resource)).any(leaves),
    }
}

/// The elements of a multi-valued attribute, or the single value.
fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        None | Some(Value::Null) => [].iter(),
        Some(Value::Array(values)) => values.iter(),
        Some(value) => std::slice::from_ref(value).iter(),
    }
}

/// A comparison with its operand made ready once for all values.
struct Test<'a> {
    attribute: &'a Attribute,
    operator: Operator,
    operand: Ready<'a>,
}

enum Ready<'a> {
    Text(String),
    Instant(jiff::Timestamp),
    Number(&'a Number),
    Boolean(bool),
}

impl<'a> Test<'a> {
    fn new(attribute: &'a Attribute, operator: Operator, operand: &'a Operand) -> Option<Self> {
        let operand = match operand {
            Operand::String(text) if attribute.kind == Type::DateTime => {
                Ready::Instant(instant(text)?)
            }
            Operand::String(text) => {
                let prepared = prepare(attribute, text);
                // Preparation may trim: a blank must not become a part of everything.
                if prepared.is_empty() && !text.is_empty() {
                    return None;
                }
                Ready::Text(prepared)
            }
            Operand::Number(number) => Ready::Number(number),
            Operand::Boolean(value) => Ready::Boolean(*value),
            Operand::Null => return None,
        };
        Some(Self {
            attribute,
            operator,
            operand,
        })
    }

    fn holds(&self, value: Option<&Value>) -> bool {
        match (&self.operand, value) {
            (Ready::Text(operand), Some(Value::String(text))) => {
                let text = prepare(self.attribute, text);
                match self.operator {
                    Operator::Co => text.contains(operand.as_str()),
                    Operator::Sw => text.starts_with(operand.as_str()),
                    Operator::Ew => text.ends_with(operand.as_str()),
                    _ => self.fits(Some(text.as_str().cmp(operand.as_str()))),
                }
            }
            (Ready::Instant(operand), Some(Value::String(text))) => {
                self.fits(instant(text).map(|instant| instant.cmp(operand)))
            }
            (Ready::Number(operand), Some(Value::Number(number))) => {
                self.fits(compare_numbers(number, operand))
            }
            (Ready::Boolean(operand), Some(Value::Bool(value))) => {
                self.fits(Some(value.cmp(operand)))
            }
            // RFC 7643 §2.4: an element without `primary` is not the primary one.
            (Ready::Boolean(operand), None) => {
                self.attribute.name == "primary" && self.fits(Some(false.cmp(operand)))
            }
            _ => false,
        }
    }

    fn fits(&self, order: Option<Ordering>) -> bool {
        let Some(order) = order else { return false };
        match self.operator {
            // The caller turns the answer round for `ne`.
            Operator::Eq | Operator::Ne => order.is_eq(),
            Operator::Gt => order.is_gt(),
            Operator::Ge => order.is_ge(),
            Operator::Lt => order.is_lt(),
            Operator::Le => order.is_le(),
            Operator::Co | Operator::Sw | Operator::Ew => false,
        }
    }
}
