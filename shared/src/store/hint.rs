//! Page hints: one small read, one small write, and neither is worth waiting
//! for.
//!
//! Both end after a moment, whatever the table does, and the write is sent once:
//! whoever asks goes on without. The read is a BatchGetItem of one key, because
//! every function has the right to that. This file must not know what a page
//! is.
//!
//! ```ignore
//! let hint = store.hint(&key).await?;
//! ```

use std::time::Duration;

use tokio::time::timeout;

use super::{Store, StoreError};
use crate::table::{Hint, Key};

/// The longest that a hint is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

impl Store {
    /// The hint under this key, expired or not.
    ///
    /// # Errors
    ///
    /// A fault of the table, a read that took too long, an item that is no
    /// hint.
    pub async fn hint(&self, key: &Key) -> Result<Option<Hint>, StoreError> {
        let reading = self.one_batch(vec![key.to_item()]);
        let items = timeout(PATIENCE, reading)
            .await
            .map_err(|_| late("BatchGetItem"))??;
        Ok(items.first().map(Hint::from_item).transpose()?)
    }

    /// Keeps a hint in place of the one that was there.
    ///
    /// # Errors
    ///
    /// A fault of the table or a write that took too long; it may then be kept
    /// or not.
    pub async fn keep_hint(&self, key: &Key, hint: &Hint) -> Result<(), StoreError> {
        let writing = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(hint.to_item(key)))
            .send();
        match timeout(PATIENCE, writing).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(StoreError::of("PutItem", &error)),
            Err(_) => Err(late("PutItem")),
        }
    }
}

fn late(operation: &'static str) -> StoreError {
    StoreError::Unanswered {
        operation,
        reason: "timeout",
    }
}
