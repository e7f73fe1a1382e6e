//! Lost answers, silence, and callers that die.

use harness::weather::Fault;
use std::time::Duration;
use tokio::time::timeout;

use super::{add, read, transact, weather, write};

#[tokio::test(start_paused = true)]
async fn an_answer_may_be_lost_before_or_after_the_work() {
    for (applied, fault) in [
        (false, Fault::Lost { applied: false }),
        (true, Fault::Lost { applied: true }),
        (false, Fault::Internal { applied: false }),
        (true, Fault::Internal { applied: true }),
    ] {
        let weather = weather(6).await;
        let client = weather.client();
        weather.inject("TransactWriteItems", 2, fault);
        assert_eq!(transact(&client, "1", vec![add("other")]).await, "ok");
        assert_ne!(
            transact(&client, "2", vec![add("a")]).await,
            "ok",
            "{fault:?}"
        );
        let found = read(&client, "a", true).await;
        assert_eq!(found.as_deref(), applied.then_some("1"), "{fault:?}");
        // The token makes it safe to ask again, whatever happened.
        assert_eq!(transact(&client, "2", vec![add("a")]).await, "ok");
        assert_eq!(read(&client, "a", true).await.as_deref(), Some("1"));
        assert_eq!(weather.report().transactions, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_database_has_to_be_given_up_on() {
    for applied in [false, true] {
        let weather = weather(6).await;
        let client = weather.client();
        weather.inject("PutItem", 1, Fault::Silent { applied });
        let waited = timeout(Duration::from_secs(60), write(&client, "a", "1")).await;
        assert!(waited.is_err());
        assert_eq!(read(&client, "a", true).await.is_some(), applied);
    }
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_does_not_stop_the_work() {
    let weather = weather(6).await;
    let client = weather.client();
    let waited = timeout(
        Duration::from_millis(1),
        transact(&client, "1", vec![add("a")]),
    )
    .await;
    assert!(waited.is_err());
    assert_eq!(
        transact(&client, "1", vec![add("a")]).await,
        "TransactionInProgressException"
    );
    weather.quiet().await;
    assert_eq!(transact(&client, "1", vec![add("a")]).await, "ok");
    assert_eq!(read(&client, "a", true).await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_killed_caller_gets_no_answer_any_more_and_its_successor_does() {
    for applied in [false, true] {
        let weather = weather(7).await;
        let client = weather.client();
        weather.inject("PutItem", 2, Fault::Kill { applied });
        let run = async {
            for pk in ["a", "b", "c"] {
                write(&client, pk, "1").await;
            }
        };
        tokio::select! {
            () = run => panic!("the caller outlived the kill"),
            () = weather.killed() => {}
        }
        assert!(
            timeout(Duration::from_secs(60), write(&client, "d", "1"))
                .await
                .is_err()
        );
        weather.quiet().await;
        let next = weather.successor().client();
        let mut found = Vec::new();
        for pk in ["a", "b", "c", "d"] {
            found.push(read(&next, pk, true).await.is_some());
        }
        assert_eq!(found, [true, applied, false, false]);
    }
}
