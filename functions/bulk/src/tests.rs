use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::BehaviorVersion;
use insta::assert_snapshot;
use shared::config::Config;
use shared::plan::{Done, Target};
use shared::scim::schema::catalogue;
use shared::scim::{ScimError, Version};
use shared::store::Store;

use super::*;

fn done(status: u16, rev: Option<u64>) -> Result<Done, ScimError> {
    Ok(Done {
        status,
        version: rev.map(Version),
        resource: None,
        members: None,
    })
}

fn told(
    method: &str,
    bulk_id: Option<&str>,
    id: Option<&str>,
    result: Result<Done, ScimError>,
) -> String {
    let resource_type = catalogue().by_name("User").unwrap();
    let target = id.map(|id| Target {
        resource_type,
        id: id.to_owned(),
    });
    let (method, bulk_id) = (method.to_owned(), bulk_id.map(str::to_owned));
    row(
        &Outcome {
            index: 0,
            method,
            bulk_id,
            target,
            result,
        },
        "https://h/scim/v2",
    )
    .to_string()
}

#[test]
fn a_row_says_what_its_operation_came_to() {
    assert_snapshot!(told("POST", Some("q"), Some("a"), done(201, Some(1))), @r#"{"location":"https://h/scim/v2/Users/a","method":"POST","bulkId":"q","version":"W/\"1\"","status":"201"}"#);
    assert_snapshot!(told("PATCH", None, Some("a"), done(200, Some(4))), @r#"{"location":"https://h/scim/v2/Users/a","method":"PATCH","version":"W/\"4\"","status":"200"}"#);
    assert_snapshot!(told("DELETE", Some("d"), Some("a"), done(204, None)), @r#"{"location":"https://h/scim/v2/Users/a","method":"DELETE","bulkId":"d","status":"204"}"#);
}

#[test]
fn a_failed_row_carries_the_whole_error() {
    let taken = ScimError::uniqueness("`userName` is taken");
    assert_snapshot!(told("POST", Some("q"), None, Err(taken)), @r#"{"method":"POST","bulkId":"q","status":"409","response":{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"`userName` is taken"}}"#);
    let gone = ScimError::not_found("User", "a");
    assert_snapshot!(told("PUT", None, Some("a"), Err(gone)), @r#"{"location":"https://h/scim/v2/Users/a","method":"PUT","status":"404","response":{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"User `a` not found"}}"#);
    let nameless = ScimError::invalid_syntax("no method");
    assert_snapshot!(told("", None, None, Err(nameless)), @r#"{"status":"400","response":{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidSyntax","detail":"no method"}}"#);
}

#[test]
fn rows_stand_in_an_envelope_of_their_own() {
    assert_snapshot!(render(&[], "https://h/scim/v2"), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":[]}"#);
}

/// What a request comes to that never reaches the table.
async fn refused(method: &str, path: &str, scope: Option<&str>, body: &Value) -> String {
    let offline = aws_sdk_dynamodb::Config::builder().behavior_version(BehaviorVersion::latest());
    let store = Store::new(aws_sdk_dynamodb::Client::from_conf(offline.build()), "scim");
    let settings = [("MAX_PAYLOAD_SIZE", "90"), ("MAX_OPERATIONS", "2")];
    let found = |name: &str| settings.iter().find(|(known, _)| *known == name);
    let config = Config::read(&|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap();
    let provider = Provider {
        store,
        config: Arc::new(config),
    };
    let event = json!({
        "rawPath": format!("/scim/v2{path}"),
        "requestContext": {
            "authorizer": scope.map(|scope| json!({"jwt": {"claims": {"scope": scope}}})),
            "http": {"method": method},
        },
        "body": body.to_string(),
    });
    let event = serde_json::from_value(event).unwrap();
    let response = handle(&provider, event, Moment::begin(Duration::ZERO)).await;
    let response = serde_json::to_value(response).unwrap();
    let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["schemas"], json!([urn::ERROR]));
    format!("{} {}", response["statusCode"], body["detail"])
}

#[tokio::test]
async fn what_concerns_the_whole_request_is_one_error() {
    let one = json!({"Operations": [{}]});
    let bulk = Some("scim.bulk");
    assert_snapshot!(refused("GET", "/Bulk", bulk, &one).await, @r#"405 "the method is not allowed here, expected one of: POST""#);
    assert_snapshot!(refused("POST", "/Bulk/1", bulk, &one).await, @r#"404 "no such endpoint""#);
    assert_snapshot!(refused("POST", "/Bulk", None, &one).await, @r#"401 "the request carries no verified token""#);
    assert_snapshot!(refused("POST", "/Bulk", Some("scim.users.write"), &one).await, @r#"403 "the token lacks the scope `scim.bulk`""#);
    assert_snapshot!(refused("POST", "/Bulk", bulk, &json!([])).await, @r#"400 "the body is not a JSON object""#);
    assert_snapshot!(refused("POST", "/Bulk", bulk, &json!({"Operations": [{}], "failOnErrors": -1})).await, @r#"400 "`failOnErrors`: expected a whole number, 0 or more""#);
}

#[tokio::test]
async fn limits_are_named_and_bytes_come_first() {
    let bulk = Some("scim.bulk");
    assert_snapshot!(refused("POST", "/Bulk", bulk, &json!({"Operations": [1, 2, 3]})).await, @r#"413 "the request has 3 operations, over maxOperations (2)""#);
    assert_snapshot!(refused("POST", "/Bulk", bulk, &json!({"Operations": vec![1; 60]})).await, @r#"413 "the body has 136 bytes or more, over maxPayloadSize (90)""#);
}
