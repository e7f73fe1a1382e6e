//! What is kept of a request with an `Idempotency-Key`: its record, and the
//! lanes that its transactions write to.
//!
//! The record says how the request is to be carried out, so that a repetition
//! makes the same ids at the same instant, and at the end what was answered. A
//! lane lists the rows that the transactions sent through it have committed;
//! each adds its own in the same transaction, on condition that the lane
//! belongs to its attempt. Whoever takes a request over makes the lanes its own
//! one after another and so learns what is done, and from then on nothing of
//! an earlier attempt can be committed any more. This file must not know who
//! may do that, or when.
//!
//! ```text
//! record  attempt 2  lease 17…  seed <…>  fingerprint <…>  types {User}
//! lane    attempt 2  rows {"0 201 1", "3 204"}
//! ```

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::key::Key;
use super::name;
use super::value::{Item, MalformedItem, malformed, number, read_number, read_text, seconds};
use crate::scim::{Timestamp, Version};

/// The most bytes of an answer that one item takes: DynamoDB's 400 KB less what
/// else a record holds.
pub const PIECE: usize = 350_000;

/// A request with an `Idempotency-Key`, as it was last begun.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Of everything that the request asks for; of a request that may contain a
    /// secret, as costly to guess it from as from the hash of a password.
    pub fingerprint: [u8; 32],
    /// Of everything random.
    pub seed: [u8; 32],
    /// Tells the lanes and pieces of this record from those of an earlier one
    /// with the same key.
    pub generation: String,
    /// How many lanes there are.
    pub lanes: u8,
    /// How often it was begun, from 1.
    pub attempt: u64,
    /// Which run made that attempt.
    pub run: [u8; 16],
    /// Until when that run is waited for.
    pub lease: Timestamp,
    /// The names of the resource types that it writes to: whoever is told what
    /// became of it must be allowed to.
    pub types: BTreeSet<String>,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// An answer, or the beginning of one.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The first piece.
    pub text: String,
    /// How many pieces there are, this one included.
    pub pieces: usize,
}

/// A row that is committed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Position in the request.
    pub index: usize,
    /// Its status.
    pub status: u16,
    /// The version that it has left; none after a delete.
    pub version: Option<Version>,
}

impl Record {
    /// As it is kept under `key`.
    pub fn to_item(&self, key: &Key) -> Item {
        let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
        let mut item = key.to_item();
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        set(name::FINGERPRINT, bytes(&self.fingerprint));
        set(name::SEED, bytes(&self.seed));
        set(name::GENERATION, AttributeValue::S(self.generation.clone()));
        set(name::LANES, number(self.lanes));
        set(name::ATTEMPT, number(self.attempt));
        set(name::RUN, bytes(&self.run));
        set(name::LEASE, number(self.lease.0));
        set(name::EXPIRES, number(seconds(self.expires)));
        if !self.types.is_empty() {
            let types = self.types.iter().cloned().collect();
            set(name::TYPES, AttributeValue::Ss(types));
        }
        if let Some(answer) = &self.answer {
            set(name::ANSWER, AttributeValue::S(answer.text.clone()));
            set(name::PIECES, number(answer.pieces));
        }
        item
    }

    /// From what is kept.
    ///
    /// # Errors
    ///
    /// An attribute that is missing or of another type.
    pub fn from_item(item: &Item) -> Result<Self, MalformedItem> {
        let answer = match item.get(name::ANSWER) {
            None => None,
            Some(_) => Some(Answer {
                text: read_text(item, name::ANSWER)?.to_owned(),
                pieces: read_number(item, name::PIECES)?,
            }),
        };
        let expires: i64 = read_number(item, name::EXPIRES)?;
        Ok(Self {
            fingerprint: read_bytes(item, name::FINGERPRINT)?,
            seed: read_bytes(item, name::SEED)?,
            generation: read_text(item, name::GENERATION)?.to_owned(),
            lanes: read_number(item, name::LANES)?,
            attempt: read_number(item, name::ATTEMPT)?,
            run: read_bytes(item, name::RUN)?,
            lease: Timestamp(read_number(item, name::LEASE)?),
            types: read_texts(item, name::TYPES)?.into_iter().collect(),
            expires: Timestamp(expires.saturating_mul(1000)),
            answer,
        })
    }
}

