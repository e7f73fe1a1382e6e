//! Random operations on a small directory, and the requests that they are.

use std::collections::BTreeSet;

use harness::{group, patch, user};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// What an id in an operation stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// There before the request: `u0` … are users, `g0` … groups.
    Old(&'static str),
    /// Created by the operation at this index.
    New(usize),
    /// Nobody.
    Nobody,
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    User {
        name: &'static str,
    },
    Group {
        members: Vec<Who>,
    },
    Rename {
        who: Who,
        name: &'static str,
        version: Option<u64>,
    },
    Title {
        who: Who,
        title: &'static str,
    },
    Member {
        group: Who,
        op: &'static str,
        member: Who,
    },
    Members {
        group: Who,
        members: Vec<Who>,
    },
    Delete {
        who: Who,
        endpoint: &'static str,
    },
}

pub(super) const OLD_USERS: [&str; 3] = ["u0", "u1", "u2"];
pub(super) const OLD_GROUPS: [&str; 2] = ["g0", "g1"];
const NAMES: [&str; 5] = ["ada", "Ada", "bob", "u0", "u1"];
pub(super) const NOBODY: &str = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";
pub(super) const LENGTH: usize = 9;

fn anyone() -> impl Strategy<Value = Who> {
    prop_oneof![
        4 => select(&OLD_USERS[..]).prop_map(Who::Old),
        2 => select(&OLD_GROUPS[..]).prop_map(Who::Old),
        4 => (0..LENGTH).prop_map(Who::New),
        1 => Just(Who::Nobody),
    ]
}

fn a_user() -> impl Strategy<Value = Who> {
    prop_oneof![3 => select(&OLD_USERS[..]).prop_map(Who::Old), 1 => (0..LENGTH).prop_map(Who::New)]
}

fn a_group() -> impl Strategy<Value = Who> {
    prop_oneof![3 => select(&OLD_GROUPS[..]).prop_map(Who::Old), 1 => (0..LENGTH).prop_map(Who::New)]
}

pub(super) fn operation() -> impl Strategy<Value = Op> {
    let names = || select(&NAMES[..]);
    let members = || proptest::collection::vec(anyone(), 0..4);
    prop_oneof![
        4 => names().prop_map(|name| Op::User { name }),
        3 => members().prop_map(|members| Op::Group { members }),
        2 => (a_user(), names(), proptest::option::of(1u64..4))
            .prop_map(|(who, name, version)| Op::Rename { who, name, version }),
        1 => (a_user(), select(&["x", "y"][..])).prop_map(|(who, title)| Op::Title { who, title }),
        4 => (a_group(), select(&["add", "remove"][..]), anyone())
            .prop_map(|(group, op, member)| Op::Member { group, op, member }),
        1 => (a_group(), members()).prop_map(|(group, members)| Op::Members { group, members }),
        2 => (a_user(), Just("Users")).prop_map(|(who, endpoint)| Op::Delete { who, endpoint }),
        1 => (a_group(), Just("Groups")).prop_map(|(who, endpoint)| Op::Delete { who, endpoint }),
    ]
}

impl Op {
    pub(super) fn creates(&self) -> bool {
        matches!(self, Self::User { .. } | Self::Group { .. })
    }

    pub(super) fn target(&self) -> Option<&Who> {
        match self {
            Self::User { .. } | Self::Group { .. } => None,
            Self::Rename { who, .. } | Self::Title { who, .. } | Self::Delete { who, .. } => {
                Some(who)
            }
            Self::Member { group, .. } | Self::Members { group, .. } => Some(group),
        }
    }

    /// The members that a group is created with.
    pub(super) fn members_mut(&mut self) -> Option<&mut Vec<Who>> {
        match self {
            Self::Group { members } => Some(members),
            _ => None,
        }
    }

