//! The database of a command: embedded, or the one that
//! `AWS_ENDPOINT_URL_DYNAMODB` names.

use std::path::Path;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, Credentials};
use shared::store::patience;

use crate::dynamo::{self, DynamoError, Embedded};

/// The variable by which every AWS SDK is led to another DynamoDB.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// A client of the database with the table in it.
///
/// # Errors
///
/// When the database cannot be opened or reached, or refuses the table.
pub async fn open(directory: Option<&Path>, table: &str) -> Result<Client, DynamoError> {
    let client = if std::env::var(ENDPOINT).is_ok_and(|endpoint| !endpoint.is_empty()) {
        elsewhere().await
    } else {
        embedded(directory)?.client()
    };
    dynamo::create_table(&client, table).await?;
    Ok(client)
}

/// The embedded database, in memory or kept in a directory.
///
/// # Errors
///
/// When the directory cannot be used.
pub fn embedded(directory: Option<&Path>) -> Result<Embedded, DynamoError> {
    match directory {
        Some(directory) => Embedded::open(directory),
        None => Embedded::memory(),
    }
}

async fn elsewhere() -> Client {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    // An emulator asks for any credentials; AWS takes only real ones.
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        loader =
            loader.credentials_provider(Credentials::new("local", "local", None, None, "local"));
    }
    if std::env::var_os("AWS_REGION").is_none() && std::env::var_os("AWS_DEFAULT_REGION").is_none()
    {
        loader = loader.region(Region::from_static("us-east-1"));
    }
    Client::from_conf(patience(Builder::from(&loader.load().await)).build())
}
