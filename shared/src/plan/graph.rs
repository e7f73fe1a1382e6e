//! Who waits for whom: operations to units in canonical order.
//!
//! A hard edge runs from an operation to one whose bulkId it names: it cannot
//! be carried out before the other's resource exists, and fails with it. A soft
//! edge keeps the client's order between two operations that would otherwise
//! be allowed to change places and must not (RFC 7644 §3.7: the same final
//! state): two on one resource, two that write one unique value, a delete and
//! a reference. Failure does not spread along soft edges.
//!
//! Operations that name each other in a ring form one **unit**. The canonical
//! order takes, again and again, the unit with the lowest request index whose
//! prerequisites have all been taken. A soft edge that contradicts a hard one
//! yields, and no other does with it: who waited behind the one that went first
//! waits for those that it overtook. Everything here is linear in operations and
//! edges, apart from the heap and from what yields: a chain of thousands or a
//! clique is ordinary input.
//!
//! It knows indexes and object names, and nothing of SCIM.

mod components;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::hash::Hash;

use super::unit::Unit;
use components::components;

/// How an operation uses an object that the client's order must be kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Any number of these may change places among themselves.
    Shared,
    /// Changes places with no other use.
    Exclusive,
}

/// The edges between operations `0..len`.
#[derive(Debug, Clone, Default)]
pub struct Edges {
    /// `hard[i]`: the operations whose bulkId operation `i` names.
    hard: Vec<Vec<usize>>,
    /// `soft[i]`: the operations that `i` must not overtake, but for those that
    /// one of them must not overtake either.
    soft: Vec<Vec<usize>>,
    /// By object its uses in the client's order.
    objects: Vec<Vec<(usize, Use)>>,
    /// By operation its exclusive uses: object, and place among the uses of it.
    exclusive: Vec<Vec<(usize, usize)>>,
}

impl Edges {
    /// Edges between `len` operations, none so far.
    pub fn new(len: usize) -> Self {
        Self {
            hard: vec![Vec::new(); len],
            soft: vec![Vec::new(); len],
            objects: Vec::new(),
            exclusive: vec![Vec::new(); len],
        }
    }

    /// Operation `from` names the bulkId of operation `to`.
    pub fn need(&mut self, from: usize, to: usize) {
        if let Some(edges) = self.hard.get_mut(from) {
            edges.push(to);
        }
    }

    /// Keeps the order of `uses`, given in the client's order.
    pub fn keep_order<K: Eq + Hash>(&mut self, uses: impl IntoIterator<Item = (K, usize, Use)>) {
        #[derive(Default)]
        struct Last {
            object: usize,
            exclusive: Option<usize>,
            shared: Vec<usize>,
        }
        let mut objects: HashMap<K, Last> = HashMap::new();
        for (object, index, kind) in uses {
            let last = objects.entry(object).or_insert_with(|| {
                self.objects.push(Vec::new());
                Last {
                    object: self.objects.len() - 1,
                    ..Last::default()
                }
            });
            let place = self.objects.get_mut(last.object).map(|uses| {
                uses.push((index, kind));
                uses.len() - 1
            });
            match kind {
                Use::Shared => {
                    self.follow(index, last.exclusive);
                    last.shared.push(index);
                }
                Use::Exclusive => {
                    if let (Some(list), Some(place)) = (self.exclusive.get_mut(index), place) {
                        list.push((last.object, place));
                    }
                    self.follow(index, last.exclusive);
                    for shared in std::mem::take(&mut last.shared) {
                        self.follow(index, Some(shared));
                    }
                    last.exclusive = Some(index);
                }
            }
        }
    }

    /// Who must not overtake whom, later before earlier, once an operation has
    /// gone before some of those that it should have followed: whatever waited
    /// for it alone. `left` says which are still to come.
    fn bridges(&self, index: usize, left: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
        let mut bridges = Vec::new();
        for (object, place) in self.exclusive.get(index).into_iter().flatten() {
            let uses = self.objects.get(*object).map_or(&[][..], Vec::as_slice);
            let (before, behind) = uses.split_at(place.saturating_add(1).min(uses.len()));
            let left = |used: &&(usize, Use)| left(used.0);
            let (mut shared, mut exclusive) = (Vec::new(), None);
            for (earlier, kind) in before.iter().rev().filter(left) {
                if *kind == Use::Exclusive {
                    exclusive = Some(*earlier);
                    break;
                }
                shared.push(*earlier);
            }
            for (later, kind) in behind.iter().filter(left) {
                bridges.extend(exclusive.map(|earlier| (*later, earlier)));
                if *kind == Use::Exclusive {
                    bridges.extend(shared.iter().map(|earlier| (*later, *earlier)));
                    break;
                }
            }
        }
        bridges
    }

    fn follow(&mut self, later: usize, earlier: Option<usize>) {
        if let (Some(edges), Some(earlier)) = (self.soft.get_mut(later), earlier)
            && earlier != later
        {
            edges.push(earlier);
        }
    }

    /// The units in canonical order.
    pub fn order(&self) -> Vec<Unit> {
        let rings = self.arrange(components(&self.hard));
        rings.into_iter().map(Unit::of).collect()
    }

