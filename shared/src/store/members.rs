//! All memberships of a group, as its header means them.
//!
//! A Query may fall into the commit of a transaction that the header already
//! shows, and then finds some memberships as they were before. Those visible at
//! the header's revision must add up to its digest; until they do, they are
//! read again. That ends: what a commit still hides it shows within moments, and
//! from then on the header's revision shows the same members whatever is written
//! later, because later changes only begin or end intervals behind it.

use super::read::QUERY;
use super::{Store, StoreError};
use crate::scim::ResourceId;
use crate::table::{Membership, Stored, Tenant, key};

impl Store {
    /// Every membership of a group in order of member, former ones included:
    /// what its header, read before, shows of them is complete. Without a
    /// header there is nothing to compare with.
    ///
    /// # Errors
    ///
    /// [`StoreError::Torn`] where the two still disagree at the end of the
    /// request, or a fault of the table.
    pub(super) async fn members(
        &self,
        tenant: &Tenant,
        group: ResourceId,
        header: Option<&Stored>,
    ) -> Result<Vec<Membership>, StoreError> {
        let mut retry = self.asking(QUERY, &group.to_string());
        loop {
            let items = self.query_all(key::members_pk(tenant, group)).await?;
            let members: Result<Vec<_>, _> = items.iter().map(Membership::from_item).collect();
            let members = members?;
            if header.is_none_or(|header| header.shows_all(&members)) {
                return Ok(members);
            }
            retry.again(StoreError::Torn).await?;
        }
    }
}

#[cfg(test)]
mod tests;
