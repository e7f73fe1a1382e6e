//! The user that a token's subject names (RFC 7644 §3.11).
//!
//! Looked for in the caller's own tenant and nowhere else, by the attribute that
//! the deployment names. Values are compared as the attribute compares them:
//! `id` and `externalId` exactly, `userName` whatever its letter case, as it is
//! unique. Where a value belongs to several users, none of them is taken: the
//! token of one person must not open the account of another. This file must not
//! know what is done with the user.
//!
//! ```text
//! sub bjensen, userName   lookup of userName → 2819c223-…
//! sub 701984, externalId  two users have it → 409
//! ```

use crate::config::SubjectAttribute;
use crate::provider::{Caller, Fault, Provider};
use crate::scim::path::AttributePath;
use crate::scim::{ResourceId, ResourceType, ScimError};
use crate::table::lookup::{lookup_for, lookups};

impl Provider {
    /// The id of the user that the caller's token names. With
    /// [`SubjectAttribute::Id`] there may be no user of that id.
    ///
    /// # Errors
    ///
    /// 404 where the token names nobody, 409 where it names several, or a fault
    /// of the store. Neither tells the subject.
    pub async fn subject(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        attribute: SubjectAttribute,
    ) -> Result<ResourceId, Fault> {
        let nobody = || ScimError::new(404, "the subject of the token names no user");
        let subject = caller.subject.as_deref().ok_or_else(nobody)?;
        if attribute == SubjectAttribute::Id {
            return Ok(ResourceId::parse(subject).ok_or_else(nobody)?);
        }
        let path = AttributePath::parse(attribute.name(), resource_type)?;
        let lookup = lookup_for(&path, subject, resource_type).ok_or_else(nobody)?;
        let mut found = self.owners(caller, resource_type, &lookup).await?;
        found.retain(|stored| lookups(resource_type, &stored.attributes).contains(&lookup));
        match found.as_slice() {
            [] => Err(nobody().into()),
            [only] => Ok(only.id),
            _ => {
                let detail = format!(
                    "the subject of the token is the `{}` of several users",
                    attribute.name()
                );
                Err(ScimError::new(409, detail).into())
            }
        }
    }
}
