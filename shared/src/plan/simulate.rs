//! The operations applied in canonical order to the read set, in memory.
//!
//! This alone decides every outcome: 201, 409 uniqueness, 412, 404, noTarget.
//! An operation behaves exactly as it would alone, on the state that the
//! operations before it have left. What it must not know is how its changes
//! are written.

mod members;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::operation::{Intent, MemberRef, Operation, holds_members, take_members};
use super::outcome::Done;
use super::transaction::MAX_ACTIONS;
use super::world::{Missing, World};
use crate::scim::patch::{MemberNeed, Patch};
use crate::scim::{Attributes, Precondition, ResourceId, ScimError, Timestamp, resource};
use crate::table::{Header, Stored, item, lookup};
use members::{MemberChange, agree, leave};
use values::{keep_references, release, take_lookups};

/// The most members that a PATCH may name for each of them to be looked at
/// alone. As many can be added in one transaction; from here on the group is
/// read whole, and its digest guards what is a guard for each member up to it.
const MAX_NAMED: usize = (MAX_ACTIONS - 2) / 2;

/// Why an operation did not succeed in memory.
#[derive(Debug)]
pub(super) enum Fault {
    /// It needs something that was not read.
    Missing,
    /// It fails, as it would alone.
    Refused(ScimError),
}

impl From<Missing> for Fault {
    fn from(_: Missing) -> Self {
        Self::Missing
    }
}

impl From<ScimError> for Fault {
    fn from(error: ScimError) -> Self {
        Self::Refused(error)
    }
}

/// Applies the operations of one unit; the status of each.
///
/// Every resource of a ring is created before any of them refers to another, so
/// that each finds the others; the same holds for one that refers to itself.
/// The caller abandons the unit when an operation fails.
pub(super) fn apply(
    world: &mut World<'_>,
    operations: &[&Operation],
    now: Timestamp,
) -> Vec<Result<u16, Fault>> {
    let mut results: Vec<Result<u16, Fault>> = operations
        .iter()
        .map(|operation| first_half(world, operation, now))
        .collect();
    for (operation, result) in operations.iter().zip(&mut results) {
        if let (
            Ok(_),
            Intent::Create {
                attributes,
                members,
            },
        ) = (&result, &operation.intent)
            && let Err(fault) = second_half(world, operation, attributes, members, now)
        {
            *result = Err(fault);
        }
    }
    results
}

/// What a successful operation answers with. The resource and the members of a
/// group are only kept for a request of one operation: no bulk row shows them,
/// and a thousand rows on a large resource would keep it a thousand times.
pub(super) fn done(world: &mut World<'_>, operation: &Operation, status: u16, alone: bool) -> Done {
    let resource_type = operation.resource_type;
    let resource = world.resource(resource_type, operation.id).ok().flatten();
    let members = match &resource {
        Some(stored) if alone && holds_members(resource_type) && world.is_whole(operation.id) => {
            let known = world.members(operation.id).unwrap_or_default();
            let shown = known.into_iter().filter(|found| stored.shows(found));
            Some(shown.collect())
        }
        _ => None,
    };
    Done {
        status,
        version: resource.as_ref().map(|stored| stored.version()),
        resource: resource.filter(|_| alone),
        members,
    }
}

fn first_half(world: &mut World<'_>, operation: &Operation, now: Timestamp) -> Result<u16, Fault> {
    match &operation.intent {
        Intent::Create { attributes, .. } => create(world, operation, attributes.clone(), now),
        Intent::Replace {
            attributes,
            members,
        } => replace(world, operation, attributes.clone(), members, now),
        Intent::Patch(patch) => apply_patch(world, operation, patch, now),
        Intent::Delete => delete(world, operation, now),
    }
}

