//! `path` under libFuzzer.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::path::check(input));

#[cfg(not(fuzzing))]
fn main() {}