    /// Whom its data names.
    fn mentions(&self) -> Vec<&Who> {
        match self {
            Self::Group { members } | Self::Members { members, .. } => members.iter().collect(),
            Self::Member { member, .. } => vec![member],
            _ => Vec::new(),
        }
    }

    /// The operations that it refers to.
    pub(super) fn references(&self) -> BTreeSet<usize> {
        let all = self.mentions().into_iter().chain(self.target());
        all.filter_map(|who| match who {
            Who::New(index) => Some(*index),
            _ => None,
        })
        .collect()
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::User { name } | Self::Rename { name, .. } => Some(name.to_lowercase()),
            _ => None,
        }
    }

    /// Method, path, body, version; ids as `id` gives them.
    pub(super) fn request(
        &self,
        index: usize,
        id: &dyn Fn(&Who) -> String,
    ) -> (&'static str, String, Value, Option<u64>) {
        let list = |members: &[Who]| members.iter().map(id).collect::<Vec<_>>();
        let members = |members: &[Who]| {
            let ids = list(members);
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            group(&format!("Group {index}"), &ids)
        };
        let set = |path: &str, value: &str| {
            patch(&[json!({"op": "replace", "path": path, "value": value})])
        };
        match self {
            Self::User { name } => ("POST", "/Users".into(), user(name), None),
            Self::Group { members: named } => ("POST", "/Groups".into(), members(named), None),
            Self::Rename { who, name, version } => (
                "PATCH",
                format!("/Users/{}", id(who)),
                set("userName", name),
                *version,
            ),
            Self::Title { who, title } => (
                "PATCH",
                format!("/Users/{}", id(who)),
                set("title", title),
                None,
            ),
            Self::Member { group, op, member } => {
                let change = json!({"op": op, "path": "members", "value": [{"value": id(member)}]});
                (
                    "PATCH",
                    format!("/Groups/{}", id(group)),
                    patch(&[change]),
                    None,
                )
            }
            Self::Members {
                group,
                members: named,
            } => (
                "PUT",
                format!("/Groups/{}", id(group)),
                members(named),
                None,
            ),
            Self::Delete { who, endpoint } => (
                "DELETE",
                format!("/{endpoint}/{}", id(who)),
                Value::Null,
                None,
            ),
        }
    }
}

/// Whether `later` must not overtake `earlier`.
pub(super) fn contend(earlier: &Op, later: &Op) -> bool {
    let same_target = earlier.target().is_some() && earlier.target() == later.target();
    let same_name = earlier.name().is_some() && earlier.name() == later.name();
    let gone = |delete: &Op, other: &Op| match delete {
        Op::Delete { who, .. } => other.mentions().contains(&who),
        _ => false,
    };
    same_target || same_name || gone(earlier, later) || gone(later, earlier)
}

/// Whether `from` refers to `to`, directly or not.
pub(super) fn depends(operations: &[Op], from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![from];
    while let Some(index) = stack.pop() {
        for next in operations
            .get(index)
            .map(Op::references)
            .unwrap_or_default()
        {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                stack.push(next);
            }
        }
    }
    false
}

/// Keeps only references to creates: groups may name each other in a ring, or
/// themselves.
pub(super) fn sensible(mut operations: Vec<Op>) -> Vec<Op> {
    for index in 0..operations.len() {
        let legal: Vec<bool> = (0..LENGTH)
            .map(|other| operations.get(other).is_some_and(Op::creates))
            .collect();
        let tidy = |who: &mut Who| {
            if let Who::New(other) = who
                && !legal[*other]
            {
                *who = Who::Old("u2");
            }
        };
        match &mut operations[index] {
            Op::User { .. } => {}
            Op::Group { members } => members.iter_mut().for_each(tidy),
            Op::Rename { who, .. } | Op::Title { who, .. } | Op::Delete { who, .. } => tidy(who),
            Op::Member { group, member, .. } => [group, member].into_iter().for_each(tidy),
            Op::Members { group, members } => members.iter_mut().chain([group]).for_each(tidy),
        }
    }
    operations
}
