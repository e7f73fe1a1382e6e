//! One unit: its outcomes, and what it changes, within what one transaction
//! holds.

use std::collections::{BTreeMap, BTreeSet};

use super::measured::Measured;
use super::operation::Operation;
use super::read_set::Want;
use super::simulate::{self, Fault};
use super::world::World;
use super::{Atomicity, Job, Outcome, Unit};
use crate::scim::ScimError;
use crate::table::Change;

/// One unit with its outcomes and what it writes.
#[derive(Debug, Clone)]
pub struct Step {
    /// Position in the canonical order.
    pub unit: usize,
    /// One per operation of the unit.
    pub outcomes: Vec<Outcome>,
    /// What becomes of each item; moved into a transaction by packing.
    pub(super) changes: Vec<Measured>,
    /// The items that the outcomes rest on.
    pub(super) touched: BTreeSet<Want>,
    /// The items that it writes and that others may touch.
    pub(super) written: BTreeSet<Want>,
    /// The operations whose failure this step repeats: it is not settled before
    /// they are, since they may yet end otherwise.
    pub(super) repeats: BTreeSet<usize>,
    /// The transaction of the plan that it is part of; none when it writes
    /// nothing.
    pub transaction: Option<usize>,
    /// Of a step that writes nothing: the transactions whose changes it has
    /// seen; where it repeats a failure, those that the failure rests on.
    pub rests_on: BTreeSet<usize>,
}

/// Decides one unit; nothing where it needs what was not read. `statuses` are
/// those of the operations decided before it.
pub(super) fn step(
    job: &Job<'_>,
    world: &mut World<'_>,
    position: usize,
    unit: &Unit,
    statuses: &[Option<u16>],
) -> Option<Step> {
    let refused = |world: &mut World<'_>, errors| {
        Step::without_changes(position, refuse(job, unit, errors), world)
    };
    let rejected = rejections(job, unit);
    if !rejected.is_empty() {
        return Some(refused(world, rejected));
    }
    let broken = broken_prerequisites(job, unit, statuses);
    if !broken.is_empty() {
        let mut step = refused(world, broken);
        let needs = operations(job, &unit.operations).flat_map(|operation| &operation.needs);
        step.repeats = needs.copied().collect();
        return Some(step);
    }

    let alone = job.entries.len() == 1;
    let mut outcomes = Vec::with_capacity(unit.operations.len());
    let mut complete = true;
    for part in &unit.parts {
        let operations: Vec<&Operation> = operations(job, part).collect();
        let mut successes = Vec::new();
        let mut failures = Vec::new();
        let results = simulate::apply(world, &operations, job.now);
        for (operation, result) in operations.iter().zip(results) {
            match result {
                Ok(status) => successes.push(status),
                Err(Fault::Refused(error)) => failures.push((operation.index, error)),
                // The parts behind it are tried all the same, so that what
                // they miss is read along with it.
                Err(Fault::Missing) => complete = false,
            }
        }
        if !complete {
            continue;
        }
        if !failures.is_empty() {
            return Some(refused(world, failures));
        }
        let successes = operations.iter().zip(successes);
        outcomes.extend(successes.map(|(operation, status)| {
            operation.outcome(Ok(simulate::done(world, operation, status, alone)))
        }));
    }
    if !complete {
        world.abandon();
        return None;
    }
    let changes = match measured(job, world.changes(), unit) {
        Ok(changes) => changes,
        Err(error) => {
            let outcomes = operations(job, &unit.operations)
                .map(|operation| operation.outcome(Err(error.clone())))
                .collect();
            return Some(Step::without_changes(position, outcomes, world));
        }
    };
    let written = changes
        .iter()
        .filter_map(|change| written(&change.change))
        .collect();
    Some(Step {
        unit: position,
        outcomes,
        changes,
        touched: world.settle(),
        written,
        repeats: BTreeSet::new(),
        transaction: None,
        rests_on: BTreeSet::new(),
    })
}

impl Step {
    /// A unit that leaves nothing behind.
    fn without_changes(unit: usize, outcomes: Vec<Outcome>, world: &mut World<'_>) -> Self {
        Self {
            unit,
            outcomes,
            changes: Vec::new(),
            touched: world.abandon(),
            written: BTreeSet::new(),
            repeats: BTreeSet::new(),
            transaction: None,
            rests_on: BTreeSet::new(),
        }
    }
}

/// The errors of operations by their index, in order of execution.
type Errors = Vec<(usize, ScimError)>;

fn operations<'a>(job: &Job<'a>, indexes: &[usize]) -> impl Iterator<Item = &'a Operation> {
    let entries = job.entries;
    let entries = indexes.iter().filter_map(move |index| entries.get(*index));
    entries.filter_map(|entry| entry.as_ref().ok())
}

/// The entries of the unit that never became operations.
fn rejections(job: &Job<'_>, unit: &Unit) -> Errors {
    let entries = unit.parts.iter().flatten();
    let rejected = entries.filter_map(|index| match job.entries.get(*index)? {
        Ok(_) => None,
        Err(rejection) => Some((*index, rejection.error.clone())),
    });
    rejected.collect()
}

