//! Transactions that meet, and readers that come in between.

use harness::weather::Settings;
use std::time::Duration;
use tokio::time::sleep;

use super::{TABLE, absent, put, read, read_batch, text, transact, weather, with, write};

#[tokio::test(start_paused = true)]
async fn of_two_transactions_on_one_item_the_later_is_cancelled() {
    let weather = weather(1).await;
    let client = weather.client();
    let (first, second) = tokio::join!(
        transact(&client, "1", vec![put("a", "1"), absent("b")]),
        transact(&client, "2", vec![put("c", "2"), put("b", "2")]),
    );
    assert_eq!(first, "ok");
    assert_eq!(second, "None TransactionConflict");
    assert_eq!(weather.report().conflicts, 1);
    assert_eq!(read(&client, "c", true).await, None);
    assert_eq!(
        transact(&client, "2", vec![put("c", "2"), put("b", "2")]).await,
        "ok"
    );
}

#[tokio::test(start_paused = true)]
async fn transactions_without_a_common_item_do_not_conflict() {
    let weather = weather(1).await;
    let client = weather.client();
    let (first, second) = tokio::join!(
        transact(&client, "1", vec![put("a", "1"), put("b", "1")]),
        transact(&client, "2", vec![put("c", "2"), put("d", "2")]),
    );
    assert_eq!((first.as_str(), second.as_str()), ("ok", "ok"));
    assert_eq!(weather.report().conflicts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_transaction_may_also_learn_of_failed_conditions() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let weather = weather(seed).await;
        let client = weather.client();
        write(&client, "taken", "0").await;
        let (_, second) = tokio::join!(
            transact(&client, "1", vec![put("a", "1")]),
            transact(&client, "2", vec![put("a", "2"), absent("taken")]),
        );
        seen.insert(second);
    }
    let expected = [
        "TransactionConflict ConditionalCheckFailed",
        "TransactionConflict None",
    ];
    assert_eq!(seen, expected.map(str::to_owned).into());
}

#[tokio::test(start_paused = true)]
async fn a_plain_write_to_an_item_of_a_running_transaction_is_refused() {
    let slow = Duration::from_millis(50);
    let settings = Settings {
        transaction: slow..=slow,
        ..Settings::default()
    };
    let weather = with(1, settings).await;
    let client = weather.client();
    let (first, second) = tokio::join!(
        transact(&client, "1", vec![absent("a")]),
        write(&client, "a", "2")
    );
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("ok", "TransactionConflictException")
    );
    assert_eq!(write(&client, "a", "2").await, "ok");
}

#[tokio::test(start_paused = true)]
async fn readers_see_a_transaction_happen_item_by_item() {
    let torn = |torn: bool| async move {
        let mut mixtures = 0;
        for seed in 0..20 {
            let weather = with(
                seed,
                Settings {
                    torn,
                    ..Settings::default()
                },
            )
            .await;
            let client = weather.client();
            transact(&client, "0", vec![put("a", "old"), put("b", "old")]).await;
            let reader = async {
                for _ in 0..6 {
                    let (found, _) = read_batch(&client, &["a", "b"]).await;
                    mixtures += u32::from(found[0].1 != found[1].1);
                }
            };
            let writer = transact(&client, "1", vec![put("a", "new"), put("b", "new")]);
            let ((), written) = tokio::join!(reader, writer);
            assert_eq!(written, "ok");
            let (found, _) = read_batch(&client, &["a", "b"]).await;
            assert_eq!((found[0].1.as_str(), found[1].1.as_str()), ("new", "new"));
        }
        mixtures
    };
    assert!(torn(true).await > 0);
    assert_eq!(torn(false).await, 0);
}

#[tokio::test(start_paused = true)]
async fn only_consistent_reads_are_up_to_date() {
    let weather = weather(3).await;
    let client = weather.client();
    write(&client, "a", "old").await;
    sleep(Duration::from_secs(2)).await;
    write(&client, "a", "new").await;
    let mut old = 0;
    for _ in 0..20 {
        assert_eq!(read(&client, "a", true).await.as_deref(), Some("new"));
        old += u32::from(read(&client, "a", false).await.as_deref() == Some("old"));
    }
    assert!(old > 0, "no read was old");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(read(&client, "a", false).await.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn an_inconsistent_query_misses_what_was_just_written() {
    let weather = weather(3).await;
    let client = weather.client();
    write(&client, "a", "new").await;
    let query = client
        .query()
        .table_name(TABLE)
        .key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", text("a"));
    let mut missed = 0;
    for _ in 0..20 {
        missed += u32::from(query.clone().send().await.unwrap().count() == 0);
        assert_eq!(
            query
                .clone()
                .consistent_read(true)
                .send()
                .await
                .unwrap()
                .count(),
            1
        );
    }
    assert!(missed > 0);
}
