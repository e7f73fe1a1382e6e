//! What is written is told, whatever the request: an answer of over 6 MB would
//! be dropped by Lambda, each time that it is sent again. The harness refuses
//! one as Lambda does.

use harness::{Client, Stack, user};
use serde_json::{Value, json};
use shared::scim::urn;

/// Text of so many bytes as a JSON string that grows most when it is repeated:
/// a quote takes four bytes in a response, a control character seven.
fn long(character: char, bytes: usize) -> String {
    let sent = json!(character.to_string()).to_string().len() - 2;
    character.to_string().repeat(bytes / sent)
}

fn keyed(stack: &Stack, key: &str) -> Client {
    stack.client().with_header("idempotency-key", key)
}

/// Sends rows, twice under one key, and compares what each row must
/// say with what it was sent. Gives the rows.
async fn told(client: &Client, query: &str, operations: &[Value]) -> Vec<Value> {
    let body = json!({"Operations": operations}).to_string().into_bytes();
    let path = format!("/Bulk{query}");
    let reply = client.send("POST", &path, body.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let again = client.send("POST", &path, body).await;
    assert!(again == reply, "the stored answer differs");
    let rows = reply.body["Operations"].as_array().unwrap();
    assert_eq!(rows.len(), operations.len());
    for (row, operation) in rows.iter().zip(operations) {
        let bulk_id = operation.get("bulkId");
        let echoed = bulk_id.filter(|text| text.as_str().is_some_and(|text| text.len() <= 256));
        assert_eq!(row.get("bulkId"), echoed);
        let status = row["status"].as_str().unwrap();
        let failed = status >= "400";
        assert_eq!(row.get("response").is_some(), failed, "{row}");
        assert!(failed || row.get("location").is_some(), "{row}");
        if failed {
            assert!(!row["response"]["detail"].as_str().unwrap().is_empty());
            assert_eq!(row["response"]["status"], row["status"]);
        }
    }
    rows.clone()
}

/// A thousand rows that share a bulkId; all but the first fail, and say so
/// twice.
#[tokio::test(start_paused = true)]
async fn rows_that_share_a_long_bulk_id_are_told() {
    for (character, count) in [('"', 1_024), ('"', 256), ('\u{1}', 256)] {
        let stack = Stack::seeded(1).await;
        let bulk_id = character.to_string().repeat(count);
        let operations: Vec<Value> = (0..1_000)
            .map(|n| {
                let data = user(&format!("u{n}"));
                json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data})
            })
            .collect();
        let rows = told(&keyed(&stack, "k"), "", &operations).await;
        let first = if count > 256 { "400" } else { "201" };
        assert_eq!(rows[0]["status"], first);
        assert!(rows[1..].iter().all(|row| row["status"] == "400"));
    }
}

/// Of a request that is all or nothing every row names the one that failed.
#[tokio::test(start_paused = true)]
async fn a_failure_that_every_row_names_is_told() {
    for count in [1_024, 256] {
        let stack = Stack::seeded(2).await;
        let culprit = "\u{1}".repeat(count);
        let gone = user("gone\u{0}");
        let failing =
            json!({"method": "POST", "path": "/Users/1", "bulkId": culprit, "data": gone});
        let mut operations = vec![failing];
        operations.extend(
            (1..1_000).map(
                |n| json!({"method": "POST", "path": "/Users", "data": user(&format!("u{n}"))}),
            ),
        );
        let rows = told(&keyed(&stack, "k"), "?atomicity=request", &operations).await;
        assert_eq!(rows[0]["status"], "400");
        assert!(rows[1..].iter().all(|row| row["status"] == "424"));
    }
}

