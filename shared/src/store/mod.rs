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
mod secret;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use tokio::sync::{OnceCell, Semaphore};

pub use client::{client, patience};
pub use commit::{CommitError, SETTLE};
pub use record::{Guard, Kept};

use crate::table::MalformedItem;

/// The most reads under way at once. Each has a connection of its own, and a
/// Lambda may have 1,024 files open: one request that names 60,000 members
/// would otherwise open hundreds, and fail.
const READS: usize = 64;

/// The table, ready to be read and written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
    reads: Arc<Semaphore>,
    secret: Arc<OnceCell<secret::Secret>>,
}

impl Store {
    /// A store on this table.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            reads: Arc::new(Semaphore::new(READS)),
            secret: Arc::default(),
        }
    }
}

/// A fault of the service itself: shown to clients as an opaque 500, and logged
/// once. Neither form contains what is stored: answers of DynamoDB are reduced
/// to their code, because their messages can quote values.
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
        /// `timeout`, `connection` or `response`.
        reason: &'static str,
    },
    /// A batch read kept leaving keys unprocessed.
    #[error("BatchGetItem left keys unprocessed {attempts} times")]
    Throttled {
        /// How often it was tried.
        attempts: u32,
    },
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

impl StoreError {
    /// Reduces an error of the SDK to what may be logged.
    fn of<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug,
    {
        let reason = match error {
            SdkError::ServiceError(context) => {
                let code = context
                    .err()
                    .code()
                    .unwrap_or("an unknown error")
                    .to_owned();
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
