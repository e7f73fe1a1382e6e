//! `Idempotency-Key`: one request, however often it is sent and wherever a run
//! of it dies (`docs/bulk.md`).

mod fences;
mod kills;

use std::collections::BTreeSet;
use std::time::Duration;

use harness::weather::Fault;
use harness::{Client, Stack, group, patch, post, user};
use serde_json::{Value, json};

fn keyed(client: &Client, key: &str) -> Client {
    client.with_header("idempotency-key", key)
}

fn title(title: &str) -> Value {
    patch(&[json!({"op": "replace", "path": "title", "value": title})])
}

async fn count(client: &Client, endpoint: &str) -> Value {
    client.get(endpoint).await.body["totalResults"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_repetition_of_any_write_is_answered_alike_and_writes_nothing() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let id = client.create("/Users", user("ada")).await;
    let leaver = client.create("/Users", user("leaver")).await;
    let path = format!("/Users/{id}");
    let rows = json!({"Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("G", &["bulkId:u"])},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("bulk")},
        {"method": "POST", "path": "/Users", "bulkId": "v", "data": user("ada2")},
    ]});
    let requests = [
        ("POST", "/Users".to_owned(), user("eve")),
        ("POST", "/Users".to_owned(), user("ADA")),
        ("PUT", path.clone(), user("ada2")),
        ("PATCH", path, title("countess")),
        ("DELETE", format!("/Users/{leaver}"), Value::Null),
        ("POST", "/Bulk".to_owned(), rows),
    ];
    for (number, (method, path, body)) in requests.into_iter().enumerate() {
        let client = keyed(&client, &format!("key {number}"));
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let first = client.send(method, &path, body.clone()).await;
        stack.weather().reset();
        let before = stack.items();
        let again = client.send(method, &path, body).await;
        assert_eq!(again, first, "{method} {path}");
        let report = stack.weather().report();
        assert_eq!(
            report.total_calls(),
            1,
            "{method} {path}: {:?}",
            report.calls
        );
        assert_eq!(stack.items(), before, "{method} {path}");
    }
    assert_eq!(count(&client, "/Users").await, 3);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_stands_for_one_request() {
    let stack = Stack::seeded(2).await;
    let client = keyed(&stack.client(), "\"8e03978e\"");
    let id = client.create("/Users", user("ada")).await;
    let other_body = client.post("/Users", user("eve")).await;
    let other_path = client.post("/Groups", group("G", &[])).await;
    let other_query = client.post("/Users?attributes=userName", user("ada")).await;
    let other_method = client.put(&format!("/Users/{id}"), user("ada")).await;
    for reply in [other_body, other_path, other_query, other_method] {
        assert_eq!(reply.status, 422, "{}", reply.body);
        assert_eq!(
            reply.body["detail"],
            "the `Idempotency-Key` was used for another request"
        );
    }
    // The quotes of the draft do not belong to the key.
    let bare = keyed(&stack.client(), "8e03978e");
    assert_eq!(bare.post("/Users", user("ada")).await.body["id"], *id);
    assert_eq!(count(&client, "/Users").await, 1);
    stack.audit().await;
}

/// Whoever reads the table could try passwords on a fingerprint that is only a
/// hash of the request, which is the same under every key.
#[tokio::test(start_paused = true)]
async fn a_password_is_no_easier_to_guess_from_the_record() {
    let stack = Stack::seeded(13).await;
    let client = stack.client();
    let id = client.create("/Users", user("ada")).await;
    let path = format!("/Users/{id}");
    let change = |attribute: &str, value: &str| {
        patch(&[json!({"op": "replace", "path": attribute, "value": value})]).to_string()
    };
    let nested = json!({"Operations": [
        {"method": "PATCH", "path": path, "data": serde_json::from_str::<Value>(&change("PASSWORD", "a")).unwrap()},
    ]});
    let requests = [
        ("PATCH", &*path, change("title", "a"), 1),
        ("PATCH", &*path, change("password", "a"), 3),
        (
            "PATCH",
            &*path,
            change("password", "a").replace("pass", "p\\u0061ss"),
            3,
        ),
        ("POST", "/Bulk", nested.to_string(), 3),
    ];
    let mut known = fingerprints(&stack);
    for (number, (method, path, body, expected)) in requests.into_iter().enumerate() {
        for key in ["a", "b", "c"] {
            let client = keyed(&client, &format!("{key}{number}"));
            let first = client.send(method, path, body.clone().into_bytes()).await;
            assert_eq!(first.status, 200, "{}", first.body);
            let again = client.send(method, path, body.clone().into_bytes()).await;
            assert_eq!(again, first);
            let other = body.replace("\"a\"", "\"b\"");
            let other = client.send(method, path, other.into_bytes()).await;
            assert_eq!(other.status, 422, "{}", other.body);
        }
        let all = fingerprints(&stack);
        assert_eq!(all.len() - known.len(), expected, "{body}");
        known = all;
    }
    stack.audit().await;
}

fn fingerprints(stack: &Stack) -> BTreeSet<String> {
    let items = stack.items();
    let found = items.iter().filter_map(|item| item.get("fingerprint"));
    found.map(Value::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_asked_for_is_part_of_the_request() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let id = client.create("/Users", user("ada")).await;
    let path = format!("/Users/{id}");
    let client = keyed(&client, "k");
    let first = client.with_header("if-match", "W/\"1\"");
    assert_eq!(first.patch(&path, title("a")).await.status, 200);
    assert_eq!(
        first.patch(&path, title("a")).await.status,
        200,
        "the answer of then"
    );
    let other = client.with_header("if-match", "W/\"2\"");
    assert_eq!(other.patch(&path, title("a")).await.status, 422);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn keys_of_other_clients_issuers_and_tenants_are_others() {
    let stack = Stack::seeded(4).await;
    let client = keyed(&stack.client(), "k");
    let first = client.create("/Users", user("ada")).await;
    for other in [
        client.with_claim("client_id", json!("another")),
        client.with_claim("iss", json!("https://other.example.com/")),
    ] {
        let reply = other.post("/Users", user("ada")).await;
        assert_eq!(reply.status, 409, "{}", reply.body);
        assert_eq!(reply.body["scimType"], "uniqueness");
    }
    let elsewhere = client.tenant("globex").create("/Users", user("ada")).await;
    assert_ne!(elsewhere, first);
    // The subject is not part of it where the token names a client.
    let colleague = client.with_claim("sub", json!("colleague"));
    assert_eq!(
        colleague.post("/Users", user("ada")).await.body["id"],
        *first
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_told_must_be_allowed_to_ask() {
    let stack = Stack::seeded(5).await;
    let client = keyed(&stack.client(), "k");
    let rows = json!({"Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("ada")}]});
    let reply = client.post("/Bulk", rows.clone()).await;
    assert_eq!(reply.body["Operations"][0]["status"], "201");
    let bulk_only = client.with_scopes(&["scim.bulk", "scim.groups.write"]);
    let reply = bulk_only.post("/Bulk", rows.clone()).await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.body["detail"],
        "the token lacks the scope `scim.users.write`"
    );
    let without = client.with_scopes(&["scim.users.write"]);
    assert_eq!(without.post("/Bulk", rows).await.status, 403);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_is_refused_and_what_is_no_request_leaves_the_key_unused() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    for key in ["", " ", "\"\"", &"k".repeat(256)] {
        let reply = keyed(&client, key).post("/Users", user("ada")).await;
        assert_eq!(
            (reply.status, &reply.body["scimType"]),
            (400, &json!("invalidValue")),
            "{key}"
        );
    }
    let client = keyed(&client, &"k".repeat(255));
    assert_eq!(client.post("/Users", json!({})).await.status, 400);
    assert_eq!(
        client.post("/Bulk", json!({"Operations": []})).await.status,
        400
    );
    assert!(stack.items().is_empty(), "nothing was noted");
    assert_eq!(client.post("/Users", user("ada")).await.status, 201);
    // A read has no use for a key.
    assert_eq!(client.get("/Users").await.status, 200);
    assert_eq!(
        client.post("/Users/.search", json!({})).await.body["totalResults"],
        1
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn one_of_two_at_once_runs_and_the_other_is_told_to_wait() {
    let stack = Stack::seeded(7).await;
    let client = keyed(&stack.client(), "k");
    let (one, other) = tokio::join!(
        client.post("/Users", user("ada")),
        client.post("/Users", user("ada"))
    );
    let (ran, waits) = if one.status == 201 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(ran.status, 201, "{}", ran.body);
    assert_eq!(waits.status, 409, "{}", waits.body);
    let seconds: u64 = waits.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=33).contains(&seconds), "{seconds}");
    assert_eq!(client.post("/Users", user("ada")).await, ran);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_day_later_the_key_is_free() {
    let stack = Stack::seeded(8).await;
    let client = keyed(&stack.client(), "k");
    let first = client.create("/Users", user("ada")).await;
    let deleted = stack.client().delete(&format!("/Users/{first}")).await;
    assert_eq!(deleted.status, 204);
    tokio::time::sleep(Duration::from_secs(24 * 60 * 60 - 60)).await;
    assert_eq!(client.post("/Users", user("ada")).await.body["id"], *first);
    tokio::time::sleep(Duration::from_secs(120)).await;
    // The record is still there: items outlive their time.
    let second = client.create("/Users", user("ada")).await;
    assert_ne!(second, first);
    assert_eq!(client.post("/Users", user("ada")).await.body["id"], *second);
    stack.audit().await;
}

/// What ran out of time goes on where it stopped, at once.
#[tokio::test(start_paused = true)]
async fn rows_that_found_no_time_are_carried_out_by_the_repetition() {
    let stack = Stack::builder()
        .seed(9)
        .remaining(Duration::from_secs(6))
        .start()
        .await;
    let client = keyed(&stack.client(), "k");
    let row = |n: usize| post(&n.to_string(), "/Users", user(&format!("u{n}")));
    let request = json!({"Operations": (0..100).map(row).collect::<Value>()});
    // Of three transactions one is never heard of again, two until the end.
    for call in 2..200 {
        let fault = Fault::Silent {
            applied: call % 2 == 0,
        };
        stack.weather().inject("TransactWriteItems", call, fault);
    }
    let first = client.post("/Bulk", request.clone()).await;
    let told = first.statuses();
    assert!(told.contains(&"201") && told.contains(&"500"), "{told:?}");
    stack.weather().calm();
    let again = client.post("/Bulk", request.clone()).await;
    assert_eq!(again.statuses(), ["201"; 100]);
    for (row, before) in first.rows().iter().enumerate() {
        if before["status"] == "201" {
            assert_eq!(again.body["Operations"][row], *before);
        }
    }
    assert_eq!(count(&client, "/Users").await, 100);
    assert_eq!(client.post("/Bulk", request).await, again);
    stack.audit().await;
}

/// An answer of megabytes is kept in pieces.
#[tokio::test(start_paused = true)]
async fn an_answer_of_any_length_is_repeated_to_the_letter() {
    let stack = Stack::seeded(10).await;
    let client = keyed(&stack.client(), "k");
    // Each row fails and quotes what it was sent, in characters of three bytes.
    let row = |n: usize| {
        let name = format!("{n}{}", "\u{20ac}".repeat(300));
        json!({"method": "PUT", "path": format!("/Users/{name}"), "data": user("u")})
    };
    let request = json!({"Operations": (0..800).map(row).collect::<Value>()});
    let first = client.post("/Bulk", request.clone()).await;
    assert!(
        first.body.to_string().len() > 700_000,
        "{}",
        first.body.to_string().len()
    );
    assert_eq!(client.post("/Bulk", request).await, first);
    let pieces = stack
        .items()
        .into_iter()
        .filter(|item| item.contains_key("answer"));
    assert!(pieces.count() > 2);
    stack.audit().await;
}
