use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::scripted::{Reply, Script};
use super::*;
use crate::plan::read_set::{ReadSet, Want};
use crate::scim::{Attributes, Timestamp};
use crate::table::Header;

const GROUP: u8 = 200;

fn id(byte: u8) -> ResourceId {
    ResourceId::from_bytes([byte; 16])
}

/// The group at revision 5 with these members, as its header says.
fn header(members: &[u8]) -> Stored {
    Stored {
        id: id(GROUP),
        rev: 5,
        created: Timestamp(0),
        modified: Timestamp(0),
        attributes: Attributes::new(),
        groups: BTreeSet::new(),
        groups_rev: 0,
        header: Some(Header {
            next: 5,
            members: members.iter().map(|byte| id(*byte)).collect(),
            ..Header::default()
        }),
    }
}

/// What a Query finds: members with `since`, and `until` where it is not 0.
fn found(memberships: &[(u8, u64, u64)]) -> Reply {
    let item = |(member, since, until): &(u8, u64, u64)| {
        let mut item = json!({
            "pk": {"S": "members"},
            "sk": {"S": id(*member).to_string()},
            "type": {"S": "User"},
            "since": {"N": since.to_string()},
        });
        if *until > 0 {
            item["until"] = json!({"N": until.to_string()});
        }
        item
    };
    let items: Vec<Value> = memberships.iter().map(item).collect();
    Reply::Answer(200, json!({"Items": items}))
}

async fn read(header: Option<Stored>, replies: Vec<Reply>) -> (usize, Vec<ResourceId>) {
    let script = Script::new(replies);
    let mut read_set = ReadSet {
        resources: HashMap::from([(("Group", id(GROUP)), header.map(Arc::new))]),
        ..ReadSet::default()
    };
    let wants = BTreeSet::from([Want::Members { group: id(GROUP) }]);
    let tenant = Tenant::parse("acme").unwrap();
    let store = script.store();
    store.read(&tenant, &wants, &mut read_set).await.unwrap();
    let members: BTreeSet<_> = read_set.memberships.keys().map(|key| key.1).collect();
    (script.requests().len(), members.into_iter().collect())
}

#[tokio::test(start_paused = true)]
async fn members_are_read_again_until_they_are_those_of_the_header() {
    let [one, two, three] = [(1, 1, 0), (2, 5, 0), (3, 1, 5)];
    for (case, replies) in [
        ("at once", vec![found(&[one, two, three])]),
        (
            "one that came is not there yet",
            vec![found(&[one, three]), found(&[one, two, three])],
        ),
        (
            "one that went is still there",
            vec![found(&[one, two, (3, 1, 0)]), found(&[one, two, three])],
        ),
        (
            "both, one after the other",
            vec![
                found(&[one, (3, 1, 0)]),
                found(&[one, two, (3, 1, 0)]),
                found(&[one, two, three]),
            ],
        ),
    ] {
        let queries = replies.len();
        let told = read(Some(header(&[1, 2])), replies).await;
        assert_eq!(told, (queries, vec![id(1), id(2), id(3)]), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_stay_others_than_the_header_says_are_refused_in_time() {
    let script = Script::new((0..1_000).map(|_| found(&[(1, 1, 0)])));
    let store = script
        .store()
        .during(Instant::now() + Duration::from_secs(5), 0);
    let tenant = Tenant::parse("acme").unwrap();
    let header = header(&[1, 2]);
    let result = store.members(&tenant, id(GROUP), Some(&header)).await;
    assert!(matches!(result, Err(StoreError::Torn)), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn what_changed_after_the_header_was_read_changes_nothing() {
    let later = found(&[(1, 1, 6), (2, 1, 0), (3, 6, 0)]);
    let told = read(Some(header(&[1, 2])), vec![later]).await;
    assert_eq!(told, (1, vec![id(1), id(2), id(3)]));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_gone_has_nothing_to_compare_with() {
    let told = read(None, vec![found(&[(1, 1, 6)])]).await;
    assert_eq!(told, (1, vec![id(1)]));
}
