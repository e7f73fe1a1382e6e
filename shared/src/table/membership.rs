//! The item that joins a group and a member, and when it is visible.
//!
//! A membership holds from one change of its group to another. A reader reads
//! the group's header first and keeps its revision and its unfinished changes
//! for every page, so a change shows at once or not at all. This file must not
//! know what a change is made of, nor the client.
//!
//! ```text
//! since 4            visible from revision 4
//! since 4, until 9   visible from revision 4 to 8
//! since 4, open {4}  not yet visible at any revision
//! ```

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::key::Key;
use super::name;
use super::value::Item;
use super::value::{
    MalformedItem, malformed, number, parse_number, read_id, read_number, read_optional_number,
    read_text, seconds,
};
use crate::scim::{ResourceId, Timestamp};

/// How long an ended membership stays readable, in milliseconds. No reader
/// keeps a revision of a group for longer.
const RETENTION: i64 = 2 * 60 * 60 * 1000;

/// The most ended intervals kept of one membership. Somebody would have to be
/// added and removed this often within [`RETENTION`] for the oldest to be lost.
const MAX_PAST: usize = 1_000;

/// A span of change numbers during which a membership held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The change that began it.
    pub since: u64,
    /// The change that ended it.
    pub until: Option<u64>,
}

/// The item that joins a group and a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The member's id.
    pub member: ResourceId,
    /// The member's resource type name, such as `User`.
    pub member_type: String,
    /// The present or last interval.
    pub current: Interval,
    /// Earlier intervals that a reader may still need, with the instant after
    /// which none does.
    pub past: Vec<(Interval, Timestamp)>,
    /// Once ended: the instant after which no reader needs the item.
    pub expires: Option<Timestamp>,
}

impl Interval {
    fn visible(self, rev: u64, open: &BTreeSet<u64>) -> bool {
        let begun = self.since <= rev && !open.contains(&self.since);
        let ended = self
            .until
            .is_some_and(|until| until <= rev && !open.contains(&until));
        begun && !ended
    }
}

impl Membership {
    /// The membership after `member` was added by this change. Adding a present
    /// member changes nothing; the interval of a former one is kept for as long
    /// as a reader may need it.
    pub fn begin(
        before: Option<&Membership>,
        member: ResourceId,
        member_type: &str,
        number: u64,
        now: Timestamp,
    ) -> Self {
        let mut past = Vec::new();
        if let Some(before) = before {
            if before.current.until.is_none() {
                return before.clone();
            }
            past.clone_from(&before.past);
            past.push((
                before.current,
                before.expires.unwrap_or_else(|| retained(now)),
            ));
            past.retain(|(_, expires)| *expires > now);
            past.drain(..past.len().saturating_sub(MAX_PAST));
        }
        Self {
            member,
            member_type: member_type.to_owned(),
            current: Interval {
                since: number,
                until: None,
            },
            past,
            expires: None,
        }
    }

    /// The membership after its member was removed by this change. Removing a
    /// former member changes nothing.
    #[must_use]
    pub fn end(&self, number: u64, now: Timestamp) -> Self {
        let mut after = self.clone();
        if after.current.until.is_none() {
            after.current.until = Some(number);
            after.expires = Some(retained(now));
            after.past.retain(|(_, expires)| *expires > now);
        }
        after
    }

    /// Whether it holds for a reader at this revision of the group with these
    /// large changes unfinished.
    pub fn visible(&self, rev: u64, open: &BTreeSet<u64>) -> bool {
        self.current.visible(rev, open)
            || self
                .past
                .iter()
                .any(|(interval, _)| interval.visible(rev, open))
    }

    /// The whole item under this key.
    pub fn to_item(&self, key: &Key) -> Item {
        let mut item = key.to_item();
        item.insert(
            name::TYPE.into(),
            AttributeValue::S(self.member_type.clone()),
        );
        item.insert(name::SINCE.into(), number(self.current.since));
        if let Some(until) = self.current.until {
            item.insert(name::UNTIL.into(), number(until));
        }
        if let Some(expires) = self.expires {
            item.insert(name::EXPIRES.into(), number(seconds(expires)));
        }
        if let Some(past) = past(&self.past) {
            item.insert(name::PAST.into(), past);
        }
        item
    }

    /// Reads an item that [`Membership::to_item`] wrote.
    pub fn from_item(item: &Item) -> Result<Self, MalformedItem> {
        let expires: Option<i64> = read_optional_number(item, name::EXPIRES)?;
        Ok(Self {
            member: read_id(item, name::SK)?,
            member_type: read_text(item, name::TYPE)?.to_owned(),
            current: Interval {
                since: read_number(item, name::SINCE)?,
                until: read_optional_number(item, name::UNTIL)?,
            },
            past: read_past(item)?,
            expires: expires.map(|seconds| Timestamp(seconds.saturating_mul(1000))),
        })
    }
}

/// The list of earlier intervals, absent when empty.
pub fn past(intervals: &[(Interval, Timestamp)]) -> Option<AttributeValue> {
    let entries = intervals.iter().filter_map(|(interval, expires)| {
        let until = interval.until?;
        Some(AttributeValue::L(vec![
            number(interval.since),
            number(until),
            number(seconds(*expires)),
        ]))
    });
    let entries: Vec<AttributeValue> = entries.collect();
    (!entries.is_empty()).then_some(AttributeValue::L(entries))
}

/// Rounded to the seconds in which it is stored, so that what is read equals
/// what was planned.
fn retained(now: Timestamp) -> Timestamp {
    let until = Timestamp(now.0.saturating_add(RETENTION));
    Timestamp(seconds(until).saturating_mul(1000))
}

fn read_past(item: &Item) -> Result<Vec<(Interval, Timestamp)>, MalformedItem> {
    let Some(value) = item.get(name::PAST) else {
        return Ok(Vec::new());
    };
    let fault = || malformed(name::PAST);
    let entries = value.as_l().map_err(|_| fault())?;
    let entry = |entry: &AttributeValue| match entry.as_l().map(Vec::as_slice) {
        Ok([since, until, expires]) => {
            let interval = Interval {
                since: parse_number(since, name::PAST)?,
                until: Some(parse_number(until, name::PAST)?),
            };
            let expires: i64 = parse_number(expires, name::PAST)?;
            Ok((interval, Timestamp(expires.saturating_mul(1000))))
        }
        _ => Err(fault()),
    };
    entries.iter().map(entry).collect()
}

#[cfg(test)]
mod tests;
