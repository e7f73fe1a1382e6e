//! The fuzz targets over their corpus, and over what a seeded mutation makes
//! of it: the same inputs in every run, in a few seconds each. The long run is
//! `scripts/fuzz.sh`; what it finds stays here as a file of the corpus.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use fuzz::TARGETS;

/// Inputs made from the corpus, for each target.
const MUTATIONS: usize = 4_000;
/// Beyond it a seed is cut, in bytes.
const MAX_INPUT: usize = 4_096;

#[test]
fn bulk_requests_keep_their_properties() {
    attack("bulk");
}

#[test]
fn cursors_keep_their_properties() {
    attack("cursor");
}

#[test]
fn events_keep_their_properties() {
    attack("event");
}

#[test]
fn filters_keep_their_properties() {
    attack("filter");
}

#[test]
fn patches_keep_their_properties() {
    attack("patch");
}

#[test]
fn patch_paths_keep_their_properties() {
    attack("path");
}

#[test]
fn resources_keep_their_properties() {
    attack("resource");
}

#[test]
fn searches_keep_their_properties() {
    attack("search");
}

#[test]
fn every_target_has_a_corpus_a_dictionary_and_a_program() {
    for (name, _) in TARGETS {
        assert!(corpus(name).len() >= 10, "the corpus of {name}");
        assert!(dictionary(name).len() >= 10, "the dictionary of {name}");
        let program = fs::read_to_string(root().join(format!("bin/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz::{name}::check")), "{name}");
    }
}

fn attack(name: &str) {
    let (_, check) = TARGETS
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let corpus = corpus(name);
    for (file, input) in &corpus {
        let result = catch_unwind(|| check(input));
        assert!(result.is_ok(), "{name}: {file}");
    }
    let seeds: Vec<&[u8]> = corpus.values().map(Vec::as_slice).collect();
    let dictionary = dictionary(name);
    let mut chance = Chance(name.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte)));
    for _ in 0..MUTATIONS {
        let input = mutated(&seeds, &dictionary, &mut chance);
        let result = catch_unwind(|| check(&input));
        assert!(result.is_ok(), "{name}: `{}`", input.escape_ascii());
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

/// By file name. Events are a corpus already.
fn corpus(name: &str) -> BTreeMap<String, Vec<u8>> {
    let mut directories = vec![root().join("corpus").join(name)];
    if name == "event" {
        directories.push(root().join("../../events"));
    }
    let entries = directories
        .iter()
        .flat_map(|path| fs::read_dir(path).unwrap());
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        (path.display().to_string(), fs::read(path).unwrap())
    });
    files.collect()
}

/// The words of a dictionary in libFuzzer's form: a quoted word on each line.
fn dictionary(name: &str) -> Vec<Vec<u8>> {
    let path = root().join(format!("dictionaries/{name}.txt"));
    let text = fs::read_to_string(path).unwrap();
    let words = text.lines().filter(|line| line.starts_with('"'));
    let word = |line: &str| serde_json::from_str::<String>(line).unwrap().into_bytes();
    words.map(word).collect()
}

/// SplitMix64: the same numbers in every run and on every machine.
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below a bound, which must not be 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let (one, other) = (self.below(length + 1), self.below(length + 1));
        one.min(other)..one.max(other)
    }
}

fn mutated(seeds: &[&[u8]], dictionary: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut input = chance.of(seeds).to_vec();
    input.truncate(MAX_INPUT);
    for _ in 0..=chance.below(4) {
        let at = chance.below(input.len() + 1);
        match chance.below(8) {
            0 if at < input.len() => input[at] ^= 1 << chance.below(8),
            1 if at < input.len() => {
                input.remove(at);
            }
            2 => input.insert(at, chance.of(b" \"\\()[]{},:.0-\x00\xff")),
            3 => {
                input.drain(chance.range(input.len()));
            }
            4 => {
                let copied = input[chance.range(input.len())].to_vec();
                let times = 1 + chance.below(3);
                input.splice(at..at, copied.repeat(times));
            }
            5 => {
                let other = chance.of(seeds);
                let piece = &other[chance.range(other.len().min(MAX_INPUT))];
                input.splice(at..at, piece.iter().copied());
            }
            _ => {
                let word = &dictionary[chance.below(dictionary.len())];
                let end = (at + chance.below(8)).min(input.len());
                input.splice(at..end, word.iter().copied());
            }
        }
        input.truncate(MAX_INPUT);
    }
    input
}
