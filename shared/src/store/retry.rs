//! Asking again, for as long as it may help and there is time.
//!
//! For what may be sent twice: reads, and writes that know their own traces.
//! Attempts are not counted: a partition that throttles for ten seconds and a
//! connection that breaks once are the same to a request, which is over when its
//! time is. What a transaction may repeat has rules of its own, see `commit`.
//! This file must not know what is sent.
//!
//! ```ignore
//! let mut retry = Retry::until(deadline, "GetItem", seed);
//! let answer = retry.persist(|| async { ask().await }).await?;
//! ```

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::StoreError;
use super::backoff::pause;

/// How long before the deadline it is given up what has failed before: whoever
/// waits for it hears why before his own time is over.
const SLACK: Duration = Duration::from_millis(50);

/// One thing that is asked until it is answered.
#[derive(Debug)]
pub(super) struct Retry {
    operation: &'static str,
    seed: String,
    deadline: Instant,
    failed: u32,
}

impl Retry {
    /// Nothing begins after the deadline. `seed` tells apart what is asked at
    /// the same time.
    pub(super) fn until(deadline: Instant, operation: &'static str, seed: String) -> Self {
        Self {
            operation,
            seed,
            deadline,
            failed: 0,
        }
    }

    /// Sends until there is an answer, other than one that might be different
    /// next time, or no time.
    pub(super) async fn persist<T, F>(&mut self, send: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            if let Some(answer) = self.attempt(send()).await? {
                return Ok(answer);
            }
        }
    }

    /// What one attempt came to; none, after a pause, when it failed and another
    /// is to be made.
    ///
    /// A first attempt that is under way at the deadline is left to whoever
    /// waits for it, and to the SDK, which ends every attempt: until then the
    /// table is slow, and only whoever waits knows what that means. A later one
    /// is given up in time.
    pub(super) async fn attempt<T>(
        &mut self,
        sending: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        if self.deadline <= Instant::now() {
            return Err(self.too_late());
        }
        let answer = match self.failed {
            0 => sending.await,
            _ => match timeout_at(self.limit(), sending).await {
                Ok(answer) => answer,
                Err(_) => return Err(self.too_late()),
            },
        };
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => self.again(error).await.map(|()| None),
        }
    }

    /// Waits before another attempt; the error, where that would not help or
    /// come too late.
    pub(super) async fn again(&mut self, error: StoreError) -> Result<(), StoreError> {
        self.failed = self.failed.saturating_add(1);
        let next = Instant::now() + pause(&self.seed, self.failed);
        if next >= self.limit() || !error.is_transient() {
            return Err(error);
        }
        sleep_until(next).await;
        Ok(())
    }

    fn limit(&self) -> Instant {
        self.deadline.checked_sub(SLACK).unwrap_or(self.deadline)
    }

    fn too_late(&self) -> StoreError {
        StoreError::Unanswered {
            operation: self.operation,
            reason: "timeout",
        }
    }
}

#[cfg(test)]
mod tests;
