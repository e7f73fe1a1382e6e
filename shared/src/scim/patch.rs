//! PATCH (RFC 7644 §3.5.2): a message to changes, and changes to attributes.
//!
//! Parsing does all that needs no stored state: shape, paths, the types of
//! values, what may never be written. Applying is pure and all or nothing. The
//! dialects of Entra ID and Okta that are unambiguous are always understood:
//! `op` in any letter case, dotted and URN names as members of a value without
//! path, `remove` with a list of values, an element made from the equalities of
//! a filter that matched nothing.
//!
//! PATCH knows nothing of stored memberships: `members` is an ordinary array,
//! and [`Patch::members`] says which of them must be in it.
//!
//! ```text
//! {"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@example.org"}
//! Step { verb: Add, target: emails, filter, sub: value, content: Whole("a@…") }
//! ```

mod apply;
mod content;
mod effort;
mod element;
mod list;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

use super::filter::{Filter, Operand, Operator};
use super::path::AttributePath;
use super::reference;
use super::schema::{Attribute, ResourceType, Schema};
use super::{Attributes, ResourceId, ScimError};
use effort::Effort;

/// What a deployment tolerates beyond the standard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialect {
    /// `replace` with a value filter that matches nothing makes the element,
    /// as Entra ID expects, instead of answering `noTarget`.
    pub entra: bool,
}

/// A PATCH message, legal for its resource type.
#[derive(Debug, Clone)]
pub struct Patch {
    steps: Vec<Step>,
    dialect: Dialect,
}

/// Which of a group's members must be known to apply a PATCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberNeed {
    /// None.
    None,
    /// Those with these ids, where they are members.
    Named(BTreeSet<String>),
    /// All.
    All,
}

