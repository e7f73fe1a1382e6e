//! A connection that gives prepared answers and keeps what it was asked, for
//! the single answers that an embedded database never gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::{Store, patience};

/// What the next request meets.
#[derive(Debug)]
pub(super) enum Reply {
    /// An answer with status and body.
    Answer(u16, Value),
    /// The connection is lost after the request was sent.
    Lost,
    /// No answer ever comes.
    Silence,
}

impl Reply {
    pub(super) fn success() -> Self {
        Self::Answer(200, json!({}))
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        Self::Answer(status, json!({"__type": kind, "message": "as scripted"}))
    }

    pub(super) fn cancelled(codes: &[&str]) -> Self {
        let reasons: Vec<Value> = codes.iter().map(|code| json!({"Code": code})).collect();
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Self::Answer(
            400,
            json!({"__type": kind, "Message": "as scripted", "CancellationReasons": reasons}),
        )
    }
}

/// The prepared answers and the bodies of the requests so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Script {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Self::default();
        script.replies.lock().unwrap().extend(replies);
        script
    }

    pub(super) fn store(&self) -> Store {
        let connector = SharedHttpConnector::new(self.clone());
        let config = patience(aws_sdk_dynamodb::Config::builder())
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::for_tests())
            .endpoint_url("http://localhost")
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), "table")
    }

    /// The bodies that were sent; every prepared answer must have been used.
    pub(super) fn requests(&self) -> Vec<Value> {
        assert!(self.replies.lock().unwrap().is_empty(), "answers are left");
        self.requests.lock().unwrap().clone()
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap();
        let body = serde_json::from_slice(body).unwrap();
        self.requests.lock().unwrap().push(body);
        let reply = self.replies.lock().unwrap().pop_front();
        HttpConnectorFuture::new(async move {
            match reply.expect("a request that no answer was prepared for") {
                Reply::Answer(status, body) => {
                    let status = status.try_into().unwrap();
                    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
                }
                Reply::Lost => Err(ConnectorError::io("connection reset".into())),
                Reply::Silence => {
                    tokio::time::sleep(Duration::from_secs(3600)).await;
                    Err(ConnectorError::timeout("an hour has passed".into()))
                }
            }
        })
    }
}
