//! bulkIds, and what a reference to one becomes (RFC 7644 §3.7.2).

use std::collections::{BTreeSet, HashMap};

use crate::scim::{ResourceId, ScimError};

/// The text that marks a reference to another operation (RFC 7644 §3.7.2).
pub(super) const REFERENCE_PREFIX: &str = "bulkId:";

/// The bulkIds of a request and the ids that their resources will have.
pub(super) struct Names<'a> {
    pub(super) defined: &'a HashMap<&'a str, usize>,
    pub(super) mint: &'a (dyn Fn(usize) -> ResourceId + Sync),
}

impl Names<'_> {
    /// The value itself, or for a reference the permanent id, noting whose it
    /// is. The whole value must be the reference, compared exactly: `1` is not
    /// the beginning of `10`.
    pub(super) fn resolve(
        &self,
        text: &str,
        needs: &mut BTreeSet<usize>,
    ) -> Result<String, ScimError> {
        let Some(bulk_id) = text.strip_prefix(REFERENCE_PREFIX) else {
            return Ok(text.to_owned());
        };
        let index = *self.defined.get(bulk_id).ok_or_else(|| {
            ScimError::invalid_value(format!("no POST operation has the bulkId `{bulk_id}`"))
        })?;
        needs.insert(index);
        Ok((self.mint)(index).to_string())
    }
}
