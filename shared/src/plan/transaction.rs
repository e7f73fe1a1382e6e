//! A transaction: changes that DynamoDB commits all or not at all.

use std::collections::BTreeSet;
use std::fmt;

use crate::table::Change;

/// TransactWriteItems takes at most this many actions (service limit).
pub const MAX_ACTIONS: usize = 100;

/// TransactWriteItems takes at most this many bytes in all (service limit).
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How much of a transaction is for a plan. Whoever carries it out may have to
/// put something of its own beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Actions, at most [`MAX_ACTIONS`].
    pub actions: usize,
    /// Bytes, at most [`MAX_BYTES`].
    pub bytes: usize,
}

impl Capacity {
    /// All that DynamoDB takes.
    pub const WHOLE: Self = Self {
        actions: MAX_ACTIONS,
        bytes: MAX_BYTES,
    };
}

/// A change and the operations that rely on it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What becomes of one item.
    pub change: Change,
    /// Indexes of the operations in the request.
    pub operations: Vec<usize>,
}

/// Changes that are written together. No item is in it twice.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// One per item.
    pub changes: Vec<Planned>,
    /// Positions of its units in the canonical order.
    pub units: Vec<usize>,
    /// The transactions of the plan that must be committed before it.
    pub after: BTreeSet<usize>,
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, planned) in self.changes.iter().enumerate() {
            if position > 0 {
                f.write_str(" · ")?;
            }
            write!(f, "{}", planned.change)?;
        }
        Ok(())
    }
}
