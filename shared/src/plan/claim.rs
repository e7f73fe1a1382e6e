//! Room in a transaction that is kept for steps which have to do with each other.
//!
//! A cluster that one transaction can hold claims room for all its steps when the
//! first of them is packed; the others find it when their turn comes. What a
//! transaction holds and what it has promised are never more together than it
//! takes. This file must not know why steps have to do with each other.

use std::collections::{HashMap, HashSet};

use super::pack::{Bin, Measured, Packing};
use super::step::Step;
use super::transaction::MAX_BYTES;
use crate::table::Key;

/// What the steps of one cluster need together, so that they come into one
/// transaction, which waits for no other.
pub(super) struct Claim {
    /// Items that are still to come.
    actions: usize,
    /// Those of them that others in the transaction may have as well.
    shared: Vec<Key>,
    /// Steps that are still to come.
    steps: usize,
    /// Bytes that are still to come.
    bytes: usize,
    /// Once its first step has one.
    place: Option<usize>,
}

/// By cluster of several steps what it claims, if one transaction can hold it.
/// Nothing where steps must follow each other, or have been in the way of others.
pub(super) fn claims(
    steps: &[Step],
    clusters: &[usize],
    changes: &[Vec<Measured>],
    packing: &Packing<'_>,
) -> HashMap<usize, Claim> {
    if packing.contiguous {
        return HashMap::new();
    }
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, cluster) in clusters.iter().enumerate() {
        members.entry(*cluster).or_default().push(index);
    }
    let claim = |members: &[usize]| {
        let steps = members.iter().filter_map(|index| steps.get(*index));
        let at_ease = |step: &Step| packing.most_together(step) == usize::MAX;
        let changes = members.iter().filter_map(|index| changes.get(*index));
        let changes = || changes.clone().flatten();
        let keys: HashSet<&Key> = changes().map(|change| &change.key).collect();
        let shared = changes().filter(|change| change.is_shared());
        let shared: HashSet<&Key> = shared.map(|change| &change.key).collect();
        let bytes = changes().map(|change| change.bytes).sum();
        let fits = keys.len() <= packing.max_actions && bytes <= MAX_BYTES;
        (fits && steps.clone().all(at_ease)).then(|| Claim {
            actions: keys.len(),
            shared: shared.into_iter().cloned().collect(),
            steps: members.len(),
            bytes,
            place: None,
        })
    };
    let several = members.into_iter().filter(|(_, members)| members.len() > 1);
    several
        .filter_map(|(cluster, members)| Some((cluster, claim(&members)?)))
        .collect()
}

impl Claim {
    /// Where its next step comes to, or nowhere yet.
    pub(super) fn place(&self, bins: &[Bin], max_actions: usize) -> Option<usize> {
        self.place.or_else(|| {
            bins.iter().position(|bin| {
                bin.most == usize::MAX
                    && bin.room(max_actions) >= self.actions - self.known(bin)
                    && bin.bytes + bin.promised.bytes + self.bytes <= MAX_BYTES
            })
        })
    }

    /// How many of its items are there already.
    fn known(&self, bin: &Bin) -> usize {
        let known = |key: &&Key| bin.positions.contains_key(*key);
        self.shared.iter().filter(known).count()
    }

    /// Promises room for all steps with the first, and takes what this one needs.
    pub(super) fn redeem(&mut self, index: usize, bin: &mut Bin, changes: &[Measured]) {
        if self.place.is_none() {
            self.place = Some(index);
            self.actions -= self.known(bin);
        } else {
            bin.promised.subtract(self);
        }
        let new = |change: &&Measured| !bin.positions.contains_key(&change.key);
        let new = changes.iter().filter(new).count();
        let bytes: usize = changes.iter().map(|change| change.bytes).sum();
        self.actions = self.actions.saturating_sub(new);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.steps = self.steps.saturating_sub(1);
        // What others have brought along meanwhile is not needed twice.
        if self.steps > 0 {
            bin.promised.add(self);
        }
    }
}

/// What a transaction is still to be given.
#[derive(Default)]
pub(super) struct Promised {
    pub(super) actions: usize,
    pub(super) bytes: usize,
    pub(super) steps: usize,
}

impl Promised {
    fn add(&mut self, claim: &Claim) {
        self.actions += claim.actions;
        self.bytes += claim.bytes;
        self.steps += claim.steps;
    }

    fn subtract(&mut self, claim: &Claim) {
        self.actions = self.actions.saturating_sub(claim.actions);
        self.bytes = self.bytes.saturating_sub(claim.bytes);
        self.steps = self.steps.saturating_sub(claim.steps);
    }
}
