//! A change with its key and its size, which are dear to find out and are needed
//! again and again while it is packed.

use crate::table::{Change, Key, Tenant};

/// A change with its key and the bytes that it adds to a transaction.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) key: Key,
    pub(super) bytes: usize,
    pub(super) change: Change,
}

impl Measured {
    pub(super) fn new(change: Change, tenant: &Tenant) -> Self {
        Self {
            key: change.key(tenant),
            bytes: change.bytes(tenant),
            change,
        }
    }

    /// Whether steps change it that do not depend on each other.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.change, Change::Counter { .. })
    }
}
