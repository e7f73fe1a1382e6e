//! What a plan is made from: the touched items as they stood when last read.
//!
//! Planning asks for items by [`Want`]; whatever is missing from the
//! [`ReadSet`] is read and planning starts again, so that what is read and what
//! is needed can never disagree. A `Want` is also the identity by which units
//! are said to touch the same item.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::scim::ResourceId;
use crate::scim::schema::catalogue;
use crate::table::{Lookup, Membership, Stored};

/// An item, or a set of items, that a plan needs to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// A resource by type name and id.
    Resource {
        /// Type name, such as `User`.
        resource_type: &'static str,
        /// The id.
        id: ResourceId,
    },
    /// The owner of a unique value.
    Unique(Lookup),
    /// One membership.
    Membership {
        /// The group.
        group: ResourceId,
        /// The member.
        member: ResourceId,
    },
    /// Every membership of a group.
    Members {
        /// The group.
        group: ResourceId,
    },
}

/// The items read so far. An entry with `None` is known not to exist.
#[derive(Debug, Clone, Default)]
pub struct ReadSet {
    /// Resources by type name and id.
    pub resources: HashMap<(&'static str, ResourceId), Option<Arc<Stored>>>,
    /// Owners of unique values.
    pub owners: HashMap<Lookup, Option<ResourceId>>,
    /// Memberships by group and member, visible or not.
    pub memberships: HashMap<(ResourceId, ResourceId), Option<Membership>>,
    /// Groups whose memberships are all in `memberships`.
    pub whole: HashSet<ResourceId>,
}

impl ReadSet {
    /// The header of a group, where it was read and is there.
    pub fn header(&self, group: ResourceId) -> Option<&Arc<Stored>> {
        let types = catalogue().resource_types.iter();
        let mut found = types.filter_map(|kind| self.resources.get(&(kind.name.as_str(), group)));
        found.find_map(|stored| stored.as_ref().filter(|stored| stored.header.is_some()))
    }
}
