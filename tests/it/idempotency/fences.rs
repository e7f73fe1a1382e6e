//! What keeps a run that was taken over from writing: its record and its lanes
//! are another attempt's.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::Stack;
use shared::scim::Timestamp;
use shared::store::{Guard, Kept};
use shared::table::change::Lane;
use shared::table::{Answer, Record, RequestKey, Tenant};
use tokio::time::Instant;

fn begun(attempt: u64) -> Record {
    Record {
        fingerprint: [1; 32],
        seed: [2; 32],
        generation: "g".to_owned(),
        lanes: 1,
        attempt,
        run: [attempt as u8; 16],
        lease: Timestamp(1_000),
        types: BTreeSet::new(),
        expires: Timestamp(1_000_000),
        answer: None,
    }
}

fn answered(record: &Record) -> Record {
    let text = format!("by {}", record.attempt);
    Record {
        answer: Some(Answer { text, pieces: 1 }),
        ..record.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_is_kept_only_by_the_attempt_that_it_belongs_to() {
    let stack = Stack::seeded(1).await;
    let store = &stack.provider().store;
    let tenant = Tenant::parse("acme").unwrap();
    let key = RequestKey::new("issuer", "client", "key");
    let deadline = Instant::now() + Duration::from_secs(20);
    let keep = async |record: &Record, guard: Guard<'_>| {
        let kept = store.keep_record(&tenant, &key, record, guard, deadline);
        match kept.await.unwrap() {
            Kept::Written => "written".to_owned(),
            Kept::Other(None) => "nothing there".to_owned(),
            Kept::Other(Some(there)) => {
                let answer = there.answer.map(|answer| answer.text);
                format!("attempt {}, answered {answer:?}", there.attempt)
            }
        }
    };
    let (first, second, third) = (begun(1), begun(2), begun(3));
    let mut other = begun(2);
    other.generation = "later".to_owned();
    let steps = [
        keep(&second, Guard::Unanswered(&first)).await,
        keep(&first, Guard::None(Timestamp(0))).await,
        keep(&first, Guard::None(Timestamp(0))).await,
        keep(&second, Guard::Unanswered(&first)).await,
        keep(&answered(&first), Guard::Unanswered(&first)).await,
        keep(&third, Guard::Unanswered(&other)).await,
        keep(&answered(&second), Guard::Unanswered(&second)).await,
        keep(&third, Guard::Unanswered(&second)).await,
    ];
    insta::assert_snapshot!(steps.join("\n"), @r#"
    nothing there
    written
    attempt 1, answered None
    written
    attempt 2, answered None
    attempt 2, answered None
    written
    attempt 2, answered Some("by 2")
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_lane_never_goes_back_to_an_earlier_attempt() {
    let stack = Stack::seeded(2).await;
    let store = &stack.provider().store;
    let tenant = Tenant::parse("acme").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut told = Vec::new();
    for attempt in [2, 1, 2, 3, 2] {
        let lane = Lane {
            request: RequestKey::new("issuer", "client", "key"),
            generation: "g".to_owned(),
            number: 0,
            attempt,
            expires: Timestamp(1_000_000),
        };
        let rows = store.take_lane(&tenant, &lane, deadline).await.unwrap();
        told.push((attempt, rows.is_some()));
    }
    assert_eq!(
        told,
        [(2, true), (1, false), (2, true), (3, true), (2, false)]
    );
}
