//! What was asked of the database.

use std::collections::{BTreeMap, BTreeSet};

/// Counts since the beginning or the last
/// [`Weather::reset`](super::Weather::reset).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Requests by operation, those included that failed or were lost.
    pub calls: BTreeMap<String, u64>,
    /// Transactions applied; replays under the same client request token and
    /// cancelled ones are not among them.
    pub transactions: u64,
    /// Actions in the transactions applied.
    pub actions: u64,
    /// Keys asked for by BatchGetItem and GetItem, once per request.
    pub keys_read: u64,
    /// Write units consumed, those of refused transactions included.
    pub write_units: f64,
    /// Read units consumed.
    pub read_units: f64,
    /// Writes refused because of another one's transaction, injected ones
    /// included.
    pub conflicts: u64,
    /// Requests, or keys of a BatchGetItem, refused for want of throughput.
    pub throttles: u64,
    /// Writes refused because a condition did not hold.
    pub failed_conditions: u64,
    /// Calls that a [`Fault`](super::Fault) befell, by script or by chance. Not
    /// those that it was meant for and cannot befall, as a conflict a read.
    pub faults: u64,
    /// The length of the longest chain of calls of which each began after
    /// another had ended. A call that begins has the depth of the deepest call
    /// ended by then, plus one. Exact for one request at a time; requests side
    /// by side are seen as one.
    pub depth: u64,
    /// The most calls that were under way at once.
    pub width: u64,
    /// The IAM actions that the calls need, such as `dynamodb:PutItem`. IAM has
    /// none for a transaction: each of its actions needs its own.
    pub iam: BTreeSet<String>,
}

impl Report {
    /// All requests together.
    pub fn total_calls(&self) -> u64 {
        self.calls.values().sum()
    }
}
