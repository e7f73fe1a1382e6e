//! Stored resources as clients see them.
//!
//! What is derived is put together here: the groups that a user is in, the
//! members of a group, the URL and the name of what a resource refers to. Only
//! what is to be shown is read, for a whole page at once. Memberships are always
//! read after the header of their group, and judged by that header. This file
//! must not know queries, nor how anything is changed.
//!
//! ```text
//! User u  in {g}  →  header of g, membership g u  →  header of parents of g …
//! ```

mod reference;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use reference::{show_references, targets};

use super::{Caller, Fault, Provider};
use crate::plan::read_set::{ReadSet, Want};
use crate::scim::projection::Projection;
use crate::scim::representation::Representation;
use crate::scim::schema::catalogue;
use crate::scim::{ResourceId, ResourceType, ScimError, Version};
use crate::table::{Membership, Stored};

const GROUP: &str = "Group";

/// The most groups above the resources of one answer that are looked at.
const MAX_ANCESTORS: usize = 2_000;

/// A resource ready to be sent.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The representation, projected.
    pub body: Value,
    /// Its version.
    pub version: Version,
    /// Its absolute URL.
    pub location: String,
}

/// Which derived attributes are to be there.
#[derive(Debug, Clone)]
pub(super) struct Needs {
    /// The groups of a user.
    pub(super) groups: bool,
    /// The members of a group.
    pub(super) members: Members,
    /// What references lead to.
    pub(super) references: bool,
}

/// Which members of a group are to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Members {
    /// None, so that the size of a group does not matter.
    No,
    /// Those of these that are members: as many reads however large the group.
    Named(BTreeSet<ResourceId>),
    /// Every one.
    All,
}

impl Needs {
    fn of(resource_type: &'static ResourceType, projection: &Projection) -> Self {
        Self {
            groups: projection.wants(resource_type, "groups"),
            members: if projection.wants(resource_type, "members") {
                Members::All
            } else {
                Members::No
            },
            references: true,
        }
    }
}

/// What was read around the resources of one answer.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    read_set: ReadSet,
    /// The groups that a group or a user is visibly and directly in.
    parents: HashMap<ResourceId, Vec<ResourceId>>,
    members: HashMap<ResourceId, Vec<Membership>>,
}

impl Provider {
    /// One resource by its id, which is whatever the client wrote.
    ///
    /// # Errors
    ///
    /// 404, the same for a resource that never was, is gone, or is another
    /// tenant's; or a fault of the store.
    pub async fn fetch(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        id: &str,
        projection: &Projection,
    ) -> Result<Presented, Fault> {
        let missing = || ScimError::not_found(&resource_type.name, id);
        let parsed = ResourceId::parse(id).ok_or_else(missing)?;
        let found = self
            .store
            .get(&caller.tenant, &resource_type.name, parsed)
            .await?;
        let stored = found.ok_or_else(missing)?;
        let body = self
            .present(caller, resource_type, &stored, None, projection)
            .await?;
        Ok(Presented {
            body,
            version: stored.version(),
            location: location(caller, resource_type, parsed),
        })
    }

    /// The representation of a resource. `members` are all memberships of a
    /// group, where they are known already.
    ///
    /// # Errors
    ///
    /// A fault of the store.
    pub async fn present(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        stored: &Stored,
        members: Option<Vec<Membership>>,
        projection: &Projection,
    ) -> Result<Value, Fault> {
        let mut needs = Needs::of(resource_type, projection);
        let known = members.filter(|_| needs.members == Members::All);
        if known.is_some() {
            needs.members = Members::No;
        }
        let page = [Arc::new(stored.clone())];
        let mut around = self
            .surroundings(caller, resource_type, &page, &needs)
            .await?;
        if let Some(members) = known {
            around.members.insert(stored.id, members);
        }
        let body = render(caller, resource_type, stored, &around);
        Ok(projection.apply(resource_type, body))
    }

    /// The representations of a page, with as few reads as for one.
    pub(super) async fn present_all(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        page: &[Arc<Stored>],
        projection: &Projection,
    ) -> Result<Vec<Value>, Fault> {
        let needs = Needs::of(resource_type, projection);
        let around = self
            .surroundings(caller, resource_type, page, &needs)
            .await?;
        let bodies = page.iter().map(|stored| {
            let body = render(caller, resource_type, stored, &around);
            projection.apply(resource_type, body)
        });
        Ok(bodies.collect())
    }

    /// Reads what is needed around these resources, which were read before.
    pub(super) async fn surroundings(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        page: &[Arc<Stored>],
        needs: &Needs,
    ) -> Result<Surroundings, Fault> {
        let mut around = Surroundings::default();
        let mut wants = BTreeSet::new();
        if needs.references {
            for stored in page {
                wants.extend(targets(resource_type, &stored.attributes));
            }
        }
        if resource_type.name == GROUP {
            for stored in page {
                wants.extend(member_wants(stored.id, &needs.members));
                let header = Some(Arc::clone(stored));
                around.read_set.resources.insert((GROUP, stored.id), header);
            }
        }
        let mut edges: Vec<(ResourceId, ResourceId)> = Vec::new();
        if needs.groups {
            for stored in page {
                edges.extend(stored.groups.iter().map(|group| (stored.id, *group)));
            }
        }
        wants.extend(edge_wants(&edges));
        if !wants.is_empty() {
            self.store
                .read(&caller.tenant, &wants, &mut around.read_set)
                .await?;
        }
        if resource_type.name == GROUP && needs.members != Members::No {
            around.collect_members(page);
        }
        let mut seen: HashSet<ResourceId> = page.iter().map(|stored| stored.id).collect();
        while !edges.is_empty() {
            edges = around.climb(&edges, &mut seen);
            let wants = edge_wants(&edges);
            if !wants.is_empty() {
                self.store
                    .read(&caller.tenant, &wants, &mut around.read_set)
                    .await?;
            }
        }
        Ok(around)
    }
}

