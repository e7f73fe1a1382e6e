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

/// The same by trying: who may go is asked of every pair, again and again.
fn tried(
    len: usize,
    hard: &[(usize, usize)],
    uses: &[(u8, usize, Use)],
    steps: &[Vec<usize>],
) -> Vec<Vec<usize>> {
    let mut left: Vec<Vec<usize>> = steps.to_vec();
    left.sort();
    let contend = |one: usize, other: usize| {
        let of = |index: usize| uses.iter().filter(move |(_, used, _)| *used == index);
        of(one).any(|(object, _, kind)| {
            of(other).any(|(same, _, other)| {
                object == same && (*kind == Use::Exclusive || *other == Use::Exclusive)
            })
        })
    };
    let mut order = Vec::new();
    while !left.is_empty() {
        let to_come = |index: usize, step: &Vec<usize>| {
            !step.contains(&index) && left.iter().any(|other| other.contains(&index))
        };
        let needs = |step: &Vec<usize>| {
            let of_step = hard.iter().filter(|(from, _)| step.contains(from));
            of_step.clone().all(|(_, to)| !to_come(*to, step))
        };
        let follows = |step: &Vec<usize>| {
            let earlier = |index: usize| (0..index).filter(|other| to_come(*other, step));
            step.iter()
                .all(|index| earlier(*index).all(|other| !contend(other, *index)))
        };
        let free = left.iter().position(|step| needs(step) && follows(step));
        let next = free.or_else(|| left.iter().position(needs)).unwrap();
        order.push(left.remove(next));
    }
    assert_eq!(order.iter().map(Vec::len).sum::<usize>(), len);
    order
}

proptest! {
    #[test]
    fn the_order_is_that_of_trying(
        hard in proptest::collection::vec((0usize..8, 0usize..8), 0..8),
        uses in proptest::collection::vec((0u8..3, 0usize..8, any::<bool>()), 0..16),
    ) {
        let mut edges = Edges::new(8);
        for (from, to) in &hard {
            edges.need(*from, *to);
        }
        let mut uses: Vec<(u8, usize, Use)> = uses
            .into_iter()
            .map(|(object, index, exclusive)| {
                (object, index, if exclusive { Use::Exclusive } else { Use::Shared })
            })
            .collect();
        uses.sort_by_key(|(_, index, _)| *index);
        edges.keep_order(uses.iter().copied());
        let found: Vec<Vec<usize>> = edges.order().into_iter().map(|unit| unit.operations).collect();
        let steps: Vec<Vec<usize>> = found.clone();
        prop_assert_eq!(&found, &tried(8, &hard, &uses, &steps));
    }
}
