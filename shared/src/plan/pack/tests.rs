//! What is true of every packing, whatever the steps.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::plan::{Done, Outcome};
use crate::scim::schema::catalogue;
use crate::table::{Change, Key, Lookup};

/// A step as far as packing looks at it, its items by number.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) reads: Vec<usize>,
    pub(super) writes: Vec<usize>,
    /// Moves the count that all steps share.
    pub(super) grows: bool,
}

/// Different items.
const ITEMS: usize = 12;

pub(super) fn made(items: usize) -> impl Strategy<Value = Vec<Made>> {
    let items = move |most| proptest::collection::vec(0..items, 0..most);
    let step = (items(3), items(4), any::<bool>()).prop_map(|(reads, writes, grows)| Made {
        reads,
        grows: grows && !writes.is_empty(),
        writes,
    });
    proptest::collection::vec(step, 1..20)
}

/// Whether both change something and one of them what the other looks at.
pub(super) fn overlap(one: &Made, other: &Made) -> bool {
    let uses = |step: &Made, item| step.reads.contains(item) || step.writes.contains(item);
    !one.writes.is_empty()
        && !other.writes.is_empty()
        && (one.writes.iter().any(|item| uses(other, item))
            || other.writes.iter().any(|item| uses(one, item)))
}

pub(super) fn steps(made: &[Made]) -> Vec<Step> {
    let user = catalogue().by_name("User").unwrap();
    let id = |item: usize| super::super::tests::id(u8::try_from(item).unwrap());
    let lookup = |item: usize| Lookup {
        resource_type: "User",
        attribute: "userName".into(),
        value: item.to_string(),
        unique: true,
    };
    let want = |item: &usize| Want::Unique(lookup(*item));
    let change = |item: usize| Change::Lookup {
        lookup: lookup(item),
        owner: id(item),
        before: None,
        after: Some(id(item)),
    };
    let count = |by| Change::Counter {
        resource_type: user,
        slot: 0,
        by,
    };
    let step = |(index, made): (usize, &Made)| {
        let writes: BTreeSet<usize> = made.writes.iter().copied().collect();
        let changes = writes.iter().copied().map(change);
        Step {
            unit: index,
            outcomes: vec![Outcome {
                index,
                method: "PATCH".into(),
                bulk_id: None,
                target: None,
                result: Ok(Done {
                    status: 204,
                    version: None,
                    resource: None,
                    members: None,
                }),
            }],
            changes: changes
                .chain(made.grows.then(|| count(1)))
                .map(|change| Measured::new(change, &tenant()))
                .collect(),
            touched: made.reads.iter().chain(&made.writes).map(want).collect(),
            written: made.writes.iter().map(want).collect(),
            repeats: BTreeSet::new(),
            transaction: None,
            rests_on: BTreeSet::new(),
        }
    };
    made.iter().enumerate().map(step).collect()
}

/// What each transaction waits for, directly or not.
fn ancestors(transactions: &[Transaction]) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for transaction in transactions {
        let mut above = transaction.after.clone();
        for earlier in &transaction.after {
            above.extend(&all[*earlier]);
        }
        all.push(above);
    }
    all
}

fn tenant() -> Tenant {
    Tenant::parse("t").unwrap()
}

fn promises(
    made: &[Made],
    contiguous: bool,
    cancelled: &[u32],
    capacity: Capacity,
) -> Result<(), TestCaseError> {
    let tenant = tenant();
    let packing = Packing {
        tenant: &tenant,
        contiguous,
        cancelled,
        capacity,
    };
    let (mut steps, again) = (steps(made), steps(made));
    let written: Vec<HashSet<Key>> = steps
        .iter()
        .map(|step| {
            step.changes
                .iter()
                .map(|change| change.key.clone())
                .collect()
        })
        .collect();
    let size = |step: &Step| step.changes.iter().map(|change| change.bytes).sum();
    let sizes: Vec<usize> = steps.iter().map(size).collect();
    let transactions = pack(&mut steps, &packing);

    for (place, transaction) in transactions.iter().enumerate() {
        let changes = || transaction.changes.iter().map(|planned| &planned.change);
        prop_assert!((1..=capacity.actions).contains(&transaction.changes.len()));
        prop_assert!(
            changes().map(|change| change.bytes(&tenant)).sum::<usize>() <= capacity.bytes
        );
        let keys: HashSet<Key> = changes().map(|change| change.key(&tenant)).collect();
        prop_assert_eq!(keys.len(), transaction.changes.len(), "no item twice");
        prop_assert!(transaction.after.iter().all(|earlier| *earlier < place));
        for unit in &transaction.units {
            let most = match cancelled[*unit] {
                0 | 1 => usize::MAX,
                times => (100 >> (times - 1)).max(1),
            };
            prop_assert!(
                transaction.units.len() <= most,
                "unit {} is not alone",
                unit
            );
        }
    }
    for (step, keys) in steps.iter().zip(&written) {
        prop_assert_eq!(step.transaction.is_some(), !keys.is_empty());
        let Some(place) = step.transaction else {
            continue;
        };
        prop_assert!(transactions[place].units.contains(&step.unit));
        for planned in &transactions[place].changes {
            prop_assert_eq!(
                planned.operations.contains(&step.unit),
                keys.contains(&planned.change.key(&tenant)),
            );
        }
    }

    let above = ancestors(&transactions);
    for (later, step) in steps.iter().enumerate() {
        for (earlier, other) in steps.iter().enumerate().take(later) {
            let Some(before) = other.transaction else {
                continue;
            };
            if let Some(place) = step.transaction {
                let waits = place == before || above[place].contains(&before);
                prop_assert!(waits || !overlap(&made[earlier], &made[later]));
                prop_assert!(!contiguous || before <= place);
            } else if step.touched.iter().any(|item| other.written.contains(item)) {
                let seen = |rests: &usize| *rests == before || above[*rests].contains(&before);
                prop_assert!(step.rests_on.iter().any(seen), "it has seen {}", earlier);
            }
        }
    }

    // What one transaction can hold is not torn.
    let clusters = clusters(&again);
    for cluster in 0..made.len() {
        let of = || {
            clusters
                .iter()
                .enumerate()
                .filter(|(_, name)| **name == cluster)
        };
        let keys: HashSet<&Key> = of().flat_map(|(index, _)| &written[index]).collect();
        let bytes: usize = of().map(|(index, _)| sizes[index]).sum();
        let fits = keys.len() <= capacity.actions && bytes <= capacity.bytes;
        if fits && !contiguous && of().all(|(index, _)| cancelled[index] < 2) {
            let places: HashSet<_> = of()
                .filter_map(|(index, _)| steps[index].transaction)
                .collect();
            prop_assert!(places.len() <= 1, "{:?}", places);
        }
    }
    Ok(())
}

fn cancelled() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(prop_oneof![4 => Just(0u32), 1 => 1u32..9], 20)
}

proptest! {
    #[test]
    fn every_packing_keeps_its_promises(
        made in made(ITEMS),
        contiguous in any::<bool>(),
        cancelled in cancelled(),
        // The largest step fits: it has three values and the count.
        actions in 5usize..20,
        bytes in 600usize..1_500,
    ) {
        promises(&made, contiguous, &cancelled, Capacity { actions, bytes })?;
    }
}
