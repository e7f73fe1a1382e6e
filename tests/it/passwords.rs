//! Passwords of bulk requests: they become hashes while others write.

use std::time::Duration;

use harness::weather::Fault;
use harness::{Stack, group, patch, user};
use serde_json::{Value, json};

use crate::users::dump;

/// Invariants 1 and 2: the transaction that puts a user into a group comes
/// after the one that creates the user, and somebody may have changed the user
/// in between. The two see different documents, since one holds a password and
/// the other its hash; that must not write anything.
#[tokio::test(start_paused = true)]
async fn who_joins_a_group_brings_no_document_along() {
    for hashing in ["argon2id", "none"] {
        let stack = Stack::builder().variable("PASSWORD_HASH", hashing);
        let stack = stack.start().await;
        let client = stack.client();
        // With their group too many items for one transaction.
        let names: Vec<String> = (0..40).map(|n| format!("u{n}")).collect();
        let mut rows: Vec<Value> = names
            .iter()
            .map(|name| {
                let mut data = user(name);
                data["password"] = json!("t1meMa$heen");
                json!({"method": "POST", "path": "/Users", "bulkId": name, "data": data})
            })
            .collect();
        let members: Vec<String> = names.iter().map(|name| format!("bulkId:{name}")).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        rows.push(json!({"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("G", &members)}));
        let unheard = Fault::Silent { applied: false };
        stack.weather().inject("TransactWriteItems", 2, unheard);
        let renamed = async {
            let filter = "/Users?filter=userName%20eq%20%22u0%22";
            let id = loop {
                let found = client.get(filter).await.body;
                if let Some(id) = found["Resources"][0]["id"].as_str() {
                    break id.to_owned();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            };
            let change = patch(&[
                json!({"op": "replace", "value": {"userName": "renamed", "active": false}}),
            ]);
            let reply = client.patch(&format!("/Users/{id}"), change).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
            id
        };
        let (reply, id) = tokio::join!(client.bulk(&rows), renamed);
        let statuses = reply.body["Operations"].as_array().unwrap().iter();
        assert!(
            statuses.clone().all(|row| row["status"] == "201"),
            "{}",
            reply.body
        );
        let found = client.get(&format!("/Users/{id}")).await.body;
        assert_eq!(
            (
                &found["userName"],
                &found["active"],
                &found["meta"]["version"]
            ),
            (&json!("renamed"), &json!(false), &json!("W/\"2\"")),
            "{hashing}"
        );
        assert_eq!(found["groups"].as_array().unwrap().len(), 1, "{hashing}");
        assert!(!dump(&stack).contains("t1meMa"), "{hashing}");
        let second = client.post("/Users", user("renamed")).await;
        assert_eq!(second.status, 409, "{hashing}");
        stack.audit().await;
    }
}
