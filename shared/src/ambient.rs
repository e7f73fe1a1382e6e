//! The clock and the source of randomness: the only file that reads either.
//!
//! Each request reads both once, as a [`Moment`], and everything further in is
//! a function of it: ids, salts, client tokens and jitter are derived from its
//! seed, and all instants of one request are the same. Whoever holds the same
//! moment and the same request therefore makes the same plan.
//!
//! ```ignore
//! let moment = Moment::begin(Duration::from_secs(27));
//! let salt = moment.bytes("salt", 3);
//! ```

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::scim::{ResourceId, Timestamp};

/// What a request knows of the world outside: one instant, one seed, one end.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The instant of the request, for `created` and `lastModified`.
    pub now: Timestamp,
    /// From which everything random of this request is derived.
    pub seed: [u8; 32],
    /// When the answer must be on its way.
    pub deadline: tokio::time::Instant,
}

impl Moment {
    /// Reads the clock and 32 random bytes. The deadline is `remaining` from
    /// now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where clock and randomness enter"
    )]
    #[expect(
        clippy::expect_used,
        reason = "without randomness ids would collide: no request may go on"
    )]
    pub fn begin(remaining: Duration) -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the operating system gives random bytes");
        Self {
            now: Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)),
            seed,
            deadline: tokio::time::Instant::now() + remaining,
        }
    }

    /// As [`Moment::begin`], for an answer that is due at an instant of the
    /// wall clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where clock and randomness enter"
    )]
    pub fn until(due: SystemTime) -> Self {
        Self::begin(due.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// The id of the resource that the operation at this position creates.
    pub fn id(&self, position: usize) -> ResourceId {
        let [half, _] = split(self.bytes("id", position as u64));
        ResourceId::from_random(half)
    }

    /// 32 bytes that nobody can guess without the seed, the same for the same
    /// purpose and number: SHA-256 over seed, number and purpose.
    pub fn bytes(&self, purpose: &str, n: u64) -> [u8; 32] {
        // Seed and number have fixed lengths, so no two inputs run together.
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(n.to_be_bytes());
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }
}

fn split(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    halves.as_flattened_mut().copy_from_slice(&bytes);
    halves
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_moment_gives_the_same_bytes_again() {
        let moment = Moment::begin(Duration::ZERO);
        assert_eq!(moment.bytes("id", 7), moment.clone().bytes("id", 7));
    }

    #[test]
    fn purpose_number_and_seed_all_tell_bytes_apart() {
        let (one, other) = (Moment::begin(Duration::ZERO), Moment::begin(Duration::ZERO));
        let mut seen = HashSet::new();
        for moment in [&one, &other] {
            for purpose in ["", "id", "salt"] {
                for n in [0, 1, u64::MAX] {
                    assert!(seen.insert(moment.bytes(purpose, n)), "{purpose} {n}");
                }
            }
        }
    }
}
