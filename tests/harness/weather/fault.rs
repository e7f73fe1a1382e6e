//! What may befall a call, by chance or by script.

use super::chance::Chance;

/// One misfortune. `applied` says whether the database did the work before
/// things went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A write meets a transaction of someone else. Reads never do.
    Conflict,
    /// The partition has no throughput left.
    Throttle,
    /// The connection breaks.
    Lost {
        /// Whether the work was done.
        applied: bool,
    },
    /// No answer ever comes; the caller's timeout has to end it.
    Silent {
        /// Whether the work was done.
        applied: bool,
    },
    /// HTTP 500. DynamoDB says of it that a write may or may not have happened.
    Internal {
        /// Whether the work was done.
        applied: bool,
    },
    /// DynamoDB will not have what was sent, whoever sends it.
    Invalid,
    /// The caller dies: this call and all later ones of the same
    /// [`Weather`](super::Weather) handle are never answered, the later ones
    /// never even sent.
    Kill {
        /// Whether the work was done.
        applied: bool,
    },
}

/// How often each fault befalls a call, in calls of a thousand. All zero at
/// first. At most one fault befalls a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of [`Fault::Conflict`].
    pub conflict: u32,
    /// Of [`Fault::Throttle`].
    pub throttle: u32,
    /// Of [`Fault::Lost`] before the work.
    pub lost_before: u32,
    /// Of [`Fault::Lost`] after the work.
    pub lost_after: u32,
    /// Of [`Fault::Internal`], half of them after the work.
    pub internal: u32,
    /// Of one key of a BatchGetItem coming back unprocessed.
    pub unprocessed: u32,
}

impl Rates {
    pub(super) fn draw(&self, chance: &mut Chance) -> Option<Fault> {
        let applied = chance.hits(500);
        let cases = [
            (self.conflict, Fault::Conflict),
            (self.throttle, Fault::Throttle),
            (self.lost_before, Fault::Lost { applied: false }),
            (self.lost_after, Fault::Lost { applied: true }),
            (self.internal, Fault::Internal { applied }),
        ];
        cases
            .into_iter()
            .find_map(|(rate, fault)| chance.hits(rate).then_some(fault))
    }
}
