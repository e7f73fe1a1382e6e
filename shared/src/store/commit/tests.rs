use serde_json::Value;

use super::super::scripted::{Reply, Script};
use super::*;
use crate::plan::transaction::Planned;
use crate::scim::ResourceId;
use crate::table::{Change, Lookup};

const TOKEN_SENT: &str = "0b5e2f1c-token";

fn reservation(byte: u8) -> Planned {
    let owner = ResourceId::from_bytes([byte; 16]);
    let lookup = Lookup {
        resource_type: "User",
        attribute: "userName".into(),
        value: format!("user{byte}"),
        unique: true,
    };
    Planned {
        change: Change::Lookup {
            lookup,
            owner,
            before: None,
            after: Some(owner),
        },
        operations: vec![0],
    }
}

/// Commits three reservations against these answers, with this much time.
async fn commit(
    replies: impl IntoIterator<Item = Reply>,
    time: Duration,
) -> (Result<(), CommitError>, Vec<Value>) {
    let script = Script::new(replies);
    let transaction = Transaction {
        changes: (1..=3).map(reservation).collect(),
        units: vec![0],
        ..Transaction::default()
    };
    let tenant = Tenant::parse("acme").unwrap();
    let deadline = Instant::now() + time;
    let store = script.store();
    let result = store
        .commit(&tenant, &transaction, TOKEN_SENT, deadline)
        .await;
    assert!(Instant::now() <= deadline, "the deadline was missed");
    (result, script.requests())
}

fn assert_same(requests: &[Value], expected: usize) {
    assert_eq!(requests.len(), expected);
    for request in requests {
        assert_eq!(request["ClientRequestToken"], TOKEN_SENT);
        assert_eq!(request["TransactItems"], requests[0]["TransactItems"]);
    }
}

