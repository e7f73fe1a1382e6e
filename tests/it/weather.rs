//! The layer that makes the embedded database behave badly, each of its
//! habits shown to bite.

mod faults;
mod isolation;
mod limits;
mod records;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem, Update,
};
use harness::Weather;
use harness::weather::Settings;
use local::dynamo::{Embedded, create_table};

const TABLE: &str = "scim";

async fn weather(seed: u64) -> Weather {
    with(seed, Settings::default()).await
}

async fn with(seed: u64, settings: Settings) -> Weather {
    let embedded = Embedded::memory().unwrap();
    create_table(&embedded.client(), TABLE).await.unwrap();
    Weather::with(embedded, seed, settings)
}

fn sk() -> AttributeValue {
    S("=".into())
}

fn text(text: &str) -> AttributeValue {
    S(text.into())
}

fn put(pk: &str, value: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .item("pk", text(pk))
        .item("sk", sk());
    let put = put.item("v", text(value)).build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

fn add(pk: &str) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(TABLE)
        .key("pk", text(pk))
        .key("sk", sk());
    let update = update.update_expression("ADD n :n");
    let update = update
        .expression_attribute_values(":n", N("1".into()))
        .build()
        .unwrap();
    TransactWriteItem::builder().update(update).build()
}

fn delete(pk: &str) -> TransactWriteItem {
    let delete = Delete::builder()
        .table_name(TABLE)
        .key("pk", text(pk))
        .key("sk", sk());
    TransactWriteItem::builder()
        .delete(delete.build().unwrap())
        .build()
}

/// Holds when the item does not exist.
fn absent(pk: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder()
        .table_name(TABLE)
        .key("pk", text(pk))
        .key("sk", sk());
    let check = check
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .unwrap();
    TransactWriteItem::builder().condition_check(check).build()
}

/// The codes of the cancellation reasons, or another error's code, or `ok`.
async fn transact(client: &Client, token: &str, items: Vec<TransactWriteItem>) -> String {
    let call = client
        .transact_write_items()
        .set_transact_items(Some(items));
    let result = call.client_request_token(token).send().await;
    match result.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
        Ok(_) => "ok".to_owned(),
        Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons().iter();
            let codes: Vec<&str> = reasons.filter_map(|reason| reason.code()).collect();
            codes.join(" ")
        }
        Err(error) => error.code().unwrap_or("no answer").to_owned(),
    }
}

async fn write(client: &Client, pk: &str, value: &str) -> String {
    let call = client
        .put_item()
        .table_name(TABLE)
        .item("pk", text(pk))
        .item("sk", sk());
    match call.item("v", text(value)).send().await {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().unwrap_or("no answer").to_owned(),
    }
}

async fn read(client: &Client, pk: &str, consistent: bool) -> Option<String> {
    let call = client
        .get_item()
        .table_name(TABLE)
        .key("pk", text(pk))
        .key("sk", sk());
    let reply = call.consistent_read(consistent).send().await.unwrap();
    reply
        .item
        .map(|item| match item.get("v").or(item.get("n")) {
            Some(S(value) | N(value)) => value.clone(),
            _ => String::new(),
        })
}

/// The values found for some keys, and how many came back unprocessed.
async fn read_batch(client: &Client, pks: &[&str]) -> (Vec<(String, String)>, usize) {
    let keys = pks.iter().fold(
        KeysAndAttributes::builder().consistent_read(true),
        |keys, pk| keys.keys([("pk".to_owned(), text(pk)), ("sk".to_owned(), sk())].into()),
    );
    let reply = client
        .batch_get_item()
        .request_items(TABLE, keys.build().unwrap())
        .send()
        .await
        .unwrap();
    let items = reply
        .responses
        .unwrap_or_default()
        .remove(TABLE)
        .unwrap_or_default();
    let shown = |value: &AttributeValue| value.as_s().unwrap().clone();
    let mut found: Vec<_> = items
        .iter()
        .map(|item| (shown(&item["pk"]), shown(&item["v"])))
        .collect();
    found.sort();
    let left = reply.unprocessed_keys.unwrap_or_default().remove(TABLE);
    (found, left.map_or(0, |left| left.keys.len()))
}
