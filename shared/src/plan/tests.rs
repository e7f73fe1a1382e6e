//! Plans as text. The directory behind them is a read set that knows nothing,
//! or what a test puts into it.

mod decided;
mod joined;
mod ordered;
mod packed;
mod pinned;
mod references;

use std::num::NonZeroUsize;

use serde_json::{Value, json};

use super::*;
use crate::scim::Attributes;
use crate::scim::patch::Dialect;
use crate::scim::schema::catalogue;
use crate::table::{Header, Stored, Tenant};

pub(super) fn id(n: u8) -> ResourceId {
    let mut bytes = [0; 16];
    bytes[0] = n;
    ResourceId::from_random(bytes)
}

pub(super) fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name})
}

pub(super) fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members
        .iter()
        .map(|member| json!({"value": member}))
        .collect();
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
    json!({"schemas": schemas, "displayName": name, "members": members})
}

pub(super) fn post(bulk_id: &str, path: &str, data: Value) -> Value {
    json!({"method": "POST", "bulkId": bulk_id, "path": path, "data": data})
}

fn rights() -> Rights {
    Rights::new(["scim.users.write", "scim.groups.write"])
}

pub(super) fn entries(operations: &[Value]) -> Vec<Entry> {
    let rights = rights();
    let rules = Rules {
        rights: &rights,
        dialect: Dialect { entra: false },
        strict_bulk_id: false,
        mint: &|index| id(u8::try_from(index).unwrap()),
    };
    operation::check(operations, &rules)
}

/// Answers every want from `read`, or as not existing.
pub(super) fn fill(read: &mut ReadSet, wants: BTreeSet<Want>) {
    for want in wants {
        match want {
            Want::Resource { resource_type, id } => {
                read.resources.entry((resource_type, id)).or_insert(None);
            }
            Want::Unique(lookup) => {
                read.owners.entry(lookup).or_insert(None);
            }
            Want::Membership { group, member } => {
                read.memberships.entry((group, member)).or_insert(None);
            }
            Want::Members { group } => {
                read.whole.insert(group);
            }
        }
    }
}

/// The instant of every request here; what is stored is older.
const NOW: Timestamp = Timestamp(7);

/// What a job may say besides its entries.
struct Setting<'a> {
    terms: Terms,
    cancelled: &'a [u32],
    capacity: Capacity,
    enough: &'a (dyn Fn(usize) -> bool + Sync),
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            terms: Terms::default(),
            cancelled: &[],
            capacity: Capacity::WHOLE,
            enough: &|_| false,
        }
    }
}

/// The plan, and what was read for it, round by round.
fn plan_of(read: ReadSet, entries: &[Entry], setting: &Setting<'_>) -> (Plan, Vec<BTreeSet<Want>>) {
    let mut read = read;
    let units = order(entries, setting.terms.atomicity);
    let settled = vec![None; entries.len()];
    let job = Job {
        entries,
        units: &units,
        settled: &settled,
        terms: setting.terms,
        now: NOW,
        tenant: &Tenant::parse("t").unwrap(),
        cancelled: setting.cancelled,
        capacity: setting.capacity,
        enough: setting.enough,
    };
    let mut rounds = Vec::new();
    loop {
        match plan(&job, &read) {
            Ok(plan) => return (plan, rounds),
            Err(wants) => {
                assert!(!wants.is_empty(), "nothing is missing");
                fill(&mut read, wants.clone());
                rounds.push(wants);
            }
        }
        assert!(rounds.len() < 8, "planning does not come to an end");
    }
}

fn planned_on(read: ReadSet, operations: &[Value], terms: Terms) -> String {
    let setting = Setting {
        terms,
        ..Setting::default()
    };
    plan_of(read, &entries(operations), &setting).0.to_string()
}

fn until(failures: usize) -> Terms {
    Terms {
        fail_on_errors: NonZeroUsize::new(failures),
        ..Terms::default()
    }
}

