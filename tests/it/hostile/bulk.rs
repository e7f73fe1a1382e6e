//! Bulk requests and their rows.

use harness::{Stack, group, user};
use serde_json::json;

use super::{case, check};

#[tokio::test(start_paused = true)]
async fn bulk_requests_that_are_none() {
    const SYNTAX: (u16, &str) = (400, "invalidSyntax");
    const VALUE: (u16, &str) = (400, "invalidValue");
    let stack = Stack::start().await;
    let client = stack.client();
    let urn = shared::scim::urn::BULK_REQUEST;
    let post = |name, members: &str, expected| {
        let body = format!(r#"{{"schemas":["{urn}"]{members}}}"#);
        case(name, "POST", "/Bulk", body, expected)
    };
    let many = format!(r#","Operations":[{}1]"#, "1,".repeat(100_000));
    let cases = vec![
        case("nothing", "POST", "/Bulk", "", SYNTAX),
        case("an array", "POST", "/Bulk", "[]", SYNTAX),
        post("no operations", "", SYNTAX),
        post("operations of an object", r#","Operations":{}"#, SYNTAX),
        post("an empty list", r#","Operations":[]"#, SYNTAX),
        post("100,001 operations", &many, (413, "")),
        post(
            "failOnErrors of a word",
            r#","failOnErrors":"one","Operations":[1]"#,
            VALUE,
        ),
        post(
            "failOnErrors below zero",
            r#","failOnErrors":-1,"Operations":[1]"#,
            VALUE,
        ),
        post(
            "failOnErrors of a fraction",
            r#","failOnErrors":1.5,"Operations":[1]"#,
            VALUE,
        ),
        post(
            "operations twice",
            r#","Operations":[1],"Operations":[1]"#,
            SYNTAX,
        ),
        post(
            "operations in two cases",
            r#","Operations":[1],"operations":[1]"#,
            SYNTAX,
        ),
    ];
    check(&client, cases).await;
    stack.audit().await;
}

/// Rows fail alone, and what they quote never fills the answer.
#[tokio::test(start_paused = true)]
async fn rows_that_quote_megabytes_are_answered_in_kilobytes() {
    let stack = Stack::start().await;
    let client = stack.client();
    let long = "\"\\".repeat(100_000);
    let rows = [
        json!({"method": "POST", "path": "/Users", "bulkId": "u", "data": user("witness")}),
        json!({"method": "DELETE", "path": format!("/Users/{long}")}),
        json!({"method": long, "path": "/Users"}),
        json!({"method": "PATCH", "path": format!("/Users/bulkId:{long}"), "data": {}}),
        json!({"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("G", &[&long])}),
        json!({"method": "PUT", "path": format!("/{long}"), "data": {}}),
        json!({"method": "POST", "path": "/Groups", "bulkId": long, "data": group("G", &[])}),
    ];
    let reply = client.bulk(&rows).await;
    assert_eq!(reply.status, 200);
    let found = reply.body["Operations"].as_array().unwrap();
    let statuses: Vec<_> = found
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["201", "404", "400", "400", "400", "404", "400"]);
    let length = reply.body.to_string().len();
    assert!(length < 20_000, "{length} bytes");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn odd_groups_come_and_go() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("member")).await;
    let twice = client.create("/Groups", group("Twice", &[&id, &id])).await;
    let path = format!("/Groups/{twice}");
    let shown = client.get(&path).await;
    assert_eq!(shown.body["members"].as_array().unwrap().len(), 1);
    // A group that contains itself and another one that contains it.
    let own = group("Own", &[&twice, &id]);
    assert_eq!(client.put(&path, own).await.status, 200);
    let above = client.create("/Groups", group("Above", &[&twice])).await;
    assert_eq!(
        client.get(&path).await.body["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    let above = client.get(&format!("/Groups/{above}")).await;
    assert_eq!(above.body.get("members"), None, "{}", above.body);
    let member = client.get(&format!("/Users/{id}")).await;
    assert_eq!(member.body.get("groups"), None, "{}", member.body);
    stack.audit().await;
}
