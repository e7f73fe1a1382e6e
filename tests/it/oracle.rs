//! A bulk request answers and leaves behind what the same operations do when
//! each is sent as a request of its own, in canonical order.
//!
//! The reference shares nothing of what makes many operations one request: the
//! order is found by trying, the references are replaced by hand, and nothing is
//! folded, packed or committed together. Of groups that name each other in a ring,
//! each is created with those that are there, and the others are put in when all
//! are. What it shares is the single operation: each goes through the verbs of
//! another stack, and so through the same checks and the same simulation as a plan
//! of length one; a defect there is alike on both sides, and found by the tests of
//! single requests.
//!
//! The directory of both is the same at first. Compared are the status and the
//! version of every row, and every resource afterwards, with ids replaced by what
//! they stand for. With another atomicity the reference does again what it may
//! keep on a fresh stack.

mod operation;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use harness::{Client, Stack, group, id_of, patch, user};
use local::template::Function;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::template::rights;
use operation::{LENGTH, NOBODY, OLD_GROUPS, OLD_USERS, Op, Who, operation, sensible};
use order::{Step, canonical_order, connected};

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

/// The same operations, each sent as a request of its own.
struct Singly {
    client: Client,
    ids: Ids,
    /// The groups of rings: putting in who came later took a change that the
    /// bulk request does not count.
    raised: BTreeSet<usize>,
}

impl Singly {
    async fn on(stack: &Stack) -> Self {
        let client = stack.client();
        let ids = prepare(&client).await;
        let raised = BTreeSet::new();
        Self {
            client,
            ids,
            raised,
        }
    }

    async fn alone(&mut self, operation: &Op, index: usize) -> Row {
        let id = |who: &Who| {
            let known = self.ids.get(who).cloned();
            known.unwrap_or_else(|| NOBODY.to_owned())
        };
        let (method, path, body, version) = operation.request(index, &id);
        let client = match version {
            Some(version) => {
                let tag = format!("W/\"{version}\"");
                self.client.with_header("if-match", &tag)
            }
            None => self.client.clone(),
        };
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let reply = client.send(method, &path, body).await;
        if let Some(id) = reply.body.get("id").and_then(Value::as_str)
            && operation.creates()
        {
            self.ids.insert(Who::New(index), id.to_owned());
        }
        let status = u64::from(reply.status);
        let raised = operation.target().is_some_and(|who| self.is_raised(who));
        let version = reply.header("etag").filter(|_| status < 300);
        (
            index,
            status,
            version.map(|version| lowered(version, raised)),
        )
    }

    fn is_raised(&self, who: &Who) -> bool {
        matches!(who, Who::New(index) if self.raised.contains(index))
    }

    /// One step: its rows, or those of its operations that fail by themselves;
    /// then none of it has happened.
    async fn step(&mut self, operations: &[Op], step: &Step) -> Result<Vec<Row>, Vec<Row>> {
        let inside = |who: &Who| matches!(who, Who::New(index) if step.contains(index));
        let mut rows = Vec::new();
        let mut late = Vec::new();
        for index in step {
            let mut operation = operations[*index].clone();
            if let Some(members) = operation.members_mut() {
                let (later, now) = members.drain(..).partition(inside);
                *members = now;
                late.push((*index, later));
            }
            rows.push(self.alone(&operation, *index).await);
        }
        let (failed, done): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.1 >= 400);
        if !failed.is_empty() {
            for (index, ..) in done {
                let path = format!("/Groups/{}", self.ids.remove(&Who::New(index)).unwrap());
                assert_eq!(self.client.delete(&path).await.status, 204);
            }
            return Err(failed);
        }
        for (index, later) in late.into_iter().filter(|(_, later)| !later.is_empty()) {
            let value: Vec<_> = later
                .iter()
                .map(|who| json!({"value": self.ids[who]}))
                .collect();
            let add = patch(&[json!({"op": "add", "path": "members", "value": value})]);
            let path = format!("/Groups/{}", self.ids[&Who::New(index)]);
            assert_eq!(self.client.patch(&path, add).await.status, 204);
            self.raised.insert(index);
        }
        Ok(done)
    }
}

/// A version as it would be without the change that puts the later members of a
/// ring in.
fn lowered(version: &str, raised: bool) -> String {
    let digits: String = version.chars().filter(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().unwrap();
    format!("W/\"{}\"", number - u64::from(raised))
}

async fn one_at_a_time(singly: &mut Singly, operations: &[Op], limit: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for step in canonical_order(operations) {
        let failures = rows.iter().filter(|row| row.1 >= 400).count();
        if limit > 0 && failures >= limit {
            break;
        }
        let failed = |need: &usize| rows.iter().any(|row| row.0 == *need && row.1 >= 400);
        let mut needs = step
            .iter()
            .flat_map(|index| operations[*index].references());
        let broken = needs.any(|need| failed(&need));
        let told = match broken {
            true => Err(Vec::new()),
            false => singly.step(operations, &step).await,
        };
        rows.extend(told.unwrap_or_else(|culprits| fallen(&step, culprits, 409)));
    }
    rows.sort();
    rows
}

/// The rows of operations that fall with these of them.
fn fallen<'a>(
    operations: impl IntoIterator<Item = &'a usize>,
    culprits: Vec<Row>,
    status: u64,
) -> Vec<Row> {
    let own = |index: usize| culprits.iter().find(|row| row.0 == index).cloned();
    let operations = operations.into_iter().copied();
    operations
        .map(|index| own(index).unwrap_or((index, status, None)))
        .collect()
}

