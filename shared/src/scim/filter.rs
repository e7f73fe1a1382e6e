//! Filters (RFC 7644 §3.4.2.2): text to syntax tree, and whether a resource
//! matches.
//!
//! A parsed filter is legal for its resource type: every name is resolved to
//! its attribute, every operand has the attribute's type, and `emails co "x"`
//! has become `emails.value co "x"`. So evaluation cannot fail. Two forms are
//! rewritten into simpler ones: `emails[type eq "work"].value eq "x"`, which
//! the grammar lacks and Entra ID sends, and an extension's URN with `pr`.
//!
//! Filters know nothing of lookups or pages. Errors point at the character.
//!
//! ```text
//! userType eq "Employee" and not (emails[type eq "work" and value ew ".org"])
//! And[Compare, Not(Value(emails, And[Compare, Compare]))]
//! ```

mod evaluate;
mod lexer;
mod operand;
mod parse;
mod render;
#[cfg(test)]
mod tests;

use serde_json::{Number, Value};

use super::path::AttributePath;
use super::schema::ResourceType;
use super::{Attributes, ScimError};

pub(super) use evaluate::{compare_numbers, instant, is_present};
pub(super) use parse::bracketed;

/// The longest filter, in bytes. The gateway takes 10,240 bytes of request
/// line and headers; a search by POST may send more.
pub const MAX_LENGTH: usize = 16_384;
/// How deep parentheses and brackets may nest.
pub const MAX_DEPTH: usize = 50;
/// How many comparisons a filter may hold.
pub const MAX_TERMS: usize = 500;

/// A filter, resolved against a resource type.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All must hold. Never holds an `And` itself.
    And(Vec<Filter>),
    /// One must hold. Never holds an `Or` itself.
    Or(Vec<Filter>),
    /// It must not hold.
    Not(Box<Filter>),
    /// An attribute compared with an operand of its type.
    Compare {
        /// What is compared; a complex attribute always with a sub-attribute,
        /// unless the operand is null.
        path: AttributePath,
        /// How.
        operator: Operator,
        /// With what.
        operand: Operand,
    },
    /// `pr`: the attribute has a value that is not empty.
    Present(AttributePath),
    /// `attribute[filter]`: one element of the attribute matches. The paths in
    /// the filter are those of the attribute's sub-attributes.
    Value {
        /// The complex attribute.
        path: AttributePath,
        /// What one element must match.
        filter: Box<Filter>,
    },
}

/// A comparison (RFC 7644 table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal: no value equals, so also true of an unassigned attribute.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// For strings, references, binaries and instants, as written.
    String(String),
    /// For integers and decimals.
    Number(Number),
    /// For booleans, also when written as a string.
    Boolean(bool),
    /// `eq null` holds when the attribute has no value.
    Null,
}

impl Filter {
    /// Parses a filter for resources of a type.
    ///
    /// # Errors
    ///
    /// 400 `invalidFilter` for what the grammar, the schema or the limits of
    /// this module forbid. The limits hold before anything recurses.
    pub fn parse(text: &str, resource_type: &'static ResourceType) -> Result<Self, ScimError> {
        parse::filter(text, resource_type, false)
    }

    /// Parses a filter about resources of all types at once, for those of one
    /// (RFC 7644 §3.4.2.1): an attribute that only another type has is legal
    /// and has no value.
    ///
    /// # Errors
    ///
    /// As [`Filter::parse`].
    pub fn parse_among_all(
        text: &str,
        resource_type: &'static ResourceType,
    ) -> Result<Self, ScimError> {
        parse::filter(text, resource_type, true)
    }

    /// Whether a resource matches. The resource must hold what the filter
    /// mentions, also `id`, `meta` and `schemas`.
    pub fn matches(&self, resource: &Attributes) -> bool {
        evaluate::resource_matches(self, resource)
    }

    /// Whether an attribute of the core schema, or a common one, decides about
    /// the outcome.
    pub fn mentions(&self, attribute: &str) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().any(|term| term.mentions(attribute)),
            Self::Not(term) => term.mentions(attribute),
            Self::Compare { path, .. } | Self::Present(path) | Self::Value { path, .. } => {
                path.extension.is_none() && path.attribute.name.eq_ignore_ascii_case(attribute)
            }
        }
    }

    /// The terms that must all hold: those of a conjunction, else the filter.
    pub fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::And(terms) => terms.iter().collect(),
            other => vec![other],
        }
    }

    /// Whether one element of the attribute in whose brackets the filter stood
    /// matches.
    pub(super) fn matches_element(&self, element: &Value) -> bool {
        evaluate::element_matches(self, element)
    }

    /// Calls `f` with every comparison.
    pub(super) fn visit_comparisons<E>(
        &mut self,
        f: &mut dyn FnMut(AttributePath, &mut Operand) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::And(terms) | Self::Or(terms) => terms
                .iter_mut()
                .try_for_each(|term| term.visit_comparisons(f)),
            Self::Not(term) | Self::Value { filter: term, .. } => term.visit_comparisons(f),
            Self::Compare { path, operand, .. } => f(*path, operand),
            Self::Present(_) => Ok(()),
        }
    }
}

impl Operator {
    /// Reads an operator in any letter case.
    pub(super) fn parse(word: &str) -> Option<Self> {
        [
            Self::Eq,
            Self::Ne,
            Self::Co,
            Self::Sw,
            Self::Ew,
            Self::Gt,
            Self::Ge,
            Self::Lt,
            Self::Le,
        ]
        .into_iter()
        .find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }

    /// As it stands in a filter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}
