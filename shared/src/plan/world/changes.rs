//! What a unit changes: its layer against what lay below.
//!
//! One entry per item, in a fixed order: resources, those that the unit only
//! rests on, lookups, memberships, counters. This file must not know why
//! anything has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{MembershipKey, ResourceKey, World};
use crate::scim::ResourceId;
use crate::scim::schema::catalogue;
use crate::table::{Change, Lookup, Membership, Stored, lookup};

/// In place of the owner of a value that nobody owns.
const NOBODY: ResourceId = ResourceId::from_bytes([0; 16]);

/// The owner of a value before and after.
type Owners = (Option<ResourceId>, Option<ResourceId>);

/// A resource before and after.
type Images = (Option<Arc<Stored>>, Option<Arc<Stored>>);

impl World<'_> {
    /// What the unit changes, and what it rests on besides.
    pub(in crate::plan) fn changes(&self) -> Vec<Change> {
        let moved = self.moved();
        let mut changes = Vec::new();
        changes.extend(self.resources(&moved));
        changes.extend(self.checked(&moved));
        changes.extend(self.lookups(&moved));
        changes.extend(self.memberships());
        changes.extend(counters(&moved));
        changes
    }

    /// The resources that are others than before.
    fn moved(&self) -> BTreeMap<ResourceKey, Images> {
        let images = |(key, after): (&ResourceKey, &Option<Arc<Stored>>)| {
            (*key, (self.resource_before(key), after.clone()))
        };
        let all = self.unit.resources.iter().map(images);
        all.filter(|(_, (before, after))| before != after).collect()
    }

    fn resources(&self, moved: &BTreeMap<ResourceKey, Images>) -> Vec<Change> {
        let change = |(key, (before, after)): (&ResourceKey, &Images)| {
            Some(Change::Resource {
                resource_type: catalogue().by_name(key.0)?,
                id: key.1,
                before: before.clone(),
                after: after.clone(),
                exact: self.guarded.contains(key),
            })
        };
        moved.iter().filter_map(change).collect()
    }

    /// The resources that must only be as they were.
    fn checked(&self, moved: &BTreeMap<ResourceKey, Images>) -> Vec<Change> {
        let check = |key: &ResourceKey| {
            let before = self.resource_before(key);
            Some(Change::Resource {
                resource_type: catalogue().by_name(key.0)?,
                id: key.1,
                after: before.clone(),
                before,
                exact: true,
            })
        };
        let unmoved = self.guarded.iter().filter(|key| !moved.contains_key(*key));
        unmoved.filter_map(check).collect()
    }

    /// By lookup and owner. Of a unique one the unit has said whose it shall be,
    /// the others follow their resources.
    fn lookups(&self, moved: &BTreeMap<ResourceKey, Images>) -> Vec<Change> {
        let mut lookups: BTreeMap<(Lookup, ResourceId), Owners> = BTreeMap::new();
        for ((type_name, id), (before, after)) in moved {
            let (Some(resource_type), false) = (
                catalogue().by_name(type_name),
                same_attributes(before, after),
            ) else {
                continue;
            };
            let of = |stored: &Option<Arc<Stored>>| match stored {
                Some(stored) => lookup::lookups(resource_type, &stored.attributes),
                None => BTreeSet::new(),
            };
            let (old, new) = (of(before), of(after));
            let several = |lookup: &&Lookup| !lookup.unique;
            for gone in old.difference(&new).filter(several) {
                lookups.insert((gone.clone(), *id), (Some(*id), None));
            }
            for come in new.difference(&old).filter(several) {
                lookups.insert((come.clone(), *id), (None, Some(*id)));
            }
        }
        for (lookup, after) in &self.unit.owners {
            let known = self.before.owners.get(lookup);
            let known = known.or_else(|| self.read.owners.get(lookup));
            let before = known.copied().flatten();
            // INVARIANT: the key of a unique lookup does not depend on its owner.
            let owner = after.or(before).unwrap_or(NOBODY);
            lookups.insert((lookup.clone(), owner), (before, *after));
        }
        let change = |((lookup, owner), (before, after))| Change::Lookup {
            lookup,
            owner,
            before,
            after,
        };
        lookups.into_iter().map(change).collect()
    }

    fn memberships(&self) -> Vec<Change> {
        let changed = self.unit.memberships.keys();
        let keys: BTreeSet<&MembershipKey> = changed.chain(&self.guarded_memberships).collect();
        let change = |key: &MembershipKey| {
            let before = self.membership_before(key);
            let after = self.unit.memberships.get(key).or(before.as_ref()).cloned();
            let needed = before != after || self.guarded_memberships.contains(key);
            needed.then(|| Change::Membership {
                group: key.0,
                member: key.1,
                before,
                after,
            })
        };
        keys.into_iter().filter_map(change).collect()
    }

    fn resource_before(&self, key: &ResourceKey) -> Option<Arc<Stored>> {
        let known = self.before.resources.get(key);
        let known = known.or_else(|| self.read.resources.get(key));
        known.cloned().flatten()
    }

    fn membership_before(&self, key: &MembershipKey) -> Option<Membership> {
        let read = || self.read.memberships.get(key).cloned().flatten();
        self.before.memberships.get(key).cloned().or_else(read)
    }
}

/// Whoever is only put into a group keeps all values.
fn same_attributes(before: &Option<Arc<Stored>>, after: &Option<Arc<Stored>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => before.attributes == after.attributes,
        _ => false,
    }
}

/// One for each type of which more are created than deleted, or less.
fn counters(moved: &BTreeMap<ResourceKey, Images>) -> Vec<Change> {
    let mut counts: BTreeMap<&'static str, i64> = BTreeMap::new();
    for ((type_name, _), (before, after)) in moved {
        let by = i64::from(after.is_some()) - i64::from(before.is_some());
        *counts.entry(type_name).or_default() += by;
    }
    let change = |(type_name, by)| {
        Some(Change::Counter {
            resource_type: catalogue().by_name(type_name)?,
            slot: 0,
            by,
        })
    };
    let counts = counts.into_iter().filter(|(_, by)| *by != 0);
    counts.filter_map(change).collect()
}
