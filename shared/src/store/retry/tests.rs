use std::cell::Cell;

use tokio::time::{advance, sleep};

use super::*;
use crate::table::MalformedItem;

fn answered(code: &str) -> StoreError {
    StoreError::Answered {
        operation: "Query",
        code: code.to_owned(),
    }
}

fn unanswered(reason: &'static str) -> StoreError {
    StoreError::Unanswered {
        operation: "Query",
        reason,
    }
}

/// How often an error is met in ten seconds, and when the last one was told.
async fn meet(error: impl Fn() -> StoreError) -> (u32, Duration) {
    let began = Instant::now();
    let attempts = Cell::new(0);
    let mut retry = Retry::until(began + Duration::from_secs(10), "Query", "seed".to_owned());
    let result: Result<(), _> = retry
        .persist(|| async {
            attempts.set(attempts.get() + 1);
            sleep(Duration::from_millis(10)).await;
            Err(error())
        })
        .await;
    assert_eq!(result.unwrap_err().to_string(), error().to_string());
    (attempts.get(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_asked_until_the_time_is_up_and_the_rest_once() {
    let passing = [
        "ThrottlingException",
        "ThrottlingError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionConflictException",
    ];
    let mut passing: Vec<StoreError> = passing.map(answered).into();
    passing.extend(["timeout", "connection", "response"].map(unanswered));
    passing.push(StoreError::Throttled);
    for error in passing {
        let (attempts, took) = meet(|| copy(&error)).await;
        // Pauses grow to a second, and the last one would have led beyond.
        assert!(
            (12..=25).contains(&attempts),
            "{error}: {attempts} attempts"
        );
        let seconds = took.as_secs_f64();
        assert!((8.9..10.0).contains(&seconds), "{error}: {seconds} s");
    }
    let lasting = [
        "ValidationException",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ];
    let mut lasting: Vec<StoreError> = lasting.map(answered).into();
    lasting.extend([
        unanswered("request"),
        StoreError::Aborted,
        MalformedItem { attribute: "rev" }.into(),
    ]);
    for error in lasting {
        let (attempts, took) = meet(|| copy(&error)).await;
        assert_eq!(attempts, 1, "{error}");
        assert_eq!(took, Duration::from_millis(10), "{error}");
    }
}

/// Whoever waits until the deadline itself still hears why.
#[tokio::test(start_paused = true)]
async fn a_later_attempt_that_hangs_is_given_up_before_the_deadline_and_a_first_one_is_not() {
    let patience = Duration::from_secs(3);
    for failures in [0, 1] {
        let began = Instant::now();
        let deadline = began + patience;
        let attempts = Cell::new(0);
        let mut retry = Retry::until(deadline, "Query", "seed".to_owned());
        let asking = retry.persist(|| async {
            attempts.set(attempts.get() + 1);
            if attempts.get() > failures {
                std::future::pending::<()>().await;
            }
            Err::<(), _>(StoreError::Throttled)
        });
        let heard = timeout_at(deadline, asking).await;
        assert_eq!(heard.is_ok(), failures > 0, "after {failures} failures");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_after_the_deadline() {
    let mut retry = Retry::until(Instant::now(), "Query", "seed".to_owned());
    advance(Duration::from_millis(1)).await;
    let asked = Cell::new(false);
    let asking = retry.persist(|| async {
        asked.set(true);
        Ok(())
    });
    assert!(asking.await.unwrap_err().is_transient());
    assert!(!asked.get());
}

fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Answered { code, .. } => answered(code),
        StoreError::Unanswered { reason, .. } => unanswered(reason),
        StoreError::Throttled => StoreError::Throttled,
        StoreError::Malformed(malformed) => malformed.clone().into(),
        _ => StoreError::Aborted,
    }
}
