//! Long plans, condensed: what every change of ordering, simulating or packing
//! has to answer for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{directory, fill, group, id, post, rights, user};
use crate::plan::{
    Atomicity, Capacity, Job, Plan, ReadSet, Rules, Summary, Terms, operation, order, plan,
};
use crate::scim::patch::Dialect;
use crate::scim::{ResourceId, Timestamp};
use crate::table::Tenant;

/// The ids of what requests create; those of [`id`] have another first byte.
fn numbered(n: usize) -> ResourceId {
    ResourceId::from_random(((n as u128) << 96).to_be_bytes())
}

fn summary(mut read: ReadSet, operations: &[Value]) -> (Plan, Summary) {
    let rights = rights();
    let rules = Rules {
        rights: &rights,
        dialect: Dialect { entra: false },
        strict_bulk_id: false,
        mint: &numbered,
    };
    let entries = operation::check(operations, &rules);
    let units = order(&entries, Atomicity::Operation);
    let tenant = Tenant::parse("t").unwrap();
    let job = Job {
        entries: &entries,
        units: &units,
        settled: &vec![None; entries.len()],
        terms: Terms::default(),
        now: Timestamp(0),
        tenant: &tenant,
        cancelled: &[],
        capacity: Capacity::WHOLE,
        enough: &|_| false,
    };
    loop {
        match plan(&job, &read) {
            Ok(plan) => {
                let summary = Summary::new(&entries, &units, &plan, &tenant);
                return (plan, summary);
            }
            Err(wants) => fill(&mut read, wants),
        }
    }
}

/// Numbers, the beginning and the end of a plan.
fn pinned(read: ReadSet, operations: &[Value]) -> String {
    let (plan, summary) = summary(read, operations);
    let mut text = String::new();
    let totals = summary.totals;
    writeln!(
        text,
        "{} rows, {} units, {} cycles, order {}",
        totals.operations,
        totals.units,
        totals.cycles,
        runs(&summary.order)
    )
    .unwrap();
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for row in &summary.operations {
        let end = [
            row.status.map(|s| s.to_string()),
            row.scim_type.map(str::to_owned),
        ];
        let end: Vec<String> = end.into_iter().flatten().collect();
        *statuses.entry(end.join(" ")).or_default() += 1;
    }
    writeln!(text, "statuses {statuses:?}").unwrap();
    writeln!(
        text,
        "{} transactions, {} deep, {} actions, {} write units",
        totals.transactions, totals.depth, totals.actions, totals.write_units
    )
    .unwrap();
    let mut same = 0;
    let mut shapes = summary.transactions.iter().map(|transaction| {
        let before: Vec<usize> = (transaction.after.iter())
            .map(|other| transaction.number - other)
            .collect();
        format!(
            "{} rows in {} actions, waits for those {before:?} before it",
            transaction.operations.len(),
            transaction.actions,
        )
    });
    let mut last = shapes.next();
    while let Some(shape) = last {
        same += 1;
        let next = shapes.next();
        if next.as_ref() != Some(&shape) {
            writeln!(text, "{same} × {shape}").unwrap();
            same = 0;
        }
        last = next;
    }
    let mut ends = plan.transactions.iter();
    for transaction in ends.next().into_iter().chain(ends.next_back()) {
        let shown = transaction.to_string();
        let changes: Vec<&str> = shown.split(" · ").collect();
        let (few, rest) = changes.split_at(changes.len().min(4));
        writeln!(text, "{} … {} more", few.join(" · "), rest.len()).unwrap();
    }
    text
}

