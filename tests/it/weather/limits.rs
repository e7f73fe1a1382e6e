//! Budgets of partitions, and four megabytes.

use harness::weather::{Budget, Settings};
use std::time::Duration;
use tokio::time::sleep;

use super::{add, delete, put, read, read_batch, transact, weather, with, write};

#[tokio::test(start_paused = true)]
async fn a_partition_takes_a_thousand_write_units_a_second() {
    let weather = weather(4).await;
    let client = weather.client();
    let one_kb = "x".repeat(1_000);
    let burst = |pk: &'static str, count: usize| {
        let (client, one_kb) = (client.clone(), one_kb.clone());
        async move {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..count {
                let (client, value) = (client.clone(), one_kb.clone());
                tasks.spawn(async move { write(&client, pk, &value).await });
            }
            let outcomes = tasks.join_all().await;
            outcomes
                .iter()
                .filter(|outcome| *outcome == "ThrottlingException")
                .count()
        }
    };
    assert_eq!(burst("a", 1_000).await, 0);
    assert!(burst("a", 100).await > 50, "the partition was spent");
    assert_eq!(burst("b", 100).await, 0, "another partition was not");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(burst("a", 100).await, 0, "a second later it is not either");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_beyond_the_budget_is_cancelled_as_throttled() {
    let budget = Some(Budget {
        write: 3.0,
        read: 3.0,
    });
    let weather = with(
        4,
        Settings {
            budget,
            ..Settings::default()
        },
    )
    .await;
    let client = weather.client();
    // Two transactional writes of up to 1 KB are four units.
    assert_eq!(
        transact(&client, "1", vec![put("a", "1"), put("b", "1")]).await,
        "ok"
    );
    assert_eq!(transact(&client, "2", vec![add("a"), add("c")]).await, "ok");
    let refused = transact(&client, "3", vec![add("a"), add("d")]).await;
    assert_eq!(refused, "ThrottlingError None");
    assert_eq!(weather.report().throttles, 1);
    weather.change(|settings| settings.budget = None);
    assert_eq!(transact(&client, "3", vec![add("a"), add("d")]).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn keys_beyond_the_read_budget_come_back_unprocessed() {
    let budget = Some(Budget {
        write: 1_000.0,
        read: 3.0,
    });
    let weather = with(
        4,
        Settings {
            budget,
            ..Settings::default()
        },
    )
    .await;
    let client = weather.client();
    for pk in ["a", "b"] {
        write(&client, pk, &"x".repeat(13_000)).await;
    }
    assert_eq!(
        read(&client, "a", true).await.map(|value| value.len()),
        Some(13_000)
    );
    let (found, unprocessed) = read_batch(&client, &["a", "b"]).await;
    assert_eq!((found.len(), unprocessed), (1, 1));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(read_batch(&client, &["a", "b"]).await.1, 0);
    weather.change(|settings| settings.budget = None);
    weather.change(|settings| settings.rates.unprocessed = 1_000);
    assert_eq!(
        read_batch(&client, &["a", "b"]).await.1,
        1,
        "one is always tried"
    );
}

#[tokio::test(start_paused = true)]
async fn four_megabytes_count_the_stored_images_too() {
    let weather = with(
        5,
        Settings {
            budget: None,
            ..Settings::default()
        },
    )
    .await;
    let client = weather.client();
    let large = "x".repeat(390 * 1_024);
    let pks: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    for pk in &pks {
        assert_eq!(write(&client, pk, &large).await, "ok");
    }
    let deletes = |count: usize| pks.iter().take(count).map(|pk| delete(pk)).collect();
    assert_eq!(
        transact(&client, "1", deletes(12)).await,
        "ValidationException"
    );
    assert!(read(&client, "p0", true).await.is_some());
    assert_eq!(transact(&client, "2", deletes(10)).await, "ok");
    assert!(read(&client, "p0", true).await.is_none());
}
