//! What becomes of one item: its image before and after, as the plan decided.
//!
//! A change says nothing about how it is written; [`super::action`] does. Its
//! `Display` is one step of a printed plan: ids and names of attributes, and
//! never a value that a client wrote.
//!
//! ```text
//! create User 3f0c9a52
//! lookup userName +
//! member 9b1c5e00 +3f0c9a52
//! count User +1
//! ```

use std::fmt;
use std::sync::Arc;

use super::item::{Stored, lookup_item};
use super::key::{self, Key, RequestKey, Tenant};
use super::lookup::Lookup;
use super::membership::Membership;
use super::name;
use super::record::Row;
use super::value::{item_size, number};
use crate::scim::{ResourceId, ResourceType, Timestamp};

/// The bytes of one write unit.
const UNIT: usize = 1024;

/// What becomes of one item. Equal images before and after mean that the item
/// is only checked: that it is still there, or still not.
#[derive(Debug, Clone)]
pub enum Change {
    /// A resource is created, changed, deleted or put into groups.
    Resource {
        /// Its type.
        resource_type: &'static ResourceType,
        /// Its id.
        id: ResourceId,
        /// As last read; absent when it is created.
        before: Option<Arc<Stored>>,
        /// As it shall be; absent when it is deleted.
        after: Option<Arc<Stored>>,
        /// Whether it must be at the revision that was read even if only its
        /// groups move.
        exact: bool,
    },
    /// A value leads to a resource, no longer does, or leads to another.
    Lookup {
        /// The value.
        lookup: Lookup,
        /// Whose entry this is. Of a unique lookup there is one entry.
        owner: ResourceId,
        /// The owner as last read.
        before: Option<ResourceId>,
        /// The owner as it shall be.
        after: Option<ResourceId>,
    },
    /// A member is added to a group or removed from it.
    Membership {
        /// The group.
        group: ResourceId,
        /// The member.
        member: ResourceId,
        /// As last read.
        before: Option<Membership>,
        /// As it shall be.
        after: Option<Membership>,
    },
    /// One slot of the count of a type's resources moves.
    Counter {
        /// The type.
        resource_type: &'static ResourceType,
        /// The slot.
        slot: u8,
        /// Created less deleted.
        by: i64,
    },
    /// Rows of an idempotent request are noted as committed.
    Marker {
        /// The lane that they go through.
        lane: Lane,
        /// What they came to.
        rows: Vec<Row>,
    },
}

/// A lane of an idempotent request; see [`super::record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The request.
    pub request: RequestKey,
    /// Of its record.
    pub generation: String,
    /// Which one.
    pub number: u8,
    /// Whose it must be, or nobody's yet.
    pub attempt: u64,
    /// When it is forgotten.
    pub expires: Timestamp,
}

impl Change {
    /// The item that it is about.
    pub fn key(&self, tenant: &Tenant) -> Key {
        match self {
            Self::Resource {
                resource_type, id, ..
            } => key::resource(tenant, &resource_type.name, *id),
            Self::Lookup { lookup, owner, .. } => key::lookup(tenant, lookup, *owner),
            Self::Membership { group, member, .. } => key::membership(tenant, *group, *member),
            Self::Counter {
                resource_type,
                slot,
                ..
            } => key::counter(tenant, &resource_type.name, *slot),
            Self::Marker { lane, .. } => {
                key::lane(tenant, &lane.request, &lane.generation, lane.number)
            }
        }
    }

    /// Joins a later change of the same item to this one: from this one's
    /// beginning to the later one's end.
    pub fn then(&mut self, later: Self) {
        match (self, later) {
            (
                Self::Resource { after, exact, .. },
                Self::Resource {
                    after: end,
                    exact: checked,
                    ..
                },
            ) => {
                *after = end;
                *exact |= checked;
            }
            (Self::Lookup { after, .. }, Self::Lookup { after: end, .. }) => *after = end,
            (Self::Membership { after, .. }, Self::Membership { after: end, .. }) => *after = end,
            (Self::Counter { by, .. }, Self::Counter { by: more, .. }) => {
                *by = by.saturating_add(more);
            }
            // Two changes with one key are of one kind.
            _ => {}
        }
    }