/// Numbers that follow each other upwards or downwards, as ranges.
fn runs(order: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for index in order {
        match runs.last_mut() {
            Some((first, last)) if *last + 1 == *index && *first <= *last => *last = *index,
            Some((first, last)) if *index + 1 == *last && *first >= *last => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let runs = runs.iter().map(|(first, last)| format!("{first}–{last}"));
    runs.collect::<Vec<_>>().join(", ")
}

fn name(n: usize) -> String {
    format!("g{n}")
}

#[test]
fn a_reverse_chain_of_a_thousand_groups() {
    let mut operations: Vec<Value> = (0..1_000)
        .map(|n| match n {
            0 => post("g0", "/Groups", group("G0", &[])),
            _ => {
                let member = format!("bulkId:g{}", n - 1);
                post(&name(n), "/Groups", group(&format!("G{n}"), &[&member]))
            }
        })
        .collect();
    operations.reverse();
    insta::assert_snapshot!(pinned(ReadSet::default(), &operations), @r#"
    1000 rows, 1000 units, 0 cycles, order 999–0
    statuses {"201": 1000}
    32 transactions, 32 deep, 3062 actions, 6124 write units
    1 × 33 rows in 99 actions, waits for those [] before it
    30 × 32 rows in 98 actions, waits for those [1] before it
    1 × 7 rows in 23 actions, waits for those [1] before it
    create Group 000003e7 · lookup displayName + · count Group +33 · create Group 000003e6 … 95 more
    create Group 00000006 · join Group 00000007 +00000006 · lookup displayName + · member 00000006 +00000007 … 19 more
    "#);
}

#[test]
fn a_ring_of_thirty_groups() {
    let operations: Vec<Value> = (0..30)
        .map(|n| {
            let member = format!("bulkId:g{}", (n + 1) % 30);
            post(&name(n), "/Groups", group(&format!("G{n}"), &[&member]))
        })
        .collect();
    insta::assert_snapshot!(pinned(ReadSet::default(), &operations), @r#"
    30 rows, 1 units, 1 cycles, order 0–29
    statuses {"201": 30}
    1 transactions, 1 deep, 91 actions, 182 write units
    1 × 30 rows in 91 actions, waits for those [] before it
    create Group 00000000 · create Group 00000001 · create Group 00000002 · create Group 00000003 … 87 more
    "#);
}

#[test]
fn a_thousand_changes_of_one_user() {
    let operations: Vec<Value> = (0..1_000)
        .map(|n| {
            let replace = json!({"op": "replace", "path": "title", "value": format!("t{n}")});
            let data = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [replace],
            });
            json!({"method": "PATCH", "path": format!("/Users/{}", id(60)), "data": data})
        })
        .collect();
    insta::assert_snapshot!(pinned(directory(&[60], &[]), &operations), @r#"
    1000 rows, 1000 units, 0 cycles, order 0–999
    statuses {"200": 1000}
    1 transactions, 1 deep, 1 actions, 2 write units
    1 × 1000 rows in 1 actions, waits for those [] before it
    change User 3c000000 … 0 more
    "#);
}

#[test]
fn a_thousand_rows_of_which_every_third_fails() {
    let operations: Vec<Value> = (0..1_000)
        .map(|n| {
            // What stands in the way of a third row is the row before it.
            let name = format!("u{}", if n % 3 == 2 { n - 1 } else { n });
            post(&n.to_string(), "/Users", user(&name))
        })
        .collect();
    insta::assert_snapshot!(pinned(ReadSet::default(), &operations), @r#"
    1000 rows, 1000 units, 0 cycles, order 0–999
    statuses {"201": 667, "409 uniqueness": 333}
    14 transactions, 1 deep, 1348 actions, 2696 write units
    13 × 49 rows in 99 actions, waits for those [] before it
    1 × 30 rows in 61 actions, waits for those [] before it
    create User 00000000 · lookup userName + · count User +49 · create User 00000001 … 95 more
    create User 000003bb · lookup userName + · count User +30 · create User 000003bd … 57 more
    "#);
}

/// What has to do with each other is not torn apart where one transaction can
/// hold it, so that no transaction waits for another; what lies scattered among
/// other rows is gathered.
#[test]
fn groups_and_their_users_wait_for_no_others() {
    let bulk = |n: usize| format!("bulkId:u{n}");
    let together = |group: usize| (10 * group..10 * group + 10).map(bulk).collect();
    let scattered = |group: usize| (0..10).map(|n| bulk(20 * n + group)).collect();
    let plans = [
        ("together", &together as &dyn Fn(usize) -> Vec<String>),
        ("scattered", &scattered),
    ];
    let plans = plans.map(|(name, members)| {
        let groups = (0..20).map(|n| {
            let members = members(n);
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            post(
                &format!("g{n}"),
                "/Groups",
                group(&format!("G{n}"), &members),
            )
        });
        let users = (0..200).map(|n| post(&format!("u{n}"), "/Users", user(&format!("u{n}"))));
        let operations: Vec<Value> = groups.chain(users).collect();
        let (plan, summary) = summary(ReadSet::default(), &operations);
        let waiting = plan
            .transactions
            .iter()
            .filter(|transaction| !transaction.after.is_empty());
        let actions = plan
            .transactions
            .iter()
            .map(|transaction| transaction.changes.len());
        let actions: Vec<usize> = actions.collect();
        let waiting = waiting.count();
        format!(
            "{name}: {actions:?}, {waiting} wait, {} deep",
            summary.totals.depth
        )
    });
    insta::assert_snapshot!(plans.join("\n"), @"
    together: [98, 98, 98, 98, 98, 98, 66], 0 wait, 1 deep
    scattered: [98, 98, 98, 98, 98, 98, 66], 0 wait, 1 deep
    ");
}
