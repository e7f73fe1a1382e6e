//! Several requests at once under a deterministic scheduler: whatever the order
//! of their calls and whatever befalls them, the answers and the table are those
//! of one request after another.
//!
//! `SCHEDULES=100000 SCHEDULE_SEED=0 cargo test --test it by_seed -- --nocapture`
//! is a long run. A violation prints the line that repeats it:
//! `SCHEDULE="two-adds 7 a b a!lost" cargo test --test it schedules`.

mod random;
mod scenarios;

use std::collections::BTreeMap;
use std::time::Instant;

use harness::schedule::{Enumerated, Random, Replay, World};

use scenarios::{ALL, SMALL, scenario};

/// Of so many schedules in a row the scenario is the same.
const RUNS: u64 = 10;

/// A schedule that was given by hand. Nothing else is then tried.
fn given() -> Option<String> {
    std::env::var("SCHEDULE").ok()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn a_schedule_that_is_given_is_repeated() {
    let Some(line) = given() else { return };
    let mut parts = line.splitn(3, ' ');
    let name = parts.next().unwrap_or_default();
    let seed = parts.next().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut world = World::new(&scenario(name));
    let mut chooser = Replay::new(parts.next().unwrap_or_default());
    let outcome = world.run(seed, &mut chooser);
    println!("{}\n{}", outcome.trace(), outcome.words);
    if let Err(report) = world.check(seed, &mut Replay::new(&outcome.words)) {
        panic!("{report}");
    }
}

/// The same choices give the same run, line by line.
#[test]
fn a_schedule_replays_to_the_same_trace() {
    for name in ALL {
        let mut world = World::new(&scenario(name));
        let mut elsewhere = World::new(&scenario(name));
        for seed in 0..2 {
            let first = world.run(seed, &mut Random::new(seed));
            let replayed = world.run(seed, &mut Replay::new(&first.words));
            let elsewhere = elsewhere.run(seed, &mut Replay::new(&first.words));
            for other in [&replayed, &elsewhere] {
                assert_eq!(first.trace(), other.trace(), "{name} {seed}");
            }
        }
    }
}

/// Every schedule of two small requests, first without any fault, then with one.
#[test]
fn every_schedule_of_small_requests_is_explained() {
    if given().is_some() {
        return;
    }
    let most = number("SCHEDULES").unwrap_or(15);
    let began = Instant::now();
    let mut all = 0;
    for name in SMALL {
        let mut world = World::new(&scenario(name));
        for faults in 0..2 {
            let mut chooser = Enumerated::new(faults);
            let mut count = 0;
            let complete = loop {
                if let Err(report) = world.check(1, &mut chooser) {
                    panic!("{report}");
                }
                count += 1;
                if !chooser.advance() {
                    break true;
                }
                if count >= most {
                    break false;
                }
            };
            all += count;
            println!("{name}, faults: {faults}: {count} schedules, complete: {complete}");
        }
    }
    println!("{all} schedules in {:?}", began.elapsed());
}

/// Invariant 3, where a delete reads what is just being committed: the set of
/// groups as it is after, the group and the membership as they were before.
#[test]
fn a_delete_in_the_middle_of_a_commit_leaves_no_membership() {
    if given().is_some() {
        return;
    }
    // The seed decides which half of the commit is seen: with these, that one.
    let cases = [
        (
            "torn-add-delete",
            "a a a a!slow c c c b b b b b",
            [13, 38, 41],
        ),
        (
            "torn-create-delete",
            "a a!slow c c c b b b b b",
            [15, 24, 56],
        ),
    ];
    for (name, words, seeds) in cases {
        let mut world = World::new(&scenario(name));
        for seed in seeds {
            if let Err(report) = world.check(seed, &mut Replay::new(words)) {
                panic!("{report}");
            }
        }
    }
}

/// Two to four requests, by seed.
#[test]
fn schedules_by_seed_are_explained() {
    if given().is_some() {
        return;
    }
    let count = number("SCHEDULES").unwrap_or(300);
    let first = number("SCHEDULE_SEED").unwrap_or(0);
    let began = Instant::now();
    let mut faults: BTreeMap<usize, u64> = BTreeMap::new();
    let mut world: Option<(String, World)> = None;
    for seed in first..first + count {
        let name = name_of(seed / RUNS);
        if world.as_ref().is_none_or(|(known, _)| *known != name) {
            world = Some((name.clone(), World::new(&scenario(&name))));
        }
        let (_, world) = world.as_mut().unwrap();
        match world.check(seed, &mut Random::new(seed)) {
            Ok(outcome) => *faults.entry(outcome.faults).or_default() += 1,
            Err(report) => panic!("{report}"),
        }
        if (seed - first) % 5_000 == 4_999 {
            println!("{} schedules in {:?}", seed - first + 1, began.elapsed());
        }
    }
    println!(
        "{count} schedules in {:?}, by faults: {faults:?}",
        began.elapsed()
    );
}

/// Every other scenario is one by chance.
fn name_of(turn: u64) -> String {
    let place = usize::try_from(turn / 2 % ALL.len() as u64).unwrap_or(0);
    if turn.is_multiple_of(2) {
        ALL[place].to_owned()
    } else {
        format!("random-{}", turn / 2)
    }
}
