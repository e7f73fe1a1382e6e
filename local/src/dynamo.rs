//! The embedded DynamoDB behind the ordinary SDK client, without a socket.
//!
//! [`Embedded`] holds a database and is an HTTP connector for the SDK: what the
//! client would send over the wire is answered in the same thread, JSON in and
//! JSON out. It knows the DynamoDB protocol and nothing of SCIM or of what our
//! items mean. Of the protocol it speaks the operations that the service and
//! its set-up use; any other is an unknown operation, so that code cannot grow
//! a dependency on one unnoticed.
//!
//! ```ignore
//! let embedded = Embedded::memory()?;
//! let client = embedded.client();
//! create_table(&client, "scim").await?;
//! client.get_item().table_name("scim").key("pk", pk).key("sk", sk).send().await?;
//! ```

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{self, BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What can go wrong before the first request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DynamoError {
    /// The data directory cannot be made.
    #[error("cannot create the data directory `{0}`")]
    Directory(String, #[source] std::io::Error),
    /// The path is no text.
    #[error("the data directory `{0}` is not valid Unicode")]
    Unicode(String),
    /// The database cannot be opened.
    #[error("cannot open the embedded database")]
    Open(#[source] DynoxideError),
    /// The table cannot be made.
    #[error("cannot create the table `{0}`")]
    Table(String, #[source] Box<aws_sdk_dynamodb::Error>),
}

/// One embedded DynamoDB. Clones share the database.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    answered: Arc<AtomicU64>,
}

/// A response as it would stand on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

impl Embedded {
    /// An empty database that ends with the last clone.
    ///
    /// # Errors
    ///
    /// When SQLite refuses.
    pub fn memory() -> Result<Self, DynamoError> {
        Ok(Self::over(Database::memory().map_err(DynamoError::Open)?))
    }

    /// The database kept in a directory, which is made when missing.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made or the file in it is no database.
    pub fn open(directory: &Path) -> Result<Self, DynamoError> {
        let shown = || directory.display().to_string();
        std::fs::create_dir_all(directory)
            .map_err(|error| DynamoError::Directory(shown(), error))?;
        let file = directory.join("dynamodb.sqlite");
        let file = file.to_str().ok_or_else(|| DynamoError::Unicode(shown()))?;
        Ok(Self::over(Database::new(file).map_err(DynamoError::Open)?))
    }

    fn over(database: Database) -> Self {
        Self {
            database,
            answered: Arc::default(),
        }
    }

    /// The emulator itself, for its own HTTP server.
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// A client of this database that does not retry.
    pub fn client(&self) -> Client {
        Client::from_conf(self.settings().build())
    }

    /// Client settings that lead here, for a caller who adds timeouts or
    /// retries before building the client.
    pub fn settings(&self) -> config::Builder {
        settings(self.connector())
    }

    /// What sits where the network would be; a layer may wrap it.
    pub fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    /// Answers one request: the operation's name without the service prefix,
    /// and the JSON body. Runs to its end on this thread.
    pub fn answer(&self, operation: &str, body: &str) -> Answer {
        let database = &self.database;
        let result = match operation {
            "CreateTable" => run(body, |request| database.create_table(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            // For looking at a whole table from outside; the service itself
            // never scans and has no permission to.
            "Scan" => run(body, |request| database.scan(request)),
            _ => {
                return Answer {
                    status: 400,
                    body: UNKNOWN.to_owned(),
                };
            }
        };
        match result {
            Ok(body) => Answer { status: 200, body },
            Err(error) => Answer {
                status: error.status_code(),
                body: error.to_json(),
            },
        }
    }
}

const UNKNOWN: &str = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.respond(&request))
    }
}

impl Embedded {
    fn respond(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (operation, body) = read_request(request)?;
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        write_response(self.answer(operation, body), number)
    }
}

/// Client settings with a fixed region, credentials that open nothing, no
/// retries, and this connector in place of the network.
pub fn settings(connector: SharedHttpConnector) -> config::Builder {
    let http: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new(
            "embedded", "embedded", None, None, "embedded",
        ))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
}

/// The operation and the JSON body of a request as the SDK sends it.
///
/// # Errors
///
/// When it is no DynamoDB request.
pub fn read_request(request: &HttpRequest) -> Result<(&str, &str), ConnectorError> {
    let refuse = |what: &str| ConnectorError::user(what.into());
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let operation = target
        .strip_prefix("DynamoDB_20120810.")
        .ok_or_else(|| refuse("no request to DynamoDB"))?;
    let body = request
        .body()
        .bytes()
        .ok_or_else(|| refuse("the body is a stream"))?;
    let body = std::str::from_utf8(body).map_err(|_| refuse("the body is not UTF-8"))?;
    Ok((operation, body))
}

/// An answer as the SDK expects it, under the `number`-th request id.
///
/// # Errors
///
/// When the status is none of HTTP's.
pub fn write_response(answer: Answer, number: u64) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    let headers = response.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.0");
    headers.insert("x-amzn-requestid", format!("{number:032X}"));
    Ok(response)
}

/// Creates the table when it is missing: `pk` and `sk` of type string, on
/// demand, items ended by the number of seconds in `expires`.
///
/// # Errors
///
/// When the database refuses for another reason than that the table exists.
pub async fn create_table(client: &Client, name: &str) -> Result<(), DynamoError> {
    let refuse = |error: aws_sdk_dynamodb::Error| DynamoError::Table(name.into(), Box::new(error));
    if client
        .describe_table()
        .table_name(name)
        .send()
        .await
        .is_ok()
    {
        return Ok(());
    }
    let column = |column: &str| {
        AttributeDefinition::builder()
            .attribute_name(column)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    let key = |column: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(column)
            .key_type(kind)
            .build()
    };
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(column("pk").map_err(|error| refuse(error.into()))?)
        .attribute_definitions(column("sk").map_err(|error| refuse(error.into()))?)
        .key_schema(key("pk", KeyType::Hash).map_err(|error| refuse(error.into()))?)
        .key_schema(key("sk", KeyType::Range).map_err(|error| refuse(error.into()))?)
        .send()
        .await
        .map_err(|error| refuse(error.into()))?;
    let expiry = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("expires")
        .build();
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(expiry.map_err(|error| refuse(error.into()))?)
        .send()
        .await
        .map_err(|error| refuse(error.into()))?;
    Ok(())
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    operation: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let unreadable =
        |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let answer = operation(serde_json::from_str(body).map_err(unreadable)?)?;
    serde_json::to_string(&answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
