//! Requests as the steps of which an order is looked for.
//!
//! A request is one step. A bulk request has as many as it has operations, those
//! of a ring being one (RFC 7644 §3.7 promises no more, and `docs/bulk.md` what
//! order they keep): each is sent as a bulk request of its own, in which a
//! reference to another operation is the id which that one creates.
//!
//! This shares no code with the planner: who refers to whom is found in the text.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::ambient::Moment;
use shared::scim::Timestamp;
use tokio::time::Instant;

use super::scenario::{Ask, KEY};
use super::state::Names;
use super::{SEED, number_of};
use crate::stack::moment_seed;

/// The requests of the reference have numbers from here on.
const FIRST: u64 = 10_000;

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    /// For a reader, such as `b0.2`: the third operation of client b's first
    /// request.
    pub(super) name: String,
    /// Client and turn of the request, and of those that repeat it under its key.
    pub(super) sent: Vec<(usize, usize)>,
    pub(super) key: Option<String>,
    /// The `bulkId`s of its rows, none for what is no bulk request.
    pub(super) rows: Vec<String>,
    /// As it is sent on its own, and without a key.
    pub(super) ask: Ask,
    /// The number of that request.
    pub(super) number: u64,
    /// The steps whose success it needs.
    pub(super) needs: BTreeSet<usize>,
    /// The steps of the same request that it must not precede.
    pub(super) after: BTreeSet<usize>,
}

/// The steps of all clients' requests, the names of what they create when they
/// run side by side, and when each is sent on its own.
pub(super) fn atoms(clients: &[Vec<Ask>]) -> (Vec<Atom>, Names, Names) {
    let (mut found, mut here, mut there) = (Vec::new(), Names::default(), Names::default());
    for (client, asks) in clients.iter().enumerate() {
        for (turn, ask) in asks.iter().enumerate() {
            let first = found.len();
            let number = number_of(client, turn);
            let repeated = (0..first).filter(|atom| repeats(&found, *atom, ask));
            let repeated: Vec<usize> = repeated.collect();
            let rows = match ask.body["Operations"].as_array() {
                Some(rows) if ask.target.starts_with("/Bulk") => rows.clone(),
                _ => Vec::new(),
            };
            let units = units(&rows, &ask.target);
            let original: Option<&Atom> = repeated.first().and_then(|atom| found.get(*atom));
            let (by, when) = original
                .and_then(|atom| atom.sent.first().copied())
                .unwrap_or((client, turn));
            let letter = char::from(b'a' + u8::try_from(by).unwrap_or(0));
            let name = |row: usize| format!("{letter}{when}.{row}");
            for row in 0..rows.len().max(1) {
                here.insert(&id(number, row), &format!("new {}", name(row)));
            }
            if !repeated.is_empty() {
                for atom in repeated {
                    if let Some(atom) = found.get_mut(atom) {
                        atom.sent.push((client, turn));
                    }
                }
                continue;
            }
            let mut ids = vec![String::new(); rows.len()];
            for (place, unit) in units.iter().enumerate() {
                let only = [0];
                let unit = if unit.is_empty() { &only[..] } else { unit };
                for (position, row) in unit.iter().enumerate() {
                    let id = id(FIRST + (first + place) as u64, position);
                    there.insert(&id, &format!("new {}", name(*row)));
                    if let Some(slot) = ids.get_mut(*row) {
                        *slot = id;
                    }
                }
            }
            for (place, unit) in units.iter().enumerate() {
                let others = |row: usize| units.iter().position(|unit| unit.contains(&row));
                let relations = |related: &dyn Fn(usize, usize) -> bool| {
                    let pairs = unit
                        .iter()
                        .flat_map(|row| (0..rows.len()).filter(move |other| related(*row, *other)));
                    pairs
                        .filter_map(others)
                        .filter(|other| *other != place)
                        .map(|other| first + other)
                        .collect::<BTreeSet<usize>>()
                };
                found.push(Atom {
                    name: unit.first().map_or_else(|| name(0), |row| name(*row)),
                    sent: vec![(client, turn)],
                    key: ask.key().map(str::to_owned),
                    rows: unit
                        .iter()
                        .filter_map(|row| bulk_id(rows.get(*row)?))
                        .collect(),
                    ask: alone(ask, &rows, unit, &ids),
                    number: FIRST + (first + place) as u64,
                    needs: relations(&|row, other| refers(&rows, row, other)),
                    after: relations(&|row, other| follows(&rows, row, other)),
                });
            }
        }
    }
    (found, here, there)
}

/// The id that the operation at this position of a request creates.
fn id(number: u64, position: usize) -> String {
    let moment = Moment {
        now: Timestamp(0),
        seed: moment_seed(SEED, number),
        deadline: Instant::now(),
    };
    moment.id(position).to_string()
}

/// Whether the request is one more of which this is a step.
fn repeats(found: &[Atom], atom: usize, ask: &Ask) -> bool {
    let known = found.get(atom).and_then(|atom| atom.key.as_deref());
    known.is_some() && known == ask.key()
}

/// What stands or falls together: rows that refer to each other, directly or not;
/// rows that references connect in whatever direction, or all of them, where the
/// request asks for that.
fn units(rows: &[Value], target: &str) -> Vec<Vec<usize>> {
    if rows.is_empty() {
        return vec![Vec::new()];
    }
    if target.contains("atomicity=request") {
        return vec![(0..rows.len()).collect()];
    }
    if target.contains("atomicity=component") {
        return components(rows);
    }
    let mut units: Vec<Vec<usize>> = Vec::new();
    for row in 0..rows.len() {
        let ring = |unit: &&mut Vec<usize>| {
            let other = unit.first().copied().unwrap_or(row);
            reaches(rows, row, other) && reaches(rows, other, row)
        };
        match units.iter_mut().find(ring) {
            Some(unit) => unit.push(row),
            None => units.push(vec![row]),
        }
    }
    units
}

