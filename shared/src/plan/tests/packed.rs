//! How much goes into one transaction.

use super::*;
use crate::scim::ScimError;

/// Rows and actions of each transaction, and what it waits for.
fn shapes(read: ReadSet, operations: &[Value], setting: &Setting<'_>) -> String {
    let (plan, _) = plan_of(read, &entries(operations), setting);
    let shape = |transaction: &Transaction| {
        let (units, actions) = (transaction.units.len(), transaction.changes.len());
        format!("{units} in {actions} after {:?}", transaction.after)
    };
    let shapes: Vec<String> = plan.transactions.iter().map(shape).collect();
    shapes.join("\n")
}

fn retitled(n: u8, title: &str) -> Value {
    let operations = json!([{"op": "add", "path": "title", "value": title}]);
    patch(&format!("/Users/{}", id(n)), operations)
}

#[test]
fn units_that_were_in_the_way_come_into_ever_smaller_transactions() {
    let all: Vec<u8> = (100..200).collect();
    let operations: Vec<Value> = all.iter().map(|n| retitled(*n, "x")).collect();
    let largest = |cancelled: u32| {
        let setting = Setting {
            cancelled: &vec![cancelled; all.len()],
            ..Setting::default()
        };
        let entries = entries(&operations);
        let (plan, _) = plan_of(directory(&all, &[]), &entries, &setting);
        let sizes = plan.transactions.iter().map(|held| held.units.len());
        (sizes.clone().max().unwrap(), sizes.min().unwrap())
    };
    assert_eq!(largest(0), (100, 100));
    assert_eq!(largest(1), (100, 100));
    assert_eq!(largest(2), (50, 50));
    assert_eq!(largest(3), (25, 25));
    assert_eq!(largest(7), (1, 1));
    assert_eq!(largest(8), (1, 1));
    assert_eq!(largest(100), (1, 1));
}