fn planned(operations: &[Value]) -> String {
    planned_on(ReadSet::default(), operations, Terms::default())
}

pub(super) fn stored(n: u8, attributes: Value, header: bool) -> Stored {
    Stored {
        id: id(n),
        rev: 3,
        created: Timestamp(0),
        modified: Timestamp(0),
        attributes: serde_json::from_value::<Attributes>(attributes).unwrap(),
        groups: BTreeSet::new(),
        groups_rev: 0,
        header: header.then(|| Header {
            next: 3,
            ..Header::default()
        }),
    }
}

fn patch(path: &str, operations: Value) -> Value {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    let data = json!({"schemas": schemas, "Operations": operations});
    json!({"method": "PATCH", "path": path, "data": data})
}

fn directory(users: &[u8], groups: &[u8]) -> ReadSet {
    let mut read = ReadSet::default();
    for n in users {
        let user = stored(*n, json!({"userName": format!("u{n}")}), false);
        read.resources.insert(("User", id(*n)), Some(user.into()));
    }
    for n in groups {
        let group = stored(*n, json!({"displayName": format!("g{n}")}), true);
        read.resources.insert(("Group", id(*n)), Some(group.into()));
    }
    read
}

#[test]
fn a_group_listed_before_its_user_is_written_after_it() {
    let operations = [
        post("g", "/Groups", group("G", &["bulkId:u"])),
        post("u", "/Users", user("u")),
    ];
    insta::assert_snapshot!(planned(&operations), @"
    unit 0 · op 1 POST 201 · tx 0
    unit 1 · op 0 POST 201 · tx 0
    tx 0 · create User 01000000 · lookup userName + · count User +1 · create Group 00000000 · lookup displayName + · member 00000000 +01000000 · count Group +1
    ");
}

#[test]
fn groups_that_contain_each_other_share_one_transaction() {
    let operations = [
        post("a", "/Groups", group("A", &["bulkId:b"])),
        post("b", "/Groups", group("B", &["bulkId:a", "bulkId:b"])),
    ];
    insta::assert_snapshot!(planned(&operations), @"
    unit 0 · op 0 POST 201 · op 1 POST 201 · tx 0
    tx 0 · create Group 00000000 · create Group 01000000 · lookup displayName + · lookup displayName + · member 00000000 +01000000 · member 01000000 +00000000 · member 01000000 +01000000 · count Group +2
    ");
}

#[test]
fn one_failure_in_a_ring_fails_the_ring_and_names_the_culprit() {
    let operations = [
        post("a", "/Groups", group("A", &["bulkId:b"])),
        post(
            "b",
            "/Groups",
            group("B", &["bulkId:a", &id(99).to_string()]),
        ),
    ];
    insta::assert_snapshot!(planned(&operations), @"unit 0 · op 0 POST 409 · op 1 POST 400 invalidValue");
}

#[test]
fn the_second_of_two_creates_with_one_name_fails_and_takes_its_dependants_along() {
    let operations = [
        post("a", "/Users", user("Becca")),
        post("b", "/Users", user("becca")),
        post("g", "/Groups", group("G", &["bulkId:b"])),
        post("h", "/Groups", group("H", &["bulkId:g", "bulkId:a"])),
        post("k", "/Groups", group("K", &["bulkId:a"])),
    ];
    insta::assert_snapshot!(planned(&operations), @"
    unit 0 · op 0 POST 201 · tx 0
    unit 1 · op 1 POST 409 uniqueness
    unit 2 · op 2 POST 409
    unit 3 · op 3 POST 409
    unit 4 · op 4 POST 201 · tx 0
    tx 0 · create User 00000000 · lookup userName + · count User +1 · create Group 04000000 · lookup displayName + · member 04000000 +00000000 · count Group +1
    ");
}

#[test]
fn nothing_is_planned_behind_the_error_limit() {
    let delete = |n| json!({"method": "DELETE", "path": format!("/Users/{}", id(n))});
    let operations = [
        post("a", "/Users", user("a")),
        delete(90),
        post("b", "/Users", user("b")),
        delete(91),
    ];
    insta::assert_snapshot!(planned_on(ReadSet::default(), &operations, until(1)), @"
    unit 0 · op 0 POST 201 · tx 0
    unit 1 · op 1 DELETE 404
    tx 0 · create User 00000000 · lookup userName + · count User +1
    ");
}

#[test]
fn a_member_joins_leaves_and_joins_again_under_growing_numbers() {
    let patch = |op: &str| {
        let path = format!("/Groups/{}", id(50));
        let operation =
            json!({"op": op, "path": "members", "value": [{"value": id(60).to_string()}]});
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        json!({"method": "PATCH", "path": path, "data": {"schemas": schemas, "Operations": [operation]}})
    };
    let operations = [patch("add"), patch("remove"), patch("add"), patch("add")];
    insta::assert_snapshot!(planned_on(directory(&[60], &[50]), &operations, Terms::default()), @"
    unit 0 · op 0 PATCH 204 · tx 0
    unit 1 · op 1 PATCH 204 · tx 0
    unit 2 · op 2 PATCH 204 · tx 0
    unit 3 · op 3 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · join User 3c000000 +32000000 · member 32000000 +3c000000
    ");
}

/// A PATCH of group 50 that adds or removes these.
fn patch_members(op: &str, members: impl IntoIterator<Item = u8>) -> Value {
    let value: Vec<_> = members
        .into_iter()
        .map(|n| json!({"value": id(n).to_string()}))
        .collect();
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    let operations = [json!({"op": op, "path": "members", "value": value})];
    json!({
        "method": "PATCH",
        "path": format!("/Groups/{}", id(50)),
        "data": {"schemas": schemas, "Operations": operations},
    })
}

/// Users 60 to 62 and group 50, in which are the first two of them, the second
/// one formerly.
fn crew() -> ReadSet {
    let mut read = directory(&[60, 61, 62], &[50]);
    let begun = |n| crate::table::Membership::begin(None, id(n), "User", 2, Timestamp(0));
    let ended = begun(61).end(3, Timestamp(0));
    read.memberships.insert((id(50), id(60)), Some(begun(60)));
    read.memberships.insert((id(50), id(61)), Some(ended));
    read
}

#[test]
fn a_patch_checks_the_members_that_it_finds_as_they_shall_be() {
    let plan = |operation| planned_on(crew(), &[operation], Terms::default());
    let plans = [
        plan(patch_members("add", [60])),
        plan(patch_members("remove", [61, 62])),
        plan(patch_members("add", [60, 62])),
    ];
    insta::assert_snapshot!(plans.join("\n"), @"
    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · check Group 32000000 · check 32000000 +3c000000

    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · check Group 32000000 · check 32000000 -3d000000 · check 32000000 -3e000000

    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · join User 3e000000 +32000000 · check 32000000 +3c000000 · member 32000000 +3e000000
    ");
}

/// More members than could be checked in one transaction: none of them is
/// looked at alone.
#[test]
fn a_patch_that_names_many_members_reads_the_group_whole() {
    let mut read = crew();
    read.whole.insert(id(50));
    for n in 100..200 {
        let member = crate::table::Membership::begin(None, id(n), "User", 2, Timestamp(0));
        read.memberships.insert((id(50), id(n)), Some(member));
    }
    let operation = patch_members("add", (100..200).chain([62]));
    insta::assert_snapshot!(planned_on(read, &[operation], Terms::default()), @"
    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · join User 3e000000 +32000000 · member 32000000 +3e000000
    ");
    let entries = entries(&[patch_members("remove", 100..200)]);
    let units = order(&entries, Atomicity::Operation);
    let job = Job {
        entries: &entries,
        units: &units,
        settled: &[None],
        terms: Terms::default(),
        now: Timestamp(0),
        tenant: &Tenant::parse("t").unwrap(),
        cancelled: &[],
        capacity: Capacity::WHOLE,
        enough: &|_| false,
    };
    let wants = plan(&job, &directory(&[], &[50])).unwrap_err();
    assert_eq!(wants, BTreeSet::from([Want::Members { group: id(50) }]));
}

#[test]
fn three_users_rotate_their_names() {
    let rename = |n: u8, name: &str, bulk_id: &str| {
        let data = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "userName", "value": name}],
        });
        json!({"method": "PATCH", "bulkId": bulk_id, "path": format!("/Users/{}", id(n)), "data": data})
    };
    let operations = [
        rename(60, "parked", "1"),
        rename(61, "u60", "2"),
        rename(62, "u61", "3"),
        rename(60, "u62", "4"),
    ];
    let mut read = directory(&[60, 61, 62], &[]);
    for n in [60, 61, 62] {
        let attributes = serde_json::from_value(json!({"userName": format!("u{n}")})).unwrap();
        let user = catalogue().by_name("User").unwrap();
        for lookup in crate::table::lookup::lookups(user, &attributes) {
            read.owners.insert(lookup, Some(id(n)));
        }
    }
    insta::assert_snapshot!(planned_on(read, &operations, Terms::default()), @"
    unit 0 · op 0 PATCH 200 · tx 0
    unit 1 · op 1 PATCH 200 · tx 0
    unit 2 · op 2 PATCH 200 · tx 0
    unit 3 · op 3 PATCH 200 · tx 0
    tx 0 · change User 3c000000 · lookup userName free · lookup userName moved · change User 3d000000 · lookup userName moved · change User 3e000000 · lookup userName moved
    ");
}

/// A value that disagrees with its resource was read in the middle of a commit.
#[test]
fn a_value_that_was_read_apart_from_its_resource_is_checked() {
    let rename = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "userName", "value": "new"}],
    });
    let path = format!("/Users/{}", id(60));
    let rename = json!({"method": "PATCH", "path": path, "data": rename});
    let delete = json!({"method": "DELETE", "path": path});
    let plan = |operation: &Value, old: Option<u8>, new: Option<u8>| {
        let mut read = directory(&[60], &[]);
        for (name, owner) in [("u60", old), ("new", new)] {
            let attributes = serde_json::from_value(json!({"userName": name})).unwrap();
            let user = catalogue().by_name("User").unwrap();
            for lookup in crate::table::lookup::lookups(user, &attributes) {
                read.owners.insert(lookup, owner.map(id));
            }
        }
        let plan = planned_on(read, std::slice::from_ref(operation), Terms::default());
        plan.lines().last().unwrap_or_default().to_owned()
    };
    let plans = [
        plan(&rename, Some(60), None),
        plan(&rename, None, None),
        plan(&rename, Some(61), None),
        plan(&rename, Some(60), Some(60)),
        plan(&delete, Some(60), None),
        plan(&delete, None, None),
        plan(&delete, Some(61), None),
    ];
    insta::assert_snapshot!(plans.join("\n"), @"
    tx 0 · change User 3c000000 · lookup userName + · lookup userName -
    tx 0 · change User 3c000000 · lookup userName + · lookup userName free
    tx 0 · change User 3c000000 · lookup userName + · lookup userName held
    tx 0 · change User 3c000000 · lookup userName held · lookup userName -
    tx 0 · delete User 3c000000 · lookup userName - · count User -1
    tx 0 · delete User 3c000000 · lookup userName free · count User -1
    tx 0 · delete User 3c000000 · lookup userName held · count User -1
    ");
}

#[test]
fn a_delete_takes_memberships_and_unique_values_along() {
    let mut read = directory(&[60], &[50, 51, 53]);
    let mut member = stored(60, json!({"userName": "u60"}), false);
    member.groups = [id(50), id(51), id(52), id(53)].into();
    read.resources.insert(("User", id(60)), Some(member.into()));
    let membership = crate::table::Membership::begin(None, id(60), "User", 2, Timestamp(0));
    read.memberships.insert((id(50), id(60)), Some(membership));
    // Begun by a change that the group's revision does not show yet.
    let coming = crate::table::Membership::begin(None, id(60), "User", 4, Timestamp(0));
    read.memberships.insert((id(53), id(60)), Some(coming));
    let attributes = serde_json::from_value(json!({"userName": "u60"})).unwrap();
    let user = catalogue().by_name("User").unwrap();
    for lookup in crate::table::lookup::lookups(user, &attributes) {
        read.owners.insert(lookup, Some(id(60)));
    }
    let operations = [json!({"method": "DELETE", "path": format!("/Users/{}", id(60))})];
    insta::assert_snapshot!(planned_on(read, &operations, Terms::default()), @"
    unit 0 · op 0 DELETE 204 · tx 0
    tx 0 · change Group 32000000 · delete User 3c000000 · check Group 35000000 · lookup userName - · member 32000000 -3c000000 · check 33000000 -3c000000 · check 34000000 -3c000000 · count User -1
    ");
}

#[test]
fn what_no_transaction_can_hold_is_refused_with_the_number_of_actions() {
    let names: Vec<String> = (0..50).map(|n| id(100 + n).to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let read = directory(&(100..150).collect::<Vec<u8>>(), &[]);
    let operations = [post("g", "/Groups", group("G", &names))];
    insta::assert_snapshot!(planned_on(read, &operations, Terms::default()), @"unit 0 · op 0 POST 413");
}

#[test]
fn a_patch_that_changes_nothing_writes_nothing() {
    let data = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "userName", "value": "u60"}],
    });
    let operations =
        [json!({"method": "PATCH", "path": format!("/Users/{}", id(60)), "data": data})];
    insta::assert_snapshot!(planned_on(directory(&[60], &[]), &operations, Terms::default()), @"unit 0 · op 0 PATCH 200");
}

