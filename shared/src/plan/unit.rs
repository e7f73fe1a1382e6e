//! What stands or falls together.
//!
//! ```text
//! operation   {0} {2 3} {1}      2 and 3 name each other
//! component   {0} {2 3, 1}       1 names 3
//! request     {0, 2 3, 1}
//! ```

use std::num::NonZeroUsize;

/// How much of a bulk request is carried out all or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Atomicity {
    /// Each operation by itself; those that name each other in a ring together
    /// (RFC 7644 §3.7).
    #[default]
    Operation,
    /// Operations that are connected by references, in whatever direction, and
    /// others that these cannot be told apart from in time.
    Component,
    /// The whole request.
    Request,
}

impl Atomicity {
    /// Every mode, the RFC's first.
    pub const ALL: [Self; 3] = [Self::Operation, Self::Component, Self::Request];

    /// As clients write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Component => "component",
            Self::Request => "request",
        }
    }
}

/// On what terms a request is carried out: what its client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// Stop when this many operations have failed (RFC 7644 §3.7).
    pub fail_on_errors: Option<NonZeroUsize>,
    /// What is carried out all or not at all.
    pub atomicity: Atomicity,
}

/// The smallest set of operations that stands or falls together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Indexes in the request, ascending.
    pub operations: Vec<usize>,
    /// The same in order of execution: one operation, or a ring of them that
    /// name each other, at a time.
    pub parts: Vec<Vec<usize>>,
}

impl Unit {
    /// A unit of one operation or one ring.
    pub fn of(operations: Vec<usize>) -> Self {
        let parts = vec![operations.clone()];
        Self { operations, parts }
    }

    /// Units, given in order of execution, as one.
    pub fn joined(units: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<Vec<usize>> = units.into_iter().flat_map(|unit| unit.parts).collect();
        let mut operations = parts.concat();
        operations.sort_unstable();
        Self { operations, parts }
    }
}