#[test]
fn one_unit_that_was_in_the_way_makes_room_for_itself_only() {
    let operations: Vec<Value> = (100..106).map(|n| retitled(n, "x")).collect();
    let setting = Setting {
        cancelled: &[0, 0, 0, 9, 0, 0],
        ..Setting::default()
    };
    let read = directory(&(100..106).collect::<Vec<u8>>(), &[]);
    insta::assert_snapshot!(shapes(read, &operations, &setting), @"
    5 in 5 after {}
    1 in 1 after {}
    ");
}

#[test]
fn what_a_full_transaction_writes_already_still_finds_room_in_it() {
    let all: Vec<u8> = (100..200).collect();
    let mut operations: Vec<Value> = all.iter().map(|n| retitled(*n, "x")).collect();
    operations.push(retitled(150, "y"));
    let shown = shapes(directory(&all, &[]), &operations, &Setting::default());
    insta::assert_snapshot!(shown, @"101 in 100 after {}");
}

#[test]
fn a_transaction_holds_four_megabytes() {
    let long = "x".repeat(300_000);
    let operations: Vec<Value> = (100..130).map(|n| retitled(n, &long)).collect();
    let read = directory(&(100..130).collect::<Vec<u8>>(), &[]);
    insta::assert_snapshot!(shapes(read, &operations, &Setting::default()), @"
    13 in 13 after {}
    13 in 13 after {}
    4 in 4 after {}
    ");
}

#[test]
fn a_change_that_makes_a_resource_too_large_is_refused_with_its_size() {
    let outcome = |bytes: usize| {
        let operations = [retitled(100, &"x".repeat(bytes))];
        let read = directory(&[100], &[]);
        let (plan, _) = plan_of(read, &entries(&operations), &Setting::default());
        plan.steps[0].outcomes[0].status()
    };
    assert_eq!((outcome(349_000), outcome(350_000)), (200, 413));
}

/// What cannot be stored would take all that shares its transaction along.
#[test]
fn a_member_of_too_many_groups_is_refused_with_its_size() {
    let add = json!([{"op": "add", "path": "members", "value": [{"value": id(100).to_string()}]}]);
    let operations = [patch(&format!("/Groups/{}", id(50)), add)];
    let joined = |groups: u16, bytes: usize| {
        let mut member = stored(
            100,
            json!({"userName": "u", "title": "x".repeat(bytes)}),
            false,
        );
        let group = |n: u16| {
            let mut id = [7; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            ResourceId::from_bytes(id)
        };
        member.groups = (0..groups).map(group).collect();
        let mut read = directory(&[], &[50]);
        read.resources
            .insert(("User", id(100)), Some(member.into()));
        let (plan, _) = plan_of(read, &entries(&operations), &Setting::default());
        plan.steps[0].outcomes[0].status()
    };
    assert_eq!(joined(1_000, 349_000), 204);
    assert_eq!(joined(3_500, 340_000), 204);
    assert_eq!(joined(3_500, 349_000), 204);
    assert_eq!(joined(4_000, 349_000), 413);
}

/// Each of these rows is more than enough, and one is decided in any case.
#[test]
fn a_plan_ends_where_there_is_enough() {
    let operations: Vec<Value> = (100..110).map(|n| retitled(n, "x")).collect();
    let read = || directory(&(100..110).collect::<Vec<u8>>(), &[]);
    let planned = |enough: &(dyn Fn(usize) -> bool + Sync)| {
        let setting = Setting {
            enough,
            ..Setting::default()
        };
        let (plan, _) = plan_of(read(), &entries(&operations), &setting);
        (plan.steps.len(), plan.is_cut)
    };
    assert_eq!(planned(&|_| false), (10, false));
    assert_eq!(planned(&|_| true), (1, true));
    let (one, _) = plan_of(read(), &entries(&operations[..1]), &Setting::default());
    let tenant = Tenant::parse("t").unwrap();
    let bytes = one.transactions[0].changes[0].change.bytes(&tenant);
    assert_eq!(planned(&|changed| changed >= 4 * bytes), (4, true));
}

/// The count of users is in the second transaction already, so a create with
/// two more items is the hundredth action of it.
#[test]
fn a_counter_that_is_there_takes_no_room() {
    let create = |n: usize| post(&n.to_string(), "/Users", user(&format!("n{n}")));
    let mut operations: Vec<Value> = (0..97).map(create).collect();
    operations.push(retitled(200, "x"));
    operations.push(retitled(201, "x"));
    operations.push(create(99));
    let shown = shapes(
        directory(&[200, 201], &[]),
        &operations,
        &Setting::default(),
    );
    insta::assert_snapshot!(shown, @"
    50 in 100 after {}
    50 in 100 after {}
    ");
}

#[test]
fn who_takes_a_name_waits_for_who_gives_it_up() {
    let rename = |n: u8, name: &str| {
        let operations = json!([{"op": "replace", "path": "userName", "value": name}]);
        patch(&format!("/Users/{}", id(n)), operations)
    };
    let mut read = directory(&[60, 61], &[]);
    let user = catalogue().by_name("User").unwrap();
    for n in [60, 61] {
        let attributes = serde_json::from_value(json!({"userName": format!("u{n}")})).unwrap();
        for lookup in crate::table::lookup::lookups(user, &attributes) {
            read.owners.insert(lookup, Some(id(n)));
        }
    }
    let alone = Setting {
        cancelled: &[99, 99, 99],
        ..Setting::default()
    };
    let operations = [rename(60, "free"), rename(61, "u60"), retitled(60, "x")];
    insta::assert_snapshot!(shapes(read, &operations, &alone), @"
    1 in 3 after {}
    1 in 3 after {0}
    1 in 1 after {0}
    ");
}

/// Two users with one externalId write an item each.
#[test]
fn a_value_that_is_not_unique_makes_nobody_wait() {
    let with_id = |n: usize| {
        let mut body = user(&format!("n{n}"));
        body["externalId"] = json!("shared");
        post(&n.to_string(), "/Users", body)
    };
    let alone = Setting {
        cancelled: &[99, 99],
        ..Setting::default()
    };
    insta::assert_snapshot!(shapes(ReadSet::default(), &[with_id(0), with_id(1)], &alone), @"
    1 in 4 after {}
    1 in 4 after {}
    ");
}

#[test]
fn an_operation_of_exactly_as_many_actions_as_there_is_room_for_is_planned() {
    let members: Vec<String> = (100..110).map(|n| id(n).to_string()).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let operations = [post("g", "/Groups", group("G", &members))];
    let outcome = |max_actions: usize| {
        let setting = Setting {
            capacity: Capacity {
                actions: max_actions,
                ..Capacity::WHOLE
            },
            ..Setting::default()
        };
        let read = directory(&(100..110).collect::<Vec<u8>>(), &[]);
        let (plan, _) = plan_of(read, &entries(&operations), &setting);
        let result = &plan.steps[0].outcomes[0].result;
        let told = result.as_ref().map(|done| done.status);
        told.map_err(|error| error.detail().to_owned())
    };
    // The group, its name, the count, and two for each member.
    assert_eq!(outcome(23), Ok(201));
    insta::assert_snapshot!(outcome(22).unwrap_err(), @"the operation needs 23 actions, and a DynamoDB transaction takes 22; split it into smaller ones");
}

/// Each member is written again with all that it has.
#[test]
fn an_operation_of_too_many_bytes_is_refused_with_their_number() {
    let long = "x".repeat(300_000);
    let mut read = directory(&[], &[]);
    for n in 100..114 {
        let member = stored(
            n,
            json!({"userName": format!("u{n}"), "title": long}),
            false,
        );
        read.resources.insert(("User", id(n)), Some(member.into()));
    }
    let members: Vec<String> = (100..114).map(|n| id(n).to_string()).collect();
    let all: Vec<&str> = members.iter().map(String::as_str).collect();
    let outcome = |members: &[&str]| {
        let operations = [post("g", "/Groups", group("G", members))];
        let (plan, _) = plan_of(read.clone(), &entries(&operations), &Setting::default());
        let outcome = &plan.steps[0].outcomes[0];
        let detail = outcome.result.as_ref().err().map(ScimError::detail);
        (outcome.status(), detail.unwrap_or_default().to_owned())
    };
    assert_eq!(outcome(&all[..13]).0, 201);
    let (status, detail) = outcome(&all);
    assert_eq!(status, 413);
    assert!(
        detail.contains(" bytes, and a DynamoDB transaction takes 4194304"),
        "{detail}"
    );
}
