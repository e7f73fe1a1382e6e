//! A cursor (RFC 9865), sealed and opened.
//!
//! The first 27 bytes of an input are a position, a page size and an instant,
//! one more each tells what is changed and to what, and the rest is the text
//! of a cursor that nobody gave. Opened is only what was given, for the same
//! request, in time.

use shared::provider::{CURSOR_TIMEOUT, Position, Seal};
use shared::scim::{ResourceId, Timestamp};

use crate::refused;

const SECRET: [u8; 32] = [3; 32];
const BOUND: [&str; 3] = ["acme", "client", "User"];

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((head, forged)) = input.split_first_chunk::<29>() else {
        return;
    };
    let [place, id @ .., at, letter] = *head;
    let (id, rest) = id.split_first_chunk::<16>().expect("there are 26 bytes");
    let position = Position {
        place,
        id: ResourceId::from_bytes(*id),
    };
    let count = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
    let seconds = rest[2..]
        .iter()
        .fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    // Some ten million years around the epoch.
    let now = Timestamp((seconds % (1 << 48)) * 1_000);

    let seal = |bound: &[&str], count, now| {
        Seal::new(&SECRET, bound, count, now).expect("the secret is long enough")
    };
    let own = seal(&BOUND, count, now);
    let text = own.close(position);
    assert_eq!(own.open(&text), Ok(position));

    let mut changed = text.clone().into_bytes();
    let length = changed.len();
    changed[usize::from(at) % length] = letter;
    for other in [
        String::from_utf8(changed).ok(),
        String::from_utf8(forged.to_vec()).ok(),
    ] {
        if let Some(other) = other.filter(|other| *other != text) {
            let error = own.open(&other).expect_err("nobody gave it");
            refused(&error, &["invalidCursor"]);
        }
    }
    let cut = own.open(&text[..usize::from(at) % length]);
    refused(&cut.expect_err("it is shorter"), &["invalidCursor"]);

    let strangers: [&[&str]; 5] = [
        &["other", "client", "User"],
        &["acme", "clientUser"],
        &["acme", "client", "User", ""],
        &["acmeclient", "", "User"],
        &[],
    ];
    for bound in strangers {
        let opened = seal(bound, count, now).open(&text);
        refused(
            &opened.expect_err("it is another request"),
            &["invalidCursor"],
        );
    }
    let other = seal(&BOUND, count + 1, now).open(&text);
    refused(&other.expect_err("the page is larger"), &["invalidCount"]);
    let life = i64::try_from(CURSOR_TIMEOUT.as_millis()).expect("an hour is short");
    let later = |by: i64| seal(&BOUND, count, Timestamp(now.0 + by));
    assert_eq!(later(life).open(&text), Ok(position));
    let late = later(life + 1_000).open(&text);
    refused(&late.expect_err("it is too old"), &["expiredCursor"]);
}
