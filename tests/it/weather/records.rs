//! Rates, seeds, and what the report says.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use harness::weather::{Rates, Settings};

use super::{TABLE, absent, add, delete, put, read, read_batch, transact, weather, with, write};

#[tokio::test(start_paused = true)]
async fn each_rate_bites() {
    let none = Rates::default();
    let cases = [
        (none, "ok"),
        (
            Rates {
                conflict: 1_000,
                ..none
            },
            "TransactionConflict",
        ),
        (
            Rates {
                throttle: 1_000,
                ..none
            },
            "ThrottlingError",
        ),
        (
            Rates {
                lost_before: 1_000,
                ..none
            },
            "no answer",
        ),
        (
            Rates {
                lost_after: 1_000,
                ..none
            },
            "no answer",
        ),
        (
            Rates {
                internal: 1_000,
                ..none
            },
            "InternalServerError",
        ),
    ];
    for (rates, expected) in cases {
        let weather = with(
            8,
            Settings {
                rates,
                ..Settings::default()
            },
        )
        .await;
        let outcome = transact(&weather.client(), "1", vec![put("a", "1")]).await;
        assert_eq!(outcome, expected, "{rates:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_weather() {
    let run = |seed: u64| async move {
        let rates = Rates {
            conflict: 100,
            throttle: 50,
            lost_after: 50,
            ..Rates::default()
        };
        let weather = with(
            seed,
            Settings {
                rates,
                ..Settings::default()
            },
        )
        .await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..30 {
            let client = weather.client();
            tasks.spawn(async move {
                let pk = format!("p{}", n % 7);
                transact(
                    &client,
                    &n.to_string(),
                    vec![add(&pk), add(&format!("own{n}"))],
                )
                .await;
                transact(&client, &format!("again{n}"), vec![add(&pk)]).await
            });
        }
        tasks.join_all().await;
        weather.trace()
    };
    let first = run(9).await;
    assert_eq!(first.len(), 60);
    assert_eq!(first, run(9).await);
    assert_ne!(first, run(10).await);
}

#[tokio::test(start_paused = true)]
async fn the_report_counts_units_depth_and_permissions() {
    let weather = weather(11).await;
    let client = weather.client();
    assert_eq!(write(&client, "a", &"x".repeat(1_500)).await, "ok");
    weather.reset();
    // The larger image of `a` is 2 KB: four units; the others two each.
    let items = vec![delete("a"), put("b", "1"), add("c"), absent("d")];
    assert_eq!(transact(&client, "1", items).await, "ok");
    tokio::join!(read(&client, "b", true), read(&client, "b", false));
    read_batch(&client, &["a", "b"]).await;
    let report = weather.report();
    assert_eq!((report.transactions, report.actions), (1, 4));
    assert_eq!((report.write_units, report.read_units), (10.0, 3.5));
    assert_eq!(
        (report.total_calls(), report.depth, report.keys_read),
        (4, 3, 4)
    );
    let iam: Vec<&str> = report.iam.iter().map(String::as_str).collect();
    assert_eq!(
        iam,
        [
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_service_has_no_permission_for_is_denied() {
    let weather = weather(12).await;
    let error = weather
        .client()
        .scan()
        .table_name(TABLE)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
}
