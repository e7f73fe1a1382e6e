use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::BehaviorVersion;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::store::Store;

/// A provider whose table cannot be reached: whoever asks it gets a 500.
fn provider() -> Provider {
    let offline = aws_sdk_dynamodb::Config::builder().behavior_version(BehaviorVersion::latest());
    let store = Store::new(aws_sdk_dynamodb::Client::from_conf(offline.build()), "scim");
    let settings = [("MAX_PAYLOAD_SIZE", "100")];
    let found = |name: &str| settings.iter().find(|(known, _)| *known == name);
    let config = Config::read(&|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap();
    Provider {
        store,
        config: Arc::new(config),
    }
}

/// `scope` of None: no authorizer.
async fn told(method: &str, target: &str, scope: Option<&str>, body: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let event = json!({
        "routeKey": "$default",
        "rawPath": format!("/scim/v2{path}"),
        "rawQueryString": query,
        "headers": {"content-type": "application/scim+json"},
        "requestContext": {
            "domainName": "abc.example.com",
            "authorizer": scope.map(|scope| json!({"jwt": {"claims": {"scope": scope}}})),
            "http": {"method": method},
        },
        "body": body,
    });
    let event = serde_json::from_value(event).unwrap();
    let moment = Moment::begin(Duration::ZERO);
    let response = answer(&provider(), "User", event, moment).await;
    let response = serde_json::to_value(response).unwrap();
    let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(response["headers"]["content-type"], "application/scim+json");
    let allow = response["headers"]["allow"].as_str().unwrap_or_default();
    format!("{} {allow} {}", response["statusCode"], body["detail"])
}

const ALL: Option<&str> = Some("scim.users.read scim.users.write");

#[tokio::test]
async fn rights_are_asked_for_before_anything_else() {
    for (method, target, scope) in [
        ("GET", "/Users", "scim.users.read"),
        (
            "GET",
            "/Users/1?attributes=a&excludedAttributes=b",
            "scim.users.read",
        ),
        ("POST", "/Users/.search", "scim.users.read"),
        ("POST", "/Users", "scim.users.write"),
        ("PUT", "/Users/1", "scim.users.write"),
        ("PATCH", "/Users/1", "scim.users.write"),
        ("DELETE", "/Users/1", "scim.users.write"),
    ] {
        let expected = format!("403  \"the token lacks the scope `{scope}`\"");
        let other = ALL.unwrap().replace(scope, "scim.groups.write");
        assert_eq!(
            told(method, target, Some(&other), "not json").await,
            expected,
            "{method}"
        );
        let expected = "401  \"the request carries no verified token\"";
        assert_eq!(
            told(method, target, None, "not json").await,
            expected,
            "{method}"
        );
    }
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_told_apart() {
    let mut answers = String::new();
    for (method, path) in [
        ("PUT", "/Users"),
        ("GET", "/Users/.search"),
        ("DELETE", "/Users/.search"),
        ("POST", "/Users/1"),
        ("GET", "/Users/1/name"),
        ("GET", "/Groups"),
        ("GET", ""),
    ] {
        answers.push_str(&format!(
            "{method} {path} {}\n",
            told(method, path, ALL, "").await
        ));
    }
    assert_snapshot!(answers, @r#"
    PUT /Users 405 GET, POST "the method is not allowed here, expected one of: GET, POST"
    GET /Users/.search 405 POST "the method is not allowed here, expected one of: POST"
    DELETE /Users/.search 405 POST "the method is not allowed here, expected one of: POST"
    POST /Users/1 405 GET, PUT, PATCH, DELETE "the method is not allowed here, expected one of: GET, PUT, PATCH, DELETE"
    GET /Users/1/name 404  "no such endpoint"
    GET /Groups 404  "no such endpoint"
    GET  404  "no such endpoint"
    "#);
}

#[tokio::test]
async fn what_is_asked_for_is_checked_before_the_table_is_touched() {
    let mut answers = String::new();
    let large = "[".repeat(101);
    for (method, target, body) in [
        (
            "GET",
            "/Users/1?attributes=userName&excludedAttributes=name",
            "",
        ),
        ("GET", "/Users?count=x", ""),
        ("POST", "/Users/.search", "{\"count\": \"x\"}"),
        ("POST", "/Users", "{"),
        ("PUT", "/Users/1", large.as_str()),
        (
            "POST",
            "/Users?attributes=userName&excludedAttributes=name",
            "{}",
        ),
    ] {
        answers.push_str(&format!(
            "{method} {target} {}\n",
            told(method, target, ALL, body).await
        ));
    }
    assert_snapshot!(answers, @r#"
    GET /Users/1?attributes=userName&excludedAttributes=name 400  "`attributes` and `excludedAttributes` exclude each other"
    GET /Users?count=x 400  "`count` is `x`, expected a whole number"
    POST /Users/.search 400  "`count`: expected a whole number"
    POST /Users 400  "not valid JSON: EOF while parsing an object at line 1 column 1"
    PUT /Users/1 413  "the body has 101 bytes or more, over maxPayloadSize (100)"
    POST /Users?attributes=userName&excludedAttributes=name 400  "`attributes` and `excludedAttributes` exclude each other"
    "#);
}
