//! The directory that a request is planned on when there is none: as empty as
//! the request lets it be.
//!
//! | what the request names | what is assumed |
//! |---|---|
//! | a resource by its id | it exists, with a text in each attribute that is required and with nothing else, at the version that the first row to address it names, else at 1 |
//! | an id whose type the request does not tell | a user |
//! | a member that a PATCH takes out of a group by its id | it is in the group, unless an earlier row already names it there |
//! | a unique value | it is free |
//!
//! So rows clash with each other and never with what is stored; a PUT, PATCH or
//! DELETE finds its resource, but a PATCH that needs a value to be there does
//! not find the value, and a change of all members of a group meets only those
//! that other rows have put in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use shared::plan::operation::holds_members;
use shared::plan::{Entry, Intent, Method, Operation, ReadSet, Want};
use shared::scim::patch::MemberNeed;
use shared::scim::schema::{Type, catalogue};
use shared::scim::{Attributes, Precondition, ResourceId, ResourceType, Timestamp, urn};
use shared::table::{Header, Membership, Stored, lookups};

/// What a request takes for granted.
#[derive(Debug)]
pub struct Assumed {
    now: Timestamp,
    /// Of which type what is named by id is.
    types: HashMap<ResourceId, &'static ResourceType>,
    /// The revisions that rows name.
    revisions: HashMap<ResourceId, u64>,
    /// By group: whether those that are named have been in it.
    members: HashMap<ResourceId, BTreeMap<ResourceId, bool>>,
    /// The groups that a member is in.
    groups: HashMap<ResourceId, BTreeSet<ResourceId>>,
}

impl Assumed {
    /// What these entries take for granted.
    pub fn new(entries: &[Entry], now: Timestamp) -> Self {
        let mut assumed = Self {
            now,
            types: HashMap::new(),
            revisions: HashMap::new(),
            members: HashMap::new(),
            groups: HashMap::new(),
        };
        let operations = || entries.iter().flatten();
        let created: HashSet<ResourceId> = operations()
            .filter(|operation| operation.method == Method::Create)
            .map(|operation| operation.id)
            .collect();
        for operation in operations() {
            // What the request creates begins with nothing to be assumed.
            if !created.contains(&operation.id) {
                assumed
                    .types
                    .entry(operation.id)
                    .or_insert(operation.resource_type);
                let revision = operation.precondition.as_ref().and_then(revision);
                assumed
                    .revisions
                    .entry(operation.id)
                    .or_insert(revision.unwrap_or(1));
                assumed.note_members(operation);
            }
        }
        assumed
    }

    /// Answers every want.
    pub fn read(&mut self, wants: BTreeSet<Want>, read: &mut ReadSet) {
        self.assign(&wants);
        for want in wants {
            match want {
                Want::Resource { resource_type, id } => {
                    let kind = self
                        .types
                        .get(&id)
                        .filter(|kind| kind.name == resource_type);
                    let stored = kind.map(|kind| Arc::new(self.stored(kind, id)));
                    if let (Some(kind), Some(stored)) = (kind, &stored) {
                        let held = lookups(kind, &stored.attributes).into_iter();
                        let held = held.filter(|lookup| lookup.unique);
                        read.owners.extend(held.map(|lookup| (lookup, Some(id))));
                    }
                    read.resources.insert((resource_type, id), stored);
                }
                Want::Unique(lookup) => {
                    read.owners.entry(lookup).or_insert(None);
                }
                Want::Membership { group, member } => {
                    let membership = self.membership(group, member);
                    read.memberships.insert((group, member), membership);
                }
                Want::Members { group } => {
                    for member in self.members.get(&group).into_iter().flatten() {
                        let membership = self.membership(group, *member.0);
                        read.memberships.insert((group, *member.0), membership);
                    }
                    read.whole.insert(group);
                }
            }
        }
    }

