//! The invariants that hold under concurrency and faults, each with a test
//! that tries to break it. Numbers as in ARCHITECTURE.md.

use std::collections::BTreeSet;

use harness::weather::{Rates, Settings};
use harness::{Stack, group, patch, post, user};
use serde_json::{Value, json};

/// Runs the requests at once and gives their replies in order.
async fn all<F, T>(requests: impl IntoIterator<Item = F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let running: Vec<_> = requests.into_iter().map(tokio::spawn).collect();
    let mut replies = Vec::new();
    for request in running {
        replies.push(request.await.unwrap());
    }
    replies
}

fn add_member(id: &str) -> Value {
    patch(&[json!({"op": "add", "path": "members", "value": [{"value": id}]})])
}

/// Invariant 1.
#[tokio::test(start_paused = true)]
async fn twenty_creates_of_one_name_in_two_spellings_make_one_user() {
    for seed in 0..5 {
        let stack = Stack::seeded(seed).await;
        let client = stack.client();
        let replies = all((0..20).map(|n| {
            let client = client.clone();
            let name = if n % 2 == 0 {
                "Bjørn@Example.com"
            } else {
                "BJØRN@example.COM"
            };
            async move { client.post("/Users", user(name)).await }
        }))
        .await;
        let count = |status| {
            replies
                .iter()
                .filter(|reply| reply.status == status)
                .count()
        };
        assert_eq!((count(201), count(409)), (1, 19), "seed {seed}");
        let refused = replies.iter().find(|reply| reply.status == 409).unwrap();
        assert_eq!(refused.body["scimType"], "uniqueness");
        assert_eq!(client.get("/Users").await.body["totalResults"], 1);
        stack.audit().await;
    }
}

/// Invariant 1, for renames and bulk rows racing with creates.
#[tokio::test(start_paused = true)]
async fn a_name_is_won_by_one_of_create_rename_and_bulk_row() {
    for seed in 0..5 {
        let stack = Stack::seeded(seed).await;
        let client = stack.client();
        let id = client.create("/Users", user("other")).await;
        let rename = patch(&[json!({"op": "replace", "path": "userName", "value": "wanted"})]);
        let row = post("w", "/Users", user("Wanted"));
        let replies = all((0..9).map(|n| {
            let (client, id, rename, row) =
                (client.clone(), id.clone(), rename.clone(), row.clone());
            async move {
                match n % 3 {
                    0 => client
                        .post("/Users", user("WANTED"))
                        .await
                        .status
                        .to_string(),
                    1 => client
                        .patch(&format!("/Users/{id}"), rename)
                        .await
                        .status
                        .to_string(),
                    _ => {
                        let reply = client.bulk(&[row]).await;
                        reply.body["Operations"][0]["status"]
                            .as_str()
                            .unwrap()
                            .to_owned()
                    }
                }
            }
        }))
        .await;
        // The rename is repeatable, so several of its replies may be 200.
        let created = replies.iter().filter(|status| *status == "201").count();
        let renamed = replies.iter().any(|status| status == "200");
        assert_eq!(
            created + usize::from(renamed),
            1,
            "seed {seed}: {replies:?}"
        );
        stack.audit().await;
    }
}

/// Invariant 2.
#[tokio::test(start_paused = true)]
async fn forty_parallel_adds_make_forty_members() {
    let stack = Stack::seeded(40).await;
    let client = stack.client();
    let crew = client.create("/Groups", group("Crew", &[])).await;
    let mut ids = BTreeSet::new();
    for n in 0..40 {
        ids.insert(client.create("/Users", user(&format!("member{n}"))).await);
    }
    let replies = all(ids.iter().cloned().map(|id| {
        let (client, crew) = (client.clone(), crew.clone());
        async move {
            client
                .patch(&format!("/Groups/{crew}"), add_member(&id))
                .await
        }
    }))
    .await;
    for reply in &replies {
        assert_eq!(reply.status, 204, "{}", reply.body);
    }
    assert_eq!(client.members(&crew).await, ids);
    assert!(
        stack.weather().report().conflicts > 0,
        "the adds really met each other"
    );
    stack.audit().await;
}

