//! The only room that talks to DynamoDB.
//!
//! Two moments touch the table: reading what a plan is made from, and
//! committing its transactions. Every read here is strongly consistent: a miss
//! that cannot be trusted makes an IdP create a duplicate. There is one concrete
//! [`Store`] and no trait; tests put an embedded database behind the same
//! client. This room must not know operations, tokens of people, or HTTP.
//!
//! ```ignore
//! let store = Store::new(store::client(None).await, "scim");
//! store.read(&tenant, &wants, &mut read_set).await?;
//! ```

mod backoff;
mod client;
mod commit;
mod hint;
mod members;
mod read;
mod record;
mod retry;
mod secret;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

pub use client::{client, patience};
pub use commit::{CommitError, SETTLE};
pub use record::{Guard, Kept};
use retry::Retry;

use crate::table::MalformedItem;

/// The most reads under way at once. Each has a connection of its own, and a
/// Lambda may have 1,024 files open: one request that names 60,000 members
/// would otherwise open hundreds, and fail.
const READS: usize = 64;

/// The longest that a read is tried for nobody in particular: API Gateway waits
/// no longer for an answer.
const LONGEST: Duration = Duration::from_secs(30);

/// The table, ready to be read and written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: Arc<str>,
    reads: Arc<Semaphore>,
    secret: Arc<OnceCell<secret::Secret>>,
    /// When the request ends that reads, and what its pauses follow from.
    request: Option<(Instant, u64)>,
}

impl Store {
    /// A store on this table.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into().into(),
            reads: Arc::new(Semaphore::new(READS)),
            secret: Arc::default(),
            request: None,
        }
    }

    /// The same table for one request: what is read through it is asked for
    /// until `deadline`, with pauses that follow from `seed`, so that requests
    /// that are refused together do not come back together. Without a request,
    /// a read is given up after 30 s.
    #[must_use]
    pub fn during(&self, deadline: Instant, seed: u64) -> Self {
        Self {
            request: Some((deadline, seed)),
            ..self.clone()
        }
    }

    /// Asks for something to be read. `what` tells apart what one request reads
    /// at the same time.
    fn asking(&self, operation: &'static str, what: &str) -> Retry {
        let alone = || (Instant::now() + LONGEST, 0);
        let (deadline, seed) = self.request.unwrap_or_else(alone);
        Retry::until(deadline, operation, format!("{seed} {what}"))
    }
}

/// A fault of the service itself: shown to clients as an opaque 500, or as a 503
/// where the same may succeed later, and logged once. Neither form contains what
/// is stored: answers of DynamoDB are reduced to their code, because their
/// messages can quote values.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB answered with an error.
    #[error("{operation} was answered with {code}")]
    Answered {
        /// The DynamoDB operation.
        operation: &'static str,
        /// The error code.
        code: String,
    },
    /// No answer came.
    #[error("{operation} got no answer: {reason}")]
    Unanswered {
        /// The DynamoDB operation.
        operation: &'static str,
        /// `timeout`, `connection`, `response`, or `request` where it could not
        /// be made.
        reason: &'static str,
    },
    /// A batch read kept leaving keys unprocessed.
    #[error("BatchGetItem left keys unprocessed until the end of the request")]
    Throttled,
    /// The memberships of a group kept differing from what its header says.
    #[error("memberships differed from their group until the end of the request")]
    Torn,
    /// An item is not what this version of the service writes.
    #[error(transparent)]
    Malformed(#[from] MalformedItem),
    /// A request could not be made.
    #[error("request could not be built")]
    Build(#[from] BuildError),
    /// A part of a read ended without result.
    #[error("a read was aborted")]
    Aborted,
}

/// What DynamoDB calls a failure of its own (HTTP 500).
const SERVER_ERROR: &str = "InternalServerError";

/// The codes of answers that may be different next time: DynamoDB's own
/// ("Error handling with DynamoDB"), and those that all services of AWS have.
const TRANSIENT: [&str; 8] = [
    "InternalFailure",
    SERVER_ERROR,
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflictException",
];

impl StoreError {
    /// Whether the same may succeed a little later: throttling, a conflict with
    /// another writer, an answer that was lost or spoke of no fault of ours.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled | Self::Torn => true,
            Self::Unanswered { reason, .. } => *reason != "request",
            Self::Answered { code, .. } => TRANSIENT.contains(&code.as_str()),
            Self::Malformed(_) | Self::Build(_) | Self::Aborted => false,
        }
    }

    /// Whether DynamoDB refuses what it was sent for what it holds: an item or a
    /// request that is too large, or that it does not understand.
    pub fn is_for_its_content(&self) -> bool {
        let codes = ["ValidationException", "ValidationError"];
        matches!(self, Self::Answered { code, .. } if codes.contains(&code.as_str()))
    }

    /// Reduces an error of the SDK to what may be logged.
    fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let reason = match error {
            SdkError::ServiceError(context) => {
                let unnamed = match context.raw().status().is_server_error() {
                    true => SERVER_ERROR,
                    false => "an unknown error",
                };
                let code = context.err().code().unwrap_or(unnamed).to_owned();
                return Self::Answered { operation, code };
            }
            SdkError::TimeoutError(_) => "timeout",
            SdkError::ResponseError(_) => "response",
            SdkError::ConstructionFailure(_) => "request",
            _ => "connection",
        };
        Self::Unanswered { operation, reason }
    }
}

#[cfg(test)]
mod scripted;
