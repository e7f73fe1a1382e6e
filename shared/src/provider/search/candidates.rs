//! The few resources that a filter can be about, where it names an id, a value
//! with a lookup, or a member: a constant number of reads, and the filter is
//! evaluated on what they found.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access::Access;
use super::{MAX_MATCHES, too_many};
use crate::plan::read_set::{ReadSet, Want};
use crate::provider::{Caller, Fault, Provider};
use crate::scim::schema::catalogue;
use crate::scim::{ResourceId, ResourceType};
use crate::table::{Lookup, Stored, lookups};

/// How often a lookup is followed while its value keeps moving.
const LOOKS: u32 = 5;

impl Provider {
    /// What an access finds, to be judged.
    pub(super) async fn candidates(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        access: Access,
    ) -> Result<Vec<Arc<Stored>>, Fault> {
        match access {
            Access::Id(id) => self.read_all(caller, resource_type, id).await,
            Access::Lookup(lookup) => self.owners(caller, resource_type, &lookup).await,
            Access::Member(Some(member)) => {
                let groups = self.groups_of(caller, member).await?;
                self.read_all(caller, resource_type, groups).await
            }
            Access::Member(None) => Ok(Vec::new()),
        }
    }

    /// The resources that a lookup leads to. A lookup and its resource change
    /// together, so where they disagree the value has moved between the two
    /// reads, and whoever has it now is found by looking again: a miss must be
    /// one at some moment.
    pub(in crate::provider) async fn owners(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        lookup: &Lookup,
    ) -> Result<Vec<Arc<Stored>>, Fault> {
        let mut attempts = 0;
        loop {
            let ids = self.store.find(&caller.tenant, lookup).await?;
            let named = ids.len();
            let found = self.read_all(caller, resource_type, ids).await?;
            let has =
                |stored: &Arc<Stored>| lookups(resource_type, &stored.attributes).contains(lookup);
            attempts += 1;
            if found.iter().filter(|stored| has(stored)).count() == named || attempts == LOOKS {
                return Ok(found);
            }
        }
    }

    async fn read_all(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        ids: impl IntoIterator<Item = ResourceId>,
    ) -> Result<Vec<Arc<Stored>>, Fault> {
        let wants: BTreeSet<Want> = ids
            .into_iter()
            .map(|id| Want::Resource {
                resource_type: &resource_type.name,
                id,
            })
            .collect();
        if wants.len() > MAX_MATCHES {
            return Err(too_many().into());
        }
        let mut read_set = ReadSet::default();
        self.store
            .read(&caller.tenant, &wants, &mut read_set)
            .await?;
        Ok(read_set.resources.into_values().flatten().collect())
    }

    /// The groups that a member of whatever type may be in.
    async fn groups_of(
        &self,
        caller: &Caller,
        member: ResourceId,
    ) -> Result<Vec<ResourceId>, Fault> {
        let types = catalogue().resource_types.iter();
        let wants = types.map(|resource_type| Want::Resource {
            resource_type: &resource_type.name,
            id: member,
        });
        let mut read_set = ReadSet::default();
        self.store
            .read(&caller.tenant, &wants.collect(), &mut read_set)
            .await?;
        let found = read_set.resources.into_values().flatten();
        let groups: BTreeSet<ResourceId> = found.flat_map(|stored| stored.groups.clone()).collect();
        Ok(groups.into_iter().collect())
    }
}
