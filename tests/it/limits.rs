//! What does not fit: into a transaction, into one plan, among the failures that
//! a client allows.

use std::time::Duration;

use harness::weather::Fault;
use harness::{Client, Stack, patch, user};
use serde_json::{Value, json};
use shared::scim::urn;

fn titled(name: &str, bytes: usize) -> Value {
    let mut data = user(name);
    data["title"] = json!("x".repeat(bytes));
    data
}

fn rename(id: &str, n: usize) -> Value {
    let change = patch(&[json!({"op": "replace", "path": "displayName", "value": n.to_string()})]);
    json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": change})
}

fn statuses(body: &Value) -> Vec<&str> {
    let rows = body["Operations"].as_array().unwrap().iter();
    rows.map(|row| row["status"].as_str().unwrap()).collect()
}

/// The bytes that the rows come to, as planned.
async fn planned_bytes(client: &Client, rows: &[Value]) -> u64 {
    let request = json!({"schemas": [urn::BULK_REQUEST], "Operations": rows});
    let plan = client.post("/Bulk?dryRun=true", request).await.body;
    let transactions = plan["plan"]["transactions"].as_array().unwrap();
    let bytes = transactions
        .iter()
        .map(|one| one["bytes"].as_u64().unwrap());
    bytes.sum()
}

/// What the plan does not know is written beside it: the marker of an
/// idempotent request.
#[tokio::test(start_paused = true)]
async fn twelve_rows_of_just_four_megabytes_leave_room_for_their_marker() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut ids = Vec::new();
    for n in 0..12 {
        let name = format!("u{n:02}");
        ids.push(client.create("/Users", titled(&name, 349_000)).await);
    }
    let rows: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| rename(id, 10 + n))
        .collect();
    let missing = 4 * 1024 * 1024 - 100 - planned_bytes(&client, &rows).await;
    let each = 349_000 + usize::try_from(missing).unwrap() / 12;
    for (n, id) in ids.iter().enumerate() {
        let data = titled(&format!("u{n:02}"), each);
        assert_eq!(client.put(&format!("/Users/{id}"), data).await.status, 200);
    }
    let keyed = client.with_header("idempotency-key", "k");
    let reply = keyed.bulk(&rows).await;
    assert_eq!(statuses(&reply.body), ["200"; 12], "{}", reply.body);
    stack.audit().await;
}

/// Each row of a large resource keeps its image until it is written, so there
/// is an end to how many are planned at once.
#[tokio::test(start_paused = true)]
async fn rows_that_are_too_much_for_one_plan_are_carried_out_by_two() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", titled("large", 340_000)).await;
    let rows: Vec<Value> = (0..110).map(|n| rename(&id, n)).collect();
    stack.weather().reset();
    let reply = client.bulk(&rows).await;
    assert_eq!(statuses(&reply.body), ["200"; 110], "{}", reply.body);
    assert_eq!(reply.body["Operations"][109]["version"], "W/\"111\"");
    assert_eq!(stack.weather().report().transactions, 2);
    let found = client
        .get(&format!("/Users/{id}?attributes=displayName"))
        .await;
    assert_eq!(found.body["displayName"], "109");
    let request = json!({"schemas": [urn::BULK_REQUEST], "Operations": rows});
    let dry = client.post("/Bulk?dryRun=true", request).await;
    assert_eq!(dry.status, 413, "{}", dry.body);
    stack.audit().await;
}

/// A row that fails without a write is not told before what comes before it:
/// that may fail as well, and be the last failure that was allowed.
#[tokio::test(start_paused = true)]
async fn a_later_failure_is_not_listed_when_an_earlier_one_ends_the_request() {
    let stack = Stack::start().await;
    let client = stack.client();
    let unheard = Fault::Silent { applied: false };
    stack.weather().inject("TransactWriteItems", 1, unheard);
    let rows = [
        json!({"method": "POST", "path": "/Users", "bulkId": "u", "data": user("wanted")}),
        json!({"method": "DELETE", "path": "/Users/00000000-0000-4000-8000-000000000000"}),
    ];
    let request = json!({"schemas": [urn::BULK_REQUEST], "failOnErrors": 1, "Operations": rows});
    let meanwhile = async {
        let calls = || stack.weather().report().calls;
        while !calls().contains_key("TransactWriteItems") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        client.post("/Users", user("wanted")).await
    };
    let (reply, other) = tokio::join!(client.post("/Bulk", request), meanwhile);
    assert_eq!(other.status, 201, "{}", other.body);
    assert_eq!(statuses(&reply.body), ["409"], "{}", reply.body);
    stack.audit().await;
}

/// What DynamoDB refuses for its content is one row's fault, and the others that
/// happened to share its transaction must not fail with it.
#[tokio::test(start_paused = true)]
async fn who_shares_a_transaction_with_what_cannot_be_stored_is_sent_again_alone() {
    let rows = ["a", "b", "c"].map(
        |name| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)}),
    );
    for (refused, expected, transactions) in [
        (vec![1], ["201", "201", "201"], 4),
        (vec![1, 3], ["201", "500", "201"], 4),
        (vec![1, 2, 3, 4], ["500", "500", "500"], 4),
    ] {
        let stack = Stack::start().await;
        for call in refused {
            let weather = stack.weather();
            weather.inject("TransactWriteItems", call, Fault::Invalid);
        }
        let reply = stack.client().bulk(&rows).await;
        let mut found = statuses(&reply.body);
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", reply.body);
        let sent = stack.weather().report().calls["TransactWriteItems"];
        assert_eq!(sent, transactions);
        stack.audit().await;
    }
}
