//! A plan in numbers and names: what a dry run answers and `local plan` draws.
//!
//! It says of each row where it stands in the order, what it names and how it
//! would end; of each transaction what it holds, what it waits for and what it
//! costs. It tells types, ids, bulkIds and statuses, and never a value that a
//! client wrote into a resource. It must not know how it is shown.
//!
//! **Write units are an estimate**: two for each begun KB of the larger image of
//! every item, checks and deletes included, summed over the transactions as
//! planned. With nobody else writing that is what DynamoDB counts, but for a
//! password: the plan holds it as it was sent, and the table its hash of about
//! a hundred bytes, so a row with a password may cost two units more or, where
//! passwords are discarded, less. What must be decided again because others
//! write meanwhile is paid again.
//!
//! ```ignore
//! let summary = Summary::new(&entries, &units, &plan, &tenant);
//! assert_eq!(summary.totals.operations, entries.len());
//! ```

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::operation::{Method, Operation};
use super::{Entry, Plan};
use crate::scim::ResourceId;
use crate::table::Tenant;

/// What a plan says. Positions of rows, units and transactions count from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The rows in canonical order, by their positions in the request.
    pub order: Vec<usize>,
    /// The rows, in the order of the request.
    pub operations: Vec<Row>,
    /// The units, in canonical order.
    pub units: Vec<Unit>,
    /// The rows of each ring of references, ascending; one alone refers to
    /// itself.
    pub cycles: Vec<Vec<usize>>,
    /// What is written. Each waits for earlier ones only.
    pub transactions: Vec<Transaction>,
    /// All together.
    pub totals: Totals,
}

/// A row of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its position in the request.
    pub index: usize,
    /// The HTTP method; none where the row names none that is legal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// What it is about, `/Users` or `/Users/{id}`; a resource that the request
    /// creates stands there by its bulkId. None where the path names nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// As sent, at most [`MAX_BULK_ID`](super::operation::MAX_BULK_ID) bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    /// Its unit.
    pub unit: usize,
    /// Its cycle, where it is part of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle: Option<usize>,
    /// The status that the row would be answered with; none behind the row that
    /// reaches `failOnErrors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `scimType` of its error, where it has one (RFC 7644 §3.12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<&'static str>,
    /// Its transaction; none when it fails or leaves everything as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<usize>,
    /// The rows whose bulkId it names, ascending. An illegal row names none.
    pub references: BTreeSet<usize>,
}

impl Row {
    /// Whether it would fail.
    pub fn fails(&self) -> bool {
        self.status.is_some_and(|status| status >= 400)
    }
}

/// Rows that stand or fall together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// Its rows, in order of execution.
    pub operations: Vec<usize>,
    /// Whether some of them refer to each other in a ring, or one to itself.
    pub cycle: bool,
}

/// What is committed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Its position in the plan.
    pub number: usize,
    /// Its rows, in canonical order.
    pub operations: Vec<usize>,
    /// Actions of TransactWriteItems, of which it takes 100. None where the rows
    /// undo each other: then nothing is sent.
    pub actions: usize,
    /// Bytes as DynamoDB counts them against its limit of 4 MB.
    pub bytes: usize,
    /// Estimated write units.
    pub write_units: usize,
    /// The transactions that must be committed before it, ascending.
    pub after: BTreeSet<usize>,
}

/// The request as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Rows of the request.
    pub operations: usize,
    /// Rows that would fail.
    pub failures: usize,
    /// Units.
    pub units: usize,
    /// Rings of references.
    pub cycles: usize,
    /// Transactions.
    pub transactions: usize,
    /// Actions of all transactions.
    pub actions: usize,
    /// Estimated write units of all transactions.
    pub write_units: usize,
    /// Transactions that wait for each other, in the longest chain of them.
    pub depth: usize,
}

