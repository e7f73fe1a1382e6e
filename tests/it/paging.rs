//! Paging by `startIndex` (RFC 7644 §3.4.2.4), with the hints that one page
//! leaves for the next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::weather::{Fault, Report};
use harness::{Client, Reply, Stack, group, id_of, post, user};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

fn ids(page: &Value) -> Vec<String> {
    let resources = page["Resources"].as_array().unwrap().iter();
    let ids = resources.map(|one| one["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn users(client: &Client, names: &str, number: usize) -> Vec<String> {
    let numbers: Vec<usize> = (0..number).collect();
    let mut made = Vec::new();
    for some in numbers.chunks(1_000) {
        let create = |n: &usize| post(&n.to_string(), "/Users", user(&format!("{names}{n}")));
        let reply = client
            .bulk(&some.iter().map(create).collect::<Vec<_>>())
            .await;
        made.extend(reply.rows().iter().map(|row| id_of(row).to_owned()));
    }
    made.sort();
    made
}

/// A caller whom no hint was given to.
fn stranger(client: &Client, number: usize) -> Client {
    client.with_claim("sub", json!(format!("stranger{number}")))
}

async fn page(client: &Client, start: usize, count: usize) -> Reply {
    let path = format!("/Users?startIndex={start}&count={count}&attributes=userName");
    let reply = client.get(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

fn hints(stack: &Stack) -> Vec<Map<String, Value>> {
    let mut items = stack.items();
    items.retain(|item| item["pk"].to_string().contains("#hint#"));
    items
}

/// What it costs to see all by `startIndex`, or by cursor.
async fn walk(stack: &Stack, by_cursor: bool) -> (BTreeSet<String>, Report) {
    let client = stack.client();
    stack.weather().reset();
    let (mut seen, mut next) = (BTreeSet::new(), Some("cursor".to_owned()));
    if !by_cursor {
        next = Some("startIndex=1".to_owned());
    }
    while let Some(place) = next {
        let path = format!("/Users?{place}&count=100&attributes=userName");
        let reply = client.get(&path).await.body;
        let shown = ids(&reply);
        next = if by_cursor {
            let cursor = reply.get("nextCursor").and_then(Value::as_str);
            cursor.map(|cursor| format!("cursor={cursor}"))
        } else {
            let start = reply["startIndex"].as_u64().unwrap() + shown.len() as u64;
            let more = start <= reply["totalResults"].as_u64().unwrap();
            more.then(|| format!("startIndex={start}"))
        };
        seen.extend(shown);
    }
    (seen, stack.weather().report())
}

#[tokio::test(start_paused = true)]
async fn a_walk_by_index_costs_at_most_twice_the_walk_by_cursor() {
    let stack = Stack::seeded(1).await;
    users(&stack.client(), "u", 2_000).await;
    let (by_cursor, least) = walk(&stack, true).await;
    let (by_index, report) = walk(&stack, false).await;
    assert_eq!((by_index.len(), &by_index), (2_000, &by_cursor));
    let (calls, most) = (report.total_calls(), 2 * least.total_calls());
    assert!(calls <= most, "{calls} calls, at most {most}");
    let (units, most) = (report.read_units, 2.0 * least.read_units);
    assert!(units <= most, "{units} read units, at most {most}");
    assert_eq!(report.write_units, 19.0, "one hint for each further page");
}

/// The page that a hint leads to costs the same however deep it is.
#[tokio::test(start_paused = true)]
async fn a_page_with_a_hint_costs_the_same_at_any_depth() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    users(&client, "u", 400).await;
    let mut costs = Vec::new();
    for start in (1..400).step_by(4) {
        stack.weather().reset();
        page(&client, start, 4).await;
        let report = stack.weather().report();
        costs.push((report.total_calls(), report.read_units as u64, report.depth));
    }
    // The counter, the hint, the page from one shard or two, the next hint.
    let most = costs.iter().max().unwrap();
    assert!(*most <= (5, 4, 4), "{most:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hint_never_changes_an_answer() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    users(&client, "u", 43).await;
    for n in 0..11 {
        client.create("/Groups", group(&format!("g{n}"), &[])).await;
    }
    let mut strangers = 0;
    for path in ["/Users", "/Groups", ""] {
        for count in [3, 7, 43] {
            for start in (1..50).step_by(count) {
                strangers += 1;
                let path = format!("{path}?startIndex={start}&count={count}");
                let hinted = client.get(&path).await;
                let plain = stranger(&client, strangers).get(&path).await;
                assert_eq!(hinted, plain, "{path}");
            }
        }
    }
    // With another count than the page that left the hint.
    for (start, count) in [(1, 10), (11, 3), (14, 20), (34, 1), (35, 30)] {
        let hinted = page(&client, start, count).await;
        assert_eq!(hinted, page(&stranger(&client, 0), start, count).await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_shown_may_go_without_the_walk_missing_anything() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let all = users(&client, "u", 12).await;
    assert_eq!(ids(&page(&client, 1, 4).await.body), all[..4]);
    for id in &all[..2] {
        client.delete(&format!("/Users/{id}")).await;
    }
    assert_eq!(ids(&page(&client, 5, 4).await.body), all[4..8]);
    // By place alone, two would have been missed.
    let plain = page(&stranger(&client, 0), 5, 4).await.body;
    assert_eq!(ids(&plain), all[6..10]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_serves_its_caller_and_its_list_alone() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let all = users(&client, "u", 12).await;
    let elsewhere = client.tenant("other");
    let foreign = users(&elsewhere, "u", 12).await;
    for n in 0..12 {
        client.create("/Groups", group(&format!("g{n}"), &[])).await;
    }
    // The last resource of the page goes, so a page from the hint is another.
    page(&client, 1, 4).await;
    client.delete(&format!("/Users/{}", all[3])).await;
    let by_place = &all[5..9];
    for (case, other) in [
        ("subject", client.with_claim("sub", json!("other"))),
        ("client", client.with_claim("client_id", json!("other"))),
        ("no subject", client.with_claim("sub", Value::Null)),
    ] {
        assert_eq!(ids(&page(&other, 5, 4).await.body), by_place, "{case}");
    }
    assert_eq!(ids(&page(&elsewhere, 5, 4).await.body), foreign[4..8]);
    let sorted = "/Users?startIndex=5&count=4&sortBy=id";
    assert_eq!(ids(&client.get(sorted).await.body), by_place);
    let filtered = "/Users?startIndex=5&count=4&filter=userName%20pr";
    assert_eq!(ids(&client.get(filtered).await.body), by_place);
    let first = client.get("/Groups?count=8").await.body;
    // The list of everything begins with the groups.
    for path in ["/Groups?startIndex=5&count=4", "?startIndex=5&count=4"] {
        let groups = client.get(path).await.body;
        assert_eq!(ids(&groups), ids(&first)[4..], "{path}");
    }
    assert_eq!(ids(&page(&client, 5, 4).await.body), all[4..8], "its own");
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_does_not_hold_is_not_followed() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    let all = users(&client, "u", 12).await;
    page(&client, 1, 4).await;
    client.delete(&format!("/Users/{}", all[0])).await;
    let kept = hints(&stack).remove(0);
    let put = |item: &Map<String, Value>| {
        let request = json!({"TableName": harness::stack::TABLE, "Item": item}).to_string();
        let answer = stack.weather().embedded().answer("PutItem", &request);
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    let (by_hint, by_place) = (&all[4..7], &all[5..8]);
    assert_eq!(ids(&page(&client, 5, 3).await.body), by_hint);
    for (attribute, value) in [
        ("after", json!({"S": "nobody"})),
        ("after", json!({"N": "1"})),
        ("type", json!({"S": "Group"})),
        ("type", json!({"S": "Robot"})),
        ("expires", json!({"S": "soon"})),
        ("expires", json!({"N": "1"})),
    ] {
        let mut broken = kept.clone();
        broken.insert(attribute.to_owned(), value.clone());
        put(&broken);
        assert_eq!(ids(&page(&client, 5, 3).await.body), by_place, "{value}");
    }
    put(&kept);
    tokio::time::advance(Duration::from_secs(290)).await;
    assert_eq!(ids(&page(&client, 5, 3).await.body), by_hint);
    tokio::time::advance(Duration::from_secs(12)).await;
    assert_eq!(ids(&page(&client, 5, 3).await.body), by_place);
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_left_for_a_page_that_there_is_and_names_nobody() {
    let stack = Stack::seeded(7).await;
    let client = stack.client();
    users(&client, "u", 5).await;
    for path in [
        "/Users",
        "/Users?count=5",
        "/Users?count=0",
        "/Users?startIndex=4&count=2",
        "/Users?startIndex=4&count=200",
        "/Users?startIndex=6&count=2",
        "/Users?startIndex=18446744073709551615&count=2",
        "/Users?count=2&sortBy=userName",
        "/Users?count=2&filter=userName%20pr",
        "/Users?count=2&cursor",
    ] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
        assert!(hints(&stack).is_empty(), "{path}");
    }
    client.get("/Users?count=2").await;
    let left = hints(&stack);
    let [hint] = left.as_slice() else {
        panic!("one hint, not {left:?}")
    };
    let hint: BTreeMap<_, _> = hint.iter().collect();
    insta::assert_snapshot!(json!(hint), @r#"{"after":{"S":"68691121-3fca-4c8b-a6bf-cb44b232dce5"},"expires":{"N":"1767225901"},"pk":{"S":"acme#hint#Fm4Uv8bD-CPDt3kKK68xoRdexr0NDMFzxXx5OmQoiJk"},"sk":{"S":"3"},"type":{"S":"User"}}"#);
    // Each page overwrites the hint of the next.
    client.get("/Users?count=2").await;
    assert_eq!(hints(&stack).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_page_does_not_fail_with_its_hints() {
    let stack = Stack::seeded(8).await;
    let client = stack.client();
    let all = users(&client, "u", 12).await;
    for (round, fault) in [
        Fault::Throttle,
        Fault::Conflict,
        Fault::Lost { applied: false },
        Fault::Silent { applied: true },
        Fault::Internal { applied: false },
    ]
    .into_iter()
    .enumerate()
    {
        let client = stranger(&client, round);
        stack.weather().inject("PutItem", 1, fault);
        assert_eq!(ids(&page(&client, 1, 4).await.body), all[..4], "{fault:?}");
        stack.weather().calm();
        page(&client, 1, 4).await;
        for call in 1..=10 {
            stack.weather().inject("BatchGetItem", call, fault);
        }
        let second = page(&client, 5, 4).await;
        stack.weather().calm();
        assert_eq!(ids(&second.body), all[4..8], "{fault:?}");
    }
    stack.audit().await;
}

/// Each deletion between two pages costs at most one resource missed and each
/// creation at most one repeated, with hints as without. Of a creation during a
/// page, total and page may know different things: it may cost a miss as well.
#[test]
fn a_walk_under_writes_misses_and_repeats_no_more_than_without_hints() {
    let writes = prop::collection::vec((0_usize..3, 0_usize..3), 12);
    let mut runner = TestRunner::new(Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    });
    let walks = (writes, 2_usize..6, any::<bool>(), any::<u64>());
    let walked = runner.run(&walks, |(writes, count, meanwhile, seed)| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let mut walks = Walks {
            count,
            seen: Default::default(),
            start: [Some(1), Some(1)],
        };
        runtime.block_on(walks.under(&writes, meanwhile, seed))
    });
    walked.unwrap();
}

/// A walk with hints and one without, side by side.
struct Walks {
    count: usize,
    seen: [Vec<String>; 2],
    /// Where the next page begins, until the end.
    start: [Option<usize>; 2],
}

impl Walks {
    /// Lets resources come and go after each page, or during it: so many deleted
    /// and created.
    async fn under(
        &mut self,
        writes: &[(usize, usize)],
        meanwhile: bool,
        seed: u64,
    ) -> Result<(), TestCaseError> {
        let stack = Stack::seeded(seed).await;
        let client = stack.client();
        let all = users(&client, "u", 24).await;
        let mut fleeting: Vec<&String> = all.iter().step_by(2).collect();
        let lasting: BTreeSet<&String> = all.iter().skip(1).step_by(2).collect();
        let (mut deleted, mut created) = (0, 0);
        for (round, (leave, come)) in writes.iter().enumerate() {
            let mut leavers = Vec::new();
            while leavers.len() < *leave && !fleeting.is_empty() {
                let place = (seed as usize).wrapping_add(round) % fleeting.len();
                leavers.push(fleeting.swap_remove(place));
            }
            let writing = async {
                for id in &leavers {
                    let reply = client.delete(&format!("/Users/{id}")).await;
                    assert_eq!(reply.status, 204);
                }
                for n in 0..*come {
                    let body = user(&format!("late{round}-{n}"));
                    client.create("/Users", body).await;
                }
            };
            if meanwhile {
                tokio::join!(self.go_on(&client, round), writing);
            } else {
                self.go_on(&client, round).await;
                writing.await;
            }
            (deleted, created) = (deleted + leavers.len(), created + come);
            if self.start == [None, None] {
                break;
            }
        }
        let missable = deleted + if meanwhile { created } else { 0 };
        for (walk, seen) in self.seen.iter().enumerate() {
            let once: BTreeSet<&String> = seen.iter().collect();
            prop_assert!(seen.len() - once.len() <= created, "walk {walk} repeats");
            if self.start[walk].is_none() {
                let missed = lasting.difference(&once).count();
                prop_assert!(missed <= missable, "walk {walk} misses {missed}");
            }
        }
        Ok(())
    }

    /// The next page of each walk that has not ended.
    async fn go_on(&mut self, client: &Client, round: usize) {
        let callers = [client.clone(), stranger(client, round)];
        for (walk, client) in callers.iter().enumerate() {
            let Some(from) = self.start[walk] else {
                continue;
            };
            let reply = page(client, from, self.count).await.body;
            let shown = ids(&reply);
            let next = from + shown.len();
            let more = next as u64 <= reply["totalResults"].as_u64().unwrap();
            self.start[walk] = (more && !shown.is_empty()).then_some(next);
            self.seen[walk].extend(shown);
        }
    }
}
