//! The people and groups of a directory, made through `/Bulk`.
//!
//! It must not know what is measured on them.

use serde_json::{Value, json};

use crate::{Client, group, id_of, patch, post, user};

pub(super) fn person(n: usize) -> Value {
    let mut body = user(&format!("u{n}"));
    body["externalId"] = json!(format!("e{n}"));
    body["emails"] = json!([{"value": format!("u{n}@example.com"), "type": "work"}]);
    body["title"] = json!(if n.is_multiple_of(100) {
        "Chief"
    } else {
        "Member"
    });
    body
}

pub(super) fn creation(n: usize) -> Value {
    post(&n.to_string(), "/Users", person(n))
}

/// A group that its members join a few at a time.
pub(super) async fn crew(client: &Client, name: &str, members: &[String]) -> String {
    let id = client.create("/Groups", group(name, &[])).await;
    let join = |some: &[String]| {
        let values: Vec<Value> = some.iter().map(|id| json!({"value": id})).collect();
        let add = patch(&[json!({"op": "add", "path": "members", "value": values})]);
        json!({"method": "PATCH", "path": format!("/Groups/{id}"), "data": add})
    };
    let rows: Vec<Value> = members.chunks(40).map(join).collect();
    if !rows.is_empty() {
        carried_out(client, &rows).await;
    }
    id
}

/// Sends rows that must succeed; the ids of their resources.
pub(super) async fn carried_out(client: &Client, rows: &[Value]) -> Vec<String> {
    let reply = client.bulk(rows).await;
    let told = reply.rows().iter().zip(reply.statuses());
    told.map(|(row, status)| {
        assert!(status.starts_with('2'), "{row}");
        id_of(row).to_owned()
    })
    .collect()
}
