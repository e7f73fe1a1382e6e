//! What the caller may do, in our own scopes.
//!
//! Rights are checked per operation (a bulk request may mix what is allowed
//! and what is not), so they travel with the caller into the plan. This file
//! knows scopes only: which claims or client ids they came from is the
//! business of `api/principal.rs`.
//!
//! ```ignore
//! let rights = Rights::new(["scim.users.write"]);
//! assert!(rights.may(user, Access::Write) && !rights.may(user, Access::Read));
//! ```

use std::collections::BTreeSet;

use crate::scim::schema::catalogue;
use crate::scim::{ResourceType, ScimError};

/// The scope that lets a caller use `/Bulk` at all; each row needs its own.
pub const BULK: &str = "scim.bulk";

/// Two ways to touch resources of a type. Neither implies the other; the
/// answer to a write shows the resource as it became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// GET, list and search.
    Read,
    /// POST, PUT, PATCH and DELETE.
    Write,
}

/// The scopes of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    scopes: BTreeSet<String>,
}

impl Rights {
    /// Rights from scopes; those that are not ours mean nothing here and are
    /// dropped.
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(Into::into);
        Self {
            scopes: scopes.filter(|scope| is_scope(scope)).collect(),
        }
    }

    /// Whether the caller may touch resources of this type in this way.
    pub fn may(&self, resource_type: &ResourceType, access: Access) -> bool {
        self.scopes.contains(&Self::scope(resource_type, access))
    }

    /// Refuses a caller who may not touch resources of this type in this way.
    ///
    /// # Errors
    ///
    /// 403 that names the missing scope.
    pub fn require(&self, resource_type: &ResourceType, access: Access) -> Result<(), ScimError> {
        self.require_scope(&Self::scope(resource_type, access))
    }

    /// Refuses a caller who may not send `/Bulk`.
    ///
    /// # Errors
    ///
    /// 403 that names the missing scope.
    pub fn require_bulk(&self) -> Result<(), ScimError> {
        self.require_scope(BULK)
    }

    fn require_scope(&self, scope: &str) -> Result<(), ScimError> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        let detail = format!("the token lacks the scope `{scope}`");
        Err(ScimError::new(403, detail))
    }

    /// The scope that an access needs, such as `scim.users.write`: named after
    /// the endpoint, so a further resource type brings its own two scopes.
    pub fn scope(resource_type: &ResourceType, access: Access) -> String {
        let endpoint = resource_type
            .endpoint
            .trim_start_matches('/')
            .to_ascii_lowercase();
        match access {
            Access::Read => format!("scim.{endpoint}.read"),
            Access::Write => format!("scim.{endpoint}.write"),
        }
    }
}

/// Every scope that this service knows: two of each resource type, and
/// [`BULK`].
pub fn scopes() -> Vec<String> {
    let types = catalogue().resource_types.iter();
    let of_types = types
        .flat_map(|known| [Access::Read, Access::Write].map(|access| Rights::scope(known, access)));
    of_types.chain([BULK.to_owned()]).collect()
}

/// Whether a text has the form of one of our scopes: `scim.bulk`, or
/// `scim.<endpoint>.read` or `.write`.
pub fn is_scope(text: &str) -> bool {
    let endpoint = text.strip_prefix("scim.").and_then(|rest| {
        rest.strip_suffix(".read")
            .or_else(|| rest.strip_suffix(".write"))
    });
    text == BULK || endpoint.is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::Schema;

    fn resource_type(name: &str) -> ResourceType {
        let schema = Schema {
            id: String::new(),
            name: String::new(),
            description: String::new(),
            attributes: Vec::new(),
        };
        ResourceType {
            name: name.to_owned(),
            endpoint: format!("/{name}s"),
            description: String::new(),
            schema: Box::leak(Box::new(schema)),
            extensions: Vec::new(),
            lookups: Vec::new(),
        }
    }

    #[test]
    fn each_type_and_access_needs_its_own_scope() {
        let (user, group) = (resource_type("User"), resource_type("Group"));
        let rights = Rights::new(["scim.users.write", "scim.groups.read", "openid"]);
        assert!(rights.may(&user, Access::Write) && !rights.may(&user, Access::Read));
        assert!(rights.may(&group, Access::Read) && !rights.may(&group, Access::Write));
        assert!(rights.require_bulk().is_err() && Rights::new([BULK]).require_bulk().is_ok());
        assert!(!Rights::default().may(&user, Access::Read));
    }

    #[test]
    fn every_scope_has_the_form_and_is_listed_once() {
        let all = scopes();
        assert!(all.iter().all(|scope| is_scope(scope)));
        for scope in [
            "scim.users.read",
            "scim.groups.write",
            "scim.devices.write",
            BULK,
        ] {
            assert_eq!(
                all.iter().filter(|known| *known == scope).count(),
                1,
                "{scope}"
            );
        }
        assert_eq!(all.len(), 2 * catalogue().resource_types.len() + 1);
    }

    #[test]
    fn only_our_own_scopes_have_the_form() {
        for scope in ["scim.bulk", "scim.users.read", "scim.devices.write"] {
            assert!(is_scope(scope), "{scope}");
        }
        for other in [
            "",
            "scim",
            "scim.users",
            "scim..read",
            "scim.read",
            "scim.a.b.read",
            "SCIM.bulk",
        ] {
            assert!(!is_scope(other), "{other}");
        }
    }
}
