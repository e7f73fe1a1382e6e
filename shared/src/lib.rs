//! The domain of the SCIM service provider, one room per stage.
//!
//! A SCIM write, single or bulk, is a list of **operations**. Operations become
//! a **plan** of **transactions**; committing it yields one **outcome** per
//! operation. `POST /Users` is a plan of length one. Everything between reading
//! and committing is a pure function.
//!
//! The rooms in reading order; each imports only from those above it:
//!
//! - [`scim`]: RFC 7643 and 7644 as types. No AWS, no HTTP, no clock.
//! - [`table`]: the single table as data: keys, items, actions.
//! - [`plan`]: operations to transactions. Same input, same plan.
//! - [`store`]: the only room that talks to DynamoDB.
//! - [`provider`]: the service provider: read, plan, commit; search; present.
//! - [`api`]: HTTP as the gateway speaks it.
//!
//! [`config`] and [`ambient`] are read once at the edge and passed inwards.

pub mod ambient;
pub mod api;
pub mod config;
pub mod plan;
pub mod provider;
pub mod scim;
pub mod store;
pub mod table;
pub mod telemetry;
