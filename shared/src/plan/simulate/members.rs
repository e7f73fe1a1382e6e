//! Members come and go: what becomes of memberships, of the groups that a
//! resource is in, and of the group's revision.

use super::values::find;
use super::{Fault, bump};
use crate::plan::operation::{MemberRef, holds_members, no_such_member};
use crate::plan::world::{Missing, World};
use crate::scim::schema::catalogue;
use crate::scim::{ResourceId, ResourceType, ScimError, Timestamp};
use crate::table::{Membership, Stored, item};

/// A change to the members of one group, under one number.
pub(super) struct MemberChange {
    pub(super) resource_type: &'static ResourceType,
    pub(super) group: ResourceId,
    pub(super) number: u64,
    pub(super) now: Timestamp,
}

impl MemberChange {
    pub(super) fn add_all(
        &mut self,
        world: &mut World<'_>,
        members: &[MemberRef],
    ) -> Result<(), Fault> {
        // All are looked at before the first refusal counts: were reading to
        // stop there, a chain of groups would take a read for each of its rows.
        let mut result = Ok(());
        for member in members {
            match self.add(world, member) {
                Err(Fault::Missing) => result = Err(Fault::Missing),
                Err(refused) if result.is_ok() => result = Err(refused),
                _ => {}
            }
        }
        result
    }

    fn add(&mut self, world: &mut World<'_>, member: &MemberRef) -> Result<(), Fault> {
        let all = member_types();
        let types = match &member.resource_type {
            Some(named) => std::slice::from_ref(named),
            None => all,
        };
        let id = member.id.to_string();
        let before = world.membership(self.group, member.id);
        let resource_type = find(world, &id, types)?.ok_or_else(|| no_such_member(&id))?;
        let before = before?;
        let stored = world
            .resource(resource_type, member.id)?
            .ok_or_else(|| no_such_member(&id))?;
        let kind = &resource_type.name;
        let begun = Membership::begin(before.as_ref(), member.id, kind, self.number, self.now);
        if before.as_ref() == Some(&begun) {
            return Ok(());
        }
        world.set_membership(self.group, begun);
        let mut changed = Stored::clone(&stored);
        changed.groups.insert(self.group);
        changed.groups_rev = changed.groups_rev.saturating_add(1);
        item::check_joined(&changed)?;
        world.set_resource(resource_type, member.id, Some(changed));
        world.toggle_member(self.resource_type, self.group, member.id);
        Ok(())
    }

    pub(super) fn remove_all(
        &mut self,
        world: &mut World<'_>,
        members: &[ResourceId],
    ) -> Result<(), Missing> {
        let mut result = Ok(());
        for member in members {
            result = result.and(self.remove(world, *member));
        }
        result
    }

    fn remove(&mut self, world: &mut World<'_>, member: ResourceId) -> Result<(), Missing> {
        let Some(membership) = world.membership(self.group, member)? else {
            return Ok(());
        };
        let resource_type = catalogue().by_name(&membership.member_type);
        let stored = match resource_type {
            Some(resource_type) => world.resource(resource_type, member)?,
            None => None,
        };
        let ended = membership.end(self.number, self.now);
        if ended == membership {
            return Ok(());
        }
        world.set_membership(self.group, ended);
        if let (Some(resource_type), Some(stored)) = (resource_type, stored) {
            let mut changed = Stored::clone(&stored);
            changed.groups.remove(&self.group);
            changed.groups_rev = changed.groups_rev.saturating_add(1);
            world.set_resource(resource_type, member, Some(changed));
        }
        world.toggle_member(self.resource_type, self.group, member);
        Ok(())
    }
}

/// Ends the membership of a resource that is being deleted.
pub(super) fn leave(
    world: &mut World<'_>,
    group: ResourceId,
    member: ResourceId,
    now: Timestamp,
) -> Result<(), Missing> {
    if group == member {
        return Ok(());
    }
    let mut result = Ok(());
    for resource_type in catalogue()
        .resource_types
        .iter()
        .filter(|kind| holds_members(kind))
    {
        let stored = world.resource(resource_type, group);
        let membership = world.membership(group, member);
        let (stored, membership) = match (stored, membership) {
            (Ok(stored), Ok(membership)) => (stored, membership),
            _ => {
                result = Err(Missing);
                continue;
            }
        };
        let begun = membership
            .as_ref()
            .is_some_and(|membership| membership.current.until.is_none());
        let both = stored.as_ref().zip(membership);
        let shown = both.filter(|(stored, found)| stored.shows(found));
        // The set of groups may name more than is true: a group that is gone,
        // or one that the member has left. It may also be the first that was seen
        // of a transaction that was being committed, and the group or its
        // membership the last, as they were before it. Guarding what hides the
        // membership tells the two apart: itself, where it is absent or ended,
        // else the group that is not yet, or no longer, at its revision.
        let Some((stored, membership)) = shown else {
            match begun {
                true => world.guard(resource_type, group),
                false => world.guard_membership(group, member),
            }
            continue;
        };
        let number = bump(stored);
        world.set_membership(group, membership.end(number, now));
        let mut changed = Stored {
            rev: number,
            modified: now,
            ..Stored::clone(stored)
        };
        if let Some(header) = &mut changed.header {
            header.next = number;
            header.members.toggle(member);
        }
        world.set_resource(resource_type, group, Some(changed));
    }
    result
}

/// The resource types that a member may have, by the schema.
fn member_types() -> &'static [String] {
    let groups = catalogue()
        .resource_types
        .iter()
        .find(|kind| holds_members(kind));
    let members = groups.and_then(|kind| kind.schema.attribute("members"));
    members
        .and_then(|members| members.sub("$ref"))
        .map_or(&[], |sub| sub.reference_types.as_slice())
}

/// A present member named with another type than it has is refused like a new
/// one would be.
pub(super) fn agree(member: &MemberRef, actual: &str) -> Result<(), ScimError> {
    match &member.resource_type {
        Some(named) if named != actual => Err(no_such_member(&member.id.to_string())),
        _ => Ok(()),
    }
}
