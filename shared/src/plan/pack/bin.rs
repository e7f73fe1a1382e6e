//! A transaction being filled: what is in it, and what it has promised.
//!
//! No item is in it twice: a later change of one begins where the one before it
//! ended, so both are one. This file must not know why a step comes into this
//! transaction and not into another.
//!
//! ```text
//! 100 actions:  [ 61 in it | 24 promised | 15 of room ]
//! ```

use std::collections::{BTreeSet, HashMap};

use crate::plan::measured::Measured;
use crate::plan::step::Step;
use crate::plan::transaction::{Capacity, Planned, Transaction};
use crate::table::{Key, Tenant};

/// A transaction being filled.
pub(super) struct Bin {
    capacity: Capacity,
    pub(super) positions: HashMap<Key, usize>,
    changes: Vec<Planned>,
    /// The places of changes that were nothing from the beginning: checks that
    /// something is still not there.
    absences: BTreeSet<usize>,
    sizes: Vec<usize>,
    pub(super) bytes: usize,
    units: Vec<usize>,
    /// How many units it may hold.
    pub(super) most: usize,
    /// The transactions that it waits for.
    pub(super) after: BTreeSet<usize>,
    pub(super) promised: Share,
}

impl Bin {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            positions: HashMap::new(),
            changes: Vec::new(),
            absences: BTreeSet::new(),
            sizes: Vec::new(),
            bytes: 0,
            units: Vec::new(),
            most: usize::MAX,
            after: BTreeSet::new(),
            promised: Share::default(),
        }
    }

    /// `bytes` are those of all changes: an item that is in already may grow.
    pub(super) fn takes(&self, changes: &[Measured], bytes: usize, most: usize) -> bool {
        let known = |change: &&Measured| self.positions.contains_key(&change.key);
        let room = self.room();
        // A full transaction is asked for one key and not for all.
        let new = changes
            .iter()
            .filter(|change| !known(change))
            .take(room + 1);
        self.units.len() + self.promised.steps < self.most.min(most)
            && self.holds(bytes)
            && new.count() <= room
    }

    /// For how many items more that it is not to be given anyway.
    pub(super) fn room(&self) -> usize {
        let taken = self.changes.len() + self.promised.actions;
        self.capacity.actions.saturating_sub(taken)
    }

    /// Whether there is room for so many bytes more.
    pub(super) fn holds(&self, bytes: usize) -> bool {
        self.bytes + self.promised.bytes + bytes <= self.capacity.bytes
    }

    pub(super) fn add(
        &mut self,
        changes: Vec<Measured>,
        step: &Step,
        most: usize,
        tenant: &Tenant,
    ) {
        let operations = || step.outcomes.iter().map(|outcome| outcome.index);
        for Measured { key, bytes, change } in changes {
            let known = self.positions.get(&key).copied();
            let slot = known.and_then(|position| {
                Some((
                    self.changes.get_mut(position)?,
                    self.sizes.get_mut(position)?,
                ))
            });
            if let Some((planned, size)) = slot {
                planned.change.then(change);
                planned.operations.extend(operations());
                let now = planned.change.bytes(tenant);
                self.bytes = self.bytes.saturating_sub(*size) + now;
                *size = now;
            } else {
                if change.is_nothing() {
                    self.absences.insert(self.changes.len());
                }
                self.positions.insert(key, self.changes.len());
                self.changes.push(Planned {
                    change,
                    operations: operations().collect(),
                });
                self.sizes.push(bytes);
                self.bytes += bytes;
            }
        }
        self.units.push(step.unit);
        self.most = self.most.min(most);
    }

    pub(super) fn into_transaction(self) -> Transaction {
        let changes = self
            .changes
            .into_iter()
            .enumerate()
            .filter(|(place, planned)| {
                !planned.change.is_nothing() || self.absences.contains(place)
            })
            .map(|(_, planned)| planned);
        Transaction {
            changes: changes.collect(),
            units: self.units,
            after: self.after,
        }
    }
}

/// A share of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Share {
    pub(super) actions: usize,
    pub(super) bytes: usize,
    pub(super) steps: usize,
}

impl Share {
    pub(super) fn add(&mut self, other: Self) {
        self.actions += other.actions;
        self.bytes += other.bytes;
        self.steps += other.steps;
    }

    /// Never below nothing.
    pub(super) fn subtract(&mut self, other: Self) {
        self.actions = self.actions.saturating_sub(other.actions);
        self.bytes = self.bytes.saturating_sub(other.bytes);
        self.steps = self.steps.saturating_sub(other.steps);
    }
}
