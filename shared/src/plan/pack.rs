//! Steps to transactions: few, by first fit in canonical order.
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

mod allotment;
mod bin;
mod cluster;

use std::collections::{BTreeSet, HashMap};

use super::measured::Measured;
use super::read_set::Want;
use super::step::Step;
use super::transaction::{Capacity, MAX_ACTIONS, Transaction};
use crate::table::Tenant;
use allotment::allotments;
use bin::Bin;
use cluster::clusters;

/// What packing goes by.
pub(super) struct Packing<'a> {
    /// Part of the size of every item.
    pub(super) tenant: &'a Tenant,
    /// Transactions hold only steps that follow each other.
    pub(super) contiguous: bool,
    /// How often each unit was to blame for a cancelled transaction.
    pub(super) cancelled: &'a [u32],
    /// How much a transaction may hold.
    pub(super) capacity: Capacity,
}

/// Moves the changes of the steps into transactions.
pub(super) fn pack(steps: &mut [Step], packing: &Packing<'_>) -> Vec<Transaction> {
    let clusters = clusters(steps);
    let changes = steps
        .iter_mut()
        .map(|step| std::mem::take(&mut step.changes));
    let changes: Vec<Vec<Measured>> = changes.collect();
    let mut allotments = if packing.contiguous {
        HashMap::new()
    } else {
        let undisturbed = |step: &Step| packing.most_together(step) == usize::MAX;
        allotments(steps, &clusters, &changes, packing.capacity, undisturbed)
    };
    let mut bins: Vec<Bin> = Vec::new();
    let mut items = Items::default();
    let mut rests_on: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    for ((step, cluster), changes) in steps.iter_mut().zip(clusters).zip(changes) {
        if changes.is_empty() {
            let causes = step.repeats.iter().filter_map(|cause| rests_on.get(cause));
            let mut seen = items.seen(step);
            seen.extend(causes.flatten());
            let operations = step.outcomes.iter().map(|outcome| outcome.index);
            rests_on.extend(operations.map(|operation| (operation, seen.clone())));
            step.rests_on = seen;
            continue;
        }
        let after = items.before(step);
        let allotment = allotments.get_mut(&cluster);
        let room = match &allotment {
            Some(allotment) => allotment.place(&bins),
            None => packing.first_fit(&bins, &after, step, &changes),
        };
        let index = room.unwrap_or(bins.len());
        if room.is_none() {
            bins.push(Bin::new(packing.capacity));
        }
        let Some(bin) = bins.get_mut(index) else {
            continue;
        };
        if let Some(allotment) = allotment {
            allotment.redeem(index, bin, &changes);
        }
        bin.add(changes, step, packing.most_together(step), packing.tenant);
        let earlier = after.into_iter().filter(|earlier| *earlier != index);
        bin.after.extend(earlier);
        step.transaction = Some(index);
        items.note(step, index);
    }
    bins.into_iter().map(Bin::into_transaction).collect()
}

/// By item the transactions that used it last.
#[derive(Default)]
struct Items(HashMap<Want, Last>);

#[derive(Default)]
struct Last {
    writer: Option<usize>,
    readers: BTreeSet<usize>,
}

impl Items {
    /// The transactions whose changes a step has seen.
    fn seen(&self, step: &Step) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        for last in step.touched.iter().filter_map(|item| self.0.get(item)) {
            seen.extend(last.writer);
        }
        seen
    }

    /// The transactions that a step with changes comes after: those whose
    /// changes it has seen, and those that have seen what it overtakes.
    fn before(&self, step: &Step) -> BTreeSet<usize> {
        let mut overtaken = self.seen(step);
        for last in step.written.iter().filter_map(|item| self.0.get(item)) {
            overtaken.extend(&last.readers);
        }
        overtaken
    }

    fn note(&mut self, step: &Step, transaction: usize) {
        for item in &step.touched {
            let last = self.0.entry(item.clone()).or_default();
            if step.written.contains(item) {
                *last = Last {
                    writer: Some(transaction),
                    readers: BTreeSet::new(),
                };
            } else {
                last.readers.insert(transaction);
            }
        }
    }
}

impl Packing<'_> {
    /// The first transaction that takes these changes of a step: none that it
    /// must come after, or the last of those, or a later one.
    fn first_fit(
        &self,
        bins: &[Bin],
        after: &BTreeSet<usize>,
        step: &Step,
        changes: &[Measured],
    ) -> Option<usize> {
        let most = self.most_together(step);
        let bytes = changes.iter().map(|change| change.bytes).sum();
        let mut first = after.last().copied().unwrap_or_default();
        if self.contiguous {
            first = first.max(bins.len().saturating_sub(1));
        }
        // Behind the last transaction that it depends on no item of its own is
        // found but counters, so a transaction without room for the others is
        // passed by at the cost of a comparison: in a long request most are full.
        let own = changes.iter().filter(|change| !change.is_shared()).count();
        (first..bins.len()).find(|index| {
            bins.get(*index).is_some_and(|bin| {
                (*index == first || bin.room() >= own) && bin.takes(changes, bytes, most)
            })
        })
    }

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
