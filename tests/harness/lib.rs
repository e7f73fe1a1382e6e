//! The world that the tests live in: a database that misbehaves on purpose,
//! the functions in process, clients by role.
//!
//! Only tests depend on it, so it fails as tests do: loudly and at once.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what cannot go on fails the test; indexing is that of JSON values"
)]

pub mod audit;
mod body;
pub mod client;
pub mod event;
pub mod patterns;
pub mod performance;
pub mod schedule;
pub mod stack;
pub mod weather;

pub use body::{encode, group, id_of, patch, post, user};
pub use client::{Client, Reply};
pub use stack::Stack;
pub use weather::Weather;
