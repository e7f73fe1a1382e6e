//! What may be decided when every client waits, and who decides.
//!
//! A schedule is written as its choices, one word each:
//!
//! | word | meaning |
//! |---|---|
//! | `a` | the first waiting call of client a goes through |
//! | `b2` | the second waiting call of client b does |
//! | `a!conflict` | it goes through and meets this fault |
//! | `a!slow` | it goes through and takes a while, holding its keys |
//! | `a!torn` | the same, and readers see its items change one by one |
//! | `a!dies` | client a dies; what it has sent may still arrive |
//! | `a!gone` | a call of the dead client a never arrives |
//! | `-` | time passes until something happens |

use std::fmt;

use crate::weather::Fault;
use crate::weather::chance::Chance;

/// The operation that takes its time and holds its keys.
pub(super) const TRANSACTION: &str = "TransactWriteItems";

/// What befalls a call, or its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Passes,
    Slow,
    Torn,
    Struck(Fault),
    Dies,
    Gone,
}

/// One possible decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The client, which of its waiting calls, what befalls it.
    Call(usize, usize, Fate),
    Wait,
}

const FATES: [(&str, Fate); 13] = [
    ("", Fate::Passes),
    ("slow", Fate::Slow),
    ("torn", Fate::Torn),
    ("dies", Fate::Dies),
    ("gone", Fate::Gone),
    ("conflict", Fate::Struck(Fault::Conflict)),
    ("throttle", Fate::Struck(Fault::Throttle)),
    ("lost", Fate::Struck(Fault::Lost { applied: true })),
    ("missing", Fate::Struck(Fault::Lost { applied: false })),
    ("silent", Fate::Struck(Fault::Silent { applied: true })),
    ("unheard", Fate::Struck(Fault::Silent { applied: false })),
    ("500", Fate::Struck(Fault::Internal { applied: true })),
    (
        "500-missing",
        Fate::Struck(Fault::Internal { applied: false }),
    ),
];

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Call(client, nth, fate) = self else {
            return f.write_str("-");
        };
        let letter = u8::try_from(*client).map_or('?', |client| char::from(b'a' + client));
        write!(f, "{letter}")?;
        if *nth > 0 {
            write!(f, "{}", nth + 1)?;
        }
        let named = FATES.iter().find(|(_, known)| known == fate);
        match named {
            Some((name, _)) if !name.is_empty() => write!(f, "!{name}"),
            _ => Ok(()),
        }
    }
}

/// The faults that befall a call of this operation. `few` leaves out those that
/// differ from another one only in how the client learns of it.
pub(super) fn faults(operation: &str, few: bool) -> Vec<Fate> {
    let writes = operation == TRANSACTION;
    let always: &[&str] = match (writes, few) {
        (true, true) => &["conflict", "lost", "unheard"],
        (true, false) => &[
            "conflict",
            "throttle",
            "lost",
            "missing",
            "silent",
            "unheard",
            "500",
            "500-missing",
        ],
        (false, true) => &["missing"],
        (false, false) => &["throttle", "missing", "unheard", "500"],
    };
    FATES
        .iter()
        .filter(|(name, _)| always.contains(name))
        .map(|(_, fate)| *fate)
        .collect()
}

/// Who decides.
pub trait Chooser {
    /// How many misfortunes there may be.
    fn faults(&self) -> usize;
    /// Whether only the few faults are offered that differ in kind.
    fn few(&self) -> bool {
        false
    }
    /// The place of the choice; `shown` are the words of all.
    fn choose(&mut self, shown: &[String], faulty: &[bool]) -> usize;
}

/// Of a thousand transactions so many are torn where they may be.
const TORN: u32 = 600;

/// Decides by a seed.
#[derive(Debug, Clone)]
pub struct Random {
    chance: Chance,
    faults: usize,
    /// Of a thousand decisions so many are misfortunes while there may be any.
    rate: u32,
    /// Of a thousand decisions so many go on with the client of the last one.
    loyalty: u32,
    /// Of a thousand transactions so many take a while.
    slow: u32,
    last: String,
}

impl Random {
    /// The seed also decides how many faults there may be, how fast they come,
    /// and whether clients take turns or run on.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 0x5EED);
        let budgets = [0, 1, 1, 2, 2, 3, 4, 12];
        let budget = usize::try_from(chance.below(8)).unwrap_or(0);
        let faults = budgets.get(budget).copied().unwrap_or(0);
        let rate = if faults > 4 { 350 } else { 200 };
        let loyalties = [0, 300, 800];
        let loyalty = usize::try_from(chance.below(3)).unwrap_or(0);
        Self {
            slow: if chance.hits(500) { 400 } else { 0 },
            chance,
            faults,
            rate,
            loyalty: loyalties.get(loyalty).copied().unwrap_or(0),
            last: String::new(),
        }
    }
}

impl Chooser for Random {
    fn faults(&self) -> usize {
        self.faults
    }