const TEN: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn conflicts_and_throttles_are_sent_again_with_the_same_token() {
    for reply in [
        Reply::cancelled(&["None", "TransactionConflict", "None"]),
        Reply::cancelled(&["ThrottlingError", "None", "ProvisionedThroughputExceeded"]),
        Reply::error(400, "ProvisionedThroughputExceededException"),
        Reply::error(400, "ThrottlingException"),
        Reply::error(400, "RequestLimitExceeded"),
        Reply::error(400, "TransactionInProgressException"),
        Reply::error(500, "InternalServerError"),
        Reply::Lost,
        Reply::Silence,
    ] {
        let named = format!("{reply:?}");
        let (result, requests) = commit([reply, Reply::success()], TEN).await;
        assert!(result.is_ok(), "{named}: {result:?}");
        assert_same(&requests, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_out_leaves_the_outcome_unknown() {
    let script: Vec<Reply> = (0..7).map(|_| Reply::Silence).collect();
    let script = Script::new(script);
    let transaction = Transaction {
        changes: vec![reservation(1)],
        units: vec![0],
        ..Transaction::default()
    };
    let tenant = Tenant::parse("acme").unwrap();
    let deadline = Instant::now() + Duration::from_secs(6);
    let result = script
        .store()
        .commit(&tenant, &transaction, TOKEN_SENT, deadline)
        .await;
    assert!(matches!(result, Err(CommitError::Unknown)), "{result:?}");
    assert!(Instant::now() >= deadline - ATTEMPT, "it gave up early");
}

#[tokio::test(start_paused = true)]
async fn conflicts_to_the_end_are_not_an_unknown_outcome() {
    let replies = || (0..200).map(|_| Reply::cancelled(&["TransactionConflict", "None", "None"]));
    let script = Script::new(replies());
    let transaction = Transaction {
        changes: (1..=3).map(reservation).collect(),
        units: vec![0],
        ..Transaction::default()
    };
    let tenant = Tenant::parse("acme").unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    let result = script
        .store()
        .commit(&tenant, &transaction, TOKEN_SENT, deadline)
        .await;
    assert!(
        matches!(result, Err(CommitError::NotAttempted)),
        "{result:?}"
    );
    assert!(
        Instant::now() <= deadline - SETTLE,
        "the time to settle was used up"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_only_the_time_to_settle_is_left() {
    for time in [Duration::ZERO, SETTLE] {
        let (result, requests) = commit([], time).await;
        assert!(
            matches!(result, Err(CommitError::NotAttempted)),
            "{result:?}"
        );
        assert_same(&requests, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_still_asked_for_when_no_fresh_attempt_may_start() {
    let time = SETTLE + Duration::from_millis(100);
    let (result, requests) = commit([Reply::Silence, Reply::success()], time).await;
    assert!(result.is_ok(), "{result:?}");
    assert_same(&requests, 2);
}

#[tokio::test(start_paused = true)]
async fn failed_conditions_are_named_also_beside_conflicts_and_after_a_lost_answer() {
    let failed = || {
        Reply::cancelled(&[
            "ConditionalCheckFailed",
            "TransactionConflict",
            "ConditionalCheckFailed",
        ])
    };
    for replies in [vec![failed()], vec![Reply::Lost, failed()]] {
        let (result, _) = commit(replies, TEN).await;
        let Err(CommitError::Conditions(indexes)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(indexes, [0, 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_not_sent_again() {
    for reply in [
        Reply::error(400, "ValidationException"),
        Reply::error(400, "IdempotentParameterMismatchException"),
        Reply::error(400, "AccessDeniedException"),
        Reply::cancelled(&["None", "ValidationError", "None"]),
        Reply::cancelled(&[
            "None",
            "ItemCollectionSizeLimitExceeded",
            "TransactionConflict",
        ]),
    ] {
        let named = format!("{reply:?}");
        let (result, requests) = commit([reply], TEN).await;
        assert!(
            matches!(result, Err(CommitError::Store(_))),
            "{named}: {result:?}"
        );
        assert_same(&requests, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_does_not_settle_an_earlier_lost_answer() {
    let refusal = Reply::error(400, "AccessDeniedException");
    let (result, _) = commit([Reply::Lost, refusal], TEN).await;
    assert!(matches!(result, Err(CommitError::Unknown)), "{result:?}");
}

/// An answer that tells nothing of the outcome, then one that would settle what
/// was never under way.
#[tokio::test(start_paused = true)]
async fn only_an_answer_about_the_transaction_settles_it() {
    let refusal = || Reply::error(400, "AccessDeniedException");
    for open in [
        vec![Reply::error(400, "TransactionInProgressException")],
        vec![Reply::error(500, "InternalServerError")],
        vec![Reply::Lost, Reply::error(400, "ThrottlingException")],
        vec![Reply::Lost, Reply::error(400, "RequestLimitExceeded")],
    ] {
        let named = format!("{open:?}");
        let replies = open.into_iter().chain([refusal()]);
        let (result, _) = commit(replies, TEN).await;
        assert!(
            matches!(result, Err(CommitError::Unknown)),
            "{named}: {result:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_what_was_sent_is_told_from_others() {
    for (refusal, expected) in [
        (Reply::error(400, "ValidationException"), true),
        (Reply::cancelled(&["None", "ValidationError", "None"]), true),
        (Reply::error(400, "AccessDeniedException"), false),
    ] {
        let named = format!("{refusal:?}");
        match commit([refusal], TEN).await {
            (Err(CommitError::Store(error)), _) => {
                assert_eq!(error.is_for_its_content(), expected, "{named}");
            }
            (result, _) => panic!("{named}: {result:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_is_sent_again() {
    for code in [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    ] {
        let (result, requests) = commit([Reply::error(400, code), Reply::success()], TEN).await;
        assert!(result.is_ok(), "{code}: {result:?}");
        assert_same(&requests, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_does_not_settle_an_earlier_lost_answer_and_a_throttled_action_does() {
    let refusal = || Reply::error(400, "AccessDeniedException");
    let conflict = Reply::cancelled(&["TransactionConflict", "None", "None"]);
    let (result, _) = commit([Reply::Lost, conflict, refusal()], TEN).await;
    assert!(matches!(result, Err(CommitError::Unknown)), "{result:?}");
    let throttled = Reply::cancelled(&["ThrottlingError", "None", "None"]);
    let (result, _) = commit([Reply::Lost, throttled, refusal()], TEN).await;
    assert!(matches!(result, Err(CommitError::Store(_))), "{result:?}");
}
