//! A client with a role: what its token says, and the verbs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings::Body;
use serde_json::{Map, Value, json};
use shared::plan::rights;

use crate::event::Request;
use crate::stack::Functions;

/// Every scope that the service knows.
pub static ALL_SCOPES: LazyLock<Vec<String>> = LazyLock::new(rights::scopes);

/// A client as the gateway knows it by its token. Cheap to clone; the methods
/// that change the role return another client.
#[derive(Debug, Clone)]
pub struct Client {
    functions: Arc<Functions>,
    claims: Option<Map<String, Value>>,
    headers: BTreeMap<String, String>,
    changes: Value,
}

/// What the client received.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, `null` when there is none.
    pub body: Value,
    /// The body as it was sent.
    pub text: String,
}

impl Reply {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The rows of a bulk response.
    ///
    /// # Panics
    /// When it is none.
    pub fn rows(&self) -> &[Value] {
        let rows = self.body.get("Operations").and_then(Value::as_array);
        assert!(rows.is_some(), "a bulk response has rows: {}", self.body);
        rows.map_or(&[], Vec::as_slice)
    }

    /// The status of each row of a bulk response.
    ///
    /// # Panics
    /// When it is none.
    pub fn statuses(&self) -> Vec<&str> {
        let statuses = self.rows().iter().map(|row| row["status"].as_str());
        let statuses: Option<Vec<&str>> = statuses.collect();
        statuses.expect("every row has a status")
    }
}

impl Client {
    pub(crate) fn new(functions: Arc<Functions>, tenant: &str) -> Self {
        let claims = json!({
            "iss": "https://issuer.example.com/",
            "sub": "harness",
            "client_id": "harness",
            "scope": ALL_SCOPES.join(" "),
            "tenant": tenant,
        });
        let claims = claims.as_object().cloned();
        Self {
            functions,
            claims,
            headers: BTreeMap::new(),
            changes: Value::Null,
        }
    }

    /// With these scopes only.
    #[must_use]
    pub fn with_scopes(&self, scopes: &[&str]) -> Self {
        self.with_claim("scope", json!(scopes.join(" ")))
    }

    /// Of another tenant.
    #[must_use]
    pub fn tenant(&self, tenant: &str) -> Self {
        self.with_claim("tenant", json!(tenant))
    }

    /// With another claim, or without it when `null`.
    #[must_use]
    pub fn with_claim(&self, name: &str, value: Value) -> Self {
        let mut other = self.clone();
        let claims = other.claims.get_or_insert_default();
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.to_owned(), value);
        }
        other
    }

    /// Without a token, as on a route without authorizer.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            claims: None,
            ..self.clone()
        }
    }

    /// With a header on every request, such as `if-match`.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other
            .headers
            .insert(name.to_ascii_lowercase(), value.to_owned());
        other
    }

    /// Behind a gateway that changes every event, as [`Request::changes`] does.
    #[must_use]
    pub fn with_event(&self, changes: Value) -> Self {
        Self {
            changes,
            ..self.clone()
        }
    }

    /// GET of a path below the base path, with its query string.
    pub async fn get(&self, target: &str) -> Reply {
        self.send("GET", target, Vec::new()).await
    }

    /// POST of a JSON body.
    pub async fn post(&self, target: &str, body: Value) -> Reply {
        self.send("POST", target, body.to_string().into_bytes())
            .await
    }

    /// PUT of a JSON body.
    pub async fn put(&self, target: &str, body: Value) -> Reply {
        self.send("PUT", target, body.to_string().into_bytes())
            .await
    }

    /// PATCH of a JSON body.
    pub async fn patch(&self, target: &str, body: Value) -> Reply {
        self.send("PATCH", target, body.to_string().into_bytes())
            .await
    }

    /// DELETE of a path.
    pub async fn delete(&self, target: &str) -> Reply {
        self.send("DELETE", target, Vec::new()).await
    }

    /// POST of a BulkRequest with these operations.
    pub async fn bulk(&self, operations: &[Value]) -> Reply {
        self.post(
            "/Bulk",
            json!({"schemas": [shared::scim::urn::BULK_REQUEST], "Operations": operations}),
        )
        .await
    }

    /// POST of a resource that must succeed; its id.
    ///
    /// # Panics
    /// When it is not created.
    pub async fn create(&self, endpoint: &str, body: Value) -> String {
        let reply = self.post(endpoint, body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let id = reply.body.get("id").and_then(Value::as_str);
        id.expect("a created resource has an id").to_owned()
    }

    /// The ids of a group's members.
    ///
    /// # Panics
    /// When the group cannot be read.
    pub async fn members(&self, group: &str) -> BTreeSet<String> {
        let reply = self.get(&format!("/Groups/{group}")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let members = reply.body.get("members").and_then(Value::as_array);
        let values = members
            .into_iter()
            .flatten()
            .filter_map(|member| member.get("value"));
        values
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// Any method with any body. The content type is `application/scim+json`
    /// unless the client has another.
    pub async fn send(&self, method: &str, target: &str, body: Vec<u8>) -> Reply {
        let mut headers = self.headers.clone();
        headers
            .entry("host".to_owned())
            .or_insert_with(|| "api.example.com".to_owned());
        if !body.is_empty() {
            let kind = || "application/scim+json".to_owned();
            headers
                .entry("content-type".to_owned())
                .or_insert_with(kind);
        }
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body,
            changes: self.changes.clone(),
        };
        let response = self.functions.call(&request, self.claims.as_ref()).await;
        reply(response)
    }
}

fn reply(response: ApiGatewayV2httpResponse) -> Reply {
    let headers = response.headers.iter().map(|(name, value)| {
        let value = value.to_str().expect("a header of ours is text");
        (name.as_str().to_owned(), value.to_owned())
    });
    let body = match response.body {
        Some(Body::Text(text)) if response.is_base64_encoded => STANDARD
            .decode(text)
            .expect("the body is base64 as it says"),
        Some(Body::Text(text)) => text.into_bytes(),
        Some(Body::Binary(bytes)) => bytes,
        _ => Vec::new(),
    };
    let text = String::from_utf8(body).expect("a body is UTF-8");
    let body = match text.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).expect("a body is JSON"),
    };
    let status = u16::try_from(response.status_code).expect("a status is one of HTTP's");
    Reply {
        status,
        headers: headers.collect(),
        body,
        text,
    }
}
