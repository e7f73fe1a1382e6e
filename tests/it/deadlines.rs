//! No read outlasts its request: what cannot be read in time is refused in
//! time, so that the client has an answer of ours and not of the gateway; and
//! until then it is asked for again.

use std::time::Duration;

use harness::weather::{Budget, Fault, Rates, Settings};
use harness::{Client, Reply, Stack, encode, group, id_of, patch, post, user};
use serde_json::{Map, Value, json};
use shared::scim::urn;
use tokio::time::Instant;

/// What a request may take, and the pace of the last call and the hint.
const TIME: Duration = Duration::from_secs(28);

/// A user below so many groups, each in the next.
async fn chain(client: &Client, groups: usize) -> String {
    let id = client.create("/Users", user("deep")).await;
    let mut below = id.clone();
    for n in 0..groups {
        below = client
            .create("/Groups", group(&format!("g{n}"), &[&below]))
            .await;
    }
    id
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_presented_in_time_is_refused_in_time() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let id = chain(&client, 40).await;
    let pause = Duration::from_millis(1_200);
    stack
        .weather()
        .change(|settings| settings.call = pause..=pause);
    let filter = encode("userName eq \"deep\"");
    let search = json!({"filter": "userName eq \"deep\""});
    let too_many = json!("tooMany");
    for (method, target, body, status, kind) in [
        (
            "GET",
            format!("/Users?filter={filter}"),
            None,
            400,
            &too_many,
        ),
        (
            "GET",
            format!("/Users?filter={filter}&cursor"),
            None,
            400,
            &too_many,
        ),
        ("POST", "/.search".to_owned(), Some(&search), 400, &too_many),
        ("GET", format!("/Users/{id}"), None, 503, &Value::Null),
    ] {
        let began = Instant::now();
        let body = body.map(|body| body.to_string().into_bytes());
        let reply = client.send(method, &target, body.unwrap_or_default()).await;
        assert_eq!(reply.status, status, "{target}: {}", reply.body);
        assert_eq!(&reply.body["scimType"], kind, "{target}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains("`excludedAttributes`"), "{detail}");
        assert!(began.elapsed() < TIME, "{target}: {:?}", began.elapsed());
        // As it says, less can be had.
        let join = if target.contains('?') { '&' } else { '?' };
        if method == "GET" {
            let less = format!("{target}{join}excludedAttributes=groups");
            assert_eq!(client.get(&less).await.status, 200, "{less}");
        }
    }
    stack.audit().await;
}

/// A table that refuses for as long as it is asked.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    ReadsThrottled,
    WritesThrottled,
    Broken,
    Lost,
    Silent,
}

impl Trouble {
    fn befall(self, stack: &Stack) {
        let rates = |settings: &mut Settings, rates| settings.rates = rates;
        let budget = Budget::default();
        stack.weather().change(|settings| match self {
            Self::ReadsThrottled => {
                settings.budget = Some(Budget {
                    read: 0.0,
                    ..budget
                })
            }
            Self::WritesThrottled => {
                settings.budget = Some(Budget {
                    write: 0.0,
                    ..budget
                })
            }
            Self::Broken => rates(
                settings,
                Rates {
                    internal: 1_000,
                    ..Rates::default()
                },
            ),
            Self::Lost => rates(
                settings,
                Rates {
                    lost_before: 1_000,
                    ..Rates::default()
                },
            ),
            Self::Silent => {}
        });
        if let Self::Silent = self {
            for operation in ["GetItem", "BatchGetItem", "Query", "UpdateItem"] {
                for call in 1..=500 {
                    let silent = Fault::Silent { applied: false };
                    stack.weather().inject(operation, call, silent);
                }
            }
        }
    }

    async fn pass(self, stack: &Stack) {
        stack.weather().calm();
        stack
            .weather()
            .change(|settings| settings.budget = Some(Budget::default()));
        stack.weather().quiet().await;
    }
}

