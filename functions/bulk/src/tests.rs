use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::BehaviorVersion;
use insta::assert_snapshot;
use lambda_http::aws_lambda_events::encodings::Body;
use serde_json::{Value, json};
use shared::config::Config;
use shared::plan::{Done, Entry, Outcome, Rights, Rules, Target, rights};
use shared::scim::patch::Dialect;
use shared::scim::schema::catalogue;
use shared::scim::{Detail, Place, ResourceId, ScimError, ScimType, Version, urn};
use shared::store::Store;

use super::*;

/// The bytes of a response that Lambda hands on.
const RESPONSE: usize = 6 * 1024 * 1024;

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
    let outcome = Outcome {
        index: 0,
        method,
        bulk_id,
        target,
        result,
    };
    rows::row(&outcome, "https://h/scim/v2", Detail::Whole).to_string()
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
    let answer = rows::told(&[], "https://h/scim/v2");
    assert_snapshot!(text_of(&answer), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":[]}"#);
}

/// Rows of a request, checked as the function does.
fn entries(rows: Vec<Value>) -> Vec<Entry> {
    let rights = Rights::new(rights::scopes());
    let rules = Rules {
        rights: &rights,
        dialect: Dialect::default(),
        strict_bulk_id: false,
        mint: &|position| ResourceId::from_random([u8::try_from(position % 256).unwrap(); 16]),
    };
    operation::check(&rows, &rules)
}

/// What takes the most room in a row and stays in every form of an answer.
fn long_rows() -> [Value; 5] {
    let control = "\u{1}".repeat(operation::MAX_BULK_ID);
    let quotes = "\"".repeat(operation::MAX_BULK_ID);
    let user = json!({"schemas": [urn::USER], "userName": "u"});
    let id = "x".repeat(256);
    [
        json!({"method": "\u{1}".repeat(200), "path": "/Users", "bulkId": control}),
        json!({"method": "DELETE", "path": format!("/Groups/{id}"), "bulkId": control}),
        json!({"method": "DELETE", "path": format!("/Groups/{id}"), "bulkId": quotes}),
        json!({"method": "POST", "path": "/Users", "data": user, "bulkId": control}),
        json!({"method": "DELETE", "path": "/Users/bulkId:u"}),
    ]
}

#[test]
fn no_row_outgrows_what_it_was_taken_for() {
    let base_url = "https://h/scim/v2";
    let mut rows = long_rows().to_vec();
    let user = json!({"schemas": [urn::USER], "userName": "v"});
    rows.push(json!({"method": "POST", "path": "/Users", "data": user, "bulkId": "u"}));
    rows.push(json!(7));
    for entry in entries(rows) {
        let length = |row: Value| json!(row.to_string()).to_string().len();
        let most = length(rows::longest(&entry, base_url));
        let told = |result| match &entry {
            Ok(operation) => operation.outcome(result),
            Err(rejection) => Outcome {
                result,
                ..rejection.outcome()
            },
        };
        for result in [
            done(200, Some(u64::MAX)),
            done(204, None),
            Err(ScimError::internal()),
            Err(ScimError::invalid_cursor()),
            Err(ScimError::invalid_filter("f".repeat(2_000))),
            Err(ScimError::uniqueness("\u{1}".repeat(2_000))),
        ] {
            let outcome = told(result);
            let row = length(rows::row(&outcome, base_url, Detail::Mark));
            assert!(row <= most, "{row} bytes of {most}: {outcome:?}");
        }
    }
    let longest = ScimType::ALL.map(|keyword| keyword.as_str().len());
    assert_eq!(
        longest.into_iter().max(),
        Some(ScimType::InvalidSyntax.as_str().len())
    );
}

#[test]
fn a_thousand_rows_always_have_an_answer_and_ten_thousand_of_a_usual_length() {
    let checked = |base_url: &str, row: &Value, count: usize| {
        let refused = rows::check(&entries(vec![row.clone(); count]), base_url);
        refused.map_err(|error| error.to_string()).err()
    };
    let long_url = format!("https://{}/scim/v2", "x".repeat(1_000));
    for row in long_rows() {
        assert_eq!(checked(&long_url, &row, 1_000), None, "{row}");
    }
    let usual = json!({
        "method": "PATCH",
        "path": "/Users/2819c223-7f76-453a-919d-413861904646",
        "bulkId": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    });
    let url = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/scim/v2";
    assert_eq!(checked(url, &usual, 10_000), None);
    assert_snapshot!(checked(url, &long_rows()[1], 10_000).unwrap(), @"413: the answer to 10000 operations may take more than the 6000000 bytes that can be sent: send fewer of them, or shorter `bulkId`s");
}

/// An answer of `count` failures that each say `text`, and how its first row
/// says it.
fn failures(count: usize, bulk_id: &str, text: &str) -> (usize, Value) {
    let place = Place {
        loc: vec![json!("Operations"), json!(0)],
        msg: text.to_owned(),
        kind: "value_error",
    };
    let outcome = Outcome {
        index: 0,
        method: "PUT".to_owned(),
        bulk_id: Some(bulk_id.to_owned()),
        target: Some(Target {
            resource_type: catalogue().by_name("User").unwrap(),
            id: "2819c223-7f76-453a-919d-413861904646".to_owned(),
        }),
        result: Err(ScimError::invalid_value(text).at(place)),
    };
    let answer = rows::told(&vec![outcome.clone(); count], "https://h/scim/v2");
    let size = serde_json::to_string(&answer).unwrap().len();
    let body: Value = serde_json::from_str(text_of(&answer)).unwrap();
    let rows = body["Operations"].as_array().unwrap();
    assert_eq!(rows.len(), count);
    let whole = rows::row(&outcome, "https://h/scim/v2", Detail::Whole);
    for member in ["location", "method", "bulkId", "status"] {
        assert_eq!(rows[0][member], whole[member]);
    }
    (size, rows[0]["response"].clone())
}

#[test]
fn failures_say_as_much_as_there_is_room_for() {
    let (control, quotes) = ("\u{1}".repeat(1_000), "\"".repeat(1_000));
    let long = "\u{1}".repeat(operation::MAX_BULK_ID);
    let cases = [
        (1_000, "b", "short", Detail::Whole),
        (1_000, &*long, "short", Detail::Whole),
        (1_000, "b", &*quotes, Detail::Alone),
        (1_000, &*long, &*control, Detail::Beginning),
        (10_000, "b", "short", Detail::Whole),
        (10_000, "b", &*"x".repeat(400), Detail::Beginning),
        (10_000, "b", &*control, Detail::Mark),
    ];
    for (count, bulk_id, text, detail) in cases {
        let (size, response) = failures(count, bulk_id, text);
        assert!(size <= RESPONSE, "{count} rows take {size} bytes");
        let said = response["detail"].as_str().unwrap();
        let expected = match detail {
            Detail::Whole | Detail::Alone => text.to_owned(),
            Detail::Beginning => format!("{text:.100}…"),
            Detail::Mark => "…".to_owned(),
        };
        assert_eq!(said, expected, "{count} {bulk_id:?}");
        assert_eq!(response.get("errors").is_some(), detail == Detail::Whole);
    }
}

fn text_of(answer: &ApiGatewayV2httpResponse) -> &str {
    match &answer.body {
        Some(Body::Text(text)) => text,
        _ => panic!("the answer has no text"),
    }
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