/// Invariant 2, for folded rows: requests whose transactions keep cancelling
/// each other come to an end, with every member in the group.
#[tokio::test(start_paused = true)]
async fn three_bulks_on_one_group_lose_no_member() {
    for seed in 0..3 {
        let stack = Stack::seeded(seed).await;
        let client = stack.client();
        let crew = client.create("/Groups", group("Crew", &[])).await;
        let rows = |n: usize| -> Vec<Value> {
            let create = |m: usize| post(&m.to_string(), "/Users", user(&format!("u{n}-{m}")));
            let join = |m: usize| {
                json!({"method": "PATCH", "path": format!("/Groups/{crew}"),
                    "data": add_member(&format!("bulkId:{m}"))})
            };
            (0..60).map(create).chain((0..60).map(join)).collect()
        };
        let replies = all((0..3).map(|n| {
            let (client, rows) = (client.clone(), rows(n));
            async move { client.bulk(&rows).await }
        }))
        .await;
        for reply in &replies {
            let rows = reply.rows();
            let done = rows
                .iter()
                .all(|row| row["status"] == "201" || row["status"] == "204");
            assert!(done, "seed {seed}: {}", reply.body);
        }
        let crew = client.get(&format!("/Groups/{crew}")).await;
        assert_eq!(crew.body["members"].as_array().unwrap().len(), 180);
        assert_eq!(
            crew.body["meta"]["version"], "W/\"181\"",
            "each row is one change"
        );
        stack.audit().await;
    }
}

/// Invariant 3.
#[tokio::test(start_paused = true)]
async fn a_user_deleted_while_being_added_is_in_no_group() {
    for seed in 0..12 {
        let stack = Stack::seeded(seed).await;
        let client = stack.client();
        let id = client.create("/Users", user("leaver")).await;
        let mut groups = Vec::new();
        for n in 0..4 {
            groups.push(
                client
                    .create("/Groups", group(&format!("Group {n}"), &[]))
                    .await,
            );
        }
        let mut requests: Vec<(String, Option<String>)> = groups
            .iter()
            .map(|group| (group.clone(), Some(id.clone())))
            .collect();
        requests.insert(usize::try_from(seed).unwrap() % 5, (id.clone(), None));
        let replies = all(requests.into_iter().map(|(target, member)| {
            let client = client.clone();
            async move {
                match member {
                    Some(id) => {
                        client
                            .patch(&format!("/Groups/{target}"), add_member(&id))
                            .await
                    }
                    None => client.delete(&format!("/Users/{target}")).await,
                }
            }
        }))
        .await;
        for reply in &replies {
            assert!(
                [204, 400].contains(&reply.status),
                "seed {seed}: {}",
                reply.body
            );
        }
        assert_eq!(client.get(&format!("/Users/{id}")).await.status, 404);
        for group in &groups {
            assert!(client.members(group).await.is_empty(), "seed {seed}");
        }
        stack.audit().await;
    }
}

/// Invariant 5.
#[tokio::test(start_paused = true)]
async fn of_ten_writes_with_one_version_one_succeeds() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let id = client.create("/Users", user("versioned")).await;
    let replies = all((0..10).map(|n| {
        let (client, id) = (client.clone(), id.clone());
        async move {
            let body = patch(&[json!({"op": "replace", "path": "title", "value": n.to_string()})]);
            let client = client.with_header("if-match", "W/\"1\"");
            (n, client.patch(&format!("/Users/{id}"), body).await)
        }
    }))
    .await;
    let winners: Vec<_> = replies
        .iter()
        .filter(|(_, reply)| reply.status == 200)
        .collect();
    let stale = replies
        .iter()
        .filter(|(_, reply)| reply.status == 412)
        .count();
    assert_eq!((winners.len(), stale), (1, 9));
    let got = client.get(&format!("/Users/{id}")).await;
    assert_eq!(got.body["title"], winners[0].0.to_string());
    assert_eq!(got.body["meta"]["version"], "W/\"2\"");
}

/// Invariant 7: what another tenant sees of an object is byte for byte what it
/// sees of nothing.
#[tokio::test(start_paused = true)]
async fn another_tenant_sees_the_same_whether_or_not_an_object_exists() {
    let stack = Stack::seeded(7).await;
    let (a, b) = (stack.client().tenant("a"), stack.client().tenant("b"));
    let user_a = a.create("/Users", user("shared.name")).await;
    let group_a = a.create("/Groups", group("Shared", &[&user_a])).await;
    let absent = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";
    for (endpoint, held) in [("Users", &user_a), ("Groups", &group_a)] {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let body = match (method, endpoint) {
                ("PUT", "Users") => Some(user("shared.name")),
                ("PUT", _) => Some(group("Shared", &[])),
                ("PATCH", _) => Some(patch(&[
                    json!({"op": "add", "path": "externalId", "value": "x"}),
                ])),
                _ => None,
            };
            let body = body
                .map(|body| body.to_string().into_bytes())
                .unwrap_or_default();
            let mut replies = Vec::new();
            for id in [held.as_str(), absent] {
                let calls = stack.weather().report().total_calls();
                let reply = b
                    .send(method, &format!("/{endpoint}/{id}"), body.clone())
                    .await;
                let text = reply.body.to_string().replace(id, "ID");
                replies.push((
                    reply.status,
                    text,
                    stack.weather().report().total_calls() - calls,
                ));
            }
            assert_eq!(replies[0], replies[1], "{method} {endpoint}");
            assert_eq!(replies[0].0, 404);
        }
    }
    let found = b
        .get("/Users?filter=userName%20eq%20%22shared.name%22")
        .await;
    assert_eq!(found.body["totalResults"], 0);
    assert_eq!(b.get("/Groups").await.body["totalResults"], 0);
    let foreign = b.post("/Groups", group("Mine", &[&user_a])).await;
    let nobody = b.post("/Groups", group("Mine", &[absent])).await;
    assert_eq!((foreign.status, nobody.status), (400, 400));
    assert_eq!(
        foreign.body.to_string().replace(&user_a, "ID"),
        nobody.body.to_string().replace(absent, "ID")
    );
    assert_eq!(
        b.post("/Users", user("shared.name")).await.status,
        201,
        "a name is unique per tenant"
    );
    assert_eq!(
        a.get(&format!("/Groups/{group_a}")).await.body["members"][0]["value"],
        user_a
    );
    stack.audit().await;
}