fn title(title: &str) -> Value {
    patch(&[json!({"op": "replace", "path": "title", "value": title})])
}

/// Everything that can be asked of the table: method, target and body.
fn requests(user_id: &str, group_id: &str) -> Vec<(&'static str, String, Value)> {
    let read = |target: &str| ("GET", target.to_owned(), Value::Null);
    let filter = |filter: &str| format!("/Users?filter={}", encode(filter));
    let search = json!({"schemas": [urn::SEARCH_REQUEST], "filter": "userName eq \"there\""});
    let bulk = json!({"schemas": [urn::BULK_REQUEST], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": user("a")},
        {"method": "PATCH", "path": format!("/Users/{user_id}"), "data": title("b")},
    ]});
    let one = format!("/Users/{user_id}");
    let mut replaced = user("there");
    replaced["title"] = json!("b");
    vec![
        read(&one),
        read(&format!("/Groups/{group_id}")),
        read("/Me"),
        read("/Users"),
        read("/Users?startIndex=2&count=1"),
        read("/Users?sortBy=title"),
        read("/Users?cursor"),
        read("/?cursor"),
        read(&filter("userName eq \"there\"")),
        read(&filter("title co \"x\"")),
        read(&format!("{}&cursor", filter("title co \"x\""))),
        read(&format!(
            "/Groups?filter={}",
            encode(&format!("members.value eq \"{user_id}\""))
        )),
        ("POST", "/Users/.search".to_owned(), search.clone()),
        ("POST", "/.search".to_owned(), search),
        ("POST", "/Users".to_owned(), user("new")),
        ("PUT", one.clone(), replaced),
        ("PATCH", one.clone(), title("c")),
        ("PATCH", "/Me".to_owned(), title("c")),
        ("DELETE", one, Value::Null),
        ("DELETE", format!("/Groups/{group_id}"), Value::Null),
        ("POST", "/Bulk?dryRun=true".to_owned(), bulk.clone()),
        ("POST", "/Bulk".to_owned(), bulk),
    ]
}

/// What a client is told: of each row of a bulk request, or of the request.
fn statuses(reply: &Reply) -> Vec<String> {
    match reply.body.get("Operations") {
        Some(_) => reply.statuses().into_iter().map(str::to_owned).collect(),
        None => vec![reply.status.to_string()],
    }
}

/// All that is in the table but the secret of cursors, which nobody misses.
fn resources(stack: &Stack) -> Vec<Map<String, Value>> {
    let mut items = stack.items();
    items.retain(|item| !item.contains_key("secret"));
    items
}

/// RFC 9110 §15.6.4: what may pass is a 503 that says when to come back. A 500
/// says that nobody knows, and a connector then stops.
#[tokio::test(start_paused = true)]
async fn a_table_that_refuses_for_ever_is_told_as_503_in_time() {
    let time = Duration::from_secs(8);
    for trouble in [
        Trouble::ReadsThrottled,
        Trouble::WritesThrottled,
        Trouble::Broken,
        Trouble::Lost,
        Trouble::Silent,
    ] {
        let stack = Stack::builder()
            .remaining(time)
            .variable("SUBJECT_ATTRIBUTE", "userName")
            .start()
            .await;
        let client = stack.client().with_claim("sub", json!("there"));
        let user_id = client.create("/Users", user("there")).await;
        client.create("/Users", user("too")).await;
        let group_id = client.create("/Groups", group("g", &[&user_id])).await;
        for (method, target, body) in requests(&user_id, &group_id) {
            let writes = method != "GET" && !target.contains(".search") && !target.contains('?');
            if matches!(trouble, Trouble::WritesThrottled) && !writes {
                continue;
            }
            let before = resources(&stack);
            trouble.befall(&stack);
            let body = match body {
                Value::Null => Vec::new(),
                body => body.to_string().into_bytes(),
            };
            let began = Instant::now();
            let reply = client.send(method, &target, body).await;
            let took = began.elapsed();
            let case = format!("{trouble:?}, {method} {target}: {}", reply.body);
            assert!(
                took < time + Duration::from_secs(1),
                "after {took:?}, {case}"
            );
            assert!(
                took > Duration::from_secs(4),
                "after {took:?} already, {case}"
            );
            let statuses = statuses(&reply);
            assert!(statuses.iter().all(|status| status == "503"), "{case}");
            if statuses.len() == 1 {
                assert_eq!(reply.header("retry-after"), Some("1"), "{case}");
            }
            trouble.pass(&stack).await;
            assert_eq!(resources(&stack), before, "{case}");
        }
        stack.audit().await;
    }
}