fn create(
    world: &mut World<'_>,
    operation: &Operation,
    attributes: Attributes,
    now: Timestamp,
) -> Result<u16, Fault> {
    let resource_type = operation.resource_type;
    take_lookups(
        world,
        resource_type,
        operation.id,
        &Attributes::new(),
        &attributes,
    )?;
    let stored = Stored {
        id: operation.id,
        rev: 1,
        created: now,
        modified: now,
        attributes,
        groups: BTreeSet::new(),
        groups_rev: 0,
        header: holds_members(resource_type).then(|| Header {
            next: 1,
            ..Header::default()
        }),
    };
    item::check_size(&stored)?;
    world.set_resource(resource_type, operation.id, Some(stored));
    Ok(201)
}

/// The references and members of a resource that this unit has created. Members
/// belong to its first change, so its revision stays.
fn second_half(
    world: &mut World<'_>,
    operation: &Operation,
    attributes: &Attributes,
    members: &[MemberRef],
    now: Timestamp,
) -> Result<(), Fault> {
    let resource_type = operation.resource_type;
    let nothing = Attributes::new();
    let references = keep_references(world, resource_type, &nothing, &mut attributes.clone());
    let mut change = MemberChange {
        resource_type,
        group: operation.id,
        number: 1,
        now,
    };
    change.add_all(world, members)?;
    references
}

fn replace(
    world: &mut World<'_>,
    operation: &Operation,
    attributes: Attributes,
    members: &[MemberRef],
    now: Timestamp,
) -> Result<u16, Fault> {
    let resource_type = operation.resource_type;
    let stored = present(world, operation)?;
    let attributes = resource::replace(resource_type, &stored.attributes, attributes)?;
    let (mut adds, mut removes) = (Vec::new(), Vec::new());
    if holds_members(resource_type) {
        let known = world.members(operation.id)?;
        let current: BTreeMap<ResourceId, &str> = known
            .iter()
            .filter(|found| stored.shows(found))
            .map(|membership| (membership.member, membership.member_type.as_str()))
            .collect();
        let wanted: BTreeSet<ResourceId> = members.iter().map(|member| member.id).collect();
        removes = current
            .keys()
            .filter(|id| !wanted.contains(id))
            .copied()
            .collect();
        for member in members {
            match current.get(&member.id) {
                None => adds.push(member.clone()),
                Some(actual) => agree(member, actual)?,
            }
        }
    }
    change(world, operation, &stored, attributes, &adds, &removes, now)?;
    Ok(200)
}

fn apply_patch(
    world: &mut World<'_>,
    operation: &Operation,
    patch: &Patch,
    now: Timestamp,
) -> Result<u16, Fault> {
    let resource_type = operation.resource_type;
    let stored = present(world, operation)?;
    let mut before = stored.attributes.clone();
    let mut current: BTreeMap<ResourceId, String> = BTreeMap::new();
    let mut named = Vec::new();
    if holds_members(resource_type) {
        let known = match patch.members() {
            MemberNeed::None => Vec::new(),
            MemberNeed::All => world.members(operation.id)?,
            MemberNeed::Named(ids) if ids.len() > MAX_NAMED && !world.is_whole(operation.id) => {
                world.members(operation.id)?
            }
            MemberNeed::Named(ids) => {
                let ids: Vec<_> = ids.iter().filter_map(|id| ResourceId::parse(id)).collect();
                // Read whole, they have been read until they were those of the
                // header.
                if !world.is_whole(operation.id) {
                    named.clone_from(&ids);
                }
                // Ask for all before giving up on the first that is missing.
                let found: Vec<_> = ids
                    .iter()
                    .map(|id| world.membership(operation.id, *id))
                    .collect();
                let found: Result<Vec<_>, Missing> = found.into_iter().collect();
                found?.into_iter().flatten().collect()
            }
        };
        current = known
            .iter()
            .filter(|found| stored.shows(found))
            .map(|membership| (membership.member, membership.member_type.clone()))
            .collect();
        if !current.is_empty() {
            let elements = current
                .iter()
                .map(|(id, kind)| json!({"value": id.to_string(), "type": kind}));
            before.insert("members".into(), Value::Array(elements.collect()));
        }
    }
    let mut after = patch.apply(resource_type, operation.id, &before)?;
    let members = take_members(resource_type, &mut after)?;
    let kept: BTreeSet<ResourceId> = members.iter().map(|member| member.id).collect();
    let removes: Vec<_> = current
        .keys()
        .filter(|id| !kept.contains(id))
        .copied()
        .collect();
    let adds: Vec<_> = members
        .into_iter()
        .filter(|member| !current.contains_key(&member.id))
        .collect();
    // What it leaves as it is must be so: each was read by itself, and may have
    // been seen as it was before a transaction that the group's header already
    // shows. The header is part of what was found.
    if !named.is_empty() {
        world.guard(resource_type, operation.id);
    }
    for member in named {
        world.guard_membership(operation.id, member);
    }
    change(world, operation, &stored, after, &adds, &removes, now)?;
    // A group answers without its members, of which there may be tens of
    // thousands (RFC 7644 §3.5.2 allows 204).
    Ok(if holds_members(resource_type) {
        204
    } else {
        200
    })
}

