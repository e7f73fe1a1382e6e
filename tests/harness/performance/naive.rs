//! Rows one at a time: what a script does that does not know `/Bulk`.

use std::collections::HashMap;

use serde_json::Value;
use shared::plan::{Atomicity, order};

use super::planning::checked;
use crate::Client;

/// Sends each row as a request of its own, in canonical order, with the ids
/// that earlier answers have given in place of references. The statuses, in
/// the order of the rows.
pub async fn execute(client: &Client, operations: &[Value]) -> Vec<u16> {
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut statuses = vec![0; operations.len()];
    for index in canonical(operations) {
        let row = &operations[index];
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let path = match text("path").rsplit_once('/') {
            Some((endpoint, last)) => format!("{endpoint}/{}", known(last, &ids)),
            None => String::new(),
        };
        let mut body = row["data"].clone();
        substitute(&mut body, &ids);
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let reply = client.send(text("method"), &path, body).await;
        statuses[index] = reply.status;
        if let (Some(bulk_id), Some(id)) = (row["bulkId"].as_str(), reply.body["id"].as_str()) {
            ids.insert(bulk_id.to_owned(), id.to_owned());
        }
    }
    statuses
}

/// The positions of the rows in the order in which a bulk request is carried
/// out.
fn canonical(operations: &[Value]) -> Vec<usize> {
    let units = order(&checked(operations), Atomicity::Operation);
    units.iter().flat_map(|unit| unit.parts.concat()).collect()
}

fn known<'a>(text: &'a str, ids: &'a HashMap<String, String>) -> &'a str {
    let named = text.strip_prefix("bulkId:");
    named
        .and_then(|name| ids.get(name))
        .map_or(text, String::as_str)
}

fn substitute(value: &mut Value, ids: &HashMap<String, String>) {
    match value {
        Value::String(text) => *text = known(text, ids).to_owned(),
        Value::Array(elements) => elements.iter_mut().for_each(|one| substitute(one, ids)),
        Value::Object(members) => members.values_mut().for_each(|one| substitute(one, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
