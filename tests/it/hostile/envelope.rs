//! Headers, tokens, and events as only a broken gateway sends them.

use harness::event::{Request, event};
use harness::{Stack, user};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::encodings::Body;
use serde_json::{Map, Value, json};
use shared::ambient::Moment;
use shared::scim::Timestamp;
use tokio::time::{Duration, Instant};

use super::{ABSENT, ERROR, fault};

#[tokio::test(start_paused = true)]
async fn headers_and_media_types() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    let path = format!("/Users/{id}");
    let media: [(&str, u16); 10] = [
        ("application/scim+json; charset=utf-8", 200),
        ("application/json;charset=UTF-8", 200),
        ("APPLICATION/SCIM+JSON", 200),
        ("", 200),
        (" ; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/scim+json, application/xml", 415),
    ];
    let matches: [(&str, u16); 8] = [
        ("*", 200),
        ("W/\"1\", W/\"7\", *", 200),
        ("", 412),
        ("\"", 412),
        ("W/", 412),
        ("W/\"0\"", 412),
        ("W/\"99999999999999999999999999\"", 412),
        ("1 OR 1", 412),
    ];
    let media = media.map(|(value, status)| ("content-type", value, status));
    let matches = matches.map(|(value, status)| ("if-match", value, status));
    let mut faults = Vec::new();
    for (name, value, status) in media.into_iter().chain(matches) {
        let client = client.with_header(name, value);
        let reply = client.put(&path, user("there")).await;
        if let Some(fault) = fault(&reply, (status, "")) {
            faults.push(format!("{name}: {value}: {fault}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    // Nobody has a body that asks whether it exists.
    let absent = client.with_header("if-match", "*");
    let reply = absent.put(&format!("/Users/{ABSENT}"), user("x")).await;
    assert_eq!(fault(&reply, (404, "")), None);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn tokens_of_odd_shape() {
    let stack = Stack::start().await;
    let client = stack.client();
    let claim = |name: &str, value: Value| client.with_claim(name, value);
    let long = "x".repeat(10_000);
    let cases = [
        ("no token", client.anonymous(), 401),
        ("no tenant", claim("tenant", Value::Null), 403),
        ("an empty tenant", claim("tenant", json!("")), 403),
        ("a blank tenant", claim("tenant", json!(" ")), 403),
        (
            "a tenant with a delimiter",
            claim("tenant", json!("acme#User#0")),
            403,
        ),
        (
            "a tenant with a slash",
            claim("tenant", json!("acme/other")),
            403,
        ),
        (
            "a tenant of two lines",
            claim("tenant", json!("acme\n")),
            403,
        ),
        (
            "a tenant with a zero",
            claim("tenant", json!("acme\0")),
            403,
        ),
        (
            "a tenant of 10,000 letters",
            claim("tenant", json!(long)),
            403,
        ),
        (
            "two tenants",
            claim("tenant", json!(["acme", "other"])),
            403,
        ),
        (
            "a tenant of an object",
            claim("tenant", json!({"a": 1})),
            403,
        ),
        ("no scope", claim("scope", Value::Null), 403),
        ("an empty scope", claim("scope", json!("")), 403),
        ("an empty list of scopes", claim("scope", json!([])), 403),
        ("a scope of a number", claim("scope", json!(1)), 403),
        (
            "a scope with commas",
            claim("scope", json!("scim.users.read,scim.users.write")),
            403,
        ),
        (
            "a scope in upper case",
            claim("scope", json!("SCIM.USERS.READ")),
            403,
        ),
        (
            "a scope cut off",
            claim("scope", json!("scim.users.rea")),
            403,
        ),
        (
            "a scope of all",
            claim("scope", json!("scim.*.read *")),
            403,
        ),
        (
            "a client named like a scope",
            client
                .with_scopes(&[])
                .with_claim("client_id", json!("scim.users.read")),
            403,
        ),
        (
            "a group named like a scope",
            client
                .with_scopes(&[])
                .with_claim("groups", json!(["scim.users.read"])),
            403,
        ),
        (
            "scopes in a list",
            claim("scope", json!(["scim.users.read"])),
            200,
        ),
    ];
    let mut faults = Vec::new();
    for (name, client, status) in cases {
        let reply = client.get("/Users").await;
        if let Some(fault) = fault(&reply, (status, "")) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    stack.audit().await;
}

/// What happens to an event on its way.
type Change = fn(&mut ApiGatewayV2httpRequest);

/// Bodies that only the gateway could break.
#[tokio::test(start_paused = true)]
async fn events_that_no_gateway_sends() {
    let stack = Stack::start().await;
    let request = Request {
        method: "POST".to_owned(),
        target: "/Users".to_owned(),
        ..Request::default()
    };
    let claims = json!({"tenant": "acme", "scope": "scim.users.write"});
    let claims: &Map<String, Value> = claims.as_object().unwrap();
    let changes: [(&str, Change, u16); 8] = [
        ("base64 that is none", |event| encoded(event, "%%%"), 400),
        ("base64 cut off", |event| encoded(event, "e30="), 400),
        ("base64 of one letter", |event| encoded(event, "e"), 400),
        ("base64 of nothing", |event| encoded(event, ""), 400),
        (
            "base64 over two lines",
            |event| encoded(event, "e3\n0="),
            400,
        ),
        ("no path", |event| event.raw_path = None, 404),
        ("no route", |event| event.route_key = None, 400),
        (
            "a path outside",
            |event| event.raw_path = Some("/x".to_owned()),
            404,
        ),
    ];
    for (name, change, status) in changes {
        let mut event = event(&request, "scim/v2", Some(claims), 1, 0);
        change(&mut event);
        let moment = Moment {
            now: Timestamp(0),
            seed: [0; 32],
            deadline: Instant::now() + Duration::from_secs(5),
        };
        let response = users::handle(stack.provider(), event, moment).await;
        let body = body(&response);
        assert_eq!(response.status_code, i64::from(status), "{name}: {body}");
        assert_eq!(body["schemas"], json!([ERROR]), "{name}: {body}");
    }
    stack.audit().await;
}

fn encoded(event: &mut ApiGatewayV2httpRequest, body: &str) {
    event.body = Some(body.to_owned());
    event.is_base64_encoded = true;
}

fn body(response: &ApiGatewayV2httpResponse) -> Value {
    match &response.body {
        Some(Body::Text(text)) => serde_json::from_str(text).unwrap(),
        _ => Value::Null,
    }
}
