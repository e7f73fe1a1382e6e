//! Every integration test in one binary: it is linked once, and a test that
//! needs something from another one finds it here.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a failure here is a failing test"
)]

mod atomicity;
mod authorizer;
mod bulk;
mod catalogue;
mod conformance;
mod connectors;
mod cost;
mod cursors;
mod deadlines;
mod devices;
mod dry_run;
mod events;
mod faults;
mod filters;
mod fuzz;
mod groups;
mod hostile;
mod idempotency;
mod invariants;
mod limits;
mod logs;
mod lookups;
mod me;
mod mirror;
mod openapi;
mod oracle;
mod paging;
mod passwords;
mod patches;
mod patterns;
mod performance;
mod plan;
mod protocol;
mod queries;
mod representation;
mod root;
mod schedules;
mod stack;
mod store;
mod template;
mod tidy;
mod users;
mod versions;
mod weather;
