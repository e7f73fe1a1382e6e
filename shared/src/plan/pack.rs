//! Steps to transactions: as few as possible.
//!
//! Steps are taken in canonical order. A step depends on the transactions that
//! wrote an item it touches, or that touched an item it writes; it joins the
//! first transaction that is none of them or the last of them and has room, or
//! begins a new one. So every dependency runs from a transaction to itself or
//! to a later one: none of them waits in a ring, and a step that shares a
//! transaction with what it depends on is folded with it, item by item. What
//! happens within a transaction is the same as if its steps were carried out
//! one by one, because each change of an item begins where the one before it
//! ended, and nobody sees a state in between.
//!
//! Steps that have to do with each other come into one transaction if it can hold
//! all of them: were they put where there is room for the first, then those that
//! a transaction ends among would wait for it, and the next transaction for
//! theirs, although most of what is in them has nothing to do with each other. A
//! thousand rows that fill groups one by one would be one long chain.
//!
//! A step is never split. One that writes nothing takes no room; it rests on
//! the transactions whose changes it has seen.
//!
//! With a limit of failures a transaction holds only steps that follow each
//! other, so that the transactions can be stopped where the steps would be.
//! Units that were in the way of others before come into ever smaller
//! transactions: a cancelled transaction costs all that is in it.

mod bin;
mod claim;
mod cluster;

use std::collections::{BTreeSet, HashMap};

use super::read_set::Want;
use super::step::Step;
use super::transaction::{MAX_ACTIONS, Transaction};
use crate::table::Tenant;
use bin::{Bin, Measured};
use claim::claims;
use cluster::clusters;

/// What packing goes by.
pub(super) struct Packing<'a> {
    /// Part of the size of every item.
    pub(super) tenant: &'a Tenant,
    /// Transactions hold only steps that follow each other.
    pub(super) contiguous: bool,
    /// How often each unit was to blame for a cancelled transaction.
    pub(super) cancelled: &'a [u32],
    /// How many actions a transaction may hold.
    pub(super) max_actions: usize,
}

/// Moves the changes of the steps into transactions.
pub(super) fn pack(steps: &mut [Step], packing: &Packing<'_>) -> Vec<Transaction> {
    let clusters = clusters(steps);
    let mut changes: Vec<Vec<Measured>> = steps
        .iter_mut()
        .map(|step| {
            let changes = std::mem::take(&mut step.changes).into_iter();
            changes
                .map(|change| Measured::new(change, packing.tenant))
                .collect()
        })
        .collect();
    let mut claims = if packing.contiguous {
        HashMap::new()
    } else {
        let at_ease = |step: &Step| packing.most_together(step) == usize::MAX;
        claims(steps, &clusters, &changes, packing.max_actions, at_ease)
    };
    let mut bins: Vec<Bin> = Vec::new();
    let mut items: HashMap<Want, Last> = HashMap::new();
    let mut rests_on: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    for ((step, cluster), changes) in steps.iter_mut().zip(clusters).zip(&mut changes) {
        let changes = std::mem::take(changes);
        let mut seen = BTreeSet::new();
        let mut overtaken = BTreeSet::new();
        for item in &step.touched {
            let Some(last) = items.get(item) else {
                continue;
            };
            seen.extend(last.writer);
            if step.written.contains(item) {
                overtaken.extend(&last.readers);
            }
        }
        if changes.is_empty() {
            let causes = step.repeats.iter().filter_map(|cause| rests_on.get(cause));
            seen.extend(causes.flatten());
            let operations = step.outcomes.iter().map(|outcome| outcome.index);
            rests_on.extend(operations.map(|operation| (operation, seen.clone())));
            step.rests_on = seen;
            continue;
        }
        let mut after = seen;
        after.append(&mut overtaken);
        let most = packing.most_together(step);
        let claim = claims.get_mut(&cluster);
        let room = match &claim {
            Some(claim) => claim.place(&bins, packing.max_actions),
            None => {
                let first = after.last().copied().unwrap_or_default();
                let first = if packing.contiguous {
                    bins.len().saturating_sub(1).max(first)
                } else {
                    first
                };
                first_fit(&bins, first, &changes, most, packing.max_actions)
            }
        };
        let index = room.unwrap_or(bins.len());
        if room.is_none() {
            bins.push(Bin::default());
        }
        let Some(bin) = bins.get_mut(index) else {
            continue;
        };
        if let Some(claim) = claim {
            claim.redeem(index, bin, &changes);
        }
        bin.add(changes, step, most, packing.tenant);
        bin.after
            .extend(after.into_iter().filter(|earlier| *earlier != index));
        step.transaction = Some(index);
        for item in &step.touched {
            let last = items.entry(item.clone()).or_default();
            if step.written.contains(item) {
                *last = Last {
                    writer: Some(index),
                    readers: BTreeSet::new(),
                };
            } else {
                last.readers.insert(index);
            }
        }
    }
    bins.into_iter().map(Bin::into_transaction).collect()
}

/// The first transaction from `first` on that takes these changes.
fn first_fit(
    bins: &[Bin],
    first: usize,
    changes: &[Measured],
    most: usize,
    max_actions: usize,
) -> Option<usize> {
    let bytes = changes.iter().map(|change| change.bytes).sum();
    // Behind the last transaction that it depends on no item of its own is
    // found but counters, so a transaction without room for the others is
    // passed by at the cost of a comparison: in a long request most are full.
    let own = changes.iter().filter(|change| !change.is_shared()).count();
    (first..bins.len()).find(|index| {
        bins.get(*index).is_some_and(|bin| {
            (*index == first || bin.room(max_actions) >= own)
                && bin.takes(changes, bytes, most, max_actions)
        })
    })
}

/// The transactions that used an item last.
#[derive(Default)]
struct Last {
    writer: Option<usize>,
    readers: BTreeSet<usize>,
}

impl Packing<'_> {
    /// How many units may share a transaction with this one: any number, until it
    /// was to blame for two cancelled ones; from then on halved, down to one.
    fn most_together(&self, step: &Step) -> usize {
        match self.cancelled.get(step.unit).copied().unwrap_or_default() {
            0 | 1 => usize::MAX,
            more => (MAX_ACTIONS >> (more - 1).min(31)).max(1),
        }
    }
}

#[cfg(test)]
mod tests;
