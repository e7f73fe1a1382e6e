//! An HTTP request as the gateway hands it to a function: payload format 2.0.
//!
//! Two habits of the real gateway matter most here. Bodies of any type but
//! `text/*` and `application/json`, `javascript` and `xml` arrive in base64,
//! `application/scim+json` among them; and claims arrive as strings, lists as
//! `[a b]`. A function that works only with tidier events fails when deployed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::route::{self, Matched};

/// What the gateway itself knows of a request.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The gateway's id of the request.
    pub id: String,
    /// When it came.
    pub time: Timestamp,
    /// Where it came from.
    pub source: IpAddr,
    /// The host name of the API, whatever the client wrote into `Host`.
    pub domain: String,
}

/// The event for a request on its route. `claims` are those that the
/// authorizer verified; none on a route without authorizer.
pub fn event(
    request: &Request<Bytes>,
    matched: &Matched,
    claims: Option<&Map<String, Value>>,
    arrival: &Arrival,
) -> Value {
    let path = route::decode(request.uri().path());
    let query = request.uri().query().unwrap_or_default();
    let headers = request.headers();
    let mut context = json!({
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": arrival.domain,
        "domainPrefix": "local",
        "http": {
            "method": request.method().as_str(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": arrival.source.to_string(),
            "userAgent": joined(headers, header::USER_AGENT.as_str()),
        },
        "requestId": arrival.id,
        "routeKey": matched.key,
        "stage": "$default",
        "time": arrival.time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": arrival.time.as_millisecond(),
    });
    if let (Some(claims), Some(context)) = (claims, context.as_object_mut()) {
        let claims: Map<String, Value> = claims
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(claim(value))))
            .collect();
        let authorizer = json!({ "jwt": { "claims": claims, "scopes": null } });
        context.insert("authorizer".into(), authorizer);
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": matched.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": plain_headers(headers),
        "requestContext": context,
        "isBase64Encoded": false,
    });
    if let Some(event) = event.as_object_mut() {
        let cookies = cookies(headers);
        if !cookies.is_empty() {
            event.insert("cookies".into(), json!(cookies));
        }
        if !query.is_empty() {
            event.insert("queryStringParameters".into(), json!(parameters(query)));
        }
        if !matched.parameters.is_empty() {
            let parameters: BTreeMap<_, _> = matched.parameters.iter().cloned().collect();
            event.insert("pathParameters".into(), json!(parameters));
        }
        if !request.body().is_empty() {
            let (body, encoded) = body(headers, request.body());
            event.insert("body".into(), Value::String(body));
            event.insert("isBase64Encoded".into(), Value::Bool(encoded));
        }
    }
    event
}

/// A claim in the one form that the gateway has for claims.
fn claim(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(claim).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(name, value)| format!("{name}:{}", claim(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

/// Header names in lower case, values of one name joined by commas; cookies
/// have their own place.
fn plain_headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    headers
        .keys()
        .filter(|name| *name != header::COOKIE)
        .map(|name| (name.as_str(), joined(headers, name.as_str())))
        .collect()
}

fn joined(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(",")
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .collect()
}

/// Decoded, values of one name joined by commas.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values: &mut String| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    parameters
}

fn body(headers: &HeaderMap, body: &Bytes) -> (String, bool) {
    let kind = joined(headers, header::CONTENT_TYPE.as_str()).to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind.starts_with("text/")
        || matches!(
            kind,
            "application/json" | "application/javascript" | "application/xml"
        );
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::gateway::route::Routes;
    use crate::template::Template;

    fn check(request: http::request::Builder, body: &'static str, claims: Value) -> Value {
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        let routes = Routes::new(&Template::embedded().unwrap(), "scim/v2");
        let matched = routes.find(request.method().as_str(), request.uri().path());
        let arrival = Arrival {
            id: "id=".into(),
            time: Timestamp::UNIX_EPOCH,
            source: Ipv4Addr::LOCALHOST.into(),
            domain: "api.example.com".into(),
        };
        event(&request, &matched, claims.as_object(), &arrival)
    }

    #[test]
    fn a_request_becomes_a_payload_2_event() {
        let request = Request::put("/scim/v2/Users/a%20b?filter=x%20eq+1&a=1&a=2")
            .header("Content-Type", "application/scim+json")
            .header("X-Two", "1")
            .header("x-two", "2")
            .header("cookie", "a=b; c=d");
        insta::assert_json_snapshot!(check(request, "{}", json!({"sub": "s", "scope": ["a", "b"], "exp": 5})), @r#"
        {
          "version": "2.0",
          "routeKey": "PUT /scim/v2/Users/{id}",
          "rawPath": "/scim/v2/Users/a b",
          "rawQueryString": "filter=x%20eq+1&a=1&a=2",
          "headers": {
            "content-type": "application/scim+json",
            "x-two": "1,2"
          },
          "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "api.example.com",
            "domainPrefix": "local",
            "http": {
              "method": "PUT",
              "path": "/scim/v2/Users/a b",
              "protocol": "HTTP/1.1",
              "sourceIp": "127.0.0.1",
              "userAgent": ""
            },
            "requestId": "id=",
            "routeKey": "PUT /scim/v2/Users/{id}",
            "stage": "$default",
            "time": "01/Jan/1970:00:00:00 +0000",
            "timeEpoch": 0,
            "authorizer": {
              "jwt": {
                "claims": {
                  "sub": "s",
                  "scope": "[a b]",
                  "exp": "5"
                },
                "scopes": null
              }
            }
          },
          "isBase64Encoded": true,
          "cookies": [
            "a=b",
            "c=d"
          ],
          "queryStringParameters": {
            "a": "1,2",
            "filter": "x eq 1"
          },
          "pathParameters": {
            "id": "a b"
          },
          "body": "e30="
        }
        "#);
    }

    #[test]
    fn only_the_gateways_text_types_arrive_as_text() {
        let cases = [
            ("application/json", false),
            ("Application/JSON; charset=utf-8", false),
            ("text/plain", false),
            ("application/xml", false),
            ("application/scim+json", true),
            ("application/json-patch+json", true),
            ("", true),
        ];
        for (kind, encoded) in cases {
            let request = Request::post("/scim/v2/Users").header("content-type", kind);
            let event = check(request, "{}", Value::Null);
            assert_eq!(event["isBase64Encoded"], encoded, "{kind}");
        }
    }

    #[test]
    fn a_route_without_authorizer_has_no_claims_and_an_empty_body_is_absent() {
        let event = check(Request::get("/scim/v2/Schemas"), "", Value::Null);
        assert_eq!(event["requestContext"].get("authorizer"), None);
        assert_eq!(event.get("body"), None);
        assert_eq!(event.get("pathParameters"), None);
    }
}
