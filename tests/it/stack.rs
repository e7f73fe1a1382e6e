//! The harness itself: events as the gateway sends them, an audit that finds
//! what is broken.

use harness::Stack;
use harness::audit::audit;
use harness::event::{Request, event};
use harness::stack::TABLE;
use serde_json::{Map, Value, json};

const USER: &str = "10000000-0000-4000-8000-000000000001";
const GROUP: &str = "90000000-0000-4000-8000-000000000002";
/// The group's id as the bytes that `in` holds, in base64.
const GROUP_BYTES: &str = "kAAAAAAAQACAAAAAAAAAAg==";

/// A user in a group, with all that belongs to them.
fn sound() -> Vec<Value> {
    let document =
        r#"{"userName":"b","externalId":"7","emails":[{"value":"B@x"},{"value":"b@x"}]}"#;
    vec![
        json!({"pk": {"S": "acme#User#1"}, "sk": {"S": USER}, "rev": {"N": "1"},
            "doc": {"S": document}, "in": {"BS": [GROUP_BYTES]}, "mrev": {"N": "1"}}),
        json!({"pk": {"S": "acme#User#userName#h1"}, "sk": {"S": "="}, "owner": {"S": USER}}),
        json!({"pk": {"S": "acme#User#externalId#h2"}, "sk": {"S": USER}, "owner": {"S": USER}}),
        json!({"pk": {"S": "acme#User#emails.value#h3"}, "sk": {"S": USER}, "owner": {"S": USER}}),
        json!({"pk": {"S": "acme#User#count"}, "sk": {"S": "3"}, "n": {"N": "2"}}),
        json!({"pk": {"S": "acme#User#count"}, "sk": {"S": "4"}, "n": {"N": "-1"}}),
        json!({"pk": {"S": "acme#Group#9"}, "sk": {"S": GROUP}, "rev": {"N": "2"},
            "next": {"N": "2"}, "doc": {"S": r#"{"displayName":"g"}"#}}),
        json!({"pk": {"S": "acme#Group#displayName#h4"}, "sk": {"S": GROUP}, "owner": {"S": GROUP}}),
        json!({"pk": {"S": "acme#Group#count"}, "sk": {"S": "0"}, "n": {"N": "1"}}),
        json!({"pk": {"S": format!("acme#members#{GROUP}")}, "sk": {"S": USER},
            "type": {"S": "User"}, "since": {"N": "2"}}),
    ]
}

fn broken(items: &[Value]) -> Vec<String> {
    let items: Vec<Map<String, Value>> = items
        .iter()
        .map(|item| item.as_object().unwrap().clone())
        .collect();
    audit(&items)
}

#[test]
fn a_sound_table_passes_the_audit() {
    assert_eq!(broken(&sound()), [] as [&str; 0]);
}

#[test]
fn the_audit_misses_every_item_that_is_missing() {
    let items = sound();
    for missing in 0..items.len() {
        let mut rest = items.clone();
        let removed = rest.remove(missing);
        // Without its membership the user's `in` is a superset, which is legal.
        let legal = removed["pk"]["S"].as_str().unwrap().contains("members");
        assert_eq!(broken(&rest).is_empty(), legal, "{removed}");
    }
}

#[test]
fn the_audit_names_what_is_wrong() {
    type Breakage = fn(&mut Vec<Value>);
    let cases: [(Breakage, &str); 8] = [
        (
            |items| items[0]["in"] = Value::Null,
            "tenant acme: User 10000000-0000-4000-8000-000000000001 does not know of its group \
             90000000-0000-4000-8000-000000000002",
        ),
        (
            |items| items[6]["open"] = json!({"NS": ["2"]}),
            "tenant acme: Group 90000000-0000-4000-8000-000000000002 has unfinished changes",
        ),
        (
            |items| items[9]["type"] = json!({"S": "Group"}),
            "tenant acme: group 90000000-0000-4000-8000-000000000002 takes User \
             10000000-0000-4000-8000-000000000001 for another type",
        ),
        (
            |items| items[4]["n"] = json!({"N": "3"}),
            "tenant acme: 1 resources of type User, counted 2",
        ),
        (
            |items| items[1]["sk"] = json!({"S": USER}),
            "tenant acme: userName of User 10000000-0000-4000-8000-000000000001 has sort key \
             `10000000-0000-4000-8000-000000000001`",
        ),
        (
            |items| items.push(json!({"pk": {"S": "acme#debris"}, "sk": {"S": "1"}})),
            "tenant acme: `acme#debris` is left over",
        ),
        (
            |items| {
                let another = json!({"pk": {"S": "acme#User#userName#h9"}, "sk": {"S": "="},
                    "owner": {"S": USER}});
                items.push(another);
            },
            "tenant acme: User 10000000-0000-4000-8000-000000000001 has 2 lookups of userName",
        ),
        (
            |items| {
                items.push(
                    json!({"pk": {"S": "other#User#userName#h1"}, "sk": {"S": "="},
                    "owner": {"S": USER}}),
                );
            },
            "tenant other: userName leads to User 10000000-0000-4000-8000-000000000001, which \
             does not exist",
        ),
    ];
    for (breakage, expected) in cases {
        let mut items = sound();
        breakage(&mut items);
        assert_eq!(broken(&items), [expected]);
    }
}

#[test]
fn an_ended_or_future_membership_is_not_visible() {
    for (since, until) in [("3", None), ("1", Some("2"))] {
        let mut items = sound();
        items[0]["in"] = Value::Null;
        items[9]["since"] = json!({"N": since});
        if let Some(until) = until {
            items[9]["until"] = json!({"N": until});
        }
        assert_eq!(broken(&items), [] as [&str; 0], "{since} {until:?}");
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`acme#debris` is left over")]
async fn a_stack_does_not_end_with_debris() {
    let stack = Stack::start().await;
    let item = json!({"pk": {"S": "acme#debris"}, "sk": {"S": "1"}});
    let put = json!({"TableName": TABLE, "Item": item}).to_string();
    assert_eq!(
        stack.weather().embedded().answer("PutItem", &put).status,
        200
    );
}

#[test]
fn an_event_is_what_the_gateway_sends() {
    let claims = json!({"sub": "s", "aud": ["a", "b"], "exp": 5, "scope": "x y"});
    let request = Request {
        method: "PATCH".to_owned(),
        target: "/Users/a%20b?attributes=id%2Cmeta&x=1&x=2".to_owned(),
        headers: [(
            "content-type".to_owned(),
            "application/scim+json".to_owned(),
        )]
        .into(),
        body: b"{}".to_vec(),
        ..Request::default()
    };
    let event = event(
        &request,
        "scim/v2",
        claims.as_object(),
        3,
        1_767_225_600_000,
    );
    assert_eq!(
        event.route_key.as_deref(),
        Some("PATCH /scim/v2/Users/{id}")
    );
    assert_eq!(event.raw_path.as_deref(), Some("/scim/v2/Users/a b"));
    assert_eq!(
        event.raw_query_string.as_deref(),
        Some("attributes=id%2Cmeta&x=1&x=2")
    );
    assert_eq!(event.path_parameters["id"], "a b");
    // The runtime's event type splits values at commas, so that a comma within
    // one cannot be told from two values: the raw query string can.
    let parameters = &event.query_string_parameters;
    assert_eq!(parameters.all("attributes"), Some(vec!["id", "meta"]));
    assert_eq!(parameters.all("x"), Some(vec!["1", "2"]));
    assert_eq!(
        (event.body.as_deref(), event.is_base64_encoded),
        (Some("e30="), true)
    );
    let jwt = event.request_context.authorizer.unwrap().jwt.unwrap();
    assert_eq!(jwt.claims["aud"], "[a b]");
    assert_eq!(jwt.claims["exp"], "5");
    assert_eq!(jwt.scopes, None);
}

#[test]
fn only_text_and_plain_json_arrive_unencoded() {
    for (kind, encoded) in [
        ("application/json", false),
        ("application/json; charset=utf-8", false),
        ("text/plain", false),
        ("application/scim+json", true),
        ("", true),
    ] {
        let request = Request {
            method: "POST".to_owned(),
            target: "/Users".to_owned(),
            headers: [("content-type".to_owned(), kind.to_owned())].into(),
            body: b"{}".to_vec(),
            ..Request::default()
        };
        let event = event(&request, "scim/v2", None, 1, 0);
        assert_eq!(event.is_base64_encoded, encoded, "{kind}");
        assert!(event.request_context.authorizer.is_none());
        assert_eq!(event.route_key.as_deref(), Some("POST /scim/v2/Users"));
    }
}
