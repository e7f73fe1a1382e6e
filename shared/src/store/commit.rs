//! One transaction, sent until its outcome is known.
//!
//! Every attempt sends the same actions with the same client request token.
//! DynamoDB remembers the token of a completed transaction for ten minutes and
//! answers a repetition with success without writing again, and a repetition of
//! one that still runs with `TransactionInProgressException`. So resending never
//! applies twice, and it is the way to learn what became of an attempt that got
//! no answer. What an answer says:
//!
//! - **Success**: applied, by this attempt or by an earlier one.
//! - **Cancelled, a condition failed**: not applied. Had an earlier attempt been
//!   applied, the repetition would have succeeded. The conditions named are
//!   false now; the plan has to be made again from fresh reads.
//! - **Cancelled for conflicts or throttling alone**, or throttled as a whole:
//!   this attempt did nothing, and the next may. A conflict can be with our own
//!   unanswered attempt, so it does not settle what that one did.
//! - **In progress, 5xx, timeout, lost connection, unreadable answer**: unknown.
//!   From here on only success or a cancellation that is not for a conflict
//!   settles it.
//! - **Anything else** (validation, access): not applied and never will be,
//!   unless an earlier attempt is still unsettled.
//!
//! A fresh attempt starts only while [`SETTLE`] is left before the deadline; an
//! unsettled one is repeated up to the deadline itself. One case is beyond this
//! protocol: a request that reaches DynamoDB after the client gave it up and
//! after its own repetition was cancelled. Its conditions are on revisions,
//! which never come back, so it is refused then, with the exception of a value
//! that was taken and is free again.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::pause;
use super::client::ATTEMPT;
use super::{Store, StoreError};
use crate::plan::transaction::Transaction;
use crate::table::Tenant;
use crate::table::action::action;

/// The time before the deadline that is kept for learning outcomes.
pub const SETTLE: Duration = Duration::from_secs(2);

/// How long a token is relied upon: DynamoDB keeps it for ten minutes.
const TOKEN: Duration = Duration::from_secs(9 * 60);

const OPERATION: &str = "TransactWriteItems";

/// Why a transaction was not applied, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Not applied: what these changes relied on does not hold. Indexes into
    /// the transaction's changes.
    #[error("conditions {0:?} failed")]
    Conditions(Vec<usize>),
    /// Not applied: there was no time left to attempt it, or it met conflicts
    /// or throttling until there was none.
    #[error("no time was left for the transaction")]
    NotAttempted,
    /// It was sent, and what became of it could not be learnt in time.
    #[error("the outcome of the transaction is unknown")]
    Unknown,
    /// Not applied, and another attempt would not help.
    #[error("the transaction was refused")]
    Store(#[source] StoreError),
}

/// What one attempt says.
enum Answer {
    Applied,
    Conditions(Vec<usize>),
    Again { settles: bool },
    Unknown,
    Refused { error: StoreError, settles: bool },
}

type Failure = SdkError<TransactWriteItemsError, aws_sdk_dynamodb::config::http::HttpResponse>;

impl Store {
    /// Commits one transaction. `token`, at most 36 characters, must be its own
    /// and the same whenever this transaction is sent.
    ///
    /// # Errors
    ///
    /// See [`CommitError`]; only [`CommitError::Unknown`] leaves open whether
    /// the transaction was applied.
    pub async fn commit(
        &self,
        tenant: &Tenant,
        transaction: &Transaction,
        token: &str,
        deadline: Instant,
    ) -> Result<(), CommitError> {
        // What a request creates and deletes again may leave nothing to write, and
        // DynamoDB refuses a transaction of no actions.
        if transaction.changes.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let deadline = deadline.min(started + TOKEN);
        let last_start = deadline.checked_sub(SETTLE).unwrap_or(started);
        let actions: Result<Vec<_>, _> = transaction
            .changes
            .iter()
            .map(|planned| action(&planned.change, tenant, &self.table))
            .collect();
        let actions = actions.map_err(|error| CommitError::Store(error.into()))?;

        let mut unsettled = false;
        let mut failed = 0;
        loop {
            let limit = if unsettled { deadline } else { last_start };
            let now = Instant::now();
            if now >= limit {
                return Err(out_of_time(unsettled));
            }
            let patience = ATTEMPT.min(deadline.saturating_duration_since(now));
            match self.attempt(actions.clone(), token, patience).await {
                Answer::Applied => return Ok(()),
                Answer::Conditions(failed) => return Err(CommitError::Conditions(failed)),
                Answer::Refused { error, settles } => {
                    let open = unsettled && !settles;
                    return Err(if open {
                        CommitError::Unknown
                    } else {
                        CommitError::Store(error)
                    });
                }
                Answer::Again { settles } => unsettled = unsettled && !settles,
                Answer::Unknown => unsettled = true,
            }
            failed += 1;
            let limit = if unsettled { deadline } else { last_start };
            let next = Instant::now() + pause(token, failed);
            if next >= limit {
                return Err(out_of_time(unsettled));
            }
            sleep_until(next).await;
        }
    }

    async fn attempt(
        &self,
        actions: Vec<TransactWriteItem>,
        token: &str,
        patience: Duration,
    ) -> Answer {
        let sending = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .client_request_token(token)
            .send();
        match timeout(patience, sending).await {
            Ok(Ok(_)) => Answer::Applied,
            Ok(Err(error)) => read_answer(&error),
            Err(_) => Answer::Unknown,
        }
    }
}

fn out_of_time(unsettled: bool) -> CommitError {
    if unsettled {
        CommitError::Unknown
    } else {
        CommitError::NotAttempted
    }
}

fn read_answer(error: &Failure) -> Answer {
    let refused = |settles| Answer::Refused {
        error: StoreError::of(OPERATION, error),
        settles,
    };
    let context = match error {
        SdkError::ServiceError(context) => context,
        SdkError::ConstructionFailure(_) => return refused(false),
        _ => return Answer::Unknown,
    };
    if let TransactWriteItemsError::TransactionCanceledException(cancelled) = context.err() {
        let codes = cancelled.cancellation_reasons().iter();
        let codes: Vec<&str> = codes
            .map(|reason| reason.code().unwrap_or("None"))
            .collect();
        return read_reasons(&codes).unwrap_or_else(|code| Answer::Refused {
            error: StoreError::Answered {
                operation: OPERATION,
                code: code.to_owned(),
            },
            settles: true,
        });
    }
    match context.err().code().unwrap_or_default() {
        "TransactionInProgressException" => Answer::Unknown,
        "ThrottlingException"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingError" => Answer::Again { settles: false },
        _ if context.raw().status().is_server_error() => Answer::Unknown,
        _ => refused(false),
    }
}

/// The reasons of a cancelled transaction, in the order of its actions. The
/// code that allows no other attempt is the error.
fn read_reasons<'a>(codes: &[&'a str]) -> Result<Answer, &'a str> {
    let failed: Vec<usize> = codes
        .iter()
        .enumerate()
        .filter_map(|(index, code)| (*code == "ConditionalCheckFailed").then_some(index))
        .collect();
    if !failed.is_empty() {
        return Ok(Answer::Conditions(failed));
    }
    let transient = [
        "None",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    match codes.iter().find(|code| !transient.contains(code)) {
        Some(code) => Err(code),
        None => Ok(Answer::Again {
            settles: !codes.contains(&"TransactionConflict"),
        }),
    }
}

#[cfg(test)]
mod tests;