impl Surroundings {
    fn group(&self, id: ResourceId) -> Option<&Arc<Stored>> {
        self.read_set.resources.get(&(GROUP, id))?.as_ref()
    }

    fn collect_members(&mut self, page: &[Arc<Stored>]) {
        let on_page: HashSet<ResourceId> = page.iter().map(|stored| stored.id).collect();
        for ((group, _), membership) in &self.read_set.memberships {
            if on_page.contains(group)
                && let Some(membership) = membership
            {
                self.members
                    .entry(*group)
                    .or_default()
                    .push(membership.clone());
            }
        }
    }

    /// Keeps those edges, each from a member to a group, that are visible, and
    /// returns the edges upwards from groups not met before.
    fn climb(
        &mut self,
        edges: &[(ResourceId, ResourceId)],
        seen: &mut HashSet<ResourceId>,
    ) -> Vec<(ResourceId, ResourceId)> {
        let mut upwards = Vec::new();
        for (member, group) in edges {
            let Some(stored) = self.group(*group).cloned() else {
                continue;
            };
            let membership = self.read_set.memberships.get(&(*group, *member));
            if !membership.is_some_and(|found| found.as_ref().is_some_and(|m| stored.shows(m))) {
                continue;
            }
            self.parents.entry(*member).or_default().push(*group);
            if seen.len() < MAX_ANCESTORS && seen.insert(*group) {
                upwards.extend(stored.groups.iter().map(|parent| (*group, *parent)));
            }
        }
        upwards
    }
}

/// The representation of a stored resource with everything that was read
/// around it, before any projection.
pub(super) fn render(
    caller: &Caller,
    resource_type: &'static ResourceType,
    stored: &Stored,
    around: &Surroundings,
) -> Value {
    let mut attributes = stored.attributes.clone();
    show_references(caller, resource_type, &mut attributes, around);
    if let Some(members) = around.members.get(&stored.id) {
        let members = show_members(caller, stored, members);
        if !members.is_empty() {
            attributes.insert("members".to_owned(), Value::Array(members));
        }
    }
    let groups = show_groups(caller, stored.id, around);
    if !groups.is_empty() {
        attributes.insert("groups".to_owned(), Value::Array(groups));
    }
    Representation {
        resource_type,
        id: stored.id,
        created: stored.created,
        modified: stored.modified,
        version: stored.version(),
        location: location(caller, resource_type, stored.id),
        attributes: &attributes,
    }
    .render()
}

fn location(caller: &Caller, resource_type: &ResourceType, id: ResourceId) -> String {
    format!("{}{}/{id}", caller.base_url, resource_type.endpoint)
}

fn edge_wants(edges: &[(ResourceId, ResourceId)]) -> BTreeSet<Want> {
    let header = |id| Want::Resource {
        resource_type: GROUP,
        id,
    };
    edges
        .iter()
        .flat_map(|(member, group)| {
            let membership = Want::Membership {
                group: *group,
                member: *member,
            };
            [header(*group), membership]
        })
        .collect()
}

fn member_wants(group: ResourceId, members: &Members) -> Vec<Want> {
    match members {
        Members::No => Vec::new(),
        Members::All => vec![Want::Members { group }],
        Members::Named(ids) => {
            let want = |member: &ResourceId| Want::Membership {
                group,
                member: *member,
            };
            ids.iter().map(want).collect()
        }
    }
}

fn show_members(caller: &Caller, group: &Stored, members: &[Membership]) -> Vec<Value> {
    let mut shown: Vec<&Membership> = members
        .iter()
        .filter(|membership| group.shows(membership))
        .collect();
    shown.sort_unstable_by_key(|membership| membership.member);
    let element = |membership: &Membership| {
        let mut element = Map::new();
        element.insert("value".to_owned(), json!(membership.member.to_string()));
        if let Some(member_type) = catalogue().by_name(&membership.member_type) {
            let url = location(caller, member_type, membership.member);
            element.insert("$ref".to_owned(), json!(url));
        }
        element.insert("type".to_owned(), json!(membership.member_type));
        Value::Object(element)
    };
    shown.into_iter().map(element).collect()
}

/// The groups above a resource, those it is directly in first.
fn show_groups(caller: &Caller, id: ResourceId, around: &Surroundings) -> Vec<Value> {
    let Some(group_type) = catalogue().by_name(GROUP) else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([(id, "direct")]);
    let mut shown = Vec::new();
    while let Some((member, kind)) = queue.pop_front() {
        for parent in around.parents.get(&member).into_iter().flatten() {
            if !seen.insert(*parent) {
                continue;
            }
            queue.push_back((*parent, "indirect"));
            let mut element = Map::new();
            element.insert("value".to_owned(), json!(parent.to_string()));
            element.insert(
                "$ref".to_owned(),
                json!(location(caller, group_type, *parent)),
            );
            let name = around
                .group(*parent)
                .and_then(|group| group.attributes.get("displayName"));
            if let Some(name) = name {
                element.insert("display".to_owned(), name.clone());
            }
            element.insert("type".to_owned(), json!(kind));
            shown.push(Value::Object(element));
        }
    }
    shown
}