/// Failures that repeat what was sent, as much of it as the request has room
/// for, wherever a row can repeat anything.
#[tokio::test(start_paused = true)]
async fn rows_that_quote_what_they_were_sent_are_told() {
    let stack = Stack::seeded(3).await;
    let path = "/Users/2819c223-7f76-453a-919d-413861904646";
    for character in ['\u{1}', '"', 'é'] {
        let text = long(character, 2_400);
        let half = long(character, 1_200);
        let bulk_id = character.to_string().repeat(256 / character.len_utf8());
        let replace = |path: &str, value: Value| json!({"Operations": [{"op": "replace", "path": path, "value": value}]});
        let created = |name: &str, value: Value| {
            let mut created = user("u");
            created[name] = value;
            json!({"method": "POST", "path": "/Users", "data": created})
        };
        let patched = |data: Value| json!({"method": "PATCH", "path": path, "data": data});
        let mut twice = json!({"method": "PUT", "path": "/Users/1"});
        twice[format!("a{half}")] = json!(1);
        twice[format!("A{half}")] = json!(1);
        let kinds = [
            json!({"method": text, "path": "/Users"}),
            twice,
            json!({"method": "PUT", "path": format!("/{text}")}),
            json!({"method": "PUT", "path": format!("/Users/{text}"), "data": user("u")}),
            json!({"method": "DELETE", "path": format!("/Users/bulkId:{text}")}),
            json!({"method": "DELETE", "path": "/Users/1", "bulkId": bulk_id}),
            created("schemas", json!([text])),
            created("userName", json!({&*text: 1})),
            created("active", json!(text)),
            created("emails", json!([{"primary": text}])),
            created(&format!("{}:{text}", urn::USER), json!(1)),
            patched(json!({"Operations": [{"op": text}]})),
            patched(replace(&text, json!(1))),
            patched(replace(&format!("emails[{text} eq 1]"), json!(1))),
            patched(replace(&format!("{}:{text}", urn::USER), json!(1))),
            patched(replace("active", json!(text))),
            patched(replace("name", json!({&*text: 1}))),
        ];
        let operations: Vec<Value> = kinds.iter().cycle().take(1_000).cloned().collect();
        let client = keyed(&stack, &u32::from(character).to_string());
        told(&client, "", &operations).await;
    }
}

/// Where more operations are allowed their bulkIds and locations alone may be
/// too long. Such a request is refused before anything is written.
#[tokio::test(start_paused = true)]
async fn what_could_not_be_told_is_not_done() {
    let stack = Stack::builder()
        .seed(4)
        .variable("MAX_OPERATIONS", "10000")
        .variable("MAX_PAYLOAD_SIZE", "4500000")
        .start()
        .await;
    let rows = |bulk_id: usize| {
        let bulk_id = "\u{1}".repeat(bulk_id);
        let row = json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user("u")});
        let again = json!({"method": "DELETE", "path": "/Users/1", "bulkId": bulk_id});
        let mut rows = vec![row];
        rows.resize(5_000, again);
        rows
    };
    let client = keyed(&stack, "k");
    let before = stack.items();
    for query in ["", "?dryRun=true"] {
        let body = json!({"Operations": rows(136)});
        let refused = client.post(&format!("/Bulk{query}"), body).await;
        assert_eq!(refused.status, 413);
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused.body["detail"], @r#""the answer to 5000 operations may take more than the 6000000 bytes that can be sent: send fewer of them, or shorter `bulkId`s""#);
        }
    }
    assert_eq!(stack.items(), before);
    let told = told(&client, "", &rows(100)).await;
    assert_eq!(told[0]["status"], "201");
    let error = &told[1]["response"];
    assert_eq!(error["scimType"], "invalidValue");
    assert!(error.get("errors").is_none() && error["detail"].as_str().unwrap().ends_with('…'));
    // The plan repeats each bulkId once more.
    let body = json!({"Operations": rows(100)});
    let refused = client.post("/Bulk?dryRun=true", body).await;
    assert_eq!(refused.status, 413);
    insta::assert_snapshot!(refused.body["detail"], @r#""the plan of 5000 operations takes more than the 6000000 bytes that can be sent: send fewer of them""#);
}
