//! Entity-tags on every verb (RFC 7644 §3.14, RFC 9110 §13.1).

use std::time::Duration;

use harness::{Client, Reply, Stack, group, patch, user};
use serde_json::{Value, json};

fn title(value: &str) -> Value {
    patch(&[json!({"op": "replace", "path": "title", "value": value})])
}

/// Every write of a resource, the last of which deletes it if it may.
async fn writes(client: &Client, path: &str, body: &Value) -> Vec<Reply> {
    let change = patch(&[json!({"op": "add", "path": "externalId", "value": "x"})]);
    vec![
        client.put(path, body.clone()).await,
        client.patch(path, change).await,
        client.delete(path).await,
    ]
}

#[tokio::test(start_paused = true)]
async fn a_stale_if_match_stops_every_verb() {
    let stack = Stack::start().await;
    let client = stack.client();
    for (endpoint, body) in [("/Users", user("u")), ("/Groups", group("g", &[]))] {
        let id = client.create(endpoint, body.clone()).await;
        let path = format!("{endpoint}/{id}");
        for stale in ["W/\"2\"", "\"0\"", "W/\"2\", W/\"3\"", "\"W/1\"", "1.0", ""] {
            let client = client.with_header("if-match", stale);
            let mut replies = writes(&client, &path, &body).await;
            replies.push(client.get(&path).await);
            for reply in replies {
                assert_eq!(reply.status, 412, "{stale} {}", reply.body);
                assert_eq!(reply.body["status"], "412");
                assert!(reply.body.get("scimType").is_none(), "none is defined");
            }
        }
        let got = client.get(&path).await;
        assert_eq!(got.header("etag"), Some("W/\"1\""));
        for current in ["W/\"1\"", "\"1\"", "\"7\" , W/\"1\"", "*"] {
            let client = client.with_header("if-match", current);
            let reply = client.put(&path, body.clone()).await;
            assert_eq!(reply.status, 200, "{current}");
        }
        let client = client.with_header("if-match", "\"7\", \"1\"");
        assert_eq!(client.delete(&path).await.status, 204);
        let gone = client.with_header("if-match", "*");
        for reply in writes(&gone, &path, &body).await {
            assert_eq!(reply.status, 404, "nobody has a version that is gone");
        }
    }
    let client = client.with_header("if-match", "W/\"9\"");
    assert_eq!(client.post("/Users", user("new")).await.status, 201);
    stack.audit().await;
}

/// RFC 9110 §13.1.2: a version that the client has is not sent again, and is
/// not written over.
#[tokio::test(start_paused = true)]
async fn if_none_match_spares_a_read_and_stops_a_write() {
    let stack = Stack::start().await;
    let client = stack.client();
    for (endpoint, body) in [("/Users", user("u")), ("/Groups", group("g", &[]))] {
        let id = client.create(endpoint, body.clone()).await;
        let path = format!("{endpoint}/{id}");
        for known in ["W/\"1\"", "\"1\"", "\"7\", W/\"1\"", "*"] {
            let client = client.with_header("if-none-match", known);
            let got = client.get(&path).await;
            assert_eq!((got.status, &got.body), (304, &Value::Null), "{known}");
            assert_eq!(got.header("etag"), Some("W/\"1\""));
            assert_eq!(got.header("content-type"), None);
            for reply in writes(&client, &path, &body).await {
                assert_eq!(reply.status, 412, "{known}");
            }
        }
        let other = client.with_header("if-none-match", "W/\"7\", \"8\"");
        assert_eq!(other.get(&path).await.status, 200);
        let both = other.with_header("if-match", "W/\"7\"");
        assert_eq!(both.delete(&path).await.status, 412);
        for reply in writes(&other, &path, &body).await {
            assert!(reply.status < 300, "{}", reply.body);
        }
        let gone = client.with_header("if-none-match", "*");
        assert_eq!(gone.get(&path).await.status, 404);
        assert_eq!(gone.put(&path, body.clone()).await.status, 404);
    }
    stack.audit().await;
}

