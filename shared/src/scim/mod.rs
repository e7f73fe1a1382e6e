//! RFC 7643 and RFC 7644 as types and pure functions.
//!
//! This room knows schemas, resources, paths, filters, PATCH and the messages
//! as they stand on the wire. It must never know AWS, HTTP, tenants, a clock or
//! where anything is kept.

pub mod error;
pub mod filter;
pub mod json;
pub mod message;
pub mod meta;
pub mod patch;
pub mod path;
pub mod prepare;
pub mod projection;
pub mod reference;
pub mod representation;
pub mod resource;
pub mod schema;
pub mod secret;
pub mod sort;
pub mod urn;

pub use error::{Detail, Place, ScimError, ScimType};
pub use filter::Filter;
pub use meta::{Precondition, ResourceId, Timestamp, Version};
pub use patch::Patch;
pub use path::AttributePath;
pub use projection::Projection;
pub use representation::Representation;
pub use schema::{Attribute, Catalogue, ResourceType, Schema};

/// The attributes of a resource: canonical names in schema spelling, core
/// attributes at top level, each extension's under its URN. It holds what
/// clients wrote and no `schemas`, `id`, `meta`, nor anything derived
/// (`groups`, `$ref`, `display` of members).
pub type Attributes = serde_json::Map<String, serde_json::Value>;
