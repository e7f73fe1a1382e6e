//! HTTP as the gateway speaks it: an event in, a response out.
//!
//! The event is API Gateway's payload format 2.0, taken apart here and nowhere
//! else: path and query in [`call`], verified claims in [`principal`]. What the
//! provider answers becomes a response in [`reply`]. [`resources`] holds the
//! verbs that all resource types share, [`me`] the alias of one of them, and [`serve`] what every program of a
//! function does. No room further in knows that HTTP exists.
//!
//! Nothing in an event makes this room panic, and every answer to a client's
//! fault is a SCIM Error (RFC 7644 §3.12).

pub mod call;
pub mod idempotency;
pub mod me;
pub mod principal;
pub mod reply;
pub mod resources;
pub mod root;
pub mod serve;

pub use call::Call;
pub use principal::Principal;
