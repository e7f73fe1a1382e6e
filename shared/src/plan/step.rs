//! One unit: its outcomes, and what it changes, within what one transaction
//! holds.

use std::collections::BTreeSet;

use super::operation::Operation;
use super::read_set::Want;
use super::simulate::{self, Fault};
use super::transaction::{MAX_ACTIONS, MAX_BYTES};
use super::world::World;
use super::{Job, Outcome, Unit};
use crate::scim::ScimError;
use crate::table::{Change, Tenant};

/// One unit with its outcomes and what it writes.
#[derive(Debug, Clone)]
pub struct Step {
    /// Position in the canonical order.
    pub unit: usize,
    /// One per operation of the unit.
    pub outcomes: Vec<Outcome>,
    /// What becomes of each item; moved into a transaction by packing.
    pub(super) changes: Vec<Change>,
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
    /// seen, or those have whose failure it repeats.
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
    let mut operations = Vec::new();
    for index in &unit.operations {
        match job.entries.get(*index) {
            Some(Ok(operation)) => operations.push(operation),
            // A rejection names no bulkId, so it is never part of a ring.
            Some(Err(rejection)) => {
                return Some(Step::without_changes(
                    position,
                    vec![rejection.outcome()],
                    world,
                ));
            }
            None => {}
        }
    }
    let broken = |operation: &&Operation| broken_prerequisite(job, operation, unit, statuses);
    let broken: Vec<Option<ScimError>> = operations.iter().map(broken).collect();
    if broken.iter().any(Option::is_some) {
        let mut step = Step::without_changes(position, refuse(&operations, broken), world);
        let needs = operations.iter().flat_map(|operation| &operation.needs);
        step.repeats = needs.copied().collect();
        return Some(step);
    }

    let results = simulate::apply(world, &operations, job.now);
    let mut successes = Vec::new();
    let mut failures = Vec::new();
    for result in results {
        match result {
            Ok(status) => {
                successes.push(status);
                failures.push(None);
            }
            Err(Fault::Refused(error)) => failures.push(Some(error)),
            Err(Fault::Missing) => {
                world.abandon();
                return None;
            }
        }
    }
    if failures.iter().any(Option::is_some) {
        return Some(Step::without_changes(
            position,
            refuse(&operations, failures),
            world,
        ));
    }
    let changes = world.changes();
    if let Some(error) = too_large(job.tenant, &changes, operations.len()) {
        let outcomes = operations
            .iter()
            .map(|operation| operation.outcome(Err(error.clone())));
        return Some(Step::without_changes(position, outcomes.collect(), world));
    }

    let alone = job.entries.len() == 1;
    let outcomes = operations
        .iter()
        .zip(successes)
        .map(|(operation, status)| {
            operation.outcome(Ok(simulate::done(world, operation, status, alone)))
        })
        .collect();
    let written = changes.iter().filter_map(written).collect();
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

/// The outcomes of a unit that fails: each operation's own error, and for those
/// of a ring that have none the first one's, as that of the other.
fn refuse(operations: &[&Operation], errors: Vec<Option<ScimError>>) -> Vec<Outcome> {
    let first = operations.iter().zip(&errors);
    let culprit = first
        .filter_map(|(operation, error)| Some((*operation, error.as_ref()?.status())))
        .next();
    let fallback = || match culprit {
        Some((culprit, status)) => ring_failure(culprit, status),
        None => ScimError::internal(),
    };
    let outcomes = operations
        .iter()
        .zip(errors)
        .map(|(operation, error)| operation.outcome(Err(error.unwrap_or_else(fallback))));
    outcomes.collect()
}

/// The failure of a prerequisite outside the unit, as this operation's own
/// (RFC 7644 §3.7.2 leaves the status open; `docs/bulk.md`).
fn broken_prerequisite(
    job: &Job<'_>,
    operation: &Operation,
    unit: &Unit,
    statuses: &[Option<u16>],
) -> Option<ScimError> {
    let (need, status) = operation
        .needs
        .iter()
        .filter(|need| unit.operations.binary_search(need).is_err())
        .filter_map(|need| Some((*need, statuses.get(*need).copied().flatten()?)))
        .find(|(_, status)| *status >= 400)?;
    let bulk_id = match job.entries.get(need)? {
        Ok(operation) => operation.bulk_id.as_deref(),
        Err(rejection) => rejection.bulk_id.as_deref(),
    };
    let bulk_id = bulk_id.unwrap_or_default();
    let detail = format!(
        "the operation with bulkId `{bulk_id}`, which this one refers to, failed with status {status}"
    );
    // What was not attempted may be sent again, and so may what waits for it.
    Some(ScimError::new(
        if status == 503 { 503 } else { 409 },
        detail,
    ))
}

fn ring_failure(culprit: &Operation, status: u16) -> ScimError {
    let bulk_id = culprit.bulk_id.as_deref().unwrap_or_default();
    let detail = format!(
        "this operation and the one with bulkId `{bulk_id}` refer to each other, \
         and that one failed with status {status}"
    );
    ScimError::new(409, detail)
}

/// An operation that no transaction can hold is 413, a ring 409; both name the
/// number.
fn too_large(tenant: &Tenant, changes: &[Change], operations: usize) -> Option<ScimError> {
    // An item has at most 400 KB, so fewer than eleven cannot be too many bytes.
    let measured = if changes.len() > 10 { changes } else { &[] };
    let bytes: usize = measured.iter().map(|change| change.bytes(tenant)).sum();
    let excess = if changes.len() > MAX_ACTIONS {
        format!(
            "{} actions, and a DynamoDB transaction takes {MAX_ACTIONS}",
            changes.len()
        )
    } else if bytes > MAX_BYTES {
        format!("{bytes} bytes, and a DynamoDB transaction takes {MAX_BYTES}")
    } else {
        return None;
    };
    Some(match operations {
        1 => ScimError::new(
            413,
            format!("the operation needs {excess}; split it into smaller ones"),
        ),
        _ => ScimError::new(
            409,
            format!("the operations that refer to each other need {excess}"),
        ),
    })
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
        Change::Lookup { .. } | Change::Membership { .. } | Change::Counter { .. } => None,
    }
}
