//! Room in a transaction that is kept for steps which have to do with each other.
//!
//! A cluster that one transaction can hold is allotted room for all its steps when
//! the first of them is packed; the others find it when their turn comes. What a
//! transaction holds and what it has promised are never more together than it
//! takes. This file must not know why steps have to do with each other.

use std::collections::{HashMap, HashSet};

use super::bin::{Bin, Share};
use crate::plan::measured::Measured;
use crate::plan::step::Step;
use crate::plan::transaction::Capacity;
use crate::table::Key;

/// What the steps of one cluster need together, so that they come into one
/// transaction, which waits for no other.
pub(super) struct Allotment {
    /// What is still to come.
    rest: Share,
    /// The items that others in the transaction may have as well.
    shared: Vec<Key>,
    /// Once its first step has one.
    place: Option<usize>,
}

/// By cluster of several steps the room that it needs, if one transaction can
/// hold it and none of its steps has been in the way of others.
pub(super) fn allotments(
    steps: &[Step],
    clusters: &[usize],
    changes: &[Vec<Measured>],
    capacity: Capacity,
    undisturbed: impl Fn(&Step) -> bool,
) -> HashMap<usize, Allotment> {
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, cluster) in clusters.iter().enumerate() {
        members.entry(*cluster).or_default().push(index);
    }
    let allotment = |members: &[usize]| {
        let mut steps = members.iter().filter_map(|index| steps.get(*index));
        let changes = members.iter().filter_map(|index| changes.get(*index));
        let changes = || changes.clone().flatten();
        let keys: HashSet<&Key> = changes().map(|change| &change.key).collect();
        let shared = changes().filter(|change| change.is_shared());
        let shared: HashSet<&Key> = shared.map(|change| &change.key).collect();
        let rest = Share {
            actions: keys.len(),
            bytes: changes().map(|change| change.bytes).sum(),
            steps: members.len(),
        };
        let fits = rest.actions <= capacity.actions && rest.bytes <= capacity.bytes;
        (fits && steps.all(&undisturbed)).then(|| Allotment {
            rest,
            shared: shared.into_iter().cloned().collect(),
            place: None,
        })
    };
    let several = members.into_iter().filter(|(_, members)| members.len() > 1);
    several
        .filter_map(|(cluster, members)| Some((cluster, allotment(&members)?)))
        .collect()
}

impl Allotment {
    /// Where its next step comes to, or nowhere yet.
    pub(super) fn place(&self, bins: &[Bin]) -> Option<usize> {
        self.place.or_else(|| {
            bins.iter().position(|bin| {
                bin.most == usize::MAX
                    && bin.room() >= self.rest.actions - self.known(bin)
                    && bin.holds(self.rest.bytes)
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
            self.rest.actions -= self.known(bin);
        } else {
            bin.promised.subtract(self.rest);
        }
        let new = |change: &&Measured| !bin.positions.contains_key(&change.key);
        self.rest.subtract(Share {
            actions: changes.iter().filter(new).count(),
            bytes: changes.iter().map(|change| change.bytes).sum(),
            steps: 1,
        });
        // What others have brought along meanwhile is not needed twice.
        if self.rest.steps > 0 {
            bin.promised.add(self.rest);
        }
    }
}
