//! The single table as data: keys, items, actions.
//!
//! Pure. It uses the SDK's value types and never its client. See
//! `docs/table.md` for the entity chart and the access patterns.

pub mod action;
pub mod change;
mod digest;
mod expression;
pub mod hint;
pub mod item;
pub mod key;
pub mod lookup;
pub mod membership;
pub mod name;
pub mod record;
pub mod value;

pub use change::Change;
pub use digest::Digest;
pub use hint::Hint;
pub use item::{Header, Stored, check_size};
pub use key::{Key, RequestKey, Tenant};
pub use lookup::{Lookup, lookups};
pub use membership::{Interval, Membership};
pub use record::{Answer, Record, Row};
pub use value::MalformedItem;