/// The sets in their order, each carried out one step at a time. One of which an
/// operation fails must not have happened: everything is done again without it,
/// on another stack.
async fn all_or_nothing(
    seed: u64,
    operations: &[Op],
    sets: &[Vec<Step>],
    limit: usize,
) -> (Stack, Singly, Vec<Row>) {
    let mut refused: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    'again: loop {
        let stack = Stack::seeded(seed).await;
        let mut singly = Singly::on(&stack).await;
        let mut rows: Vec<Row> = Vec::new();
        for (position, set) in sets.iter().enumerate() {
            let failures = rows.iter().filter(|row| row.1 >= 400).count();
            if limit > 0 && failures >= limit {
                break;
            }
            if let Some(culprits) = refused.get(&position) {
                rows.extend(fallen(set.iter().flatten(), culprits.clone(), 424));
                continue;
            }
            for step in set {
                match singly.step(operations, step).await {
                    Ok(done) => rows.extend(done),
                    Err(culprits) => {
                        refused.insert(position, culprits);
                        continue 'again;
                    }
                }
            }
        }
        rows.sort();
        return (stack, singly, rows);
    }
}

async fn in_bulk(
    client: &Client,
    operations: &[Op],
    atomicity: &str,
    limit: usize,
    ids: &mut Ids,
) -> Vec<Row> {
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
        .post(
            &format!("/Bulk?atomicity={atomicity}"),
            json!({"failOnErrors": limit, "Operations": rows}),
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut result = Vec::new();
    for row in reply.rows() {
        let index: usize = row["bulkId"].as_str().unwrap().parse().unwrap();
        if row["status"] == "201" {
            ids.insert(Who::New(index), id_of(row).to_owned());
        }
        let status = row["status"].as_str().unwrap().parse().unwrap();
        result.push((index, status, row["version"].as_str().map(str::to_owned)));
    }
    result
}

/// Every resource, by what its id stands for, without instants.
async fn directory(client: &Client, ids: &Ids, raised: &BTreeSet<usize>) -> Vec<String> {
    let mut found = Vec::new();
    for endpoint in ["/Users", "/Groups"] {
        let list = client.get(&format!("{endpoint}?count=200")).await;
        let resources = list.body["Resources"].as_array().unwrap();
        assert_eq!(list.body["totalResults"], resources.len());
        for resource in resources {
            let mut resource = resource.clone();
            let id = resource["id"].as_str().unwrap().to_owned();
            let ring = |index: &usize| ids.get(&Who::New(*index)) == Some(&id);
            let version = resource["meta"]["version"].as_str().unwrap();
            resource["meta"]["version"] = json!(lowered(version, raised.iter().any(ring)));
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

async fn compare(
    seed: u64,
    operations: Vec<Op>,
    atomicity: &str,
    limit: usize,
) -> Result<(), TestCaseError> {
    let bulk = Stack::seeded(seed).await;
    let client = bulk.client();
    let mut ids = prepare(&client).await;
    bulk.weather().reset();
    let rows = in_bulk(&client, &operations, atomicity, limit, &mut ids).await;
    let report = bulk.weather().report();
    prop_assert!(report.iam.is_subset(&rights(Function::Bulk)));
    prop_assert_eq!(report.conflicts, 0, "a bulk never meets itself");

    let (single, singly, expected) = match atomicity {
        "operation" => {
            let stack = Stack::seeded(seed).await;
            let mut singly = Singly::on(&stack).await;
            let rows = one_at_a_time(&mut singly, &operations, limit).await;
            (stack, singly, rows)
        }
        "component" => {
            let sets = connected(&operations);
            all_or_nothing(seed, &operations, &sets, limit).await
        }
        _ => {
            let all = [canonical_order(&operations)];
            all_or_nothing(seed, &operations, &all, limit).await
        }
    };
    let report = single.weather().report();
    prop_assert!(report.iam.is_subset(&rights(Function::Users)));
    prop_assert_eq!(rows, expected);
    prop_assert_eq!(
        directory(&client, &ids, &BTreeSet::new()).await,
        directory(&singly.client, &singly.ids, &singly.raised).await
    );
    bulk.audit().await;
    single.audit().await;
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
        atomicity in prop_oneof![3 => Just("operation"), 1 => Just("component"), 1 => Just("request")],
        limit in prop_oneof![3 => Just(0usize), 1 => 1usize..4],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(compare(seed, operations, atomicity, limit))?;
    }
}