    fn choose(&mut self, shown: &[String], faulty: &[bool]) -> usize {
        let slow = |index: &usize| {
            shown
                .get(*index)
                .is_some_and(|word| word.ends_with("!slow") || word.ends_with("!torn"))
        };
        let struck = self.chance.hits(self.rate) && faulty.contains(&true);
        let mut open: Vec<usize> = (0..shown.len())
            .filter(|index| faulty.get(*index) == Some(&struck) && !slow(index))
            .collect();
        if self.chance.hits(self.loyalty) {
            let same = |index: &usize| {
                shown
                    .get(*index)
                    .is_some_and(|word| word.starts_with(&self.last))
            };
            let loyal: Vec<usize> = open.iter().copied().filter(same).collect();
            if !loyal.is_empty() {
                open = loyal;
            }
        }
        // Time passes seldom of its own accord.
        if open.len() > 1 && !self.chance.hits(400) {
            open.retain(|index| shown.get(*index).is_none_or(|word| word != "-"));
        }
        let drawn = usize::try_from(self.chance.below(open.len() as u64)).unwrap_or(0);
        let mut index = open.get(drawn).copied().unwrap_or(0);
        if !struck {
            let slower = |how: &str| {
                let word = format!("{}!{how}", shown.get(index)?);
                shown.iter().position(|shown| *shown == word)
            };
            index = match (slower("torn"), slower("slow")) {
                (Some(torn), _) if self.chance.hits(TORN) => torn,
                (_, Some(slow)) if self.chance.hits(self.slow) => slow,
                _ => index,
            };
        }
        if let Some(word) = shown.get(index) {
            self.last = word.chars().take(1).collect();
        }
        index
    }
}

/// Decides as it is written; behind the last word, and where a word does not
/// fit, the first waiting call goes through.
#[derive(Debug, Clone)]
pub struct Replay {
    words: std::vec::IntoIter<String>,
}

impl Replay {
    /// From the words of a schedule with blanks between them.
    pub fn new(words: &str) -> Self {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Self {
            words: words.into_iter(),
        }
    }
}

impl Chooser for Replay {
    fn faults(&self) -> usize {
        usize::MAX
    }

    fn choose(&mut self, shown: &[String], _: &[bool]) -> usize {
        let word = self.words.next();
        let place = shown.iter().position(|shown| Some(shown) == word.as_ref());
        place.unwrap_or(0)
    }
}

/// Lets one client come into the middle of another's commit: after so many calls
/// of the reader the writer runs up to its transaction, which is torn; the reader
/// then runs to its end.
#[derive(Debug, Clone)]
pub struct Intruder {
    writer: char,
    reader: char,
    before: usize,
    torn: bool,
}

impl Intruder {
    /// Clients by their number.
    pub fn new(writer: usize, reader: usize, before: usize) -> Self {
        let letter = |client: usize| u8::try_from(client).map_or('?', |n| char::from(b'a' + n));
        Self {
            writer: letter(writer),
            reader: letter(reader),
            before,
            torn: false,
        }
    }
}

impl Chooser for Intruder {
    fn faults(&self) -> usize {
        0
    }

    fn choose(&mut self, shown: &[String], _: &[bool]) -> usize {
        let of = |client: char| shown.iter().position(|word| word.starts_with(client));
        let torn = format!("{}!torn", self.writer);
        let torn = shown.iter().position(|word| *word == torn);
        let read = of(self.reader);
        if self.before > 0 && read.is_some() {
            self.before -= 1;
            return read.unwrap_or(0);
        }
        if !self.torn
            && let Some(torn) = torn
        {
            self.torn = true;
            return torn;
        }
        let (first, second) = if self.torn {
            (read, of(self.writer))
        } else {
            (of(self.writer), read)
        };
        first.or(second).unwrap_or(0)
    }
}

/// Every schedule of a scenario with at most so many faults, one after another:
/// the choices of the one before are repeated up to the last that can still be
/// changed, which is. What follows is decided anew, the first choice first.
#[derive(Debug, Clone, Default)]
pub struct Enumerated {
    faults: usize,
    /// The place taken, and how many there were.
    path: Vec<(usize, usize)>,
    at: usize,
}

impl Enumerated {
    /// Begins with the schedule in which every client runs to its end, one
    /// after the other.
    pub fn new(faults: usize) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// Goes on to the next schedule; false when there is none.
    pub fn advance(&mut self) -> bool {
        self.path.truncate(self.at);
        self.at = 0;
        while let Some((place, count)) = self.path.pop() {
            if place + 1 < count {
                self.path.push((place + 1, count));
                return true;
            }
        }
        false
    }
}

impl Chooser for Enumerated {
    fn faults(&self) -> usize {
        self.faults
    }

    fn few(&self) -> bool {
        true
    }

    fn choose(&mut self, shown: &[String], _: &[bool]) -> usize {
        let place = match self.path.get(self.at) {
            Some((place, count)) => {
                assert_eq!(
                    *count,
                    shown.len(),
                    "a schedule is repeated step by step: {shown:?}"
                );
                *place
            }
            None => {
                self.path.push((0, shown.len()));
                0
            }
        };
        self.at += 1;
        place
    }
}
