//! `/Me`, the user whom the token's subject names (RFC 7644 §3.11).

use harness::{Client, Reply, Stack, group, patch, user};
use serde_json::{Value, json};

async fn stack(seed: u64, attribute: &str) -> Stack {
    let builder = Stack::builder().seed(seed);
    builder
        .variable("SUBJECT_ATTRIBUTE", attribute)
        .start()
        .await
}

fn subject(client: &Client, subject: &str) -> Client {
    client.with_claim("sub", json!(subject))
}

fn status_and_detail(reply: &Reply) -> (u16, &str) {
    let detail = reply.body["detail"].as_str();
    (reply.status, detail.unwrap_or_default())
}

const NOBODY: &str = "the subject of the token names no user";

#[tokio::test(start_paused = true)]
async fn each_verb_acts_on_the_subjects_user_and_names_its_url() {
    let stack = stack(1, "userName").await;
    let client = stack.client();
    let ada = client.create("/Users", user("ada")).await;
    client.create("/Users", user("ben")).await;
    client.create("/Groups", group("Crew", &[&ada])).await;
    let me = subject(&client, "ADA");
    let direct = client.get(&format!("/Users/{ada}")).await;
    let location = direct.body["meta"]["location"].as_str().unwrap();
    let read = me.get("/Me").await;
    assert_eq!(read.body, direct.body);
    assert_eq!(read.header("location"), Some(location));
    assert_eq!(read.header("content-location"), Some(location));
    assert_eq!(read.header("etag"), direct.header("etag"));
    let part = me.get("/Me?attributes=groups").await.body;
    assert_eq!(part["groups"][0]["display"], "Crew");
    assert!(part.get("userName").is_none());
    let known = me.with_header("if-none-match", direct.header("etag").unwrap());
    let unchanged = known.get("/Me").await;
    assert_eq!(unchanged.status, 304);
    assert_eq!(unchanged.header("location"), Some(location));

    let rename = patch(&[json!({"op": "replace", "path": "title", "value": "Chief"})]);
    let patched = me.patch("/Me", rename.clone()).await;
    assert_eq!(
        (patched.status, &patched.body["title"]),
        (200, &json!("Chief"))
    );
    assert_eq!(patched.header("location"), Some(location));
    assert_eq!(patched.header("content-location"), Some(location));
    let stale = me.with_header("if-match", "W/\"1\"");
    let refused = stale.patch("/Me", rename).await;
    assert_eq!(refused.status, 412);
    assert_eq!(refused.header("location"), Some(location));
    let mut whole = user("ada");
    whole["title"] = json!("Lead");
    let put = me.put("/Me", whole).await;
    assert_eq!((put.status, &put.body["title"]), (200, &json!("Lead")));
    assert_eq!(put.body["meta"]["location"], location);
    assert_eq!(put.header("location"), Some(location));
    assert_eq!(put.header("content-location"), Some(location));

    let deleted = me.delete("/Me").await;
    assert_eq!(deleted.status, 204);
    assert_eq!(deleted.header("location"), Some(location));
    assert_eq!(deleted.header("content-location"), None);
    let gone = me.get("/Me").await;
    assert_eq!(status_and_detail(&gone), (404, NOBODY));
    assert_eq!(gone.header("location"), None);
    assert_eq!(client.get("/Users").await.body["totalResults"], 1);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn the_configured_attribute_and_no_other_names_the_user() {
    let mut body = user("ada");
    body["externalId"] = json!("Ada-7");
    for (attribute, by_id, by_name, by_external) in [
        ("id", 200, 404, 404),
        ("userName", 404, 200, 404),
        ("externalId", 404, 404, 200),
        ("", 501, 501, 501),
    ] {
        let stack = stack(2, attribute).await;
        let client = stack.client();
        let id = client.create("/Users", body.clone()).await;
        let mut told = Vec::new();
        for name in [id.as_str(), "ada", "Ada-7"] {
            told.push(subject(&client, name).get("/Me").await.status);
        }
        assert_eq!(told, [by_id, by_name, by_external], "{attribute}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subject_without_a_user_is_not_found() {
    for attribute in ["id", "userName", "externalId"] {
        let stack = stack(3, attribute).await;
        let client = stack.client();
        let mut body = user("ada");
        body["externalId"] = json!("Ada-7");
        let ada = client.create("/Users", body).await;
        let crew = client.create("/Groups", group("Crew", &[])).await;
        let strangers = [
            json!("nobody"),
            json!(""),
            json!("ada-7"),
            json!("a\"da"),
            json!("*"),
            json!(ada.to_uppercase()),
            json!(crew),
            json!("x".repeat(100_000)),
            Value::Null,
        ];
        for name in strangers {
            let me = client.with_claim("sub", name.clone());
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let body = match method {
                    "PUT" => user("ada").to_string(),
                    "PATCH" => patch(&[json!({"op": "remove", "path": "title"})]).to_string(),
                    _ => String::new(),
                };
                let reply = me.send(method, "/Me", body.into_bytes()).await;
                assert_eq!(reply.status, 404, "{method} {attribute}");
                assert_eq!(reply.header("location"), None);
            }
        }
        assert_eq!(client.get("/Users").await.body["totalResults"], 1);
    }
}

/// The token of one person must not open the account of another.
#[tokio::test(start_paused = true)]
async fn of_several_users_with_one_external_id_none_is_taken() {
    let stack = stack(4, "externalId").await;
    let client = stack.client();
    let mut twins = Vec::new();
    for name in ["one", "other"] {
        let mut body = user(name);
        body["externalId"] = json!("7");
        twins.push(client.create("/Users", body).await);
    }
    let me = subject(&client, "7");
    let expected = (
        409,
        "the subject of the token is the `externalId` of several users",
    );
    assert_eq!(status_and_detail(&me.get("/Me").await), expected);
    assert_eq!(status_and_detail(&me.delete("/Me").await), expected);
    client.delete(&format!("/Users/{}", twins[0])).await;
    assert_eq!(me.get("/Me").await.body["id"], twins[1]);
}

#[tokio::test(start_paused = true)]
async fn the_subject_is_looked_for_in_the_tokens_tenant_alone() {
    for attribute in ["id", "userName", "externalId"] {
        let stack = stack(5, attribute).await;
        let client = stack.client();
        let elsewhere = client.tenant("other");
        let mut body = user("ada");
        body["externalId"] = json!("Ada-7");
        let id = client.create("/Users", body.clone()).await;
        let name = match attribute {
            "id" => id.as_str(),
            "userName" => "ada",
            _ => "Ada-7",
        };
        let foreign = subject(&elsewhere, name);
        assert_eq!(foreign.get("/Me").await.status, 404);
        assert_eq!(foreign.delete("/Me").await.status, 404);
        if attribute != "id" {
            let own = elsewhere.create("/Users", body).await;
            assert_eq!(foreign.get("/Me").await.body["id"], own);
        }
        assert_eq!(subject(&client, name).get("/Me").await.body["id"], id);
    }
}

#[tokio::test(start_paused = true)]
async fn the_scopes_are_those_of_users() {
    let stack = stack(6, "userName").await;
    let client = stack.client();
    client.create("/Users", user("ada")).await;
    let me = subject(&client, "ada");
    let reader = me.with_scopes(&["scim.users.read"]);
    let writer = me.with_scopes(&["scim.users.write", "scim.groups.read"]);
    assert_eq!(reader.get("/Me").await.status, 200);
    for (client, method, scope) in [
        (&reader, "PUT", "write"),
        (&reader, "PATCH", "write"),
        (&reader, "DELETE", "write"),
        (&writer, "GET", "read"),
    ] {
        stack.weather().reset();
        let reply = client.send(method, "/Me", b"{}".to_vec()).await;
        let detail = format!("the token lacks the scope `scim.users.{scope}`");
        assert_eq!(status_and_detail(&reply), (403, &*detail), "{method}");
        assert_eq!(stack.weather().report().total_calls(), 0, "{method}");
    }
    assert_eq!(me.anonymous().get("/Me").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn what_the_alias_does_not_do_is_not_implemented() {
    let stack = stack(7, "userName").await;
    let me = subject(&stack.client(), "ada");
    let created = me.post("/Me", user("ada")).await;
    let detail = "POST to `/Me` is not supported: create the user at `/Users`";
    assert_eq!(status_and_detail(&created), (501, detail));
    let silent = Stack::seeded(7).await;
    let me = subject(&silent.client(), "ada");
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = me.send(method, "/Me", b"{}".to_vec()).await;
        let expected = (501, "`/Me` is not supported");
        assert_eq!(status_and_detail(&reply), expected, "{method}");
        assert_eq!(silent.weather().report().total_calls(), 0);
    }
}

/// The repetition of a write that renames or deletes the user would be about
/// another one, or nobody.
#[tokio::test(start_paused = true)]
async fn a_write_by_the_alias_takes_no_idempotency_key() {
    let stack = stack(9, "userName").await;
    let client = stack.client();
    client.create("/Users", user("ada")).await;
    let me = subject(&client, "ada").with_header("idempotency-key", "k");
    for method in ["PUT", "PATCH", "DELETE"] {
        let reply = me.send(method, "/Me", Vec::new()).await;
        let (status, detail) = status_and_detail(&reply);
        assert_eq!(status, 400, "{method}");
        assert!(detail.starts_with("`Idempotency-Key` is not understood"));
    }
    assert_eq!(me.get("/Me").await.body["userName"], "ada");
}

/// Finding the user costs a lookup and a read, however many users there are.
#[tokio::test(start_paused = true)]
async fn the_alias_costs_two_calls_more_than_the_url() {
    let stack = stack(8, "userName").await;
    let client = stack.client();
    for n in 0..40 {
        client.create("/Users", user(&format!("u{n}"))).await;
    }
    let me = subject(&client, "u7");
    stack.weather().reset();
    assert_eq!(me.get("/Me").await.status, 200);
    let report = stack.weather().report();
    assert_eq!((report.total_calls(), report.read_units), (3, 3.0));
}