#[derive(Debug, Clone)]
struct Step {
    /// Index in the message, for errors.
    operation: usize,
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    /// The `id` that a client sent along without a path: it must be that of
    /// the resource.
    SameId(Value),
    /// An extension loses all its attributes.
    Clear(&'static Schema),
    /// One attribute is changed.
    Change(Change),
}

#[derive(Debug, Clone)]
struct Change {
    verb: Verb,
    path: AttributePath,
    filter: Option<Filter>,
    content: Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// The value of an operation in canonical form.
#[derive(Debug, Clone)]
enum Content {
    /// Absent in a `remove`, null or empty otherwise: unassign.
    Nothing,
    /// A simple value.
    Simple(Value),
    /// The elements of a multi-valued attribute. In a `remove` they may be
    /// incomplete and stand for all elements that have what they have.
    List(Vec<Value>),
    /// The sub-attributes that are named, and what becomes of each.
    Parts(Parts),
}

/// Sub-attributes with their new values; `None` unassigns.
type Parts = Vec<(&'static Attribute, Option<Value>)>;

impl Patch {
    /// Reads a PatchOp message, or a bare list of operations.
    ///
    /// # Errors
    ///
    /// 400 with the keyword that RFC 7644 §3.5.2 has for the fault; the detail
    /// begins with the place (`Operations[3]: …`). Operations may be many:
    /// [`Self::apply`] limits what they cost.
    pub fn parse(
        resource_type: &'static ResourceType,
        data: &Value,
        dialect: Dialect,
    ) -> Result<Self, ScimError> {
        Ok(Self {
            steps: parse::message(resource_type, data)?,
            dialect,
        })
    }

    /// Calls `f` with every string that names a resource: in values, and the
    /// operands of path filters on attributes that carry references.
    ///
    /// # Errors
    ///
    /// The first error of `f`, with the operation's place before it.
    pub fn visit_references(
        &mut self,
        f: &mut dyn FnMut(&mut String) -> Result<(), ScimError>,
    ) -> Result<(), ScimError> {
        for step in &mut self.steps {
            if let Action::Change(change) = &mut step.action {
                change
                    .visit_references(f)
                    .map_err(|error| located(error, step.operation))?;
            }
        }
        Ok(())
    }

    /// Which of a group's present members [`Self::apply`] needs. Call it after
    /// references have been substituted.
    pub fn members(&self) -> MemberNeed {
        let mut named = BTreeSet::new();
        let mut any = false;
        for step in &self.steps {
            let Action::Change(change) = &step.action else {
                continue;
            };
            if change.path.extension.is_some() || change.path.attribute.name != "members" {
                continue;
            }
            any = true;
            match change.named_members() {
                Some(ids) => named.extend(ids),
                None => return MemberNeed::All,
            }
        }
        if any {
            MemberNeed::Named(named)
        } else {
            MemberNeed::None
        }
    }

    /// The simple attributes that it sets, as attributes; of several values for
    /// one, the last.
    pub fn simple_values(&self) -> Attributes {
        let mut set = Attributes::new();
        for step in &self.steps {
            let Action::Change(change) = &step.action else {
                continue;
            };
            let (Content::Simple(value), None) = (&change.content, change.path.sub) else {
                continue;
            };
            let name = change.path.attribute.name.clone();
            match change.path.extension {
                None => {
                    set.insert(name, value.clone());
                }
                Some(schema) => {
                    let inner = set
                        .entry(schema.id.clone())
                        .or_insert_with(|| Value::Object(Attributes::new()));
                    if let Value::Object(inner) = inner {
                        inner.insert(name, value.clone());
                    }
                }
            }
        }
        set
    }

    /// Applies the operations in order. An attribute that nothing changes comes
    /// back as it was, so that equal attributes mean an unchanged resource.
    ///
    /// # Errors
    ///
    /// 400 with `noTarget`, `mutability` or `invalidValue` and the place of the
    /// operation; 413 where the operations look at more than 100,000,000 bytes
    /// together, or one of them writes more than 1,000,000 bytes to elements that
    /// are there. `before` is never half changed.
    pub fn apply(
        &self,
        resource_type: &'static ResourceType,
        id: ResourceId,
        before: &Attributes,
    ) -> Result<Attributes, ScimError> {
        let mut after = before.clone();
        let mut effort = Effort::default();
        for run in self.steps.chunk_by(Step::continues_in) {
            let Some(step) = Step::joined(run) else {
                continue;
            };
            effort
                .spend(&step.action, &after)
                .and_then(|()| step.action.apply(self.dialect, id, &mut after))
                .map_err(|error| located(error, step.operation))?;
        }
        apply::finish(resource_type, &mut after)?;
        Ok(after)
    }
}

impl Change {
    fn visit_references(
        &mut self,
        f: &mut dyn FnMut(&mut String) -> Result<(), ScimError>,
    ) -> Result<(), ScimError> {
        if let Some(filter) = &mut self.filter {
            filter.visit_comparisons(&mut |path, operand| match operand {
                Operand::String(text) if names_resource(path.attribute, path.sub) => f(text),
                _ => Ok(()),
            })?;
        }
        let attribute = self.path.attribute;
        match &mut self.content {
            Content::Nothing => Ok(()),
            Content::Simple(value) => visit_leaf(attribute, self.path.sub, value, f),
            Content::List(elements) => {
                for element in elements {
                    reference::visit_value(attribute, element, f)?;
                }
                Ok(())
            }
            Content::Parts(parts) => {
                for (sub, value) in parts {
                    if let Some(value) = value {
                        visit_leaf(attribute, Some(sub), value, f)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The ids of the only members that the change looks at, if they are few.
    fn named_members(&self) -> Option<BTreeSet<String>> {
        if let Some(filter) = &self.filter {
            let mut ids = named_by(filter)?;
            let written = match &self.content {
                Content::Parts(parts) => parts.iter().find(|(sub, _)| sub.name == "value"),
                _ => None,
            };
            let written = match (&self.content, self.path.sub) {
                (Content::Simple(value), Some(sub)) if sub.name == "value" => Some(value),
                _ => written.and_then(|(_, value)| value.as_ref()),
            };
            ids.extend(written.and_then(Value::as_str).map(str::to_owned));
            return Some(ids);
        }
        match (self.verb, &self.content) {
            (Verb::Add | Verb::Remove, Content::List(elements)) => elements
                .iter()
                .map(|element| Some(element.get("value")?.as_str()?.to_owned()))
                .collect(),
            _ => None,
        }
    }
}

/// The values of `value eq "…"` without which the filter cannot hold.
fn named_by(filter: &Filter) -> Option<BTreeSet<String>> {
    match filter {
        Filter::Compare {
            path,
            operator: Operator::Eq,
            operand: Operand::String(text),
        } if path.sub.is_some_and(|sub| sub.name == "value") => {
            Some(BTreeSet::from([text.clone()]))
        }
        Filter::And(terms) => terms.iter().find_map(named_by),
        Filter::Or(terms) => {
            let sets: Option<Vec<_>> = terms.iter().map(named_by).collect();
            Some(sets?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// Whether a string there names a resource by its id.
fn names_resource(attribute: &Attribute, sub: Option<&Attribute>) -> bool {
    match sub {
        Some(sub) => sub.name == "value" && reference::carries_references(attribute),
        None => reference::carries_references(attribute),
    }
}

fn visit_leaf(
    attribute: &'static Attribute,
    sub: Option<&'static Attribute>,
    value: &mut Value,
    f: &mut dyn FnMut(&mut String) -> Result<(), ScimError>,
) -> Result<(), ScimError> {
    match value {
        Value::String(text) if sub.is_some() && names_resource(attribute, sub) => f(text),
        value => reference::visit_value(sub.unwrap_or(attribute), value, f),
    }
}

fn located(error: ScimError, operation: usize) -> ScimError {
    error.within(&format!("Operations[{operation}]"))
}
