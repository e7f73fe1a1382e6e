//! One round of commits: independent transactions in parallel, dependent ones
//! in order.
//!
//! A transaction that fails a condition leaves the round together with all that
//! wait for it; their operations stay open. A step that writes nothing is
//! settled once everything it has seen is committed.
//!
//! **Failures are never more than allowed.** With `failOnErrors` = N a
//! transaction starts only if, of all operations before its last one in
//! canonical order and not in it, those that have failed and those whose end is
//! open are together fewer than N: however they end, the limit is not reached
//! before it. Its own operations cannot fail before it: they succeed with it or
//! are decided again; and what writes nothing and rests on it alone ends as it
//! was decided, or is decided again as well. Transactions hold consecutive steps
//! then, so the first one that is open can always start.
//!
//! Transactions in flight use different slots of a counter, so a bulk never
//! conflicts with itself.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::board::Board;
use super::idempotency::Run;
use super::password::{Passwords, Unsealed};
use super::{Caller, Provider, service_failed};
use crate::ambient::Moment;
use crate::plan::{ALONE, Outcome, Plan, Step, Transaction, Unit};
use crate::scim::ScimError;
use crate::store::{CommitError, SETTLE};
use crate::table::{Change, Row};

/// What a round is carried out with.
pub(super) struct Execution<'a> {
    pub(super) provider: &'a Provider,
    pub(super) caller: &'a Caller,
    pub(super) moment: &'a Moment,
    pub(super) round: u64,
    pub(super) units: &'a [Unit],
    pub(super) fail_on_errors: Option<NonZeroUsize>,
    /// Of an idempotent request.
    pub(super) run: Option<&'a Run>,
}

/// What has become of the request so far.
pub(super) struct Progress {
    /// By operation.
    pub(super) settled: Vec<Option<Outcome>>,
    /// How often each unit was to blame for a cancelled transaction.
    pub(super) cancelled: Vec<u32>,
    /// A later attempt has taken the request over: nothing can be committed any
    /// more, and what is open is its business.
    pub(super) superseded: bool,
}

