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
