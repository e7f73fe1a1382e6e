//! What an operation is about, as the response names it.

use crate::scim::ResourceType;

/// The resource that an operation is about.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its type.
    pub resource_type: &'static ResourceType,
    /// Its id, as sent where it names nothing.
    pub id: String,
}

impl Target {
    /// The absolute URL below `base_url`, which has no trailing slash.
    pub fn location(&self, base_url: &str) -> String {
        format!("{base_url}{}/{}", self.resource_type.endpoint, self.id)
    }
}
