//! What the answers say of every step.

use serde_json::Value;

use super::atom::Atom;
use super::drive::Sent;
use super::state::{Names, sorted};
use crate::client::Reply;

/// What is compared of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) version: Option<String>,
    /// `None` where nothing could be shown of what was written.
    pub(super) body: Option<String>,
}

impl Answer {
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let same = match (&self.body, &other.body) {
            // It names the version that was found, which is that of the moment
            // at which this row was decided, whatever it waits for.
            _ if self.status == 412 => true,
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        // What was written and could not be read again in time is told without
        // its body: 204 where a 200 is due.
        let bare = |answer: &Self| answer.status == 204 && answer.body.is_none();
        let status = self.status == other.status
            || (self.status == 200 && bare(other))
            || (other.status == 200 && bare(self));
        status && self.version == other.version && same
    }
}

/// What is known of a step.
#[derive(Debug, Clone)]
pub(super) enum Known {
    Answered(Answer),
    /// It may have been carried out.
    Unknown,
    /// It says that it was not.
    Not(u16),
    /// It does not even say so.
    Omitted,
}

/// A step with what is known of it, and between which events it happened.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) known: Known,
    pub(super) begin: u64,
    pub(super) end: u64,
}

/// What is known of every step, and which answers to one key contradict each
/// other.
pub(super) fn findings(
    atoms: &[Atom],
    sent: &[Sent],
    names: &Names,
) -> (Vec<Finding>, Vec<String>) {
    let mut contradictions = Vec::new();
    let finding = |atom: &Atom| {
        let requests = sent
            .iter()
            .filter(|sent| atom.sent.contains(&(sent.client, sent.turn)));
        let mut found: Vec<(Finding, bool)> =
            requests.map(|sent| told(atom, sent, names)).collect();
        found.sort_by_key(|(finding, _)| finding.end);
        let mut found = found.into_iter();
        // Never sent: its client died before.
        let (mut finding, mut last) = found.next().unwrap_or((NEVER, false));
        for (again, stored) in found {
            let (merged, agree) = finding.and(again, last);
            if !agree {
                contradictions.push(format!("two answers to one key: {}", atom.name));
            }
            (finding, last) = (merged, last || stored);
        }
        finding
    };
    let findings = atoms.iter().map(finding).collect();
    (findings, contradictions)
}

const NEVER: Finding = Finding {
    known: Known::Omitted,
    begin: u64::MAX,
    end: u64::MAX,
};

/// What one request says of a step, and whether that is its answer for good.
fn told(atom: &Atom, sent: &Sent, names: &Names) -> (Finding, bool) {
    let (end, known, last) = match &sent.reply {
        None => (u64::MAX, Known::Unknown, false),
        Some((end, reply)) => (*end, known(atom, reply, names), is_last(reply)),
    };
    let finding = Finding {
        known,
        begin: sent.begin,
        end,
    };
    (finding, last)
}

/// Whether an answer is kept for whoever sends the request again.
fn is_last(reply: &Reply) -> bool {
    let rows = reply.body["Operations"].as_array();
    let mut rows = rows.into_iter().flatten();
    let open = rows.any(|row| row["status"].as_str().is_some_and(|status| status >= "500"));
    reply.status < 500 && !waits(reply) && !open
}

/// Whether it is only said that another run is at work.
fn waits(reply: &Reply) -> bool {
    reply.status == 409 && reply.header("retry-after").is_some()
}