    /// Takes what a PATCH removes from a group by id for present, and what any
    /// row adds for absent; the first row that names a member decides.
    fn note_members(&mut self, operation: &Operation) {
        match &operation.intent {
            Intent::Replace { members, .. } => {
                for member in members {
                    self.note_member(operation.id, member.id, false);
                }
            }
            Intent::Patch(patch) => {
                let MemberNeed::Named(named) = patch.members() else {
                    return;
                };
                let mut before = required(operation.resource_type, operation.id);
                let present: Value = named.iter().map(|id| json!({"value": id})).collect();
                before.insert("members".into(), present);
                let after = patch.apply(operation.resource_type, operation.id, &before);
                let kept = after
                    .ok()
                    .and_then(|mut after| after.shift_remove("members"));
                let kept: BTreeSet<&str> = kept
                    .iter()
                    .filter_map(Value::as_array)
                    .flatten()
                    .filter_map(|element| element.get("value")?.as_str())
                    .collect();
                for name in &named {
                    let Some(member) = ResourceId::parse(name) else {
                        continue;
                    };
                    let removed = !kept.contains(name.as_str());
                    self.note_member(operation.id, member, removed);
                }
            }
            Intent::Create { .. } | Intent::Delete => {}
        }
    }

    fn note_member(&mut self, group: ResourceId, member: ResourceId, present: bool) {
        let known = self.members.entry(group).or_default().entry(member);
        if *known.or_insert(present) {
            self.groups.entry(member).or_default().insert(group);
        }
    }

    /// Settles the types of ids that no path tells: a user where one will do,
    /// else what is asked for first.
    fn assign(&mut self, wants: &BTreeSet<Want>) {
        let mut asked: HashMap<ResourceId, &'static ResourceType> = HashMap::new();
        for want in wants {
            if let Want::Resource { resource_type, id } = want
                && !self.types.contains_key(id)
                && let Some(kind) = catalogue().by_name(resource_type)
            {
                let known = asked.entry(*id).or_insert(kind);
                if is_user(kind) {
                    *known = kind;
                }
            }
        }
        self.types.extend(asked);
    }

    fn stored(&self, kind: &'static ResourceType, id: ResourceId) -> Stored {
        let rev = self.revisions.get(&id).copied().unwrap_or(1);
        let groups = self.groups.get(&id).cloned().unwrap_or_default();
        Stored {
            id,
            rev,
            created: self.now,
            modified: self.now,
            attributes: required(kind, id),
            groups_rev: u64::from(!groups.is_empty()),
            groups,
            header: holds_members(kind).then(|| Header {
                next: rev,
                members: self.present(id).collect(),
                ..Header::default()
            }),
        }
    }

    fn present(&self, group: ResourceId) -> impl Iterator<Item = ResourceId> {
        let members = self.members.get(&group).into_iter().flatten();
        members.filter_map(|(member, present)| present.then_some(*member))
    }

    fn membership(&self, group: ResourceId, member: ResourceId) -> Option<Membership> {
        let present = *self.members.get(&group)?.get(&member)?;
        let user = || catalogue().resource_types.iter().find(|kind| is_user(kind));
        let kind = self.types.get(&member).copied().or_else(user)?;
        present.then(|| Membership::begin(None, member, &kind.name, 1, self.now))
    }
}

fn is_user(kind: &ResourceType) -> bool {
    kind.schema.id == urn::USER
}

/// The least that a resource of this type holds.
fn required(kind: &ResourceType, id: ResourceId) -> Attributes {
    let attributes = kind.schema.attributes.iter();
    attributes
        .filter(|attribute| attribute.required && attribute.kind == Type::String)
        .map(|attribute| (attribute.name.clone(), json!(id.to_string())))
        .collect()
}

/// The first revision that a precondition names.
fn revision(precondition: &Precondition) -> Option<u64> {
    match precondition {
        Precondition::Any => None,
        Precondition::Tags(tags) => tags.iter().find_map(|tag| tag.parse().ok()),
    }
}