/// A filter that a lookup answers never misses: somebody has the name all the
/// time, and whoever asks finds exactly one.
#[tokio::test(start_paused = true)]
async fn a_name_that_changes_hands_is_always_found() {
    let stack = Stack::seeded(9).await;
    let client = stack.client();
    let a = client.create("/Users", user("wanted")).await;
    let b = client.create("/Users", user("other")).await;
    let rename = |id: &str, name: &str| {
        let data = patch(&[json!({"op": "replace", "path": "userName", "value": name})]);
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": data})
    };
    let swap = |from: &str, to: &str| {
        [
            rename(from, "parked"),
            rename(to, "wanted"),
            rename(from, "other"),
        ]
    };
    let swapping = {
        let (client, there, back) = (client.clone(), swap(&a, &b), swap(&b, &a));
        tokio::spawn(async move {
            for turn in 0..30 {
                let reply = client
                    .bulk(if turn % 2 == 0 { &there } else { &back })
                    .await;
                let rows = reply.rows();
                assert!(
                    rows.iter().all(|row| row["status"] == "200"),
                    "{}",
                    reply.body
                );
            }
        })
    };
    let mut owners = BTreeSet::new();
    while !swapping.is_finished() {
        let found = client
            .get("/Users?filter=userName%20eq%20%22wanted%22")
            .await;
        assert_eq!(found.body["totalResults"], 1, "{}", found.body);
        owners.insert(found.body["Resources"][0]["id"].to_string());
    }
    swapping.await.unwrap();
    assert_eq!(owners.len(), 2, "the name really changed hands");
}

/// What was answered is what happened, whatever gets lost on the way.
#[tokio::test(start_paused = true)]
async fn rows_tell_the_truth_under_conflicts_throttles_and_lost_answers() {
    for seed in 0..20 {
        let rates = Rates {
            conflict: 200,
            throttle: 100,
            lost_before: 50,
            lost_after: 100,
            internal: 20,
            unprocessed: 50,
        };
        let settings = Settings {
            rates,
            ..Settings::default()
        };
        let stack = Stack::builder().seed(seed).weather(settings).start().await;
        let client = stack.client();
        let mut operations: Vec<Value> = (0..30)
            .map(|n| post(&n.to_string(), "/Users", user(&format!("u{}", n % 25))))
            .collect();
        let members: Vec<String> = (0..30).step_by(3).map(|n| format!("bulkId:{n}")).collect();
        for (n, member) in members.iter().enumerate() {
            operations.push(post(
                &format!("g{n}"),
                "/Groups",
                group(&format!("G{n}"), &[member]),
            ));
        }
        let reply = client.bulk(&operations).await;
        stack
            .weather()
            .change(|settings| settings.rates = Rates::default());
        let rows = reply.rows();
        assert_eq!(rows.len(), operations.len());
        let mut created = 0;
        for (row, operation) in rows.iter().zip(&operations) {
            let status = row["status"].as_str().unwrap();
            assert!(["201", "409"].contains(&status), "seed {seed}: {row}");
            if status == "201" {
                created += 1;
                let path = row["location"].as_str().unwrap();
                let path = &path[path.find("/Users").or(path.find("/Groups")).unwrap()..];
                let got = client.get(path).await;
                assert_eq!(got.status, 200, "seed {seed}: an acknowledged row is there");
                let name = operation["data"]
                    .get("userName")
                    .or(operation["data"].get("displayName"));
                assert!(got.body.get("userName").or(got.body.get("displayName")) == name);
            }
        }
        let users = client.get("/Users?count=0").await.body["totalResults"]
            .as_u64()
            .unwrap();
        let groups = client.get("/Groups?count=0").await.body["totalResults"]
            .as_u64()
            .unwrap();
        assert_eq!(users + groups, created, "seed {seed}: and nothing else is");
        assert_eq!(users, 25);
        stack.audit().await;
    }
}