impl Finding {
    /// With what a later repetition of its request says; `last` is whether that
    /// had to be the same. A row that failed in a run without an answer for good
    /// is decided again.
    fn and(self, again: Self, last: bool) -> (Self, bool) {
        let begin = self.begin.min(again.begin);
        let (known, end, agree) = match (self.known, again.known) {
            (Known::Answered(one), Known::Answered(other)) => {
                let agree = one.agrees(&other);
                let redone = one.status >= 400 && !last;
                if redone && !agree {
                    (Known::Answered(other), again.end, true)
                } else {
                    (Known::Answered(one), self.end, agree)
                }
            }
            (Known::Answered(one), _) => (Known::Answered(one), self.end, true),
            (_, Known::Answered(other)) => (Known::Answered(other), again.end, true),
            (Known::Unknown, _) | (_, Known::Unknown) => (Known::Unknown, u64::MAX, true),
            (Known::Not(status), _) | (_, Known::Not(status)) => {
                (Known::Not(status), again.end, true)
            }
            (Known::Omitted, Known::Omitted) => (Known::Omitted, again.end, true),
        };
        (Self { known, begin, end }, agree)
    }
}

fn known(atom: &Atom, reply: &Reply, names: &Names) -> Known {
    if atom.ask.walks || (atom.key.is_some() && waits(reply)) {
        return Known::Not(reply.status);
    }
    let Some(answer) = of_step(atom, reply, names) else {
        return Known::Omitted;
    };
    let text = answer.body.as_deref().unwrap_or_default();
    match answer.status {
        500 if text.contains("outcome unknown") => Known::Unknown,
        500.. => Known::Not(answer.status),
        // A search that ran out of time has no 503, but says no more than one.
        400 if text.contains("in time") && text.contains("tooMany") => Known::Not(answer.status),
        _ => Known::Answered(answer),
    }
}

/// The part of an answer that a step has; `None` where its rows are left out.
/// The status of several rows is the worst.
pub(super) fn of_step(atom: &Atom, reply: &Reply, names: &Names) -> Option<Answer> {
    if atom.rows.is_empty() || reply.status != 200 {
        return Some(answer(reply, names, atom.ask.groups));
    }
    let rows = reply.body["Operations"].as_array()?;
    let own: Vec<&Value> = rows
        .iter()
        .filter(|row| {
            row["bulkId"]
                .as_str()
                .is_some_and(|id| atom.rows.iter().any(|own| own == id))
        })
        .collect();
    let status = |row: &&Value| {
        row["status"]
            .as_str()
            .and_then(|status| status.parse().ok())
    };
    let worst = own.iter().filter_map(status).max()?;
    let body = own.iter().map(|row| shown(row, names, false));
    Some(Answer {
        status: worst,
        version: None,
        body: Some(body.collect::<Vec<_>>().join("\n")),
    })
}

/// No answer at all.
pub(super) const NOTHING: Answer = Answer {
    status: 0,
    version: None,
    body: None,
};

fn answer(reply: &Reply, names: &Names, groups: bool) -> Answer {
    let body = (!reply.body.is_null()).then(|| shown(&reply.body, names, groups));
    Answer {
        status: reply.status,
        version: reply.header("etag").map(str::to_owned),
        body,
    }
}

/// What an answer shows of one state: without instants, and without what is read
/// after the resource itself and may be newer: a user's groups, unless these are
/// asked for, and a manager, who is left out with his extension once he is gone.
/// The table shows these as well.
fn shown(body: &Value, names: &Names, groups: bool) -> String {
    names.apply(&sorted(&kept(body, names, groups)).to_string())
}

fn kept(value: &Value, names: &Names, groups: bool) -> Value {
    match value {
        Value::Object(object) => {
            let newer = ["created", "lastModified", "schemas"];
            let members = object.iter().filter(|(name, _)| {
                !newer.contains(&name.as_str())
                    && !name.starts_with("urn:")
                    && (groups || *name != "groups")
            });
            let members = members.map(|(name, value)| (name.clone(), kept(value, names, groups)));
            Value::Object(members.collect())
        }
        Value::Array(list) => {
            let list = list.iter().map(|value| kept(value, names, groups));
            let mut list: Vec<Value> = list.collect();
            // In the order of ids, which are others elsewhere.
            list.sort_by_key(|value| names.apply(&sorted(value).to_string()));
            Value::Array(list)
        }
        other => other.clone(),
    }
}