/// Writes a resource that exists. What changes nothing leaves the version
/// alone (RFC 7644 §3.5.2.1).
fn change(
    world: &mut World<'_>,
    operation: &Operation,
    stored: &Arc<Stored>,
    mut attributes: Attributes,
    adds: &[MemberRef],
    removes: &[ResourceId],
    now: Timestamp,
) -> Result<(), Fault> {
    if attributes == stored.attributes && adds.is_empty() && removes.is_empty() {
        return Ok(());
    }
    let resource_type = operation.resource_type;
    let references = keep_references(world, resource_type, &stored.attributes, &mut attributes);
    let lookups = take_lookups(
        world,
        resource_type,
        operation.id,
        &stored.attributes,
        &attributes,
    );
    references?;
    lookups?;
    let number = bump(stored);
    let mut changed = Stored {
        attributes,
        modified: now,
        ..Stored::clone(stored)
    };
    changed.rev = number;
    if let Some(header) = &mut changed.header {
        header.next = number;
    }
    item::check_size(&changed)?;
    world.set_resource(resource_type, operation.id, Some(changed));
    let mut members = MemberChange {
        resource_type,
        group: operation.id,
        number,
        now,
    };
    members.add_all(world, adds)?;
    members.remove_all(world, removes)?;
    Ok(())
}

fn delete(world: &mut World<'_>, operation: &Operation, now: Timestamp) -> Result<u16, Fault> {
    let resource_type = operation.resource_type;
    let stored = present(world, operation)?;
    let id = operation.id;
    let mut missing = Ok(());
    for group in &stored.groups {
        missing = missing.and(leave(world, *group, id, now));
    }
    if holds_members(resource_type) {
        let known = world.members(id)?;
        let members: Vec<_> = known
            .iter()
            .filter(|found| stored.shows(found))
            .map(|membership| membership.member)
            .collect();
        let mut change = MemberChange {
            resource_type,
            group: id,
            number: bump(&stored),
            now,
        };
        missing = missing.and(change.remove_all(world, &members));
    }
    missing?;
    for lookup in lookup::lookups(resource_type, &stored.attributes) {
        if lookup.unique {
            release(world, &lookup, id)?;
        }
    }
    world.set_resource(resource_type, id, None);
    Ok(204)
}

/// The resource, at a version that the client accepts.
fn present(world: &mut World<'_>, operation: &Operation) -> Result<Arc<Stored>, Fault> {
    let resource_type = operation.resource_type;
    let stored = world
        .resource(resource_type, operation.id)?
        .ok_or_else(|| ScimError::not_found(&resource_type.name, &operation.id.to_string()))?;
    let matches = |condition: &Precondition| condition.matches(stored.version());
    let wanted = operation.precondition.as_ref().is_none_or(matches);
    if !wanted || operation.unless.as_ref().is_some_and(matches) {
        let detail = format!("the resource is at version {}", stored.version());
        return Err(ScimError::new(412, detail).into());
    }
    Ok(stored)
}

/// The number of the next change: of a group the next number never used, of
/// anything else the next revision.
fn bump(stored: &Stored) -> u64 {
    stored
        .header
        .as_ref()
        .map_or(stored.rev, |header| header.next)
        .saturating_add(1)
}
