//! Summaries as JSON, on a directory of which nothing exists.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use serde_json::{Value, json};

use super::*;
use crate::plan::tests::{entries, fill, group, id, post, user};
use crate::plan::{Atomicity, Capacity, Job, ReadSet, Terms, order, plan};
use crate::scim::Timestamp;

fn summary(operations: &[Value], limit: usize) -> Summary {
    on_terms(
        operations,
        Terms {
            fail_on_errors: NonZeroUsize::new(limit),
            ..Terms::default()
        },
    )
}

fn on_terms(operations: &[Value], terms: Terms) -> Summary {
    let entries = entries(operations);
    let units = order(&entries, terms.atomicity);
    let tenant = Tenant::parse("t").unwrap();
    let job = Job {
        entries: &entries,
        units: &units,
        settled: &vec![None; entries.len()],
        terms,
        now: Timestamp(0),
        tenant: &tenant,
        cancelled: &[],
        capacity: Capacity::WHOLE,
        enough: &|_| false,
    };
    let mut read = ReadSet::default();
    loop {
        match plan(&job, &read) {
            Ok(plan) => return Summary::new(&entries, &units, &plan, &tenant),
            Err(wants) => fill(&mut read, wants),
        }
    }
}

/// One line per row, unit and transaction, as JSON.
fn lines(summary: &Summary) -> String {
    let value = serde_json::to_value(summary).unwrap();
    let mut text = format!("order {}\n", value["order"]);
    for list in ["operations", "units", "cycles", "transactions"] {
        for element in value[list].as_array().unwrap() {
            writeln!(text, "{element}").unwrap();
        }
    }
    text + &value["totals"].to_string()
}

#[test]
fn a_ring_its_user_and_a_failure_are_told() {
    let operations = [
        post("a", "/Groups", group("A", &["bulkId:b", "bulkId:u"])),
        post("b", "/Groups", group("B", &["bulkId:a"])),
        post("u", "/Users", user("becca")),
        post("v", "/Users", user("Becca")),
        json!({"method": "DELETE", "path": "/Groups/bulkId:a"}),
        json!({"method": "brew", "path": "/Users/becca@example.com"}),
        json!({"method": "PUT", "path": format!("/Users/{}", id(99)), "data": user("w")}),
    ];
    insta::assert_snapshot!(lines(&summary(&operations, 0)), @r#"
    order [2,0,1,3,4,5,6]
    {"index":0,"method":"POST","path":"/Groups","bulkId":"a","unit":1,"cycle":0,"status":201,"transaction":0,"references":[1,2]}
    {"index":1,"method":"POST","path":"/Groups","bulkId":"b","unit":1,"cycle":0,"status":201,"transaction":0,"references":[0]}
    {"index":2,"method":"POST","path":"/Users","bulkId":"u","unit":0,"status":201,"transaction":0,"references":[]}
    {"index":3,"method":"POST","path":"/Users","bulkId":"v","unit":2,"status":409,"scimType":"uniqueness","references":[]}
    {"index":4,"method":"DELETE","path":"/Groups/bulkId:a","unit":3,"status":204,"transaction":0,"references":[0]}
    {"index":5,"unit":4,"status":400,"scimType":"invalidSyntax","references":[]}
    {"index":6,"method":"PUT","path":"/Users/63000000-0000-4000-8000-000000000000","unit":5,"status":404,"references":[]}
    {"operations":[2],"cycle":false}
    {"operations":[0,1],"cycle":true}
    {"operations":[3],"cycle":false}
    {"operations":[4],"cycle":false}
    {"operations":[5],"cycle":false}
    {"operations":[6],"cycle":false}
    [0,1]
    {"number":0,"operations":[2,0,1,4],"actions":9,"bytes":865,"writeUnits":18,"after":[]}
    {"operations":7,"failures":3,"units":6,"cycles":1,"transactions":1,"actions":9,"writeUnits":18,"depth":1}
    "#);
}

#[test]
fn a_group_that_contains_itself_is_a_cycle_of_one() {
    let told = summary(&[post("a", "/Groups", group("A", &["bulkId:a"]))], 0);
    assert_eq!(told.units.len(), 1);
    assert!(told.units[0].cycle);
    assert_eq!(told.operations[0].references, BTreeSet::from([0]));
    let told = summary(&[post("a", "/Groups", group("A", &[]))], 0);
    assert!(!told.units[0].cycle);
}

#[test]
fn a_unit_of_several_parts_tells_its_order_and_its_ring() {
    let operations = [
        post("g", "/Groups", group("G", &["bulkId:a", "bulkId:u"])),
        post("a", "/Groups", group("A", &["bulkId:b"])),
        post("b", "/Groups", group("B", &["bulkId:a"])),
        post("u", "/Users", user("u")),
    ];
    let atomicity = Atomicity::Request;
    let terms = Terms {
        atomicity,
        ..Terms::default()
    };
    let told = on_terms(&operations, terms);
    assert_eq!(told.order, [1, 2, 3, 0]);
    assert_eq!(told.units.len(), 1);
    assert_eq!(told.units[0].operations, told.order);
    assert_eq!(told.transactions[0].operations, told.order);
    assert_eq!(told.cycles, [[1, 2]]);
    let cycles: Vec<_> = told.operations.iter().map(|row| row.cycle).collect();
    assert_eq!(cycles, [None, Some(0), Some(0), None]);
}

#[test]
fn a_row_behind_the_error_limit_has_no_status() {
    let delete = json!({"method": "DELETE", "path": format!("/Users/{}", id(90))});
    let told = summary(&[delete, post("a", "/Users", user("a"))], 1);
    assert_eq!(told.operations[0].status, Some(404));
    assert_eq!(told.operations[1].status, None);
    assert_eq!(told.totals.failures, 1);
    assert_eq!(told.order, [0, 1]);
}

/// Forty-nine users and the count of them are 99 actions. Two groups with a
/// common member are too much for one transaction with all their users, so that
/// each waits for the first users, and the second for its common member.
#[test]
fn transactions_are_counted_and_their_chain_measured() {
    let mut operations: Vec<Value> = (0..60)
        .map(|n| post(&format!("u{n}"), "/Users", user(&format!("u{n}"))))
        .collect();
    for (name, members) in [("a", 0..30), ("b", 29..60)] {
        let members: Vec<String> = members.map(|n| format!("bulkId:u{n}")).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        operations.push(post(name, "/Groups", group(name, &members)));
    }
    let told = summary(&operations, 0);
    let after: Vec<_> = told
        .transactions
        .iter()
        .map(|transaction| {
            let Transaction { actions, after, .. } = transaction;
            format!("{actions} after {after:?}")
        })
        .collect();
    insta::assert_snapshot!(after.join("\n"), @"
    99 after {}
    86 after {0}
    65 after {0, 1}
    ");
    let mut rows: Vec<usize> = (told.transactions.iter())
        .flat_map(|transaction| transaction.operations.clone())
        .collect();
    rows.sort_unstable();
    assert!(rows.into_iter().eq(0..62));
    assert_eq!(told.totals.depth, 3);
    // A create costs two units for the resource and two for each lookup, a
    // member two for the membership and two for the resource that joins.
    insta::assert_debug_snapshot!(told.totals, @"
    Totals {
        operations: 62,
        failures: 0,
        units: 62,
        cycles: 0,
        transactions: 3,
        actions: 250,
        write_units: 500,
        depth: 3,
    }
    ");
}
