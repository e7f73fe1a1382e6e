//! A bulk request, from bytes to a plan (RFC 7644 §3.7).
//!
//! However its rows look, each has one entry at its place, each entry is in one
//! unit, nothing comes before what it needs, and a plan on an empty directory
//! decides every row exactly once, a unit all or not at all, in transactions
//! that DynamoDB takes; whatever the request asks to be atomic.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::plan::{
    Atomicity, Capacity, Entry, Job, Method, Outcome, ReadSet, Rights, Rules, Terms, Unit, Want,
    operation, order, plan,
};
use shared::scim::message::BulkRequest;
use shared::scim::patch::Dialect;
use shared::scim::{ResourceId, Timestamp, json};
use shared::table::Tenant;

use crate::bounded;

const MAX_OPERATIONS: usize = 100;
/// Actions in one transaction of DynamoDB.
const MAX_ACTIONS: usize = 100;

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(body) = json::parse(input) else {
        return;
    };
    let request = match BulkRequest::parse(body, MAX_OPERATIONS) {
        Ok(request) => request,
        Err(error) => {
            bounded(&error);
            assert!([400, 413].contains(&error.status()), "{error}");
            return;
        }
    };
    assert!((1..=MAX_OPERATIONS).contains(&request.operations.len()));
    for strict_bulk_id in [false, true] {
        let rights = Rights::new(["scim.users.write", "scim.groups.write"]);
        let rules = Rules {
            rights: &rights,
            dialect: Dialect::default(),
            strict_bulk_id,
            mint: &minted,
        };
        let entries = operation::check(&request.operations, &rules);
        has_one_entry_for_each(&request.operations, &entries);
        for atomicity in Atomicity::ALL {
            let units = order(&entries, atomicity);
            comes_after_what_it_needs(&entries, &units);
            let terms = Terms {
                fail_on_errors: request.fail_on_errors,
                atomicity,
            };
            decides_each_once(&entries, &units, terms);
        }
    }
}

fn minted(index: usize) -> ResourceId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&index.to_be_bytes());
    ResourceId::from_random(bytes)
}

fn has_one_entry_for_each(operations: &[Value], entries: &[Entry]) {
    assert_eq!(operations.len(), entries.len());
    for (index, entry) in entries.iter().enumerate() {
        match entry {
            Ok(operation) => {
                assert_eq!(operation.index, index);
                let sent = operations[index].to_string();
                if let Some(bulk_id) = &operation.bulk_id {
                    assert!(sent.contains(&Value::from(bulk_id.as_str()).to_string()));
                }
                let creates = operation.method == Method::Create;
                assert!(!creates || operation.id == minted(index));
                let defines = |need: &usize| {
                    let other = entries[*need].as_ref().map(|other| other.method);
                    other.ok().is_none_or(|method| method == Method::Create)
                };
                assert!(operation.needs.iter().all(defines), "{:?}", operation.needs);
            }
            Err(rejection) => {
                assert_eq!(rejection.index, index);
                assert!((400..500).contains(&rejection.error.status()));
                assert!(rejection.target.is_none() || rejection.method != "POST");
                bounded(&rejection.error);
            }
        }
    }
    let legal = entries.iter().flatten();
    let named = legal.filter_map(|operation| operation.bulk_id.as_deref());
    let mut seen = BTreeSet::new();
    for bulk_id in named {
        assert!(seen.insert(bulk_id), "`{bulk_id}` is two operations");
    }
}

fn comes_after_what_it_needs(entries: &[Entry], units: &[Unit]) {
    let mut places = BTreeMap::new();
    for (place, part) in units.iter().flat_map(|unit| &unit.parts).enumerate() {
        for index in part {
            let other = places.insert(*index, place);
            assert_eq!(other, None, "{index} is in two units");
        }
    }
    assert_eq!(places.len(), entries.len());
    for operation in entries.iter().flatten() {
        for need in &operation.needs {
            let (own, other) = (places[&operation.index], places[need]);
            assert!(other <= own, "{} before {need}", operation.index);
        }
    }
}

fn decides_each_once(entries: &[Entry], units: &[Unit], terms: Terms) {
    let settled: Vec<Option<Outcome>> = vec![None; entries.len()];
    let tenant = Tenant::parse("t").expect("it is a legal name");
    let job = Job {
        entries,
        units,
        settled: &settled,
        terms,
        now: Timestamp(0),
        tenant: &tenant,
        cancelled: &[],
        capacity: Capacity::WHOLE,
        enough: &|_| false,
    };
    let mut read = ReadSet::default();
    let rounds = 8;
    let plan = (0..rounds).find_map(|_| match plan(&job, &read) {
        Ok(plan) => Some(plan),
        Err(wants) => {
            nothing_is_there(&mut read, wants);
            None
        }
    });
    let plan = plan.expect("planning ends after a few rounds of reading");
    let outcomes = plan.steps.iter().flat_map(|step| &step.outcomes);
    let mut failures = 0;
    let mut decided = BTreeSet::new();
    for outcome in outcomes {
        assert!(decided.insert(outcome.index), "{} twice", outcome.index);
        failures += usize::from(outcome.status() >= 400);
        if let Err(error) = &outcome.result {
            bounded(error);
        }
    }
    for step in &plan.steps {
        let failed = |outcome: &&Outcome| outcome.status() >= 400;
        let count = step.outcomes.iter().filter(failed).count();
        assert!(count == 0 || count == step.outcomes.len(), "{plan}");
    }
    match terms.fail_on_errors {
        None => assert_eq!(decided.len(), entries.len()),
        Some(limit) => assert!(decided.len() == entries.len() || failures >= limit.get()),
    }
    for transaction in &plan.transactions {
        let actions = transaction.changes.len();
        assert!((1..=MAX_ACTIONS).contains(&actions), "{actions} actions");
    }
}

fn nothing_is_there(read: &mut ReadSet, wants: BTreeSet<Want>) {
    for want in wants {
        match want {
            Want::Resource { resource_type, id } => {
                read.resources.insert((resource_type, id), None);
            }
            Want::Unique(lookup) => {
                read.owners.insert(lookup, None);
            }
            Want::Membership { group, member } => {
                read.memberships.insert((group, member), None);
            }
            Want::Members { group } => {
                read.whole.insert(group);
            }
        }
    }
}
