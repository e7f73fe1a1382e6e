//! Waiting before another attempt.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

const BASE: Duration = Duration::from_millis(25);
const CAP: Duration = Duration::from_secs(1);

/// How long to wait after this many failed attempts: doubling from 25 ms up to
/// 1 s, of which between half and all is taken. `seed` tells transactions apart
/// and makes a run repeatable.
pub(super) fn pause(seed: &str, failed: u32) -> Duration {
    let doubled = BASE.saturating_mul(
        1_u32
            .checked_shl(failed.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    let whole = doubled.min(CAP);
    let hash = Sha256::new()
        .chain_update(seed.as_bytes())
        .chain_update(failed.to_be_bytes())
        .finalize();
    let share = f64::from(hash.first().copied().unwrap_or(u8::MAX)) / f64::from(u8::MAX);
    whole.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_differ_between_seeds() {
        for failed in 1..200 {
            let whole = Duration::from_millis(25 << (failed - 1).min(10)).min(CAP);
            let pause = pause("a", failed);
            assert!(pause >= whole / 2 && pause <= whole, "{failed}: {pause:?}");
        }
        assert_ne!(pause("a", 3), pause("b", 3));
    }
}
