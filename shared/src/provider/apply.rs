//! Carrying out operations: rounds of read, plan and commit.
//!
//! **Why this is right.** A round reads, consistently, all that the operations
//! still open touch, decides every outcome in memory in canonical order, and
//! commits the resulting transactions so that two which touch a common item
//! keep that order. Each transaction is conditional on everything that its
//! outcome rests on and that others may change: the revision of each resource
//! it changes, the owner of each unique value, the existence of each member. So
//! a transaction that commits has the outcome that was decided, whoever wrote
//! meanwhile. One whose condition fails has changed nothing; it and the units
//! that build on it stay open, and the next round decides them anew from what
//! is true by then. An outcome without a write (an error, a no-op) is settled
//! only when all that it rests on within the request is: it was true of the
//! table at the moment of the read. Where that is more than one item, it need
//! not have been: DynamoDB shows the items of a transaction one by one while it
//! commits. So members that a PATCH finds as they shall be are checked in a
//! transaction of their own right, together with their group, and a group that
//! is read whole is read until its members are those of its header.
//!
//! An operation is settled once and never decided again. While the outcome of a
//! transaction is unknown, nothing that builds on it is decided at all.
//!
//! The only bound on rounds is the deadline; the request ends with 503 for what
//! was never attempted. What a repetition of an idempotent request may rely on
//! is argued in `idempotency`.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::execute::{Execution, Progress, not_attempted};
use super::idempotency::Run;
use super::{Caller, Provider, service_failed};
use crate::ambient::Moment;
use crate::plan::{
    self, Capacity, Entry, Job, Method, Outcome, Plan, ReadSet, Summary, Terms, Unit,
};
use crate::scim::ScimError;
use crate::store::StoreError;

/// No round starts with less time than this left.
const ROUND: Duration = Duration::from_millis(500);

/// No plan goes on once the items that it changes have so many bytes as stored:
/// in memory each can be thirty times as large, and there is one of each for
/// every row that changes it.
const MOST_PLANNED: usize = 32 * 1024 * 1024;

/// By how much a stored password is longer than the clear one, at most.
const HASH: usize = 128;

/// What a lane takes for a row that it notes, and for itself.
const NOTE: usize = 48;
const LANE: usize = 512;

/// The longest pause between two rounds.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

impl Provider {
    /// Carries out operations. The outcomes come in request order; those that
    /// were not processed because `failOnErrors` was reached are absent.
    ///
    /// Every failure is an outcome: 503 where there was no time left to try,
    /// 500 where the store failed or an outcome could not be learnt in time.
    /// With a `run`, what earlier runs of the request have committed stays as
    /// they left it.
    pub async fn apply(
        &self,
        caller: &Caller,
        moment: &Moment,
        entries: &[Entry],
        terms: Terms,
        run: Option<&Run>,
    ) -> Vec<Outcome> {
        let limit = terms.fail_on_errors;
        let units = plan::order(entries, terms.atomicity);
        let mut progress = Progress {
            settled: vec![None; entries.len()],
            cancelled: vec![0; units.len()],
            superseded: false,
        };
        if let Some(run) = run {
            run.settle(entries, &mut progress.settled);
        }
        let mut round = 0;
        loop {
            // Half of the time is for planning, the rest for what was planned and
            // for another round.
            let until = Instant::now() + remaining(moment) / 2;
            let enough = |bytes| bytes >= MOST_PLANNED || until <= Instant::now();
            let job = Job {
                entries,
                units: &units,
                settled: &progress.settled,
                terms,
                now: moment.now,
                tenant: &caller.tenant,
                cancelled: &progress.cancelled,
                capacity: capacity(entries, run.is_some()),
                enough: &enough,
            };
            let planned = match self.plan(caller, moment, &job).await {
                Ok(plan) => plan,
                Err(error) => {
                    let error = error.into_answer();
                    give_up(&units, entries, limit, &mut progress, &error);
                    break;
                }
            };
            let is_cut = planned.is_cut;
            tracing::debug!(bulk.operations = entries.len(), round, "plan:\n{planned}");
            let execution = Execution {
                provider: self,
                caller,
                moment,
                round,
                units: &units,
                fail_on_errors: limit,
                run,
            };
            execution.run(planned, &mut progress).await;
            if progress.superseded {
                give_up(&units, entries, limit, &mut progress, &taken_over());
                break;
            }
            if !any_open(&units, &progress.settled, limit) {
                break;
            }
            round += 1;
            if !is_cut {
                pause(moment, round).await;
            }
            if remaining(moment) < ROUND {
                let error = not_attempted();
                give_up(&units, entries, limit, &mut progress, &error);
                break;
            }
        }
        progress.settled.into_iter().flatten().collect()
    }

