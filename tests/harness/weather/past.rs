//! Databases made on the spot: the table as it was, or a few items to try a
//! transaction on.

use std::collections::VecDeque;

use local::dynamo::Embedded;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::action::{Item, Place};

/// One item, whatever is going on.
pub(super) fn image(embedded: &Embedded, place: &Place) -> Option<Item> {
    let request =
        json!({"TableName": place.table, "Key": place.key(), "ConsistentRead": true}).to_string();
    let answer = embedded.answer("GetItem", &request);
    let mut reply: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    match reply["Item"].take() {
        Value::Object(item) => Some(item),
        _ => None,
    }
}

/// Makes an item what it was, past every rule.
pub(crate) fn restore(embedded: &Embedded, place: &Place, image: Option<&Item>) {
    let (operation, request) = match image {
        Some(item) => ("PutItem", json!({"TableName": place.table, "Item": item})),
        None => (
            "DeleteItem",
            json!({"TableName": place.table, "Key": place.key()}),
        ),
    };
    let answer = embedded.answer(operation, &request.to_string());
    assert_eq!(
        answer.status, 200,
        "an image goes back as it came: {}",
        answer.body
    );
}

/// A table of the same shape with nothing but these items.
pub(super) fn scratch<'a>(table: &str, items: impl IntoIterator<Item = &'a Item>) -> Embedded {
    let embedded = Embedded::memory().expect("SQLite opens a database in memory");
    let request = json!({
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"}
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"}
        ]
    });
    let answer = embedded.answer("CreateTable", &request.to_string());
    assert_eq!(
        answer.status, 200,
        "a table of two strings: {}",
        answer.body
    );
    for item in items {
        let place = Place::of(table, &Value::Object(item.clone()));
        restore(&embedded, &place, Some(item));
    }
    embedded
}

/// All items of a table.
pub(crate) fn scan(embedded: &Embedded, table: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut request = json!({"TableName": table, "ConsistentRead": true});
    loop {
        let answer = embedded.answer("Scan", &request.to_string());
        let mut reply: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if let Value::Array(page) = reply["Items"].take() {
            items.extend(page.into_iter().filter_map(|item| match item {
                Value::Object(item) => Some(item),
                _ => None,
            }));
        }
        match reply["LastEvaluatedKey"].take() {
            Value::Null => return items,
            key => request["ExclusiveStartKey"] = key,
        }
    }
}

/// The table as it was at an instant, as far as the journal reaches back.
pub(super) fn rewound(
    embedded: &Embedded,
    table: &str,
    journal: &VecDeque<(Instant, Place, Option<Item>)>,
    instant: Instant,
) -> Embedded {
    let undone: Vec<_> = journal.iter().filter(|(at, ..)| *at > instant).collect();
    if undone.is_empty() {
        return embedded.clone();
    }
    let items = scan(embedded, table);
    let past = scratch(table, &items);
    for (_, place, image) in undone.into_iter().rev() {
        restore(&past, place, image.as_ref());
    }
    past
}
