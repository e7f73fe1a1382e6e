//! Whether what was answered and what is left can have come from one request
//! after another.
//!
//! Looked for is an order of the steps (see [`super::atom`]) such that each,
//! carried out alone on what the ones before it have left, is answered as it
//! was, and the last leaves the table as it is: names, revisions, visible
//! memberships, lookups and counts. In this order
//!
//! - every acknowledged step stands, and every one refused with 4xx: the refusal
//!   was true of some state, and changed nothing;
//! - a GET of one resource stands, so it has seen one state;
//! - a step whose outcome is unknown (the client died, or was told so) may stand
//!   or not; a step answered with 503 or another 5xx, a search that was refused
//!   for want of time, and what `failOnErrors` left out, does not;
//! - a step stands behind every step of a request that was answered before its
//!   own was sent, and behind those rows of its request that it builds on.
//!
//! Where a transaction was torn, the last holds only behind steps that wrote:
//! while it commits, one reader may see one of its items as it is and the next
//! another one as it was. Whoever wrote is not told before it is there.
//!
//! A bulk request is not one step: RFC 7644 §3.7 promises no atomicity, rows are
//! committed in several transactions, and other clients may come in between. Rows
//! that have nothing to do with each other keep no order.
//!
//! The reference is the service itself, one request at a time on a fair database.
//! What it answers there is the business of the other tests; here it has only to
//! be the same. Every step is carried out once for each state it meets, however
//! many schedules lead there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use local::dynamo;
use shared::config::Config;
use shared::provider::Provider;
use shared::store::{Store, patience};

use super::atom::Atom;
use super::drive::send;
use super::finding::{Answer, Finding, Known, NOTHING, of_step};
use super::gate::Salted;
use super::state::{Names, Table, digest};
use crate::stack::TABLE;
use crate::weather::action::Item;

/// The states that one request after another can lead to, as far as they were
/// asked for.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) atoms: Vec<Atom>,
    names: Names,
    table: Table,
    provider: Provider,
    salt: Arc<AtomicU32>,
    states: Vec<Vec<Item>>,
    by_digest: HashMap<String, usize>,
    steps: HashMap<(usize, usize), (Answer, usize)>,
}

impl Reference {
    pub(super) fn new(
        atoms: Vec<Atom>,
        names: Names,
        table: Table,
        config: &Arc<Config>,
        start: &[Item],
    ) -> Self {
        let salt = Arc::default();
        let door = SharedHttpConnector::new(Salted::new(&table.embedded, &salt));
        let settings = patience(dynamo::settings(door)).build();
        let provider = Provider {
            store: Store::new(aws_sdk_dynamodb::Client::from_conf(settings), TABLE),
            config: Arc::clone(config),
        };
        let by_digest = HashMap::from([(digest(start, &names), 0)]);
        Self {
            atoms,
            names,
            table,
            provider,
            salt,
            states: vec![start.to_vec()],
            by_digest,
            steps: HashMap::new(),
        }
    }

    /// Whether an order explains the findings and leads to this state; `torn`
    /// is whether readers may have come into the middle of a commit.
    pub(super) fn explains(&mut self, findings: &[Finding], goal: &str, torn: bool) -> bool {
        let mut search = Search {
            findings,
            goal,
            torn,
            failed: HashSet::new(),
        };
        search.from(self, 0, 0)
    }

    /// What a step comes to in a state.
    fn step(&mut self, state: usize, atom: usize) -> (Answer, usize) {
        if let Some(known) = self.steps.get(&(state, atom)) {
            return known.clone();
        }
        let items = self.states.get(state).cloned().unwrap_or_default();
        self.table.restore(&items);
        let Some(step) = self.atoms.get(atom).cloned() else {
            return (NOTHING, state);
        };
        self.salt.fetch_add(1, Ordering::Relaxed);
        let runtime = super::runtime();
        let sending = send(
            &self.provider,
            step.number,
            Duration::from_secs(27),
            &step.ask,
        );
        let reply = runtime.block_on(sending);
        let items = self.table.read();
        let next = digest(&items, &self.names);
        let next = match self.by_digest.get(&next) {
            Some(known) => *known,
            None => {
                self.states.push(items);
                self.by_digest.insert(next, self.states.len() - 1);
                self.states.len() - 1
            }
        };
        let answer = of_step(&step, &reply, &self.names).unwrap_or(NOTHING);
        self.steps.insert((state, atom), (answer.clone(), next));
        (answer, next)
    }
}

