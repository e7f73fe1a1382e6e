//! A bulk request answers and leaves behind what the same operations do when
//! each is sent as a request of its own, in canonical order.
//!
//! The reference shares no planning code: the order is found by trying, the
//! references are replaced by hand, and every operation goes through the single
//! verbs of another stack. The directory of both is the same at first. Compared
//! are the status and the version of every row, and every resource afterwards,
//! with ids replaced by what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Client, Stack, group, patch, user};
use local::template::Function;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::template::further_right;

/// What an id in an operation stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// There before the request: `u0` … are users, `g0` … groups.
    Old(&'static str),
    /// Created by the operation at this index.
    New(usize),
    /// Nobody.
    Nobody,
}

#[derive(Debug, Clone)]
enum Op {
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

const OLD_USERS: [&str; 3] = ["u0", "u1", "u2"];
const OLD_GROUPS: [&str; 2] = ["g0", "g1"];
const NAMES: [&str; 5] = ["ada", "Ada", "bob", "u0", "u1"];
const NOBODY: &str = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";
const LENGTH: usize = 9;

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

fn operation() -> impl Strategy<Value = Op> {
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
    fn creates(&self) -> bool {
        matches!(self, Self::User { .. } | Self::Group { .. })
    }

    fn target(&self) -> Option<&Who> {
        match self {
            Self::User { .. } | Self::Group { .. } => None,
            Self::Rename { who, .. } | Self::Title { who, .. } | Self::Delete { who, .. } => {
                Some(who)
            }
            Self::Member { group, .. } | Self::Members { group, .. } => Some(group),
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
    fn references(&self) -> BTreeSet<usize> {
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
    fn request(
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
fn contend(earlier: &Op, later: &Op) -> bool {
    let same_target = earlier.target().is_some() && earlier.target() == later.target();
    let same_name = earlier.name().is_some() && earlier.name() == later.name();
    let gone = |delete: &Op, other: &Op| match delete {
        Op::Delete { who, .. } => other.mentions().contains(&who),
        _ => false,
    };
    same_target || same_name || gone(earlier, later) || gone(later, earlier)
}

/// Whether `from` refers to `to`, directly or not.
fn depends(operations: &[Op], from: usize, to: usize) -> bool {
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

/// Again and again the lowest operation whose prerequisites are done, those that
/// only keep the client's order included; where these are in the way of all that
/// is left, the lowest whose references are done.
fn canonical_order(operations: &[Op]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < operations.len() {
        let open = |index: &usize| !order.contains(index);
        let hard = |index: usize| {
            let needs = operations[index].references();
            needs.iter().all(|need| !open(need))
        };
        let soft = |index: usize| {
            let mut earlier = (0..index).filter(open);
            earlier.all(|earlier| !contend(&operations[earlier], &operations[index]))
        };
        let able = |index: &usize| open(index) && hard(*index);
        let next = (0..operations.len()).find(|index| able(index) && soft(*index));
        order.push(next.or_else(|| (0..operations.len()).find(able)).unwrap());
    }
    order
}

/// Keeps only references to creates that do not lead in a ring: a ring cannot
/// be carried out one operation at a time.
fn sensible(mut operations: Vec<Op>) -> Vec<Op> {
    for index in 0..operations.len() {
        let legal: Vec<bool> = (0..LENGTH)
            .map(|other| {
                other < operations.len()
                    && other != index
                    && operations[other].creates()
                    && !depends(&operations, other, index)
            })
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

type Ids = BTreeMap<Who, String>;

/// The directory that both stacks begin with.
async fn prepare(client: &Client) -> Ids {
    let mut ids = Ids::new();
    for name in OLD_USERS {
        ids.insert(Who::Old(name), client.create("/Users", user(name)).await);
    }
    for (name, member) in OLD_GROUPS.into_iter().zip(["u0", "u1"]) {
        let member = ids[&Who::Old(member)].clone();
        ids.insert(
            Who::Old(name),
            client.create("/Groups", group(name, &[&member])).await,
        );
    }
    ids
}

/// One row: index, status, version.
type Row = (usize, u64, Option<String>);

async fn one_at_a_time(
    client: &Client,
    operations: &[Op],
    limit: usize,
    ids: &mut Ids,
) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut failures = 0;
    for index in canonical_order(operations) {
        if limit > 0 && failures >= limit {
            break;
        }
        let failed = |need: &usize| rows.iter().any(|row| row.0 == *need && row.1 >= 400);
        let row = if operations[index].references().iter().any(failed) {
            (index, 409, None)
        } else {
            let id = |who: &Who| ids.get(who).cloned().unwrap_or_else(|| NOBODY.to_owned());
            let (method, path, body, version) = operations[index].request(index, &id);
            let client = match version {
                Some(version) => client.with_header("if-match", &format!("W/\"{version}\"")),
                None => client.clone(),
            };
            let body = if body.is_null() {
                Vec::new()
            } else {
                body.to_string().into_bytes()
            };
            let reply = client.send(method, &path, body).await;
            if let Some(id) = reply.body.get("id").and_then(Value::as_str)
                && operations[index].creates()
            {
                ids.insert(Who::New(index), id.to_owned());
            }
            let status = u64::from(reply.status);
            (
                index,
                status,
                reply
                    .header("etag")
                    .map(str::to_owned)
                    .filter(|_| status < 300),
            )
        };
        failures += usize::from(row.1 >= 400);
        rows.push(row);
    }
    rows.sort();
    rows
}

async fn in_bulk(client: &Client, operations: &[Op], limit: usize, ids: &mut Ids) -> Vec<Row> {
    let sent = |(index, operation): (usize, &Op)| {
        let id = |who: &Who| match who {
            Who::New(index) => format!("bulkId:{index}"),
            other => ids.get(other).cloned().unwrap_or_else(|| NOBODY.to_owned()),
        };
        let (method, path, data, version) = operation.request(index, &id);
        let version = version.map(|version| format!("W/\"{version}\""));
        json!({"method": method, "path": path, "bulkId": index.to_string(), "data": data, "version": version})
    };
    let rows: Vec<Value> = operations.iter().enumerate().map(sent).collect();
    let reply = client
        .post("/Bulk", json!({"failOnErrors": limit, "Operations": rows}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut result = Vec::new();
    for row in reply.body["Operations"].as_array().unwrap() {
        let index: usize = row["bulkId"].as_str().unwrap().parse().unwrap();
        if row["status"] == "201" {
            let id = row["location"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap();
            ids.insert(Who::New(index), id.to_owned());
        }
        let status = row["status"].as_str().unwrap().parse().unwrap();
        result.push((index, status, row["version"].as_str().map(str::to_owned)));
    }
    result
}

/// Every resource, by what its id stands for, without instants.
async fn directory(client: &Client, ids: &Ids) -> Vec<String> {
    let mut found = Vec::new();
    for endpoint in ["/Users", "/Groups"] {
        let list = client.get(&format!("{endpoint}?count=200")).await;
        let resources = list.body["Resources"].as_array().unwrap();
        assert_eq!(list.body["totalResults"], resources.len());
        for resource in resources {
            let mut resource = resource.clone();
            for instant in ["created", "lastModified"] {
                resource["meta"].as_object_mut().unwrap().remove(instant);
            }
            for list in ["members", "groups"] {
                if let Some(elements) = resource[list].as_array_mut() {
                    for element in elements.iter_mut() {
                        *element = json!([
                            name_of(ids, &element["value"]),
                            element["type"],
                            element["display"]
                        ]);
                    }
                    elements.sort_by_key(Value::to_string);
                }
            }
            let mut text = resource.to_string();
            for (who, id) in ids {
                text = text.replace(id, &format!("{who:?}"));
            }
            found.push(text);
        }
    }
    found.sort();
    found
}

fn name_of(ids: &Ids, id: &Value) -> String {
    let known = ids.iter().find(|(_, known)| *known == id);
    known.map_or_else(|| "stranger".to_owned(), |(who, _)| format!("{who:?}"))
}

async fn compare(seed: u64, operations: Vec<Op>, limit: usize) -> Result<(), TestCaseError> {
    let (bulk, single) = (Stack::seeded(seed).await, Stack::seeded(seed).await);
    let (a, b) = (bulk.client(), single.client());
    let (mut ids_a, mut ids_b) = (prepare(&a).await, prepare(&b).await);
    bulk.weather().reset();
    let expected = one_at_a_time(&b, &operations, limit, &mut ids_b).await;
    let rows = in_bulk(&a, &operations, limit, &mut ids_a).await;
    let (of_bulk, of_single) = (bulk.weather().report().iam, single.weather().report().iam);
    prop_assert!(!of_bulk.contains(further_right(Function::Users)));
    prop_assert!(!of_single.contains(further_right(Function::Bulk)));
    prop_assert_eq!(rows, expected);
    prop_assert_eq!(directory(&a, &ids_a).await, directory(&b, &ids_b).await);
    prop_assert_eq!(
        bulk.weather().report().conflicts,
        0,
        "a bulk never meets itself"
    );
    bulk.audit().await;
    Ok(())
}

/// A hundred, or as many as `ORACLE_CASES` says: for a long run.
fn cases() -> u32 {
    let said = std::env::var("ORACLE_CASES").ok();
    said.and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_bulk_request_is_its_operations_one_at_a_time(
        seed in 0u64..1000,
        operations in proptest::collection::vec(operation(), 1..LENGTH).prop_map(sensible),
        limit in prop_oneof![3 => Just(0usize), 1 => 1usize..4],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(compare(seed, operations, limit))?;
    }
}