fn components(rows: &[Value]) -> Vec<Vec<usize>> {
    let mut units: Vec<Vec<usize>> = Vec::new();
    for row in 0..rows.len() {
        let near = |unit: &Vec<usize>| {
            let mut unit = unit.iter();
            unit.any(|other| refers(rows, row, *other) || refers(rows, *other, row))
        };
        let (mut joined, others) = units.into_iter().partition::<Vec<_>, _>(near);
        joined.push(vec![row]);
        units = others;
        units.push(joined.concat());
    }
    units.iter_mut().for_each(|unit| unit.sort_unstable());
    units.sort();
    units
}

/// A bulk request of these rows alone.
fn alone(ask: &Ask, rows: &[Value], unit: &[usize], ids: &[String]) -> Ask {
    let mut ask = ask.clone();
    ask.headers.retain(|(name, _)| name != KEY);
    if unit.is_empty() {
        return ask;
    }
    let own: Vec<Value> = unit
        .iter()
        .filter_map(|row| {
            let inside = |name: &str| unit.iter().any(|row| named(rows, *row, name));
            let id = |name: &str| {
                let other = (0..rows.len()).find(|other| named(rows, *other, name));
                let id = other.and_then(|other| ids.get(other));
                id.filter(|_| !inside(name)).cloned()
            };
            serde_json::from_str(&replace(&rows.get(*row)?.to_string(), &id)).ok()
        })
        .collect();
    ask.body["Operations"] = json!(own);
    ask
}

const MARK: &str = "bulkId:";

/// The text with each `bulkId:name` replaced by what `id` gives for the name.
fn replace(text: &str, id: &dyn Fn(&str) -> Option<String>) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(found) = rest.find(MARK) {
        let (before, after) = rest.split_at(found);
        replaced.push_str(before);
        let name = name_at(after);
        let length = MARK.len() + name.len();
        let (whole, behind) = after.split_at(length);
        replaced.push_str(id(name).as_deref().unwrap_or(whole));
        rest = behind;
    }
    replaced + rest
}

/// The name behind a mark.
fn name_at(marked: &str) -> &str {
    let name = marked.get(MARK.len()..).unwrap_or_default();
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    name.get(..end.unwrap_or(name.len())).unwrap_or_default()
}

fn bulk_id(row: &Value) -> Option<String> {
    row["bulkId"].as_str().map(str::to_owned)
}

fn named(rows: &[Value], row: usize, name: &str) -> bool {
    rows.get(row).is_some_and(|row| row["bulkId"] == name)
}

/// Whether one row names another.
fn refers(rows: &[Value], row: usize, other: usize) -> bool {
    let text = rows.get(row).map(Value::to_string).unwrap_or_default();
    let mut marks = text.match_indices(MARK);
    marks.any(|(at, _)| named(rows, other, name_at(text.get(at..).unwrap_or_default())))
}

fn reaches(rows: &[Value], from: usize, to: usize) -> bool {
    let (mut seen, mut stack) = (BTreeSet::new(), vec![from]);
    while let Some(row) = stack.pop() {
        for next in (0..rows.len()).filter(|next| refers(rows, row, *next)) {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                stack.push(next);
            }
        }
    }
    false
}

/// Whether a row must not be carried out before another of its request: it
/// refers to it, or comes later and has to do with the same.
fn follows(rows: &[Value], row: usize, other: usize) -> bool {
    let later = other < row && contend(rows, other, row);
    reaches(rows, row, other) || (later && !reaches(rows, other, row))
}

/// One resource, one name, or a delete and a mention of what it deletes.
fn contend(rows: &[Value], one: usize, other: usize) -> bool {
    let (Some(one), Some(other)) = (rows.get(one), rows.get(other)) else {
        return false;
    };
    let target = |row: &Value| match row["method"].as_str() {
        Some("POST") => None,
        _ => row["path"]
            .as_str()
            .and_then(|path| path.rsplit('/').next())
            .map(str::to_owned),
    };
    let same_target = target(one).is_some() && target(one) == target(other);
    let (mut here, mut there) = (BTreeSet::new(), BTreeSet::new());
    user_names(&one["data"], &mut here);
    user_names(&other["data"], &mut there);
    let deletes = |row: &Value, other: &Value| {
        let target = target(row).filter(|_| row["method"] == "DELETE");
        target.is_some_and(|target| other["data"].to_string().contains(&target))
    };
    same_target || !here.is_disjoint(&there) || deletes(one, other) || deletes(other, one)
}

/// Every userName that some data sets, in lower case.
fn user_names(data: &Value, into: &mut BTreeSet<String>) {
    match data {
        Value::Object(object) => {
            if data["path"] == "userName"
                && let Some(name) = data["value"].as_str()
            {
                into.insert(name.to_lowercase());
            }
            if let Some(name) = data["userName"].as_str() {
                into.insert(name.to_lowercase());
            }
            object.values().for_each(|value| user_names(value, into));
        }
        Value::Array(list) => list.iter().for_each(|value| user_names(value, into)),
        _ => {}
    }
}