    /// Says what would become of operations if nobody else wrote meanwhile, and
    /// writes nothing; `has_key` whether the request would be an idempotent one.
    /// The outcomes come in request order, as those of [`Provider::apply`], but
    /// have no target where it would only be created: its id would be another.
    ///
    /// # Errors
    ///
    /// 413 for what takes too long to plan at once, or too much memory, 503
    /// without time to read, 500 for a fault of the store.
    pub async fn dry_run(
        &self,
        caller: &Caller,
        moment: &Moment,
        entries: &[Entry],
        terms: Terms,
        has_key: bool,
    ) -> Result<(Vec<Outcome>, Summary), ScimError> {
        let units = plan::order(entries, terms.atomicity);
        let enough = |bytes| bytes >= MOST_PLANNED || remaining(moment) < ROUND;
        let job = Job {
            entries,
            units: &units,
            settled: &vec![None; entries.len()],
            terms,
            now: moment.now,
            tenant: &caller.tenant,
            cancelled: &[],
            capacity: capacity(entries, has_key),
            enough: &enough,
        };
        let planned = self.plan(caller, moment, &job).await;
        let planned = planned.map_err(PlanningStopped::into_answer)?;
        if planned.is_cut {
            let detail = "the request is too large to be planned at once; send a part of it";
            return Err(ScimError::new(413, detail));
        }
        let summary = Summary::new(entries, &units, &planned, &caller.tenant);
        let steps = planned.steps.into_iter();
        let mut outcomes: Vec<Outcome> = steps.flat_map(|step| step.outcomes).collect();
        outcomes.sort_by_key(|outcome| outcome.index);
        let legal = entries.iter().flatten();
        let creates = legal.filter(|operation| operation.method == Method::Create);
        let created: HashSet<String> = creates.map(|create| create.id.to_string()).collect();
        for outcome in &mut outcomes {
            outcome
                .target
                .take_if(|target| created.contains(&target.id));
        }
        Ok((outcomes, summary))
    }

    /// Reads and plans until nothing is missing.
    async fn plan(
        &self,
        caller: &Caller,
        moment: &Moment,
        job: &Job<'_>,
    ) -> Result<Plan, PlanningStopped> {
        let mut read = ReadSet::default();
        loop {
            match plan::plan(job, &read) {
                Ok(plan) => return Ok(plan),
                Err(wants) => {
                    if moment.deadline <= Instant::now() {
                        return Err(PlanningStopped::NoTime);
                    }
                    // A read that hangs is tried for longer than the platform
                    // waits; what earlier rounds have settled must be told.
                    let reading = self.store.read(&caller.tenant, &wants, &mut read);
                    timeout_at(moment.deadline, reading)
                        .await
                        .map_err(|_| PlanningStopped::NoTime)?
                        .map_err(PlanningStopped::Store)?;
                }
            }
        }
    }
}

enum PlanningStopped {
    NoTime,
    Store(StoreError),
}

impl PlanningStopped {
    fn into_answer(self) -> ScimError {
        match self {
            Self::NoTime => not_attempted(),
            Self::Store(error) => service_failed(&error),
        }
    }
}

/// What the plan of these entries may put into a transaction: all but what is
/// added to it before it is sent. Passwords become longer; and one action of an
/// idempotent request is the marker, an item that may already note every other
/// row.
pub fn capacity(entries: &[Entry], has_key: bool) -> Capacity {
    let whole = Capacity::WHOLE;
    let marker = usize::from(has_key) * (LANE + NOTE * entries.len());
    let actions = whole.actions - usize::from(has_key);
    let bytes = whole.bytes.saturating_sub(whole.actions * HASH);
    Capacity {
        actions,
        bytes: bytes.saturating_sub(marker),
    }
}

fn remaining(moment: &Moment) -> Duration {
    moment.deadline.saturating_duration_since(Instant::now())
}

/// Whether some operation must still be decided. With a limit of failures, the
/// units behind the one that reached it need not be.
fn any_open(units: &[Unit], settled: &[Option<Outcome>], limit: Option<NonZeroUsize>) -> bool {
    let mut failures = 0;
    for index in units.iter().flat_map(|unit| &unit.operations) {
        if limit.is_some_and(|limit| failures >= limit.get()) {
            return false;
        }
        match settled.get(*index).and_then(Option::as_ref) {
            Some(outcome) => failures += usize::from(outcome.result.is_err()),
            None => return true,
        }
    }
    false
}

/// Settles what is open with one error, as far as the limit of failures goes.
fn give_up(
    units: &[Unit],
    entries: &[Entry],
    limit: Option<NonZeroUsize>,
    progress: &mut Progress,
    error: &ScimError,
) {
    let mut failures = 0;
    for index in units.iter().flat_map(|unit| &unit.operations) {
        if limit.is_some_and(|limit| failures >= limit.get()) {
            return;
        }
        let (Some(entry), Some(slot)) = (entries.get(*index), progress.settled.get_mut(*index))
        else {
            continue;
        };
        let outcome = slot.get_or_insert_with(|| match entry {
            Ok(operation) => operation.outcome(Err(error.clone())),
            Err(rejection) => rejection.outcome(),
        });
        failures += usize::from(outcome.result.is_err());
    }
}

/// 503: not carried out here; whether the other run has done so, it will tell.
fn taken_over() -> ScimError {
    ScimError::new(
        503,
        "a repetition of this request has taken it over; send it again to learn the outcome",
    )
}

/// Lets the other writer finish: a growing pause with jitter from the request's
/// own seed.
async fn pause(moment: &Moment, round: u64) {
    let [first, second, ..] = moment.bytes("pause", round);
    let jitter = u64::from(u16::from_be_bytes([first, second])) % 100;
    let base = Duration::from_millis(5).saturating_mul(1 << round.min(7));
    let pause = base.min(LONGEST_PAUSE).mul_f64(0.5 + jitter as f64 / 100.0);
    tokio::time::sleep(pause).await;
}