impl Execution<'_> {
    /// Commits what the plan holds and writes down what became of it.
    pub(super) async fn run(&self, plan: Plan, progress: &mut Progress) {
        let Plan {
            steps,
            transactions,
            ..
        } = plan;
        let mut board = Board::new(&transactions);
        let mut lanes: BTreeSet<u8> = (0..self.lanes()).collect();
        let mut running: JoinSet<Result<(), CommitError>> = JoinSet::new();
        let mut started: HashMap<Id, (usize, u8)> = HashMap::new();
        let mut passwords = Passwords::new(self.provider, self.moment);
        loop {
            self.settle_unwritten(&steps, &board, progress);
            while let Some(index) = board.ready().filter(|_| !progress.superseded) {
                let Some(transaction) = transactions.get(index) else {
                    break;
                };
                if !self.may_start(index, transaction, &steps, &board, progress) {
                    break;
                }
                if self.moment.deadline <= Instant::now() + SETTLE {
                    board.fail(index);
                    settle(&steps, index, Some(&not_attempted()), progress);
                    continue;
                }
                let Some(lane) = lanes.pop_first() else { break };
                board.start(index);
                let mut transaction = transaction.clone();
                if let Err(unsealed) = passwords.seal(&mut transaction).await {
                    let error = match unsealed {
                        Unsealed::NoTime => not_attempted(),
                        Unsealed::NoHash => ScimError::internal(),
                    };
                    lanes.insert(lane);
                    board.fail(index);
                    settle(&steps, index, Some(&error), progress);
                    continue;
                }
                take_slots(&mut transaction, self.slot(lane));
                if let Some(run) = self.run {
                    let rows = rows(&steps, index);
                    transaction.changes.push(run.marker(lane, rows));
                }
                let task = running.spawn(self.commit(index, transaction));
                started.insert(task.id(), (index, lane));
            }
            let (id, result) = match running.join_next_with_id().await {
                None => break,
                Some(Ok((id, result))) => (id, result),
                // A panic is a defect, and leaves the outcome unknown.
                Some(Err(error)) => (error.id(), Err(CommitError::Unknown)),
            };
            let Some((index, lane)) = started.remove(&id) else {
                continue;
            };
            lanes.insert(lane);
            let error = match result {
                Ok(()) => {
                    board.commit(index);
                    settle(&steps, index, None, progress);
                    continue;
                }
                Err(CommitError::Conditions(failed)) => {
                    let planned = transactions.get(index);
                    // The marker stands behind all that was planned.
                    let of_marker = planned.map_or(0, |planned| planned.changes.len());
                    progress.superseded |= failed.contains(&of_marker);
                    self.blame(planned, &failed, progress);
                    board.fail(index);
                    continue;
                }
                Err(CommitError::NotAttempted) => not_attempted(),
                Err(CommitError::Unknown) => unknown(),
                Err(CommitError::Store(error)) => {
                    let planned = transactions.get(index);
                    if error.is_for_its_content() && isolate(planned, progress) {
                        board.fail(index);
                        continue;
                    }
                    service_failed(&error)
                }
            };
            board.fail(index);
            settle(&steps, index, Some(&error), progress);
        }
    }

    fn commit(
        &self,
        index: usize,
        transaction: Transaction,
    ) -> impl Future<Output = Result<(), CommitError>> + Send + 'static {
        let store = self.provider.store.clone();
        let tenant = self.caller.tenant.clone();
        let deadline = self.moment.deadline;
        let token = self.token(index);
        async move { store.commit(&tenant, &transaction, &token, deadline).await }
    }

    fn may_start(
        &self,
        index: usize,
        transaction: &Transaction,
        steps: &[Step],
        board: &Board,
        progress: &Progress,
    ) -> bool {
        let Some(limit) = self.fail_on_errors else {
            return true;
        };
        let last = transaction.units.last().copied().unwrap_or_default();
        let certain: HashMap<usize, &Outcome> = steps
            .iter()
            .filter(|step| step.transaction.is_none())
            .filter(|step| {
                let on = &step.rests_on;
                on.iter()
                    .all(|other| *other == index || board.is_committed(*other))
            })
            .flat_map(|step| &step.outcomes)
            .map(|outcome| (outcome.index, outcome))
            .collect();
        let doubtful = self
            .units
            .iter()
            .enumerate()
            .take(last)
            .filter(|(position, _)| transaction.units.binary_search(position).is_err())
            .flat_map(|(_, unit)| &unit.operations)
            .filter(|operation| {
                let settled = progress.settled.get(**operation).and_then(Option::as_ref);
                let outcome = settled.or_else(|| certain.get(*operation).copied());
                outcome.is_none_or(|outcome| outcome.result.is_err())
            });
        doubtful.count() < limit.get()
    }

    /// Settles the steps that write nothing and have seen nothing uncommitted.
    /// With a limit of failures none before those that come before it: they may
    /// yet reach it.
    fn settle_unwritten(&self, steps: &[Step], board: &Board, progress: &mut Progress) {
        for step in steps {
            let on = &step.rests_on;
            if step.transaction.is_none() && on.iter().all(|other| board.is_committed(*other)) {
                for outcome in &step.outcomes {
                    record(outcome.clone(), progress);
                }
            }
            let open = |outcome: &Outcome| {
                let settled = progress.settled.get(outcome.index);
                settled.is_some_and(Option::is_none)
            };
            if self.fail_on_errors.is_some() && step.outcomes.iter().any(open) {
                break;
            }
        }
    }

    /// Notes the units whose changes failed their conditions.
    fn blame(&self, transaction: Option<&Transaction>, failed: &[usize], progress: &mut Progress) {
        let Some(transaction) = transaction else {
            return;
        };
        let concerned: BTreeSet<usize> = failed
            .iter()
            .filter_map(|change| transaction.changes.get(*change))
            .flat_map(|planned| planned.operations.iter().copied())
            .collect();
        for position in &transaction.units {
            let Some(unit) = self.units.get(*position) else {
                continue;
            };
            let to_blame = unit
                .operations
                .iter()
                .any(|index| concerned.contains(index));
            if let Some(count) = progress.cancelled.get_mut(*position).filter(|_| to_blame) {
                *count += 1;
            }
        }
    }

    fn lanes(&self) -> u8 {
        let lanes = u8::try_from(self.provider.config.in_flight).unwrap_or(u8::MAX);
        self.run.map_or(lanes, |run| lanes.min(run.lanes()))
    }

    fn slot(&self, lane: u8) -> u8 {
        let [first, ..] = self.moment.bytes("counter slot", self.round);
        first.wrapping_add(lane)
    }

    /// At most 36 characters (service limit); different for every attempt to
    /// decide, also by a later run, the same for every attempt to send.
    fn token(&self, index: usize) -> String {
        let attempt = self.run.map_or(1, Run::attempt);
        let purpose = format!("client request token {attempt} {}", self.round);
        let bytes = self.moment.bytes(&purpose, index as u64);
        bytes
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Settles the operations of a transaction: as decided, or all with an error.
fn settle(steps: &[Step], transaction: usize, error: Option<&ScimError>, progress: &mut Progress) {
    for step in steps
        .iter()
        .filter(|step| step.transaction == Some(transaction))
    {
        for outcome in &step.outcomes {
            let outcome = match error {
                None => outcome.clone(),
                Some(error) => outcome.clone().failed(error.clone()),
            };
            record(outcome, progress);
        }
    }
}

/// What a transaction notes as committed.
fn rows(steps: &[Step], transaction: usize) -> Vec<Row> {
    let steps = steps
        .iter()
        .filter(|step| step.transaction == Some(transaction));
    let done = steps
        .flat_map(|step| &step.outcomes)
        .filter_map(|outcome| Some((outcome.index, outcome.result.as_ref().ok()?)));
    done.map(|(index, done)| Row {
        index,
        status: done.status,
        version: done.version,
    })
    .collect()
}

/// Makes the units of a transaction that DynamoDB will not have come alone next
/// time, so that only the one that it will not have fails; false for a unit that
/// was alone.
fn isolate(transaction: Option<&Transaction>, progress: &mut Progress) -> bool {
    let units = transaction.map_or(&[][..], |transaction| &transaction.units);
    if units.len() < 2 {
        return false;
    }
    for unit in units {
        if let Some(count) = progress.cancelled.get_mut(*unit) {
            *count = count.saturating_add(ALONE);
        }
    }
    true
}

fn record(outcome: Outcome, progress: &mut Progress) {
    if let Some(slot @ None) = progress.settled.get_mut(outcome.index) {
        *slot = Some(outcome);
    }
}

fn take_slots(transaction: &mut Transaction, free: u8) {
    for planned in &mut transaction.changes {
        if let Change::Counter { slot, .. } = &mut planned.change {
            *slot = free;
        }
    }
}

/// 503: certainly not carried out.
pub(super) fn not_attempted() -> ScimError {
    ScimError::new(503, "not attempted: no time was left; send it again")
}

/// 500: it may or may not have been carried out.
fn unknown() -> ScimError {
    ScimError::new(
        500,
        "outcome unknown: the operation may or may not have been carried out",
    )
}
