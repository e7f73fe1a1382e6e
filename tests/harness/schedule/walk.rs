//! Lists of several pages, which nobody promises to be of one state.
//!
//! What is promised is less: by cursor, whatever is there throughout is shown
//! once, and nothing is shown that was not there at some time meanwhile. By index
//! the first page is the only one that must not suffer from others: each resource
//! that goes may cost one that is missed, and each that comes one that is repeated
//! (`shared/src/provider/search/index.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::provider::Provider;

use super::atom::Atom;
use super::drive::{Sent, send};
use super::finding::{Finding, Known};
use super::scenario::Ask;
use super::state::Names;
use crate::client::Reply;

/// More pages than any list has.
const PAGES: usize = 50;

/// When a resource was there, by the count of events.
struct Life {
    name: String,
    endpoint: String,
    /// From its creation's begin, and certainly from its end.
    from: (u64, u64),
    until: (u64, u64),
}

/// Asks for page after page; the answer holds the resources of all.
pub(super) async fn walk(
    provider: &Provider,
    number: u64,
    remaining: Duration,
    ask: &Ask,
) -> Reply {
    let mut shown = Vec::new();
    let mut page = ask.clone();
    for _ in 0..PAGES {
        let mut reply = send(provider, number, remaining, &page).await;
        if reply.status != 200 {
            return reply;
        }
        let found = reply.body["Resources"].as_array().cloned();
        let found = found.unwrap_or_default();
        let next = reply.body["nextCursor"].as_str().map(str::to_owned);
        let next = next.or_else(|| {
            let start = reply.body["startIndex"].as_u64()? + found.len() as u64;
            let more = start <= reply.body["totalResults"].as_u64()? && !found.is_empty();
            more.then(|| format!("&startIndex={start}"))
        });
        shown.extend(found);
        match next {
            Some(next) => page.target = format!("{}{next}", ask.target),
            None => {
                reply.body = json!({"Resources": shown});
                return reply;
            }
        }
    }
    Reply {
        status: 200,
        headers: BTreeMap::new(),
        body: Value::Null,
        text: String::new(),
    }
}

/// What the lists show that they must not, and what they lack. `given` is what
/// was there before, by name, with its endpoint.
pub(super) fn judge(
    atoms: &[Atom],
    findings: &[Finding],
    sent: &[Sent],
    given: &[(String, &'static str)],
    names: &Names,
) -> Vec<String> {
    let lives = lives(atoms, findings, given, names);
    let mut wrong = Vec::new();
    for atom in atoms.iter().filter(|atom| atom.ask.walks) {
        let mut requests = sent.iter();
        let request = requests.find(|sent| atom.sent.contains(&(sent.client, sent.turn)));
        let Some((begin, Some((end, reply)))) = request.map(|sent| (sent.begin, &sent.reply))
        else {
            continue;
        };
        if reply.status == 200 {
            let broken = held_against(&lives, atom, begin, *end, &reply.body, names);
            wrong.extend(broken.map(|broken| format!("{} {broken}", atom.name)));
        }
    }
    wrong
}

fn held_against(
    lives: &[Life],
    atom: &Atom,
    begin: u64,
    end: u64,
    body: &Value,
    names: &Names,
) -> Option<String> {
    let Some(list) = body["Resources"].as_array() else {
        return Some("has no end".to_owned());
    };
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for resource in list {
        let name = names.apply(resource["id"].as_str().unwrap_or_default());
        *shown.entry(name).or_default() += 1;
    }
    let endpoint = atom.ask.target.split('?').next().unwrap_or_default();
    let lives = || lives.iter().filter(|life| life.endpoint == endpoint);
    let meanwhile = |(earliest, latest): (u64, u64)| earliest <= end && latest >= begin;
    let there = |life: &Life| life.from.0 <= end && life.until.1 >= begin;
    let throughout = |life: &Life| life.from.1 <= begin && life.until.0 >= end;
    let by_index = !atom.ask.target.ends_with("cursor=");
    let slack = |times: fn(&Life) -> (u64, u64)| {
        let changes = lives().filter(|life| meanwhile(times(life))).count();
        if by_index { changes } else { 0 }
    };
    let strange = shown.keys().find(|name| {
        let mut lives = lives();
        !lives.any(|life| life.name == **name && there(life))
    });
    let missed = lives().filter(|life| throughout(life) && !shown.contains_key(&life.name));
    let repeated: usize = shown.values().map(|times| times - 1).sum();
    if let Some(strange) = strange {
        return Some(format!("shows {strange}, which was not there"));
    }
    if missed.count() > slack(|life| life.until) {
        return Some(format!("misses what was there throughout: {shown:?}"));
    }
    (repeated > slack(|life| life.from)).then(|| format!("repeats itself: {shown:?}"))
}

fn lives(
    atoms: &[Atom],
    findings: &[Finding],
    given: &[(String, &'static str)],
    names: &Names,
) -> Vec<Life> {
    let given = given.iter().map(|(name, endpoint)| Life {
        name: name.clone(),
        endpoint: (*endpoint).to_owned(),
        from: (0, 0),
        until: (u64::MAX, u64::MAX),
    });
    let steps = || atoms.iter().zip(findings);
    let created = steps().filter_map(|(atom, finding)| {
        if atom.ask.method != "POST" || !atom.rows.is_empty() {
            return None;
        }
        Some(Life {
            name: format!("new {}", atom.name),
            endpoint: atom.ask.target.clone(),
            from: span(finding)?,
            until: (u64::MAX, u64::MAX),
        })
    });
    let mut lives: Vec<Life> = given.chain(created).collect();
    for (atom, finding) in steps().filter(|(atom, _)| atom.ask.method == "DELETE") {
        let id = atom.ask.target.rsplit('/').next().unwrap_or_default();
        let name = names.apply(id);
        let life = lives.iter_mut().find(|life| life.name == name);
        if let (Some(life), Some(span)) = (life, span(finding)) {
            life.until = (life.until.0.min(span.0), life.until.1.min(span.1));
        }
    }
    lives
}

/// Between which events a step took effect, if it may have.
fn span(finding: &Finding) -> Option<(u64, u64)> {
    match &finding.known {
        Known::Answered(answer) if answer.status < 300 => Some((finding.begin, finding.end)),
        Known::Unknown => Some((finding.begin, u64::MAX)),
        _ => None,
    }
}
