//! The attribute names of the items, short because every item pays for them.
//! The one file that spells them.

/// Partition key.
pub const PK: &str = "pk";
/// Sort key.
pub const SK: &str = "sk";
/// A resource's revision.
pub const REV: &str = "rev";
/// Milliseconds since the epoch.
pub const CREATED: &str = "created";
/// Milliseconds since the epoch.
pub const MODIFIED: &str = "modified";
/// The document as JSON.
pub const DOC: &str = "doc";
/// The set of groups that a resource is directly in.
pub const IN: &str = "in";
/// The revision of that set.
pub const MREV: &str = "mrev";
/// A group's last change number.
pub const NEXT: &str = "next";
/// A group's unfinished large changes.
pub const OPEN: &str = "open";
/// The sum over a group's members.
pub const DIGEST: &str = "digest";
/// The owner of a lookup.
pub const OWNER: &str = "owner";
/// A member's resource type.
pub const TYPE: &str = "type";
/// The change that began a membership.
pub const SINCE: &str = "since";
/// The change that ended it.
pub const UNTIL: &str = "until";
/// Earlier intervals: a list of `[since, until, expires]`.
pub const PAST: &str = "past";
/// A counter slot's number.
pub const N: &str = "n";
/// The last resource of the page before.
pub const AFTER: &str = "after";
/// The bytes of a secret.
pub const SECRET: &str = "secret";
/// A hash over what an idempotent request asks for.
pub const FINGERPRINT: &str = "fingerprint";
/// What an idempotent request derives everything random from.
pub const SEED: &str = "seed";
/// Tells the lanes and pieces of one record from those of a later one.
pub const GENERATION: &str = "generation";
/// How many lanes an idempotent request may use.
pub const LANES: &str = "lanes";
/// How often an idempotent request was begun.
pub const ATTEMPT: &str = "attempt";
/// Which run made the last attempt.
pub const RUN: &str = "run";
/// Until when it is waited for, in milliseconds since the epoch.
pub const LEASE: &str = "lease";
/// The names of the resource types that it writes to.
pub const TYPES: &str = "types";
/// The rows that a lane has committed.
pub const ROWS: &str = "rows";
/// A piece of a stored answer.
pub const ANSWER: &str = "answer";
/// How many pieces there are.
pub const PIECES: &str = "pieces";
/// Time to live, in seconds since the epoch.
pub const EXPIRES: &str = "expires";