impl Summary {
    /// Says what a plan of these entries, in the order of these units, holds.
    /// `tenant` is part of the size of every item.
    pub fn new(entries: &[Entry], units: &[super::Unit], plan: &Plan, tenant: &Tenant) -> Self {
        let parts = || units.iter().flat_map(|unit| &unit.parts);
        let order: Vec<usize> = parts().flatten().copied().collect();
        let cycles: Vec<Vec<usize>> = parts()
            .filter(|part| is_cycle(part, entries))
            .cloned()
            .collect();
        let mut operations = rows(entries, units, plan);
        for (cycle, rows) in cycles.iter().enumerate() {
            for index in rows {
                if let Some(row) = operations.get_mut(*index) {
                    row.cycle = Some(cycle);
                }
            }
        }
        let units: Vec<Unit> = units
            .iter()
            .map(|unit| Unit {
                operations: unit.parts.concat(),
                cycle: unit.parts.iter().any(|part| is_cycle(part, entries)),
            })
            .collect();
        let transactions: Vec<Transaction> = plan
            .transactions
            .iter()
            .enumerate()
            .map(|(number, transaction)| {
                let changes = || transaction.changes.iter().map(|planned| &planned.change);
                let members = transaction.units.iter().filter_map(|unit| units.get(*unit));
                Transaction {
                    number,
                    operations: members
                        .flat_map(|unit| unit.operations.iter().copied())
                        .collect(),
                    actions: transaction.changes.len(),
                    bytes: changes().map(|change| change.bytes(tenant)).sum(),
                    write_units: changes().map(|change| change.write_units(tenant)).sum(),
                    after: transaction.after.clone(),
                }
            })
            .collect();
        let totals = Totals {
            operations: operations.len(),
            failures: operations.iter().filter(|row| row.fails()).count(),
            units: units.len(),
            cycles: cycles.len(),
            transactions: transactions.len(),
            actions: transactions.iter().map(|held| held.actions).sum(),
            write_units: transactions.iter().map(|held| held.write_units).sum(),
            depth: depth(&transactions),
        };
        Self {
            order,
            operations,
            units,
            cycles,
            transactions,
            totals,
        }
    }
}

fn rows(entries: &[Entry], units: &[super::Unit], plan: &Plan) -> Vec<Row> {
    let created: HashMap<ResourceId, &Operation> = entries
        .iter()
        .flatten()
        .filter(|operation| operation.method == Method::Create)
        .map(|operation| (operation.id, operation))
        .collect();
    let mut rows: Vec<Row> = entries.iter().map(|entry| row(entry, &created)).collect();
    for (position, unit) in units.iter().enumerate() {
        for index in &unit.operations {
            if let Some(row) = rows.get_mut(*index) {
                row.unit = position;
            }
        }
    }
    for step in &plan.steps {
        for outcome in &step.outcomes {
            if let Some(row) = rows.get_mut(outcome.index) {
                row.status = Some(outcome.status());
                let scim_type = outcome.result.as_ref().err().and_then(|e| e.scim_type());
                row.scim_type = scim_type.map(|known| known.as_str());
                row.transaction = step.transaction;
            }
        }
    }
    rows
}

/// The row as far as its entry tells.
fn row(entry: &Entry, created: &HashMap<ResourceId, &Operation>) -> Row {
    // The id of a create is not given out before it is committed.
    let named = |id: &str| {
        let create = ResourceId::parse(id).and_then(|id| created.get(&id));
        match create.and_then(|create| create.bulk_id.as_ref()) {
            Some(bulk_id) => format!("bulkId:{bulk_id}"),
            None => id.to_owned(),
        }
    };
    let (index, method, path, bulk_id, references) = match entry {
        Ok(operation) => {
            let endpoint = &operation.resource_type.endpoint;
            let path = match operation.method {
                Method::Create => endpoint.clone(),
                _ => format!("{endpoint}/{}", named(&operation.id.to_string())),
            };
            (
                operation.index,
                Some(operation.method),
                Some(path),
                &operation.bulk_id,
                operation.needs.clone(),
            )
        }
        Err(rejection) => {
            let path = rejection
                .target
                .as_ref()
                .map(|target| format!("{}/{}", target.resource_type.endpoint, named(&target.id)));
            (
                rejection.index,
                Method::parse(&rejection.method),
                path,
                &rejection.bulk_id,
                BTreeSet::new(),
            )
        }
    };
    Row {
        index,
        method: method.map(Method::as_str),
        path,
        bulk_id: bulk_id.clone(),
        unit: 0,
        cycle: None,
        status: None,
        scim_type: None,
        transaction: None,
        references,
    }
}

fn is_cycle(part: &[usize], entries: &[Entry]) -> bool {
    let itself = |index: &usize| match entries.get(*index) {
        Some(Ok(operation)) => operation.needs.contains(index),
        _ => false,
    };
    part.len() > 1 || part.iter().any(itself)
}

/// The length of the longest chain of transactions that wait for each other.
fn depth(transactions: &[Transaction]) -> usize {
    let mut depths: Vec<usize> = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        let before = transaction.after.iter().filter_map(|one| depths.get(*one));
        depths.push(before.max().copied().unwrap_or_default() + 1);
    }
    depths.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