/// What a person has sent or was told is in there.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("attempt", &self.attempt)
            .field("answered", &self.answer.is_some())
            .finish_non_exhaustive()
    }
}

impl Row {
    /// As it stands in a lane.
    pub fn to_text(self) -> String {
        match self.version {
            Some(Version(version)) => format!("{} {} {version}", self.index, self.status),
            None => format!("{} {}", self.index, self.status),
        }
    }

    /// From what stands in a lane.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (index, status) = (parts.next()?, parts.next()?);
        let version = match parts.next() {
            Some(version) => Some(Version(version.parse().ok()?)),
            None => None,
        };
        Some(Self {
            index: index.parse().ok()?,
            status: status.parse().ok()?,
            version,
        })
    }
}

/// The rows of a lane.
///
/// # Errors
///
/// An attribute of another type, or a row that is none.
pub fn rows_of(lane: &Item) -> Result<Vec<Row>, MalformedItem> {
    let texts = read_texts(lane, name::ROWS)?;
    let rows = texts.iter().map(|text| Row::from_text(text));
    rows.collect::<Option<_>>().ok_or(malformed(name::ROWS))
}

fn read_bytes<const N: usize>(
    item: &Item,
    attribute: &'static str,
) -> Result<[u8; N], MalformedItem> {
    match item.get(attribute) {
        Some(AttributeValue::B(blob)) => blob.as_ref().try_into(),
        _ => return Err(malformed(attribute)),
    }
    .map_err(|_| malformed(attribute))
}

/// The texts of a set; none when it is absent.
fn read_texts(item: &Item, attribute: &'static str) -> Result<Vec<String>, MalformedItem> {
    match item.get(attribute) {
        None => Ok(Vec::new()),
        Some(AttributeValue::Ss(texts)) => Ok(texts.clone()),
        Some(_) => Err(malformed(attribute)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::key::{self, RequestKey, Tenant};

    fn record(answer: Option<Answer>) -> Record {
        Record {
            fingerprint: [1; 32],
            seed: [2; 32],
            generation: "00ff".to_owned(),
            lanes: 32,
            attempt: 3,
            run: [4; 16],
            lease: Timestamp(1_700_000_030_123),
            types: ["Group".to_owned(), "User".to_owned()].into(),
            expires: Timestamp(1_700_086_400_000),
            answer,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_kept() {
        let key = key::record(
            &Tenant::parse("t").unwrap(),
            &RequestKey::new("i", "c", "k"),
        );
        let answer = Answer {
            text: "{}".to_owned(),
            pieces: 2,
        };
        for record in [record(None), record(Some(answer))] {
            assert_eq!(Record::from_item(&record.to_item(&key)).unwrap(), record);
        }
    }

    #[test]
    fn an_item_that_lacks_something_is_no_record() {
        let key = key::record(
            &Tenant::parse("t").unwrap(),
            &RequestKey::new("i", "c", "k"),
        );
        let item = record(None).to_item(&key);
        for attribute in item.keys() {
            let needed = !["pk", "sk", name::TYPES].contains(&attribute.as_str());
            let mut item = item.clone();
            item.remove(attribute);
            assert_eq!(Record::from_item(&item).is_err(), needed, "{attribute}");
        }
    }

    proptest! {
        #[test]
        fn a_row_comes_back_as_it_was_written(
            index in any::<usize>(), status in 200_u16..600, version in any::<Option<u64>>(),
        ) {
            let row = Row { index, status, version: version.map(Version) };
            prop_assert_eq!(Row::from_text(&row.to_text()), Some(row));
        }
    }
}