#[test]
fn each_illegal_entry_is_rejected_alone() {
    let uuid = id(1).to_string();
    let operations = [
        json!(7),
        json!({"path": "/Users"}),
        json!({"method": "GET", "path": format!("/Users/{uuid}")}),
        json!({"method": "POST", "path": format!("/Users/{uuid}"), "bulkId": "p", "data": {}}),
        json!({"method": "DELETE", "path": "/Users"}),
        json!({"method": "DELETE", "path": "/Robots/1"}),
        json!({"method": "DELETE", "path": "https://example.com/Users/1"}),
        json!({"method": "DELETE", "path": "/Users/1?x=y"}),
        json!({"method": "DELETE", "path": "/Users/../Groups"}),
        json!({"method": "DELETE", "path": "/Me"}),
        json!({"method": "DELETE", "path": "/Users/bulkId:nobody"}),
        json!({"method": "DELETE", "path": "/Users/1"}),
        json!({"method": "POST", "path": "/Users", "bulkId": ""}),
        json!({"method": "POST", "path": "/Users", "bulkId": 3}),
        json!({"method": "POST", "path": "/Users", "bulkId": "d"}),
        json!({"Method": "delete", "PATH": "Users/1", "method": null}),
        json!({"Method": "DELETE", "method": "POST", "path": "/Users"}),
        post("g", "/Groups", group("G", &["bulkId:nobody"])),
    ];
    let rows = entries(&operations);
    let rows: Vec<String> = rows
        .iter()
        .map(|entry| match entry {
            Ok(operation) => format!("{} legal", operation.index),
            Err(rejection) => {
                let location = rejection.target.as_ref().map(|target| target.location(""));
                format!("{} {} {:?}", rejection.index, rejection.error, location)
            }
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    0 400 invalidSyntax: `Operations[0]` must be an object None
    1 400 invalidSyntax: `Operations[1].method` is required None
    2 400 invalidSyntax: `Operations[2].method` must be POST, PUT, PATCH or DELETE None
    3 400 invalidValue: `Operations[3].path` must be `/Users` for POST None
    4 400 invalidValue: `Operations[4].path` must name one resource, `/Users/{id}` None
    5 404: Operations[5].path: no endpoint `/Robots` None
    6 400 invalidValue: `Operations[6].path` must be relative to the service root, without a query None
    7 400 invalidValue: `Operations[7].path` must be relative to the service root, without a query None
    8 400 invalidValue: `Operations[8].path` has more than an endpoint and an id None
    9 400 invalidValue: `Operations[9].path` `/Me` is not the endpoint of a resource type None
    10 400 invalidValue: no POST operation has the bulkId `nobody` None
    11 404: User `1` not found Some("/Users/1")
    12 400 invalidValue: `Operations[12].bulkId` must have 1 to 256 bytes None
    13 400 invalidValue: `Operations[13].bulkId` must be a string None
    14 400 invalidSyntax: `Operations[14].data` is required for POST None
    15 404: User `1` not found Some("/Users/1")
    16 400 invalidSyntax: `Operations[16].method` is given twice, in different letter case None
    17 400 invalidValue: no POST operation has the bulkId `nobody` None
    "#);
}

#[test]
fn references_match_whole_values_exactly() {
    let operations = [
        post("1", "/Users", user("one")),
        post("10", "/Users", user("bulkId:1")),
        post("g", "/Groups", group("bulkId:1", &["bulkId:10"])),
    ];
    let entries = entries(&operations);
    let group = entries[2].as_ref().unwrap();
    assert_eq!(group.needs, BTreeSet::from([1]));
    let Intent::Create {
        attributes,
        members,
    } = &group.intent
    else {
        panic!("a create")
    };
    assert_eq!(members[0].id, id(1));
    assert_eq!(attributes["displayName"], "bulkId:1");
}

fn atomic(atomicity: Atomicity, operations: &[Value]) -> String {
    let terms = Terms {
        atomicity,
        ..Terms::default()
    };
    planned_on(directory(&[60], &[50]), operations, terms)
}

#[test]
fn a_failure_undoes_what_is_connected_with_it_and_nothing_else() {
    let gone = id(99).to_string();
    let operations = [
        post("u", "/Users", user("u")),
        post("alone", "/Users", user("alone")),
        post("g", "/Groups", group("G", &["bulkId:u", &gone])),
        post("h", "/Groups", group("H", &["bulkId:u"])),
    ];
    insta::assert_snapshot!(atomic(Atomicity::Operation, &operations), @"
    unit 0 · op 0 POST 201 · tx 0
    unit 1 · op 1 POST 201 · tx 0
    unit 2 · op 2 POST 400 invalidValue
    unit 3 · op 3 POST 201 · tx 0
    tx 0 · create User 00000000 · lookup userName + · count User +2 · create User 01000000 · lookup userName + · create Group 03000000 · lookup displayName + · member 03000000 +00000000 · count Group +1
    ");
    insta::assert_snapshot!(atomic(Atomicity::Component, &operations), @"
    unit 0 · op 0 POST 424 · op 2 POST 400 invalidValue · op 3 POST 424
    unit 1 · op 1 POST 201 · tx 0
    tx 0 · create User 01000000 · lookup userName + · count User +1
    ");
    insta::assert_snapshot!(atomic(Atomicity::Request, &operations), @"unit 0 · op 0 POST 424 · op 1 POST 424 · op 2 POST 400 invalidValue · op 3 POST 424");
}

#[test]
fn an_atomic_request_is_one_transaction_in_canonical_order() {
    let group_50 = format!("/Groups/{}", id(50));
    let add = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]}]});
    let operations = [
        json!({"method": "PATCH", "path": group_50, "data": add}),
        json!({"method": "DELETE", "path": format!("/Users/{}", id(60))}),
        post("u", "/Users", user("u60")),
    ];
    insta::assert_snapshot!(atomic(Atomicity::Request, &operations), @"
    unit 0 · op 1 DELETE 204 · op 2 POST 201 · op 0 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · create User 02000000 · delete User 3c000000 · lookup userName + · member 32000000 +02000000
    ");
}