    /// The same, those that are connected by references joined to one.
    ///
    /// Two connected sets may each have to wait for a part of the other, to
    /// keep the client's order on one object. Neither could then be carried out
    /// at once before the other, so they are one unit.
    pub fn connected(&self) -> Vec<Unit> {
        let mut edges = self.soft.clone();
        for (from, targets) in self.hard.iter().enumerate() {
            for to in targets {
                for (from, to) in [(from, *to), (*to, from)] {
                    if let Some(list) = edges.get_mut(from) {
                        list.push(to);
                    }
                }
            }
        }
        let sets = self.arrange(components(&edges));
        let set_of = positions(&sets, self.hard.len());
        let mut joined: Vec<Vec<Unit>> = vec![Vec::new(); sets.len()];
        for unit in self.order() {
            let first = unit.operations.first();
            let set = first.and_then(|first| set_of.get(*first)).copied();
            if let Some(list) = set.and_then(|set| joined.get_mut(set)) {
                list.push(unit);
            }
        }
        joined.into_iter().map(Unit::joined).collect()
    }

    /// Brings sets of operations into canonical order. No two of them may need
    /// each other.
    fn arrange(&self, sets: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
        let set_of = positions(&sets, self.hard.len());
        let between = |edges: &[Vec<usize>]| {
            let mut result: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); sets.len()];
            for (index, targets) in edges.iter().enumerate() {
                let from = set_of.get(index).copied().unwrap_or_default();
                for target in targets {
                    let to = set_of.get(*target).copied().unwrap_or_default();
                    if let Some(set) = result.get_mut(from).filter(|_| from != to) {
                        set.insert(to);
                    }
                }
            }
            result
        };
        let lowest: Vec<usize> = sets
            .iter()
            .map(|members| members.first().copied().unwrap_or_default())
            .collect();
        let bridges = |set: usize, done: &[bool]| {
            let place = |index: usize| set_of.get(index).copied().unwrap_or_default();
            let left = |index: usize| !done.get(place(index)).copied().unwrap_or(true);
            let members = sets.get(set).into_iter().flatten();
            let bridges = members.flat_map(|index| self.bridges(*index, left));
            let bridges = bridges.map(|(later, earlier)| (place(later), place(earlier)));
            bridges
                .filter(|(later, earlier)| later != earlier)
                .collect()
        };
        let taken = schedule(&lowest, &between(&self.hard), &between(&self.soft), bridges);
        let mut sets: Vec<Option<Vec<usize>>> = sets.into_iter().map(Some).collect();
        let order = taken.into_iter();
        order.filter_map(|set| sets.get_mut(set)?.take()).collect()
    }
}

/// By operation, the position of the set that it is in.
fn positions(sets: &[Vec<usize>], len: usize) -> Vec<usize> {
    let mut result = vec![0; len];
    for (position, members) in sets.iter().enumerate() {
        for member in members {
            if let Some(slot) = result.get_mut(*member) {
                *slot = position;
            }
        }
    }
    result
}

/// Takes units by lowest index as their prerequisites are taken. When only soft
/// edges are in the way of every unit left, they yield for the lowest unit
/// whose hard prerequisites are taken; one exists, since the hard edges between
/// units form no ring. `bridges` are the soft edges, from later to earlier, that
/// take the place of those of a unit for which others have yielded.
fn schedule(
    lowest: &[usize],
    hard: &[BTreeSet<usize>],
    soft: &[BTreeSet<usize>],
    bridges: impl Fn(usize, &[bool]) -> Vec<(usize, usize)>,
) -> Vec<usize> {
    let count = lowest.len();
    let mut waits = vec![(0usize, 0usize); count];
    let mut dependants: Vec<Vec<(usize, bool)>> = vec![Vec::new(); count];
    for unit in 0..count {
        let (Some(hard), Some(soft)) = (hard.get(unit), soft.get(unit)) else {
            continue;
        };
        if let Some(wait) = waits.get_mut(unit) {
            *wait = (hard.len(), soft.len());
        }
        for (target, is_hard) in hard
            .iter()
            .map(|unit| (unit, true))
            .chain(soft.iter().map(|unit| (unit, false)))
        {
            if let Some(list) = dependants.get_mut(*target) {
                list.push((unit, is_hard));
            }
        }
    }
    let mut ready = BinaryHeap::new();
    let mut held = BinaryHeap::new();
    let mut done = vec![false; count];
    let mut order = Vec::with_capacity(count);
    let offer =
        |unit: usize, wait: (usize, usize), ready: &mut BinaryHeap<_>, held: &mut BinaryHeap<_>| {
            let entry = Reverse((lowest.get(unit).copied().unwrap_or_default(), unit));
            match wait {
                (0, 0) => ready.push(entry),
                (0, _) => held.push(entry),
                _ => {}
            }
        };
    for (unit, wait) in waits.iter().enumerate() {
        offer(unit, *wait, &mut ready, &mut held);
    }
    while let Some(Reverse((_, unit))) = ready.pop().or_else(|| held.pop()) {
        // A unit may stand in both heaps: first held by soft edges, then ready.
        if done.get(unit).copied().unwrap_or(true) {
            continue;
        }
        if let Some(flag) = done.get_mut(unit) {
            *flag = true;
        }
        order.push(unit);
        if waits.get(unit).is_some_and(|(_, soft)| *soft > 0) {
            for (later, earlier) in bridges(unit, &done) {
                if let (Some(wait), Some(list)) =
                    (waits.get_mut(later), dependants.get_mut(earlier))
                {
                    wait.1 += 1;
                    list.push((later, false));
                }
            }
        }
        for (dependant, is_hard) in dependants
            .get_mut(unit)
            .map(std::mem::take)
            .unwrap_or_default()
        {
            if let Some(wait) = waits.get_mut(dependant) {
                let left = if is_hard { &mut wait.0 } else { &mut wait.1 };
                *left = left.saturating_sub(1);
                offer(dependant, *wait, &mut ready, &mut held);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests;
