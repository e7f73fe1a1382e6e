//! What the operations of one PATCH cost, and the most that they may cost.
//!
//! An operation on a multi-valued attribute looks at all its elements. A body
//! of three megabytes holds 60,000 operations and a stored resource 20,000
//! elements, and their product would keep a function busy for minutes. So
//! operations that follow each other are one where that is the same, and what
//! the others look at is counted before they do: in bytes, for a long value
//! costs more than a short one. Real clients send some dozens of operations on
//! lists of a few values and come nowhere near the limit.
//!
//! ```text
//! add phoneNumbers {…}  ┐
//! add phoneNumbers {…}  ├ one `add` of three values: the list is read once
//! add phoneNumbers {…}  ┘
//! add emails {…}
//! ```

use std::borrow::Cow;

use serde_json::Value;

use super::element::is_primary;
use super::{Action, Change, Content, Step, Verb};
use crate::scim::filter::{Filter, Operand};
use crate::scim::schema::Mutability;
use crate::scim::{Attributes, ScimError};

/// The most that the operations of one PATCH may look at together, in bytes:
/// some 200 operations on a list as long as anything that is stored, and about
/// two seconds of a whole processor.
pub(super) const MAX_EFFORT: usize = 100_000_000;

/// The most that one operation may write to the elements it selects, in bytes:
/// far more than is kept of any resource. One value is copied to each of them,
/// so that a small body would else fill the memory.
pub(super) const MAX_COPIES: usize = 1_000_000;

/// What looking at any value costs besides its text, in bytes.
const VALUE: usize = 8;

/// What the operations have cost so far.
#[derive(Debug, Default)]
pub(super) struct Effort(usize);

impl Effort {
    /// Counts a step before it is applied.
    ///
    /// # Errors
    ///
    /// 413 when it would be more than [`MAX_EFFORT`] together.
    pub(super) fn spend(
        &mut self,
        action: &Action,
        attributes: &Attributes,
    ) -> Result<(), ScimError> {
        if let Action::Change(change) = action {
            self.0 = self.0.saturating_add(change.effort(attributes));
        }
        if self.0 <= MAX_EFFORT {
            return Ok(());
        }
        let detail = format!(
            "with this one the operations look at {} bytes, the limit is {MAX_EFFORT} bytes",
            self.0
        );
        Err(ScimError::new(413, detail))
    }
}

/// Refuses to write the content to so many elements: 413 when it would be more
/// than [`MAX_COPIES`].
pub(super) fn check_copies(change: &Change, elements: usize) -> Result<(), ScimError> {
    let size = content_size(&change.content).saturating_mul(elements);
    if size <= MAX_COPIES {
        return Ok(());
    }
    let name = &change.path.attribute.name;
    let detail = format!(
        "{size} bytes would be written to {elements} elements of `{name}`, the limit is {MAX_COPIES} bytes"
    );
    Err(ScimError::new(413, detail))
}

impl Step {
    /// Whether the two can be one step with the values of both: they add to the
    /// same list, or remove from it.
    ///
    /// What is required or immutable is looked at after each step. A new primary
    /// element takes the mark from another, which can then be the same as one
    /// that is still to come.
    pub(super) fn continues_in(&self, next: &Self) -> bool {
        let (Action::Change(change), Action::Change(next)) = (&self.action, &next.action) else {
            return false;
        };
        let (Some(elements), Some(_)) = (change.whole_elements(), next.whole_elements()) else {
            return false;
        };
        let joins = match change.verb {
            Verb::Add => !elements.iter().any(is_primary),
            Verb::Remove => true,
            Verb::Replace => false,
        };
        joins
            && change.verb == next.verb
            && change.path == next.path
            && !change.path.attribute.required
            && change.path.attribute.mutability != Mutability::Immutable
    }

    /// Steps that continue each other, as one; none is none.
    pub(super) fn joined(run: &[Self]) -> Option<Cow<'_, Self>> {
        let (first, rest) = run.split_first()?;
        let mut joined = Cow::Borrowed(first);
        if rest.is_empty() {
            return Some(joined);
        }
        if let Action::Change(change) = &mut joined.to_mut().action
            && let Content::List(elements) = &mut change.content
        {
            for step in rest {
                if let Action::Change(next) = &step.action {
                    elements.extend_from_slice(next.whole_elements().unwrap_or_default());
                }
            }
        }
        Some(joined)
    }
}

impl Change {
    /// The elements of a change to a list that selects none of it.
    fn whole_elements(&self) -> Option<&[Value]> {
        match &self.content {
            Content::List(elements) if self.filter.is_none() && self.path.sub.is_none() => {
                Some(elements)
            }
            _ => None,
        }
    }

    /// What it looks at, in bytes: what is there and what it brings. A single
    /// value is set without looking at it, unless it must be compared after.
    fn effort(&self, attributes: &Attributes) -> usize {
        let attribute = self.path.attribute;
        let content = content_size(&self.content);
        let Some(present) = self.path.find(attributes) else {
            return content;
        };
        let looked_at = match (present, &self.filter) {
            (Value::Array(list), Some(_)) if self.named_exactly().is_some() => {
                list.len().saturating_mul(VALUE)
            }
            (Value::Array(list), Some(filter)) => {
                let (terms, operands) = terms(filter);
                let compared = size(present).saturating_mul(terms);
                compared.saturating_add(list.len().saturating_mul(operands))
            }
            (Value::Array(_), None) => size(present),
            _ if attribute.mutability == Mutability::Immutable => size(present),
            _ => 0,
        };
        looked_at.saturating_add(content)
    }
}

/// The number of a filter's terms, and the bytes of their operands, which are
/// made ready for each element.
fn terms(filter: &Filter) -> (usize, usize) {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            let all = filters.iter().map(terms);
            all.fold((0, 0), |sum, term| (sum.0 + term.0, sum.1 + term.1))
        }
        Filter::Not(filter) | Filter::Value { filter, .. } => terms(filter),
        Filter::Compare {
            operand: Operand::String(text),
            ..
        } => (1, text.len()),
        Filter::Compare { .. } | Filter::Present(_) => (1, 0),
    }
}

fn content_size(content: &Content) -> usize {
    match content {
        Content::Nothing => 0,
        Content::Simple(value) => size(value),
        Content::List(elements) => elements.iter().map(size).sum(),
        Content::Parts(parts) => {
            let values = parts.iter().filter_map(|(_, value)| value.as_ref());
            values.map(size).sum()
        }
    }
}

/// The bytes of a value's text, and a few for each value in it.
fn size(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
    };
    VALUE + inner
}
