//! The read set, advanced in memory as units are planned.
//!
//! Three layers, looked up from the top: what the unit at hand has changed,
//! what the units before it have changed, and what was read. A unit that fails
//! leaves nothing behind; one that succeeds becomes part of the second layer,
//! and the difference between its layer and what lay below is its changes.
//!
//! A look-up of something that was not read is noted in `missing` and answered
//! with [`Missing`]; the plan is then made again from a larger read set.

mod changes;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::read_set::{ReadSet, Want};
use crate::scim::{ResourceId, ResourceType};
use crate::table::{Lookup, Membership, Stored};

/// Something that the plan needs was not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing;

type ResourceKey = (&'static str, ResourceId);
type MembershipKey = (ResourceId, ResourceId);

#[derive(Default)]
struct Layer {
    resources: HashMap<ResourceKey, Option<Arc<Stored>>>,
    owners: HashMap<Lookup, Option<ResourceId>>,
    memberships: HashMap<MembershipKey, Membership>,
}

/// What is true at this point of the plan.
pub(super) struct World<'a> {
    read: &'a ReadSet,
    fresh: &'a HashSet<ResourceId>,
    before: Layer,
    unit: Layer,
    /// Members of groups by any layer, for listing.
    members_of: HashMap<ResourceId, BTreeSet<ResourceId>>,
    touched: BTreeSet<Want>,
    /// What the unit relies on and does not change.
    guarded: BTreeSet<ResourceKey>,
    guarded_memberships: BTreeSet<MembershipKey>,
    missing: BTreeSet<Want>,
}

impl<'a> World<'a> {
    pub(super) fn new(read: &'a ReadSet, fresh: &'a HashSet<ResourceId>) -> Self {
        let mut members_of: HashMap<ResourceId, BTreeSet<ResourceId>> = HashMap::new();
        for ((group, member), membership) in &read.memberships {
            if membership.is_some() {
                members_of.entry(*group).or_default().insert(*member);
            }
        }
        Self {
            read,
            fresh,
            before: Layer::default(),
            unit: Layer::default(),
            members_of,
            touched: BTreeSet::new(),
            guarded: BTreeSet::new(),
            guarded_memberships: BTreeSet::new(),
            missing: BTreeSet::new(),
        }
    }

    /// Everything that was looked up and not read, since the beginning.
    pub(super) fn into_missing(self) -> BTreeSet<Want> {
        self.missing
    }

    pub(super) fn resource(
        &mut self,
        resource_type: &'static ResourceType,
        id: ResourceId,
    ) -> Result<Option<Arc<Stored>>, Missing> {
        let key = (resource_type.name.as_str(), id);
        self.touched.insert(Want::Resource {
            resource_type: key.0,
            id,
        });
        let found = self
            .unit
            .resources
            .get(&key)
            .or_else(|| self.before.resources.get(&key));
        match found.or_else(|| self.read.resources.get(&key)) {
            Some(known) => Ok(known.clone()),
            None if self.fresh.contains(&id) => Ok(None),
            None => self.miss(Want::Resource {
                resource_type: key.0,
                id,
            }),
        }
    }

    pub(super) fn owner(&mut self, lookup: &Lookup) -> Result<Option<ResourceId>, Missing> {
        self.touched.insert(Want::Unique(lookup.clone()));
        let found = self
            .unit
            .owners
            .get(lookup)
            .or_else(|| self.before.owners.get(lookup));
        match found.or_else(|| self.read.owners.get(lookup)) {
            Some(known) => Ok(*known),
            None => self.miss(Want::Unique(lookup.clone())),
        }
    }

    pub(super) fn membership(
        &mut self,
        group: ResourceId,
        member: ResourceId,
    ) -> Result<Option<Membership>, Missing> {
        let key = (group, member);
        let found = self
            .unit
            .memberships
            .get(&key)
            .or_else(|| self.before.memberships.get(&key));
        if let Some(known) = found {
            return Ok(Some(known.clone()));
        }
        match self.read.memberships.get(&key) {
            Some(known) => Ok(known.clone()),
            None if self.fresh.contains(&member) || self.is_whole(group) => Ok(None),
            None => self.miss(Want::Membership { group, member }),
        }
    }

    /// Every membership of the group, visible or not.
    pub(super) fn members(&mut self, group: ResourceId) -> Result<Vec<Membership>, Missing> {
        if !self.is_whole(group) {
            return self.miss(Want::Members { group });
        }
        let members = self.members_of.get(&group).cloned().unwrap_or_default();
        let mut result = Vec::with_capacity(members.len());
        for member in members {
            result.extend(self.membership(group, member)?);
        }
        Ok(result)
    }

    /// Whether all memberships of the group are known: they were read, or the
    /// group is fresh, so that every one was made by this plan.
    pub(super) fn is_whole(&self, group: ResourceId) -> bool {
        self.read.whole.contains(&group) || self.fresh.contains(&group)
    }

    pub(super) fn set_resource(
        &mut self,
        resource_type: &'static ResourceType,
        id: ResourceId,
        stored: Option<Stored>,
    ) {
        let key = (resource_type.name.as_str(), id);
        self.unit.resources.insert(key, stored.map(Arc::new));
    }

    /// Makes the unit conditional on a resource, at its revision or absent.
    pub(super) fn guard(&mut self, resource_type: &'static ResourceType, id: ResourceId) {
        self.guarded.insert((resource_type.name.as_str(), id));
    }

    /// Makes the unit conditional on a membership, as it is or absent.
    pub(super) fn guard_membership(&mut self, group: ResourceId, member: ResourceId) {
        self.guarded_memberships.insert((group, member));
    }

    /// A member has come or gone: the header follows, of a group that the unit
    /// has changed. One that is being deleted needs none.
    pub(super) fn toggle_member(
        &mut self,
        resource_type: &'static ResourceType,
        group: ResourceId,
        member: ResourceId,
    ) {
        let key = (resource_type.name.as_str(), group);
        if let Some(Some(stored)) = self.unit.resources.get_mut(&key)
            && let Some(header) = &mut Arc::make_mut(stored).header
        {
            header.members.toggle(member);
        }
    }

    /// Equal to what it was, the owner is only checked.
    pub(super) fn set_owner(&mut self, lookup: Lookup, owner: Option<ResourceId>) {
        self.unit.owners.insert(lookup, owner);
    }

    pub(super) fn set_membership(&mut self, group: ResourceId, membership: Membership) {
        self.members_of
            .entry(group)
            .or_default()
            .insert(membership.member);
        self.unit
            .memberships
            .insert((group, membership.member), membership);
    }

    /// Forgets what the unit changed; says what it looked at.
    pub(super) fn abandon(&mut self) -> BTreeSet<Want> {
        self.unit = Layer::default();
        self.guarded.clear();
        self.guarded_memberships.clear();
        std::mem::take(&mut self.touched)
    }

    /// Makes what the unit changed true for the units after it; says what it
    /// looked at.
    pub(super) fn settle(&mut self) -> BTreeSet<Want> {
        let unit = std::mem::take(&mut self.unit);
        self.guarded.clear();
        self.guarded_memberships.clear();
        self.before.resources.extend(unit.resources);
        self.before.owners.extend(unit.owners);
        self.before.memberships.extend(unit.memberships);
        std::mem::take(&mut self.touched)
    }

    fn miss<T>(&mut self, want: Want) -> Result<T, Missing> {
        self.missing.insert(want);
        Err(Missing)
    }
}