/// The findings without refusals that may rest on items read at different
/// instants: somebody has written meanwhile. Nobody checks a refusal again, so
/// that it may be true of none of the states in between.
pub(super) fn without_overtaken(findings: &[Finding], atoms: &[Atom]) -> Vec<Finding> {
    let wrote = |finding: &Finding, atom: &Atom| {
        let done = matches!(&finding.known, Known::Answered(answer) if answer.status < 300);
        (done && atom.ask.method != "GET") || matches!(finding.known, Known::Unknown)
    };
    let overtaken = |refused: &Finding| {
        let mut others = findings.iter().zip(atoms);
        others.any(|(other, atom)| {
            wrote(other, atom) && other.begin <= refused.end && other.end >= refused.begin
        })
    };
    let kept = |finding: &Finding| match &finding.known {
        Known::Answered(answer)
            if matches!(answer.status, 400 | 409 | 424) && overtaken(finding) =>
        {
            Finding {
                known: Known::Not(answer.status),
                ..finding.clone()
            }
        }
        _ => finding.clone(),
    };
    findings.iter().map(kept).collect()
}

struct Search<'a> {
    findings: &'a [Finding],
    goal: &'a str,
    torn: bool,
    failed: HashSet<(usize, u64)>,
}

impl Search<'_> {
    /// `placed` has a bit for each step that stands already.
    fn from(&mut self, reference: &mut Reference, state: usize, placed: u64) -> bool {
        if self.is_over(placed) && reference.by_digest.get(self.goal) == Some(&state) {
            return true;
        }
        if !self.failed.insert((state, placed)) {
            return false;
        }
        for index in 0..self.findings.len() {
            if placed & (1 << index) != 0 || !self.may_stand(reference, index, placed) {
                continue;
            }
            let Some(finding) = self.findings.get(index) else {
                continue;
            };
            let next = placed | (1 << index);
            let after = match &finding.known {
                Known::Not(_) | Known::Omitted => continue,
                Known::Answered(said) => match self.broken_need(reference, index) {
                    // Told what became of what it refers to, and nothing else.
                    Some(status) if said.status == status => state,
                    _ => {
                        let (answer, after) = reference.step(state, index);
                        if !answer.agrees(said) {
                            continue;
                        }
                        after
                    }
                },
                Known::Unknown => {
                    let (answer, after) = reference.step(state, index);
                    if answer.status >= 400 || after == state {
                        continue;
                    }
                    after
                }
            };
            if self.from(reference, after, next) {
                return true;
            }
        }
        false
    }

    fn is_over(&self, placed: u64) -> bool {
        let mut findings = self.findings.iter().enumerate();
        findings.all(|(index, finding)| {
            placed & (1 << index) != 0 || !matches!(finding.known, Known::Answered(_))
        })
    }

    /// Whether nothing that stands already had to come after this step, and what
    /// certainly came before it stands.
    fn may_stand(&self, reference: &Reference, index: usize, placed: u64) -> bool {
        let (Some(finding), Some(atom)) = (self.findings.get(index), reference.atoms.get(index))
        else {
            return false;
        };
        (0..self.findings.len()).all(|other| {
            let (Some(found), Some(step)) = (self.findings.get(other), reference.atoms.get(other))
            else {
                return true;
            };
            let stands = placed & (1 << other) != 0;
            if stands {
                let early = finding.end < found.begin && self.counts(finding, atom);
                return !early && !step.after.contains(&index);
            }
            let certain = matches!(found.known, Known::Answered(_));
            let late = found.end < finding.begin && self.counts(found, step);
            !certain || (!late && !atom.after.contains(&other))
        })
    }

    /// Whether those that come after this step must stand behind it.
    fn counts(&self, finding: &Finding, atom: &Atom) -> bool {
        let refused = matches!(&finding.known, Known::Answered(answer) if answer.status >= 400);
        !self.torn || !(refused || atom.ask.method == "GET")
    }

    /// The status of a row that refers to one which was not carried out.
    fn broken_need(&self, reference: &Reference, index: usize) -> Option<u16> {
        let needs = &reference.atoms.get(index)?.needs;
        needs
            .iter()
            .find_map(|need| match &self.findings.get(*need)?.known {
                Known::Answered(answer) if answer.status < 300 => None,
                Known::Not(503) => Some(503),
                _ => Some(409),
            })
    }
}