/// The outcomes of a unit that fails: each operation's own error, and for those
/// that have none that of the first one, as that of another.
fn refuse(job: &Job<'_>, unit: &Unit, errors: Errors) -> Vec<Outcome> {
    let undone = match errors.first() {
        Some((culprit, error)) => undone(job, *culprit, error.status()),
        None => ScimError::internal(),
    };
    let mut errors: BTreeMap<usize, ScimError> = errors.into_iter().collect();
    let outcome = |index: &usize| {
        let own = errors.remove(index);
        Some(match job.entries.get(*index)? {
            Ok(operation) => operation.outcome(Err(own.unwrap_or_else(|| undone.clone()))),
            Err(rejection) => rejection.outcome(),
        })
    };
    unit.operations.iter().filter_map(outcome).collect()
}

/// What an operation says that would have succeeded, had another one of its
/// unit not failed.
fn undone(job: &Job<'_>, culprit: usize, status: u16) -> ScimError {
    let name = match bulk_id(job, culprit) {
        Some(bulk_id) => format!("with bulkId `{bulk_id}`"),
        None => format!("at `Operations[{culprit}]`"),
    };
    if job.terms.atomicity == Atomicity::Operation {
        let detail = format!(
            "this operation and the one {name} refer to each other, and that one failed with status {status}"
        );
        return ScimError::new(409, detail);
    }
    let detail = format!(
        "not carried out: with `atomicity={}` it falls with the operation {name}, \
         which failed with status {status}",
        job.terms.atomicity.as_str()
    );
    ScimError::new(424, detail)
}

fn bulk_id<'a>(job: &Job<'a>, index: usize) -> Option<&'a str> {
    match job.entries.get(index)? {
        Ok(operation) => operation.bulk_id.as_deref(),
        Err(rejection) => rejection.bulk_id.as_deref(),
    }
}

/// The failures of prerequisites outside the unit, as the operations' own
/// (RFC 7644 §3.7.2 leaves the status open; `docs/bulk.md`).
fn broken_prerequisites(job: &Job<'_>, unit: &Unit, statuses: &[Option<u16>]) -> Errors {
    let broken = |operation: &Operation| {
        let outside = |need: &&usize| unit.operations.binary_search(need).is_err();
        let (need, status) = operation
            .needs
            .iter()
            .filter(outside)
            .filter_map(|need| Some((*need, statuses.get(*need).copied().flatten()?)))
            .find(|(_, status)| *status >= 400)?;
        let bulk_id = bulk_id(job, need).unwrap_or_default();
        let detail = format!(
            "the operation with bulkId `{bulk_id}`, which this one refers to, failed with status {status}"
        );
        // What was not attempted may be sent again, and so may what waits for it.
        let error = ScimError::new(if status == 503 { 503 } else { 409 }, detail);
        Some((operation.index, error))
    };
    let in_order = unit.parts.iter().flatten().copied().collect::<Vec<_>>();
    operations(job, &in_order).filter_map(broken).collect()
}

/// The changes with their sizes, if a transaction can hold them. An operation
/// that none can hold is 413, a ring 409; both name the number.
fn measured(job: &Job<'_>, changes: Vec<Change>, unit: &Unit) -> Result<Vec<Measured>, ScimError> {
    let (count, most) = (changes.len(), job.capacity);
    // Of too many actions the bytes do not matter.
    if count > most.actions {
        let most = most.actions;
        let needed = format!("{count} actions, and a DynamoDB transaction takes {most}");
        return Err(too_large(job, unit, &needed));
    }
    let changes = changes.into_iter();
    let changes = changes.map(|change| Measured::new(change, job.tenant));
    let changes: Vec<Measured> = changes.collect();
    let bytes: usize = changes.iter().map(|change| change.bytes).sum();
    if bytes > most.bytes {
        let most = most.bytes;
        let needed = format!("{bytes} bytes, and a DynamoDB transaction takes {most}");
        return Err(too_large(job, unit, &needed));
    }
    Ok(changes)
}

fn too_large(job: &Job<'_>, unit: &Unit, needed: &str) -> ScimError {
    match (unit.operations.len(), job.terms.atomicity) {
        (1, _) => {
            let detail = format!("the operation needs {needed}; split it into smaller ones");
            ScimError::new(413, detail)
        }
        (_, Atomicity::Operation) => {
            let detail = format!("the operations that refer to each other need {needed}");
            ScimError::new(409, detail)
        }
        (count, atomicity) => {
            let name = atomicity.as_str();
            let detail = format!("with `atomicity={name}` these {count} operations need {needed}");
            ScimError::new(413, detail)
        }
    }
}

fn written(change: &Change) -> Option<Want> {
    match change {
        Change::Resource {
            resource_type, id, ..
        } => Some(Want::Resource {
            resource_type: &resource_type.name,
            id: *id,
        }),
        Change::Lookup { lookup, .. } if lookup.unique => Some(Want::Unique(lookup.clone())),
        // Everything else is written only together with the resource it
        // belongs to, or by nobody else at all.
        Change::Lookup { .. }
        | Change::Membership { .. }
        | Change::Counter { .. }
        | Change::Marker { .. } => None,
    }
}
