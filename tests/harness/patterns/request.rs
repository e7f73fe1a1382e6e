//! One request of a pattern, and the walks through a whole list.
//!
//! It must not know what a pattern is for.

use serde_json::{Value, json};

use crate::{Client, Reply};

/// Results on a page of the lists.
pub(super) const PAGE: usize = 100;

#[derive(Debug, Clone)]
pub(super) struct Request {
    method: &'static str,
    target: String,
    body: Option<Value>,
    /// The token's subject, where it matters.
    subject: Option<String>,
    expected: u16,
}

impl Request {
    pub(super) async fn send(&self, client: &Client) -> Reply {
        let client = match &self.subject {
            Some(subject) => client.with_claim("sub", json!(subject)),
            None => client.clone(),
        };
        let body = self.body.as_ref().map(|body| body.to_string().into_bytes());
        let reply = client
            .send(self.method, &self.target, body.unwrap_or_default())
            .await;
        assert_eq!(reply.status, self.expected, "{self:?}: {}", reply.body);
        reply
    }

    pub(super) fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    pub(super) fn answered(mut self, status: u16) -> Self {
        self.expected = status;
        self
    }
}

pub(super) fn get(target: impl Into<String>) -> Request {
    Request {
        method: "GET",
        target: target.into(),
        body: None,
        subject: None,
        expected: 200,
    }
}

pub(super) fn delete(target: String) -> Request {
    Request {
        method: "DELETE",
        ..get(target)
    }
}

pub(super) fn send(method: &'static str, target: String, body: Value) -> Request {
    Request {
        method,
        body: Some(body),
        ..get(target)
    }
}

pub(super) fn post(target: &str, body: Value) -> Request {
    send("POST", target.to_owned(), body).answered(201)
}

pub(super) async fn walk_by_index(client: &Client) {
    let (mut start, mut total) = (1, 1);
    while start <= total {
        let target = format!("/Users?startIndex={start}&count={PAGE}&attributes=userName");
        let page = get(target).send(client).await.body;
        total = page["totalResults"].as_u64().unwrap_or_default();
        start += page["itemsPerPage"].as_u64().unwrap_or_default();
    }
}

pub(super) async fn walk_by_cursor(client: &Client) {
    let mut cursor = Some(String::new());
    while let Some(next) = cursor {
        let target = format!("/Users?cursor={next}&count={PAGE}&attributes=userName");
        let page = get(target).send(client).await.body;
        cursor = page["nextCursor"].as_str().map(str::to_owned);
    }
}
