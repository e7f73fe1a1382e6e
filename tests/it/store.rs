//! The embedded database as the ordinary client sees it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use local::dynamo::{Embedded, create_table};

const TABLE: &str = "scim";

async fn put(client: &Client, pk: &str, n: u32) {
    client
        .put_item()
        .table_name(TABLE)
        .item("pk", S(pk.into()))
        .item("sk", S("=".into()))
        .item("n", N(n.to_string()))
        .send()
        .await
        .unwrap();
}

async fn number(client: &Client, pk: &str) -> Option<String> {
    let reply = client
        .get_item()
        .table_name(TABLE)
        .key("pk", S(pk.into()))
        .key("sk", S("=".into()))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    reply.item.map(|item| item["n"].as_n().unwrap().clone())
}

#[tokio::test]
async fn the_ordinary_client_reaches_the_embedded_database() {
    let client = Embedded::memory().unwrap().client();
    create_table(&client, TABLE).await.unwrap();
    put(&client, "a", 1).await;
    assert_eq!(number(&client, "a").await.as_deref(), Some("1"));
    assert_eq!(number(&client, "b").await, None);
    let page = client
        .query()
        .table_name(TABLE)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", S("a".into()))
        .send()
        .await
        .unwrap();
    assert_eq!(page.count(), 1);
}

#[tokio::test]
async fn a_cancelled_transaction_tells_the_reason_of_each_action_and_the_item_found() {
    let client = Embedded::memory().unwrap().client();
    create_table(&client, TABLE).await.unwrap();
    put(&client, "a", 1).await;
    let delete = Delete::builder()
        .table_name(TABLE)
        .key("pk", S("a".into()))
        .key("sk", S("=".into()))
        .condition_expression("n = :n")
        .expression_attribute_values(":n", N("2".into()))
        .return_values_on_condition_check_failure("ALL_OLD".into())
        .build()
        .unwrap();
    let update = Update::builder()
        .table_name(TABLE)
        .key("pk", S("b".into()))
        .key("sk", S("=".into()))
        .update_expression("ADD n :n")
        .expression_attribute_values(":n", N("1".into()))
        .build()
        .unwrap();
    let error = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().delete(delete).build())
        .transact_items(TransactWriteItem::builder().update(update).build())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_transaction_canceled_exception(), "{error:?}");
    assert_eq!(number(&client, "b").await, None);
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("cancelled, as asserted above")
    };
    let reasons = cancelled.cancellation_reasons();
    assert_eq!(reasons[0].code(), Some("ConditionalCheckFailed"));
    assert_eq!(reasons[0].item().unwrap()["n"], N("1".into()));
    assert_eq!(reasons[1].code(), Some("None"));
}

#[tokio::test]
async fn a_directory_keeps_the_table_for_the_next_start() {
    let directory = std::env::temp_dir().join(format!("scim-embedded-{}", std::process::id()));
    {
        let client = Embedded::open(&directory).unwrap().client();
        create_table(&client, TABLE).await.unwrap();
        put(&client, "a", 5).await;
    }
    let client = Embedded::open(&directory).unwrap().client();
    create_table(&client, TABLE).await.unwrap();
    assert_eq!(number(&client, "a").await.as_deref(), Some("5"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn an_operation_that_nobody_needs_is_unknown() {
    let client = Embedded::memory().unwrap().client();
    let error = client.list_tables().send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnknownOperationException"));
}
