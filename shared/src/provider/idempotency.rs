//! Carrying out a request with an `Idempotency-Key` once, however often it is
//! sent and wherever a run of it dies.
//!
//! **Why this is right.** The first run writes the record of the request before
//! anything else: a seed, from which its ids follow, and a lease. Each
//! of its transactions goes through a lane, an item that notes, in the same
//! transaction, which rows it commits, on condition that the lane is still the
//! attempt's own. So a row is noted if and only if it is committed.
//!
//! A repetition is answered from the record when there is an answer. While the
//! lease lasts it is told to wait. Then it takes the request over: it writes
//! the next attempt into the record, conditional on the last one, so of several
//! only one succeeds; and makes every lane its own, which also tells it the
//! rows. From the moment that a lane is taken no transaction of an earlier
//! attempt can go through it, however long it was under way: its condition
//! fails, and it has done nothing. One that came through before is in the list.
//! So after the last lane is taken the rows noted are exactly those that are
//! committed, and will be; all others are planned anew. The lease only decides
//! how soon a repetition begins; clocks that disagree cost time, never a row.
//!
//! An answer is stored only when every row of it is final. A request that ran
//! out of time gives its lease back instead, so that it can be sent again at
//! once and goes on where it stopped; rows whose outcome was unknown are then
//! either noted or certain never to come.
//!
//! Rows that fail, or change nothing, leave no note: a repetition decides them
//! again on what is true by then.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Caller, Fault, Provider};
use crate::ambient::Moment;
use crate::plan::{Access, Done, Entry, Outcome, Planned};
use crate::scim::schema::catalogue;
use crate::scim::{ScimError, Timestamp};
use crate::store::{Guard, Kept, StoreError};
use crate::table::change::Lane;
use crate::table::record::PIECE;
use crate::table::{Answer, Change, Record, RequestKey, Row, Tenant};

/// How long a request is remembered.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long after its deadline a run is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// A request that its client has given a key.
#[derive(Debug, Clone)]
pub struct Intention {
    /// Issuer, client and key.
    pub request: RequestKey,
    /// Of everything that the request asks for; [`stretched`](super::stretched)
    /// where that may contain a secret.
    pub fingerprint: [u8; 32],
    /// The names of the resource types that it writes to.
    pub types: BTreeSet<String>,
    /// How many transactions of it may be under way at once.
    pub lanes: u8,
}

/// What is to be done with a request that has a key.
#[derive(Debug)]
pub enum Begun {
    /// It is carried out, or goes on.
    Run(Box<Run>),
    /// It was answered before, with this.
    Answered(String),
    /// Another run is at work for at most so long.
    Running(Duration),
}

/// One run of an idempotent request.
#[derive(Debug)]
pub struct Run {
    tenant: Tenant,
    request: RequestKey,
    record: Record,
    rows: Vec<Row>,
    /// The seed of the first run; instant and deadline of this one.
    pub moment: Moment,
}

impl Provider {
    /// Begins a request, or takes it over.
    ///
    /// # Errors
    ///
    /// 422 when the key was used for another request, 403 when the caller may
    /// not be told what became of it; a fault of the store.
    pub async fn begin(
        &self,
        caller: &Caller,
        moment: &Moment,
        intention: Intention,
    ) -> Result<Begun, Fault> {
        let Intention {
            request,
            fingerprint,
            types,
            lanes,
        } = intention;
        let tenant = &caller.tenant;
        let [run, _] = halves(moment.bytes("run", 0));
        let [generation, _] = halves(moment.bytes("generation", 0));
        let first = Record {
            fingerprint,
            seed: moment.seed,
            generation: generation
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            lanes,
            attempt: 1,
            run,
            lease: after(moment.now, remaining(moment) + GRACE),
            types,
            expires: after(moment.now, KEPT),
            answer: None,
        };
        let writing = self.store.keep_record(
            tenant,
            &request,
            &first,
            Guard::None(moment.now),
            moment.deadline,
        );
        let known = match writing.await? {
            Kept::Other(Some(known)) if known.run != run => *known,
            Kept::Other(None) => return Ok(Begun::Running(GRACE)),
            // Written now, or before an answer was lost.
            Kept::Other(Some(_)) | Kept::Written => {
                return Ok(Begun::run(tenant, request, first, Vec::new(), moment));
            }
        };
        if known.fingerprint != fingerprint {
            let detail = "the `Idempotency-Key` was used for another request";
            return Err(ScimError::new(422, detail).into());
        }
        // Whoever is told what became of a request must still be allowed to make it.
        for resource_type in known
            .types
            .iter()
            .filter_map(|name| catalogue().by_name(name))
        {
            caller.rights.require(resource_type, Access::Write)?;
        }
        if let Some(answer) = &known.answer {
            return Ok(Begun::Answered(
                self.answer(tenant, &request, &known, answer).await?,
            ));
        }
        if known.lease > moment.now {
            return Ok(Begun::Running(between(moment.now, known.lease)));
        }
        let next = Record {
            attempt: known.attempt.saturating_add(1),
            run,
            lease: first.lease,
            ..known.clone()
        };
        let writing = self.store.keep_record(
            tenant,
            &request,
            &next,
            Guard::Unanswered(&known),
            moment.deadline,
        );
        match writing.await? {
            Kept::Written => {}
            Kept::Other(Some(other)) if other.run == run => {}
            // Somebody else was faster.
            Kept::Other(_) => return Ok(Begun::Running(GRACE)),
        }
        match self
            .take_lanes(tenant, &request, &next, moment.deadline)
            .await?
        {
            Some(rows) => Ok(Begun::run(tenant, request, next, rows, moment)),
            None => Ok(Begun::Running(GRACE)),
        }
    }

