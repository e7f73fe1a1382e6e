use proptest::prelude::*;

use super::*;
use crate::table::key::{self, Tenant};

const HOUR: i64 = 60 * 60 * 1000;

fn id(byte: u8) -> ResourceId {
    ResourceId::from_bytes([byte; 16])
}

fn began(number: u64) -> Membership {
    Membership::begin(None, id(1), "User", number, Timestamp(0))
}

fn sees(membership: &Membership, rev: u64) -> bool {
    membership.visible(rev, &BTreeSet::new())
}

#[test]
fn a_membership_is_visible_from_its_first_change_to_before_its_last() {
    let ended = began(4).end(9, Timestamp(0));
    let seen: Vec<u64> = (0..12).filter(|rev| sees(&ended, *rev)).collect();
    assert_eq!(seen, [4, 5, 6, 7, 8]);
}

#[test]
fn an_unfinished_change_shows_neither_its_beginning_nor_its_end() {
    let open = BTreeSet::from([4]);
    assert!(!began(4).visible(7, &open));
    assert!(began(3).end(4, Timestamp(0)).visible(7, &open));
}

#[test]
fn adding_again_keeps_what_an_earlier_reader_sees() {
    let ended = began(4).end(6, Timestamp(1));
    let again = Membership::begin(Some(&ended), id(1), "User", 9, Timestamp(1000));
    let seen: Vec<u64> = (0..12).filter(|rev| sees(&again, *rev)).collect();
    assert_eq!(seen, [4, 5, 9, 10, 11]);
    assert_eq!(again.expires, None);
}

#[test]
fn what_no_reader_needs_any_more_is_dropped_when_added_again() {
    let ended = began(4).end(6, Timestamp(0));
    assert!(ended.expires.unwrap() >= Timestamp(HOUR));
    let later = Timestamp(5 * HOUR);
    let again = Membership::begin(Some(&ended), id(1), "User", 9, later);
    assert_eq!(again.past, []);
}

#[test]
fn adding_a_member_and_removing_a_former_one_change_nothing() {
    let present = began(4);
    let now = Timestamp(HOUR);
    assert_eq!(
        Membership::begin(Some(&present), id(1), "User", 7, now),
        present
    );
    let former = present.end(8, now);
    assert_eq!(former.end(9, Timestamp(2 * HOUR)), former);
}

#[test]
fn the_past_does_not_grow_without_bound() {
    let mut membership = began(1);
    for round in 1..3000 {
        membership = membership.end(2 * round, Timestamp(0));
        membership = Membership::begin(
            Some(&membership),
            id(1),
            "User",
            2 * round + 1,
            Timestamp(0),
        );
    }
    assert_eq!(membership.past.len(), MAX_PAST);
    assert!(sees(&membership, 5997), "the latest are the ones kept");
}

proptest! {
    #[test]
    fn a_membership_survives_its_item(
        steps in prop::collection::vec((any::<bool>(), 0_i64..10 * HOUR), 0..12)
    ) {
        let mut membership = began(1);
        let mut now = Timestamp(1_700_000_000_123);
        for (number, (begin, pause)) in (2..).zip(steps) {
            now = Timestamp(now.0 + pause);
            membership = if begin {
                Membership::begin(Some(&membership), id(1), "User", number, now)
            } else {
                membership.end(number, now)
            };
            let key = key::membership(&Tenant::parse("acme").unwrap(), id(2), id(1));
            prop_assert_eq!(Membership::from_item(&membership.to_item(&key)), Ok(membership.clone()));
        }
    }
}