/// All memberships of a group lie in one partition, and what a request reads of
/// it may take longer than any number of attempts.
#[tokio::test(start_paused = true)]
async fn a_partition_that_throttles_for_long_is_waited_for() {
    let stack = Stack::start().await;
    let client = stack.client();
    let group_id = client.create("/Groups", group("large", &[])).await;
    let mut rows: Vec<Value> = (0..300)
        .map(|n| post(&n.to_string(), "/Users", user(&format!("u{n}"))))
        .collect();
    let made = client.bulk(&rows).await;
    let made = made.rows().iter();
    let path = format!("/Groups/{group_id}");
    rows = made
        .map(|row| {
            let add = json!({"op": "add", "path": "members", "value": [{"value": id_of(row)}]});
            json!({"method": "PATCH", "path": path, "data": patch(&[add])})
        })
        .collect();
    let slow = Budget {
        read: 15.0,
        ..Budget::default()
    };
    stack
        .weather()
        .change(|settings| settings.budget = Some(slow));
    let began = Instant::now();
    let reply = client.bulk(&rows).await;
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(10),
        "the weather was better than thought: {took:?}"
    );
    assert!(
        statuses(&reply).iter().all(|status| status == "204"),
        "{}",
        reply.body
    );
    stack.weather().change(|settings| settings.budget = None);
    let members = client.get(&path).await.body["members"]
        .as_array()
        .map(Vec::len);
    assert_eq!(members, Some(300));
    stack.audit().await;
}

/// What was committed before the table began to refuse is told as committed.
#[tokio::test(start_paused = true)]
async fn a_row_that_was_committed_is_never_told_as_not_attempted() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("contended")).await;
    let path = format!("/Users/{id}");
    let mut rows: Vec<Value> = (0..120)
        .map(|n| post(&n.to_string(), "/Users", user(&format!("u{n}"))))
        .collect();
    rows.push(json!({"method": "PATCH", "path": path, "data": title("bulk")}));
    stack.weather().reset();
    let writes = || {
        stack
            .weather()
            .report()
            .calls
            .get("TransactWriteItems")
            .copied()
    };
    // Its own transactions get no answer at first, so that somebody else is
    // faster.
    for call in 1..=3 {
        stack
            .weather()
            .inject("TransactWriteItems", call, Fault::Silent { applied: false });
    }
    let meanwhile = async {
        while writes() != Some(3) {
            // Time is virtual: this lets it pass.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let other = client.patch(&path, title("other")).await;
        Trouble::ReadsThrottled.befall(&stack);
        other
    };
    let (reply, other) = tokio::join!(client.bulk(&rows), meanwhile);
    assert_eq!(other.status, 200, "{}", other.body);
    Trouble::ReadsThrottled.pass(&stack).await;
    let told = statuses(&reply);
    for status in ["201", "503"] {
        assert!(
            told.iter().any(|told| told == status),
            "no {status}: {told:?}"
        );
    }
    for (n, status) in told.iter().take(120).enumerate() {
        let filter = encode(&format!("userName eq \"u{n}\""));
        let found = client.get(&format!("/Users?filter={filter}")).await;
        let there = found.body["totalResults"] == 1;
        assert_eq!(there, status == "201", "row {n} is told {status}");
    }
    assert_eq!(told[120], "503");
    assert_eq!(client.get(&path).await.body["title"], "other");
    stack.audit().await;
}