    /// Stores the answer of a run, of which every row is final. Where that does
    /// not succeed, a repetition finds the same rows by the lanes.
    pub async fn finish(&self, run: &Run, text: &str) {
        let mut pieces = split(text);
        let rest = pieces.split_off(1.min(pieces.len()));
        let answer = Answer {
            text: pieces.pop().unwrap_or_default(),
            pieces: rest.len() + 1,
        };
        let record = Record {
            answer: Some(answer),
            ..run.record.clone()
        };
        let (tenant, request, deadline) = (&run.tenant, &run.request, run.after_deadline());
        let keeping = self
            .store
            .keep_pieces(tenant, request, &record, &rest, deadline);
        let kept = keeping.await;
        let kept = match kept {
            Ok(()) => self.replace(run, &record).await,
            Err(error) => Err(error),
        };
        noted(kept);
    }

    /// Gives the lease of a run back: it has ended, and not everything is done.
    pub async fn release(&self, run: &Run) {
        let record = Record {
            lease: Timestamp(0),
            ..run.record.clone()
        };
        noted(self.replace(run, &record).await);
    }

    async fn replace(&self, run: &Run, record: &Record) -> Result<(), StoreError> {
        let guard = Guard::Unanswered(&run.record);
        let deadline = run.after_deadline();
        let writing = self
            .store
            .keep_record(&run.tenant, &run.request, record, guard, deadline);
        // What stands there instead was written by this run before an answer
        // was lost, or by a later one.
        writing.await.map(|_| ())
    }

    async fn take_lanes(
        &self,
        tenant: &Tenant,
        request: &RequestKey,
        record: &Record,
        deadline: Instant,
    ) -> Result<Option<Vec<Row>>, StoreError> {
        let mut taking = JoinSet::new();
        for number in 0..record.lanes {
            let (store, tenant) = (self.store.clone(), tenant.clone());
            let lane = lane(request, record, number);
            taking.spawn(async move { store.take_lane(&tenant, &lane, deadline).await });
        }
        let mut rows = Vec::new();
        while let Some(taken) = taking.join_next().await {
            match taken.map_err(|_| StoreError::Aborted)?? {
                Some(found) => rows.extend(found),
                None => return Ok(None),
            }
        }
        Ok(Some(rows))
    }

    async fn answer(
        &self,
        tenant: &Tenant,
        request: &RequestKey,
        record: &Record,
        answer: &Answer,
    ) -> Result<String, StoreError> {
        let rest = self.store.pieces(tenant, request, record, answer.pieces);
        Ok(answer.text.clone() + &rest.await?)
    }
}

impl Begun {
    fn run(
        tenant: &Tenant,
        request: RequestKey,
        record: Record,
        rows: Vec<Row>,
        moment: &Moment,
    ) -> Self {
        let moment = Moment {
            seed: record.seed,
            ..moment.clone()
        };
        Self::Run(Box::new(Run {
            tenant: tenant.clone(),
            request,
            record,
            rows,
            moment,
        }))
    }
}

impl Run {
    /// Whether an earlier run has begun the request.
    pub fn is_repetition(&self) -> bool {
        self.record.attempt > 1
    }

    /// How often the request was begun, this time included.
    pub(super) fn attempt(&self) -> u64 {
        self.record.attempt
    }

    pub(super) fn lanes(&self) -> u8 {
        self.record.lanes
    }

    /// What a transaction that goes through this lane carries besides.
    pub(super) fn marker(&self, number: u8, rows: Vec<Row>) -> Planned {
        Planned {
            change: Change::Marker {
                lane: lane(&self.request, &self.record, number),
                rows,
            },
            operations: Vec::new(),
        }
    }

    /// Settles what earlier runs have committed.
    pub(super) fn settle(&self, entries: &[Entry], settled: &mut [Option<Outcome>]) {
        for row in &self.rows {
            let done = Done {
                status: row.status,
                version: row.version,
                resource: None,
                members: None,
            };
            let outcome = match entries.get(row.index) {
                Some(Ok(operation)) => operation.outcome(Ok(done)),
                // Refused by now, since the settings have changed.
                Some(Err(rejection)) => Outcome {
                    result: Ok(done),
                    ..rejection.outcome()
                },
                None => continue,
            };
            if let Some(slot) = settled.get_mut(row.index) {
                *slot = Some(outcome);
            }
        }
    }

    /// The platform gives a little time beyond the deadline.
    fn after_deadline(&self) -> Instant {
        self.moment.deadline + Duration::from_secs(1)
    }
}

fn lane(request: &RequestKey, record: &Record, number: u8) -> Lane {
    Lane {
        request: request.clone(),
        generation: record.generation.clone(),
        number,
        attempt: record.attempt,
        expires: record.expires,
    }
}

/// Pieces that an item can hold, none within a character.
fn split(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, further) = rest.split_at(rest.floor_char_boundary(PIECE));
        pieces.push(piece.to_owned());
        rest = further;
    }
    pieces
}

fn noted(kept: Result<(), StoreError>) {
    if let Err(error) = kept {
        tracing::warn!(%error, "the end of an idempotent request could not be noted");
    }
}

fn remaining(moment: &Moment) -> Duration {
    moment.deadline.saturating_duration_since(Instant::now())
}

fn after(instant: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timestamp(instant.0.saturating_add(by))
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or_default())
}

fn halves(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    halves.as_flattened_mut().copy_from_slice(&bytes);
    halves
}
