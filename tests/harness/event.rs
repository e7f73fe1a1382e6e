//! Requests as an HTTP API hands them to a function: payload format 2.0.
//!
//! Built as JSON and read by the event type of the runtime, so that a field of
//! the wrong shape fails here and not in production. It knows the gateway's
//! habits and nothing of what the functions answer.
//!
//! - `rawPath` and path parameters are percent-decoded, the query string is not.
//! - A body is base64 unless its type is text or `application/json`, so
//!   `application/scim+json` always is.
//! - Claims are strings; an array becomes `[a b]`. `scopes` is null.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde_json::{Map, Value, json};
use shared::config::TENANT_IN_PATH;

/// One request as a client would send it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Below the base path, with the query string, both as sent: `/Users?count=1`.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As sent; empty for none.
    pub body: Vec<u8>,
    /// What a broken gateway makes of the event: a JSON merge patch (RFC 7396),
    /// null for none.
    pub changes: Value,
}

/// The event for a request below a base path such as `scim/v2`.
pub fn event(
    request: &Request,
    base_path: &str,
    claims: Option<&Map<String, Value>>,
    number: u64,
    milliseconds: i64,
) -> ApiGatewayV2httpRequest {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let path = decode(path);
    let (template, id) = route(&path);
    let method = &request.method;
    // A client asks below the path of its own tenant.
    let tenant = claims.and_then(|claims| claims.get("tenant")?.as_str());
    let mounted = base_path.replace(TENANT_IN_PATH, tenant.unwrap_or_default());
    let raw_path = format!("/{mounted}{path}");
    let mut context = json!({
        "accountId": "123456789012",
        "apiId": "api",
        "domainName": "api.example.com",
        "domainPrefix": "api",
        "http": {
            "method": method,
            "path": raw_path,
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "harness",
        },
        "requestId": format!("request-{number}"),
        "routeKey": format!("{method} /{base_path}{template}"),
        "stage": "$default",
        "time": "01/Jan/2026:00:00:00 +0000",
        "timeEpoch": milliseconds,
    });
    if let Some(claims) = claims {
        let claims: Map<String, Value> = claims
            .iter()
            .map(|(name, value)| (name.clone(), json!(claim(value))))
            .collect();
        context["authorizer"] = json!({"jwt": {"claims": claims, "scopes": null}});
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": context["routeKey"],
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": request.headers,
        "requestContext": context,
        "isBase64Encoded": false,
    });
    if let Some(id) = id {
        event["pathParameters"] = json!({"id": id});
    }
    if !query.is_empty() {
        event["queryStringParameters"] = json!(parameters(query));
    }
    if !request.body.is_empty() {
        let kind = request
            .headers
            .get("content-type")
            .map_or("", String::as_str);
        let text = kind.starts_with("text/") || kind.starts_with("application/json");
        match std::str::from_utf8(&request.body) {
            Ok(body) if text => event["body"] = json!(body),
            _ => {
                event["body"] = json!(STANDARD.encode(&request.body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    merge(&mut event, &request.changes);
    serde_json::from_value(event).expect("the event has the shape that the runtime reads")
}

/// RFC 7396, except that a null patch changes nothing.
fn merge(target: &mut Value, changes: &Value) {
    match (target, changes) {
        (_, Value::Null) => {}
        (Value::Object(target), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    target.remove(name);
                } else {
                    merge(target.entry(name).or_insert(Value::Null), change);
                }
            }
        }
        (target, change) => *target = change.clone(),
    }
}

/// The first segment of a path, which decides the function.
pub(crate) fn endpoint(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    decode(
        path.trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default(),
    )
}

/// The path of the template's route, and the id where it has one.
fn route(path: &str) -> (String, Option<String>) {
    if path.is_empty() {
        return (String::new(), None);
    }
    let mut segments = path.trim_start_matches('/').splitn(2, '/');
    let first = segments.next().unwrap_or_default();
    match segments.next() {
        None | Some("") => (format!("/{first}"), None),
        Some(".search") => (format!("/{first}/.search"), None),
        Some(id) => (format!("/{first}/{{id}}"), Some(id.to_owned())),
    }
}

fn claim(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(claim).collect();
            format!("[{}]", items.join(" "))
        }
        other => other.to_string(),
    }
}

/// The gateway joins the values of one name with commas.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(&value.replace('+', " "));
        found
            .entry(decode(&name.replace('+', " ")))
            .and_modify(|earlier| *earlier = format!("{earlier},{value}"))
            .or_insert(value);
    }
    found
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