/// RFC 7644 §3.14: the header of each answer, `meta.version` and that of the
/// next GET are one.
#[tokio::test(start_paused = true)]
async fn every_answer_about_a_resource_has_its_entity_tag() {
    let stack = Stack::start().await;
    let client = stack.client();
    for (endpoint, body) in [("/Users", user("u")), ("/Groups", group("g", &[]))] {
        let created = client.post(endpoint, body.clone()).await;
        let path = format!("{endpoint}/{}", created.body["id"].as_str().unwrap());
        let mut renamed = body.clone();
        renamed["externalId"] = json!("e");
        let mut expected = 1;
        let mut check = async |reply: Reply, changed: bool| {
            expected += u32::from(changed);
            let tag = format!("W/\"{expected}\"");
            assert_eq!(reply.header("etag"), Some(&*tag), "{}", reply.body);
            if reply.status != 204 {
                assert_eq!(reply.body["meta"]["version"], tag);
            }
            let got = client.get(&path).await;
            assert_eq!(got.header("etag"), Some(&*tag));
            assert_eq!(got.body["meta"]["version"], tag);
        };
        check(created, false).await;
        check(client.put(&path, renamed.clone()).await, true).await;
        check(client.put(&path, renamed).await, false).await;
        let change = patch(&[json!({"op": "replace", "path": "externalId", "value": "f"})]);
        check(client.patch(&path, change.clone()).await, true).await;
        check(client.patch(&path, change).await, false).await;
    }
    let list = client.get("/Users").await;
    assert_eq!(list.header("etag"), None, "a list is no resource");
    stack.audit().await;
}

/// RFC 7643 §3.1, RFC 7644 §3.5.2.1: what changes nothing is a success that
/// leaves `lastModified` and version alone, whatever the verb and operation.
#[tokio::test(start_paused = true)]
async fn what_changes_nothing_keeps_the_time_of_the_last_change() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut body = user("u");
    body["title"] = json!("x");
    body["emails"] = json!([{"value": "a@x", "type": "work"}]);
    let created = client.post("/Users", body.clone()).await;
    let path = format!("/Users/{}", created.body["id"].as_str().unwrap());
    assert_eq!(
        created.body["meta"]["created"],
        created.body["meta"]["lastModified"]
    );
    tokio::time::advance(Duration::from_secs(60)).await;
    for operation in [
        json!({"op": "add", "path": "title", "value": "x"}),
        json!({"op": "replace", "path": "title", "value": "x"}),
        json!({"op": "replace", "value": {"title": "x", "userName": "u"}}),
        json!({"op": "add", "path": "emails", "value": [{"value": "a@x", "type": "work"}]}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@x"}),
        json!({"op": "remove", "path": "nickName"}),
        json!({"op": "remove", "path": "emails[type eq \"home\"]"}),
    ] {
        let reply = client
            .patch(&path, patch(std::slice::from_ref(&operation)))
            .await;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.body);
        assert_eq!(reply.body["meta"], created.body["meta"], "{operation}");
    }
    let same = client.put(&path, body).await;
    assert_eq!(same.body["meta"], created.body["meta"]);
    let changed = client.patch(&path, title("y")).await;
    assert_eq!(
        changed.body["meta"]["created"],
        created.body["meta"]["created"]
    );
    let modified = changed.body["meta"]["lastModified"].as_str().unwrap();
    assert!(
        modified > created.body["meta"]["lastModified"].as_str().unwrap(),
        "{modified}"
    );
    stack.audit().await;
}

/// A member's fate is a change of its group: the group's version moves, the
/// member's does not.
#[tokio::test(start_paused = true)]
async fn a_membership_moves_the_version_of_the_group_alone() {
    let stack = Stack::start().await;
    let client = stack.client();
    let ada = client.create("/Users", user("ada")).await;
    let crew = client.create("/Groups", group("Crew", &[])).await;
    let member = json!([{"value": ada}]);
    let path = format!("/Groups/{crew}");
    let add = patch(&[json!({"op": "add", "path": "members", "value": member})]);
    assert_eq!(
        client.patch(&path, add.clone()).await.header("etag"),
        Some("W/\"2\"")
    );
    assert_eq!(
        client.patch(&path, add).await.header("etag"),
        Some("W/\"2\""),
        "a member is added once"
    );
    let user_path = format!("/Users/{ada}");
    let seen = client.get(&user_path).await;
    assert_eq!(seen.header("etag"), Some("W/\"1\""));
    assert_eq!(client.delete(&user_path).await.status, 204);
    assert_eq!(client.get(&path).await.header("etag"), Some("W/\"3\""));
    stack.audit().await;
}
