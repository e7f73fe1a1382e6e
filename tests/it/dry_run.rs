//! `?dryRun=true` on `/Bulk`: what would happen, with the plan, and nothing
//! written (`docs/bulk.md`).

use harness::{Stack, group, patch, user};
use serde_json::{Value, json};

fn request(id: &str) -> Value {
    let title = patch(&[json!({"op": "replace", "path": "title", "value": "x"})]);
    json!({"Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("G", &["bulkId:u"])},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("new")},
        {"method": "POST", "path": "/Users", "bulkId": "v", "data": user("OLD")},
        {"method": "PATCH", "path": format!("/Users/{id}"), "data": title, "version": "W/\"1\""},
        {"method": "PATCH", "path": format!("/Users/{id}"), "data": title, "version": "W/\"1\""},
        {"method": "POST", "path": "/Groups", "bulkId": "h", "data": group("H", &["bulkId:v"])},
        {"method": "PATCH", "path": "/Users/bulkId:u", "data": title},
        {"method": "DELETE", "path": "/Groups/bulkId:g", "version": "W/\"7\""},
    ]})
}

/// Only what is there already has a place.
fn with_locations_of(id: &str, mut answer: Value) -> Value {
    for row in answer["Operations"].as_array_mut().unwrap() {
        let known = |location: &Value| location.as_str().unwrap().ends_with(id);
        if row.get("location").is_some_and(|location| !known(location)) {
            row.as_object_mut().unwrap().shift_remove("location");
        }
    }
    answer
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_answers_what_the_request_would_and_writes_nothing() {
    for atomicity in ["operation", "component", "request"] {
        let stack = Stack::seeded(1).await;
        let client = stack.client();
        let id = client.create("/Users", user("old")).await;
        let before = stack.items();
        stack.weather().reset();
        let path = format!("/Bulk?atomicity={atomicity}");
        let dry = client
            .post(&format!("{path}&dryRun=true"), request(&id))
            .await;
        assert_eq!(dry.status, 200);
        assert_eq!(stack.items(), before);
        let calls = stack.weather().report().calls;
        assert_eq!(calls.keys().collect::<Vec<_>>(), ["BatchGetItem"]);
        stack.weather().reset();
        let wet = client
            .post(&format!("{path}&dryRun=false"), request(&id))
            .await;
        let mut told = dry.body.clone();
        let plan = told.as_object_mut().unwrap().shift_remove("plan").unwrap();
        assert_eq!(told, with_locations_of(&id, wet.body), "{atomicity}");
        let report = stack.weather().report();
        assert_eq!(plan["totals"]["transactions"], report.transactions);
        assert_eq!(plan["totals"]["actions"], report.actions);
        assert_eq!(
            plan["totals"]["writeUnits"].as_f64(),
            Some(report.write_units)
        );
        stack.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_plan_names_rows_and_nothing_that_a_person_is_called() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    let id = client.create("/Users", user("old")).await;
    let dry = client.post("/Bulk?dryRun=true", request(&id)).await;
    let plan = dry.body["plan"].to_string();
    for value in ["new", "OLD", "\"G\""] {
        assert!(!plan.contains(value), "{value}: {plan}");
    }
    assert_eq!(dry.body["plan"]["order"], json!([1, 0, 2, 3, 4, 5, 6, 7]));
    assert_eq!(dry.body["plan"]["operations"][0]["references"], json!([1]));
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_expects_no_write_is_never_taken_to_want_one() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let request = json!({"Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("ada")}]});
    for query in [
        "dryRun=yes",
        "dryRun",
        "dryRun=TRUE",
        "dryRun=true&dryRun=true",
    ] {
        let reply = client
            .post(&format!("/Bulk?{query}"), request.clone())
            .await;
        assert_eq!(
            (reply.status, &reply.body["scimType"]),
            (400, &json!("invalidValue")),
            "{query}"
        );
    }
    let reply = client.post("/Users?dryRun=true", user("ada")).await;
    assert_eq!(
        reply.body["detail"],
        "`dryRun` is understood by `/Bulk` only"
    );
    let keyed = client.with_header("idempotency-key", "k");
    assert_eq!(keyed.post("/Bulk?dryRun=true", request).await.status, 200);
    assert!(stack.items().is_empty());
    let group_only = client.with_scopes(&["scim.groups.write"]);
    let refused = group_only.post("/Bulk?dryRun=true", json!({})).await;
    assert_eq!(refused.status, 403);
    stack.audit().await;
}
