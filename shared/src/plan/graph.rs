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
//! yields. Everything here is linear in operations and edges, apart from the
//! heap: a chain of thousands or a clique is ordinary input.
//!
//! It knows indexes and object names, and nothing of SCIM.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::hash::Hash;

use super::unit::Unit;

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
    /// `soft[i]`: the operations that `i` must not overtake.
    soft: Vec<Vec<usize>>,
}

impl Edges {
    /// Edges between `len` operations, none so far.
    pub fn new(len: usize) -> Self {
        Self {
            hard: vec![Vec::new(); len],
            soft: vec![Vec::new(); len],
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
            exclusive: Option<usize>,
            shared: Vec<usize>,
        }
        let mut objects: HashMap<K, Last> = HashMap::new();
        for (object, index, kind) in uses {
            let last = objects.entry(object).or_default();
            match kind {
                Use::Shared => {
                    self.follow(index, last.exclusive);
                    last.shared.push(index);
                }
                Use::Exclusive => {
                    self.follow(index, last.exclusive);
                    for shared in std::mem::take(&mut last.shared) {
                        self.follow(index, Some(shared));
                    }
                    last.exclusive = Some(index);
                }
            }
        }
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
        let taken = schedule(&lowest, &between(&self.hard), &between(&self.soft));
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
/// units form no ring.
fn schedule(lowest: &[usize], hard: &[BTreeSet<usize>], soft: &[BTreeSet<usize>]) -> Vec<usize> {
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

/// Strongly connected components, each ascending (Tarjan 1972, with an
/// explicit stack: a chain of 100,000 must not exhaust the thread's).
fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    #[derive(Clone, Copy)]
    struct Node {
        order: usize,
        low: usize,
        on_stack: bool,
    }
    let mut nodes = vec![
        Node {
            order: UNSEEN,
            low: 0,
            on_stack: false
        };
        edges.len()
    ];
    let mut stack = Vec::new();
    let mut result = Vec::new();
    let mut counter = 0;
    for root in 0..edges.len() {
        if nodes.get(root).is_none_or(|node| node.order != UNSEEN) {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let here = *node;
            let Some(state) = nodes.get_mut(here) else {
                break;
            };
            if *next == 0 {
                *state = Node {
                    order: counter,
                    low: counter,
                    on_stack: true,
                };
                counter += 1;
                stack.push(here);
            }
            let target = edges
                .get(here)
                .and_then(|targets| targets.get(*next))
                .copied();
            *next += 1;
            match target {
                Some(target) => match nodes.get(target).copied() {
                    Some(other) if other.order == UNSEEN => path.push((target, 0)),
                    Some(other) if other.on_stack => {
                        lower(&mut nodes, here, other.order, |node| &mut node.low)
                    }
                    _ => {}
                },
                None => {
                    path.pop();
                    let Some(state) = nodes.get(here).copied() else {
                        break;
                    };
                    if let Some((parent, _)) = path.last() {
                        lower(&mut nodes, *parent, state.low, |node| &mut node.low);
                    }
                    if state.low == state.order {
                        let mut component = Vec::new();
                        while let Some(member) = stack.pop() {
                            if let Some(node) = nodes.get_mut(member) {
                                node.on_stack = false;
                            }
                            component.push(member);
                            if member == here {
                                break;
                            }
                        }
                        component.sort_unstable();
                        result.push(component);
                    }
                }
            }
        }
    }
    result
}

fn lower<T>(nodes: &mut [T], index: usize, value: usize, low: impl Fn(&mut T) -> &mut usize) {
    if let Some(node) = nodes.get_mut(index) {
        let low = low(node);
        *low = (*low).min(value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(len: usize, hard: &[(usize, usize)], uses: &[(&'static str, usize, Use)]) -> String {
        let mut edges = Edges::new(len);
        for (from, to) in hard {
            edges.need(*from, *to);
        }
        edges.keep_order(uses.iter().copied());
        edges
            .order()
            .iter()
            .map(|unit| format!("{:?}", unit.operations))
            .collect()
    }

    #[test]
    fn operations_without_edges_keep_the_order_of_the_request() {
        insta::assert_snapshot!(order(3, &[], &[]), @"[0][1][2]");
    }

    #[test]
    fn a_prerequisite_goes_first_and_the_rest_keep_their_order() {
        insta::assert_snapshot!(order(4, &[(0, 2)], &[]), @"[1][2][0][3]");
        insta::assert_snapshot!(order(4, &[(0, 1), (1, 2), (2, 3)], &[]), @"[3][2][1][0]");
    }

    #[test]
    fn a_ring_is_one_unit_and_waits_for_what_it_names() {
        insta::assert_snapshot!(order(4, &[(0, 2), (2, 0), (2, 3)], &[]), @"[1][3][0, 2]");
        insta::assert_snapshot!(order(2, &[(0, 0)], &[]), @"[0][1]");
    }

    #[test]
    fn the_order_on_one_object_survives_a_wait() {
        use Use::{Exclusive, Shared};
        let uses = [("g", 0, Exclusive), ("g", 1, Exclusive)];
        insta::assert_snapshot!(order(3, &[(0, 2)], &uses), @"[2][0][1]");
        let uses = [
            ("u", 0, Shared),
            ("u", 1, Shared),
            ("u", 2, Exclusive),
            ("u", 3, Shared),
        ];
        insta::assert_snapshot!(order(5, &[(0, 4)], &uses), @"[1][4][0][2][3]");
    }

    fn connected(len: usize, hard: &[(usize, usize)], soft: &[(usize, usize)]) -> String {
        let mut edges = Edges::new(len);
        for (from, to) in hard {
            edges.need(*from, *to);
        }
        for (number, (earlier, later)) in soft.iter().enumerate() {
            edges.keep_order([*earlier, *later].map(|index| (number, index, Use::Exclusive)));
        }
        let units = edges.connected();
        units
            .iter()
            .map(|unit| format!("{:?}", unit.parts))
            .collect()
    }

    #[test]
    fn what_references_connect_is_one_unit_in_its_own_order() {
        insta::assert_snapshot!(connected(5, &[(0, 3), (2, 3)], &[]), @"[[3], [0], [2]][[1]][[4]]");
        insta::assert_snapshot!(connected(4, &[(0, 1), (1, 0), (3, 0)], &[]), @"[[0, 1], [3]][[2]]");
        // 1 after 0 and 3 after 2: the sets {0, 3} and {1, 2} cannot be told apart.
        insta::assert_snapshot!(connected(4, &[(3, 0), (2, 1)], &[(0, 1), (2, 3)]), @"[[0], [1], [2], [3]]");
        // 1 after 0 alone keeps them apart.
        insta::assert_snapshot!(connected(4, &[(3, 0), (2, 1)], &[(0, 1)]), @"[[0], [3]][[1], [2]]");
        insta::assert_snapshot!(connected(4, &[(0, 3), (2, 1)], &[(2, 3)]), @"[[1], [2]][[3], [0]]");
    }

    #[test]
    fn a_soft_edge_against_a_hard_one_yields() {
        let uses = [("x", 0, Use::Exclusive), ("x", 1, Use::Exclusive)];
        insta::assert_snapshot!(order(2, &[(0, 1)], &uses), @"[1][0]");
    }

    #[test]
    fn a_chain_and_a_clique_of_hostile_size_are_ordered() {
        let mut chain = Edges::new(100_000);
        for index in 0..99_999 {
            chain.need(index, index + 1);
        }
        assert_eq!(chain.order().first().unwrap().operations, [99_999]);
        let mut clique = Edges::new(1_000);
        for from in 0..1_000 {
            for to in 0..1_000 {
                clique.need(from, to);
            }
        }
        assert_eq!(clique.order().len(), 1);
    }

    proptest! {
        #[test]
        fn every_operation_once_and_every_hard_edge_respected(
            hard in proptest::collection::vec((0usize..12, 0usize..12), 0..30),
            uses in proptest::collection::vec((0u8..4, any::<bool>()), 12),
        ) {
            let mut edges = Edges::new(12);
            for (from, to) in &hard {
                edges.need(*from, *to);
            }
            let kind = |exclusive| if exclusive { Use::Exclusive } else { Use::Shared };
            edges.keep_order(
                uses.iter().enumerate().map(|(index, (object, exclusive))| (*object, index, kind(*exclusive))),
            );
            let units = edges.order();
            let mut position = [usize::MAX; 12];
            for (place, unit) in units.iter().enumerate() {
                for operation in &unit.operations {
                    prop_assert_eq!(position[*operation], usize::MAX);
                    position[*operation] = place;
                }
            }
            prop_assert!(position.iter().all(|place| *place != usize::MAX));
            for (from, to) in hard {
                prop_assert!(position[to] <= position[from]);
            }
        }
    }
}
