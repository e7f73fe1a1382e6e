use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::scripted::{Reply, Script};
use super::*;
use crate::scim::Timestamp;

fn tenant() -> Tenant {
    Tenant::parse("acme").unwrap()
}

fn id(byte: u8) -> ResourceId {
    ResourceId::from_bytes([byte; 16])
}

fn want(byte: u8) -> Want {
    Want::Resource {
        resource_type: "User",
        id: id(byte),
    }
}

fn key_json(byte: u8) -> Value {
    let key = key::resource(&tenant(), "User", id(byte));
    json!({"pk": {"S": key.pk}, "sk": {"S": key.sk}})
}

fn item(byte: u8) -> Value {
    let mut item = key_json(byte);
    for (name, value) in [("rev", "1"), ("created", "5"), ("modified", "5")] {
        item[name] = json!({"N": value});
    }
    item["doc"] = json!({"S": "{}"});
    item
}

fn answer(items: &[Value], left: &[Value]) -> Reply {
    let left = if left.is_empty() {
        json!({})
    } else {
        json!({"table": {"Keys": left, "ConsistentRead": true}})
    };
    Reply::Answer(
        200,
        json!({"Responses": {"table": items}, "UnprocessedKeys": left}),
    )
}

#[tokio::test(start_paused = true)]
async fn unprocessed_keys_are_asked_again() {
    let script = Script::new([
        answer(&[item(1)], &[key_json(2), key_json(3)]),
        answer(&[], &[key_json(2), key_json(3)]),
        answer(&[item(3)], &[]),
    ]);
    let mut read_set = ReadSet::default();
    let wants = BTreeSet::from([want(1), want(2), want(3)]);
    script
        .store()
        .read(&tenant(), &wants, &mut read_set)
        .await
        .unwrap();
    let found = |byte| read_set.resources[&("User", id(byte))].is_some();
    assert_eq!([found(1), found(2), found(3)], [true, false, true]);
    let asked: Vec<usize> = script
        .requests()
        .iter()
        .map(|request| {
            let table = &request["RequestItems"]["table"];
            assert_eq!(table["ConsistentRead"], true);
            table["Keys"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(asked, [3, 2, 2]);
}

/// Ten answers in a row that leave everything take six seconds: a read was once
/// given up there, with twenty seconds left.
#[tokio::test(start_paused = true)]
async fn keys_left_unprocessed_are_asked_until_the_request_ends() {
    let read = async |refused: usize| {
        let refused = (0..refused).map(|_| answer(&[], &[key_json(1)]));
        let script = Script::new(refused.chain([answer(&[item(1)], &[])]));
        let store = script
            .store()
            .during(Instant::now() + Duration::from_secs(20), 7);
        let (mut read_set, wants) = (ReadSet::default(), BTreeSet::from([want(1)]));
        let result = store.read(&tenant(), &wants, &mut read_set).await;
        result.map(|()| read_set.resources[&("User", id(1))].is_some())
    };
    assert!(read(20).await.unwrap());
    let began = Instant::now();
    let result = read(60).await;
    assert!(matches!(result, Err(StoreError::Throttled)), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_read_is_asked_again() {
    let refusals = || {
        [
            Reply::error(400, "ThrottlingException"),
            Reply::error(500, "InternalServerError"),
            Reply::Answer(503, json!({})),
            Reply::Lost,
            Reply::Silence,
        ]
    };
    let none = json!({"Items": [], "Count": 0});
    let secret = json!({"Attributes": {"secret": {"B": "c2VjcmV0"}}});
    let answers = [
        none.clone(),
        none.clone(),
        none.clone(),
        none,
        json!({}),
        secret,
    ];
    let answers = answers.map(|body| Reply::Answer(200, body));
    let replies = answers
        .into_iter()
        .flat_map(|answer| refusals().into_iter().chain([answer]));
    let script = Script::new(replies);
    let (store, tenant) = (script.store(), tenant());
    store.members(&tenant, id(1), None).await.unwrap();
    store.count(&tenant, "User").await.unwrap();
    store.page(&tenant, "User", 3, None, None).await.unwrap();
    let lookup = Lookup {
        resource_type: "User",
        attribute: "externalId".to_owned(),
        value: "701984".to_owned(),
        unique: false,
    };
    store.find(&tenant, &lookup).await.unwrap();
    assert!(store.get(&tenant, "User", id(1)).await.unwrap().is_none());
    store.cursor_secret([1; 32]).await.unwrap();
    assert_eq!(script.requests().len(), 6 * 6);
}

#[tokio::test(start_paused = true)]
async fn one_resource_is_read_as_it_was_last_written() {
    let script = Script::new([Reply::Answer(200, json!({"Item": item(1)}))]);
    let found = script.store().get(&tenant(), "User", id(1)).await.unwrap();
    assert_eq!(found.unwrap().id, id(1));
    assert_eq!(script.requests()[0]["ConsistentRead"], true);
}

#[tokio::test(start_paused = true)]
async fn the_header_of_a_group_is_read_before_its_memberships() {
    let script = Script::new([
        answer(&[], &[]),
        Reply::Answer(200, json!({"Items": [], "Count": 0})),
    ]);
    let group = id(1);
    let header = Want::Resource {
        resource_type: "Group",
        id: group,
    };
    let wants = BTreeSet::from([Want::Members { group }, header]);
    let mut read_set = ReadSet::default();
    let stale = Membership::begin(None, id(7), "User", 1, Timestamp(0));
    read_set.memberships.insert((group, id(7)), Some(stale));
    script
        .store()
        .read(&tenant(), &wants, &mut read_set)
        .await
        .unwrap();
    let requests = script.requests();
    assert!(requests[0].get("RequestItems").is_some(), "{requests:?}");
    assert_eq!(requests[1]["ConsistentRead"], true);
    assert!(read_set.memberships.is_empty(), "an earlier reading stayed");
    assert!(read_set.whole.contains(&group));
}

#[tokio::test(start_paused = true)]
async fn a_count_is_the_sum_of_the_slots_over_all_pages() {
    let slot = |n: &str| json!({"pk": {"S": "p"}, "sk": {"S": n}, "n": {"N": n}});
    let last = json!({"pk": {"S": "p"}, "sk": {"S": "-2"}});
    let script = Script::new([
        Reply::Answer(
            200,
            json!({"Items": [slot("12"), slot("-2")], "LastEvaluatedKey": last}),
        ),
        Reply::Answer(200, json!({"Items": [slot("5")]})),
    ]);
    assert_eq!(script.store().count(&tenant(), "User").await.unwrap(), 15);
    assert_eq!(script.requests()[1]["ExclusiveStartKey"], last);
}

#[tokio::test(start_paused = true)]
async fn an_error_shows_its_code_and_nothing_that_was_stored() {
    let body = json!({"__type": "x#ValidationException", "message": "bad value bjensen"});
    let script = Script::new([Reply::Answer(400, body)]);
    let error = script
        .store()
        .get(&tenant(), "User", id(1))
        .await
        .unwrap_err();
    insta::assert_snapshot!(format!("{error} {error:?}"), @r#"GetItem was answered with ValidationException Answered { operation: "GetItem", code: "ValidationException" }"#);
}