    /// Whether nothing has to be written or checked: a resource that came and
    /// went, whose id nobody else can have; a lookup that is not unique and a
    /// count that ended where they began.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Resource { before, after, .. } => before.is_none() && after.is_none(),
            Self::Lookup {
                lookup,
                before,
                after,
                ..
            } => !lookup.unique && before == after,
            Self::Membership { .. } | Self::Marker { .. } => false,
            Self::Counter { by, .. } => *by == 0,
        }
    }

    /// The bytes that it adds to a transaction, of which DynamoDB takes 4 MB:
    /// the larger image of the item.
    pub fn bytes(&self, tenant: &Tenant) -> usize {
        let key = &self.key(tenant);
        match self {
            Self::Resource { before, after, .. } => {
                let size = |stored: &Arc<Stored>| item_size(&stored.to_item(key));
                let images = [before, after].into_iter().flatten();
                images.map(size).max().unwrap_or(item_size(&key.to_item()))
            }
            Self::Lookup { owner, .. } => item_size(&lookup_item(key, *owner)),
            Self::Membership { before, after, .. } => {
                let size = |membership: &Membership| item_size(&membership.to_item(key));
                let images = [before, after].into_iter().flatten();
                images.map(size).max().unwrap_or(item_size(&key.to_item()))
            }
            Self::Counter { .. } => {
                let mut item = key.to_item();
                item.insert(name::N.into(), number(u64::MAX));
                item_size(&item)
            }
            // What the lane holds already is not known here.
            Self::Marker { rows, .. } => {
                let rows = rows.iter().map(|row| row.to_text().len());
                let numbers = [name::ATTEMPT, name::EXPIRES].map(|name| name.len() + 6);
                item_size(&key.to_item())
                    + name::ROWS.len()
                    + rows.sum::<usize>()
                    + numbers.iter().sum::<usize>()
            }
        }
    }

    /// The write units that it costs: two for each begun KB of the larger
    /// image, as every write in a transaction, a check included (Amazon
    /// DynamoDB Developer Guide, "Capacity unit consumption for write").
    pub fn write_units(&self, tenant: &Tenant) -> usize {
        2 * self.bytes(tenant).div_ceil(UNIT).max(1)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource {
                resource_type,
                id,
                before,
                after,
                ..
            } => {
                let (name, id) = (&resource_type.name, Short(*id));
                match (before, after) {
                    (None, Some(_)) => write!(f, "create {name} {id}"),
                    (Some(_), None) => write!(f, "delete {name} {id}"),
                    (None, None) => write!(f, "check no {name} {id}"),
                    (Some(before), Some(after)) if before == after => {
                        write!(f, "check {name} {id}")
                    }
                    (Some(before), Some(after)) => {
                        let verb = if before.rev == after.rev {
                            "join"
                        } else {
                            "change"
                        };
                        write!(f, "{verb} {name} {id}")?;
                        for group in after.groups.difference(&before.groups) {
                            write!(f, " +{}", Short(*group))?;
                        }
                        for group in before.groups.difference(&after.groups) {
                            write!(f, " -{}", Short(*group))?;
                        }
                        Ok(())
                    }
                }
            }
            Self::Lookup {
                lookup,
                before,
                after,
                ..
            } => {
                let sign = match (before, after) {
                    (None, Some(_)) => "+",
                    (Some(_), None) => "-",
                    (None, None) => "free",
                    (Some(before), Some(after)) if before == after => "held",
                    (Some(_), Some(_)) => "moved",
                };
                write!(f, "lookup {} {sign}", lookup.attribute)
            }
            Self::Membership {
                group,
                member,
                before,
                after,
            } => {
                let (group, member) = (Short(*group), Short(*member));
                let present = |membership: &Membership| membership.current.until.is_none();
                let sign = match after.as_ref().is_some_and(present) {
                    true => '+',
                    false => '-',
                };
                let verb = if before == after { "check" } else { "member" };
                write!(f, "{verb} {group} {sign}{member}")
            }
            Self::Counter {
                resource_type, by, ..
            } => write!(f, "count {} {by:+}", resource_type.name),
            Self::Marker { lane, rows } => {
                write!(f, "lane {} +{}", lane.number, rows.len())
            }
        }
    }
}

/// The first eight digits of an id: enough for a reader of one plan.
struct Short(ResourceId);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0.as_bytes();
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}
