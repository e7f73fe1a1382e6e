//! The table between schedules, and what it says in words that do not depend on
//! who was first: ids by what they stand for, sums instead of slots.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use local::dynamo::Embedded;
use serde_json::{Map, Value};

use crate::stack::TABLE;
use crate::weather::action::{Item, Place};
use crate::weather::past;

/// By id: what it stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) fn insert(&mut self, id: &str, name: &str) {
        self.0.insert(id.to_owned(), name.to_owned());
    }

    pub(super) fn extend(&mut self, others: &Self) {
        let others = others.0.iter();
        self.0
            .extend(others.map(|(id, name)| (id.clone(), name.clone())));
    }

    /// The text with every known id replaced. An id that nobody knows stays,
    /// and then tells apart what should be equal.
    pub(super) fn apply(&self, text: &str) -> String {
        const LENGTH: usize = 36;
        let bytes = text.as_bytes();
        let mut named = String::with_capacity(text.len());
        let (mut from, mut at) = (0, 0);
        while at + LENGTH <= bytes.len() {
            let dashes = [8, 13, 18, 23].map(|dash| bytes[at + dash] == b'-');
            let id = text
                .get(at..at + LENGTH)
                .filter(|_| !dashes.contains(&false));
            if let Some(name) = id.and_then(|id| self.0.get(id)) {
                named.push_str(text.get(from..at).unwrap_or_default());
                named.push_str(name);
                at += LENGTH;
                from = at;
            } else {
                at += 1;
            }
        }
        named.push_str(text.get(from..).unwrap_or_default());
        named
    }
}

/// A table that goes back to what it was.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) embedded: Embedded,
    now: BTreeMap<(String, String), Item>,
}

impl Table {
    pub(super) fn new(embedded: Embedded) -> Self {
        Self {
            embedded,
            now: BTreeMap::new(),
        }
    }

    /// All items as they are now, in the order of their keys.
    pub(super) fn read(&mut self) -> Vec<Item> {
        self.now = keyed(past::scan(&self.embedded, TABLE));
        self.now.values().cloned().collect()
    }

    /// Makes the items what they were; what has not been read since is not
    /// noticed.
    pub(super) fn restore(&mut self, items: &[Item]) {
        let wanted = keyed(items.to_vec());
        let place = |(pk, sk): &(String, String)| Place {
            table: TABLE.to_owned(),
            pk: pk.clone(),
            sk: sk.clone(),
        };
        for key in self.now.keys().filter(|key| !wanted.contains_key(*key)) {
            past::restore(&self.embedded, &place(key), None);
        }
        for (key, item) in &wanted {
            if self.now.get(key) != Some(item) {
                past::restore(&self.embedded, &place(key), Some(item));
            }
        }
        self.now = wanted;
    }
}

fn keyed(items: Vec<Item>) -> BTreeMap<(String, String), Item> {
    let key = |item: &Item| (text(item, "pk").to_owned(), text(item, "sk").to_owned());
    items.into_iter().map(|item| (key(&item), item)).collect()
}

/// The resources with their revisions, the visible memberships, the lookups and
/// the counts, one line each. Left out is what nobody can see: slots, change
/// numbers, instants, groups a member was in.
pub(super) fn digest(items: &[Item], names: &Names) -> String {
    let mut lines = BTreeSet::new();
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    let mut groups: BTreeMap<&str, i64> = BTreeMap::new();
    for item in items {
        if let ["Group", shard] = parts(item).as_slice()
            && shard.len() == 1
        {
            groups.insert(text(item, "sk"), number(item, "rev").unwrap_or(0));
        }
    }
    for item in items {
        let sk = text(item, "sk");
        match parts(item).as_slice() {
            ["members", group] => {
                let rev = groups.get(group).copied().unwrap_or(0);
                let begun = number(item, "since").is_some_and(|since| since <= rev);
                if begun && number(item, "until").is_none_or(|until| until > rev) {
                    lines.insert(format!("{group} has {} {sk}", text(item, "type")));
                }
            }
            [kind, "count"] => *counts.entry(kind).or_default() += number(item, "n").unwrap_or(0),
            [kind, shard] if shard.len() == 1 => {
                let document: Value = serde_json::from_str(text(item, "doc")).unwrap_or_default();
                let rev = number(item, "rev").unwrap_or(0);
                lines.insert(format!("{kind} {sk} at {rev}: {}", sorted(&document)));
            }
            [kind, attribute, hash] => {
                let owner = text(item, "owner");
                lines.insert(format!("{kind} {attribute} {hash} leads to {owner}"));
            }
            _ => {}
        }
    }
    for (kind, count) in counts {
        lines.insert(format!("{kind}: {count}"));
    }
    let named: BTreeSet<String> = lines.iter().map(|line| names.apply(line)).collect();
    named.into_iter().collect::<Vec<_>>().join("\n")
}

/// A value with the members of its objects in the order of their names.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let members: BTreeMap<&String, Value> = object
                .iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            let members = members.into_iter();
            Value::Object(members.map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The parts of the partition key below the tenant.
fn parts(item: &Item) -> Vec<&str> {
    text(item, "pk").split('#').skip(1).collect()
}

fn text<'a>(item: &'a Map<String, Value>, name: &str) -> &'a str {
    item.get(name)
        .and_then(|value| value["S"].as_str())
        .unwrap_or_default()
}

fn number(item: &Map<String, Value>, name: &str) -> Option<i64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}
