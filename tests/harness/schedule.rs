//! A deterministic scheduler: several clients at once, every call to DynamoDB
//! held at a gate, and one decision after another about which goes through and
//! what befalls it.
//!
//! **Time.** When every client waits at the gate, sleeps or is done, a decision is
//! made; until then tokio's paused clock moves by one millisecond at most. A
//! client that sleeps between two attempts comes back when time has passed: by the
//! millisecond that every decision takes, or because the schedule says that it
//! waits, which lets the clock jump to the next timer. So "the others first" and
//! "it comes back in the middle" are both schedules. A call held for longer than
//! its caller's patience is taken back and never arrives. No wall clock and no
//! random number is asked: the pauses between two attempts come from the requests'
//! seeds, and each schedule has a runtime of its own. So the same choices give the
//! same run.
//!
//! **The database** is the embedded one behind [`crate::weather`] without latency:
//! a call takes effect when it is let through. A transaction that a schedule makes
//! slow holds its keys for some decisions and conflicts with those that come in
//! between. It may also be torn: whoever reads meanwhile sees some items as they
//! were before and some as they are after it; which ones and how long is the
//! weather's draw from seed and call.
//!
//! **Death** is that of a Lambda: the future is dropped. What it had at the gate
//! may still arrive, at any later time or never.
//!
//! What is checked afterwards stands in `judge` and in [`crate::audit`].
//!
//! ```ignore
//! let mut world = World::new(Scenario::new("two").client([ask]).client([other]));
//! let outcome = world.run(7, &mut Random::new(7));
//! assert!(outcome.violations.is_empty());
//! ```

mod atom;
mod choice;
mod drive;
mod finding;
mod gate;
mod judge;
mod scenario;
mod state;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use local::dynamo::{Embedded, create_table};
use serde_json::Value;
use shared::config::Config;
use shared::provider::Provider;
use shared::store::{Store, patience};
use tokio::runtime::Runtime;

pub use choice::{Chooser, Enumerated, Intruder, Random, Replay};
pub use scenario::{Ask, Scenario};

use drive::{Run, Stage, drive, send, still};
use finding::{Known, findings};
use judge::{Reference, without_overtaken};
use state::{Names, Table, digest};

use crate::audit::audit;
use crate::stack::TABLE;
use crate::weather::Weather;
use crate::weather::action::Item;

/// Of all ids, salts and tokens: schedules differ in their choices.
const SEED: u64 = 1;

/// The requests that make what is given have numbers from here on.
const GIVEN: u64 = 20_000;

/// What the functions are given of the time that a request may take, by the last
/// digit of the seed: often ample, sometimes so little that outcomes stay unknown.
const REMAINING: [u64; 4] = [27, 27, 6, 4];

/// A scenario on a database of its own, for any number of schedules.
#[derive(Debug)]
pub struct World {
    name: String,
    clients: Vec<Vec<Ask>>,
    config: Arc<Config>,
    table: Table,
    start: Vec<Item>,
    names: Names,
    given: Vec<(String, &'static str)>,
    reference: Reference,
    runs: u32,
}

/// What a schedule came to.
#[derive(Debug)]
pub struct Outcome {
    /// The choices, as [`Replay`] reads them.
    pub words: String,
    /// What is broken, one entry each; empty when all is well.
    pub violations: Vec<String>,
    /// Whether a transaction was cancelled, by a condition or by a conflict.
    pub cancelled: bool,
    /// Whether it is explained only without a refusal that others have overtaken.
    pub apart: bool,
    run: Run,
    names: Names,
    summary: String,
}

impl World {
    /// Makes what is given.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new(scenario: &Scenario) -> Self {
        let variables = [("TABLE_NAME", TABLE), ("TENANT_CLAIM", "tenant")];
        let config = Config::read(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let config = Arc::new(config.expect("the variables of a test are legal"));
        let mut table = Table::new(database());
        let (ids, mut names) = prepare(scenario, &config, &table.embedded);
        let start = table.read();
        let clients: Vec<Vec<Ask>> = scenario
            .clients
            .iter()
            .map(|asks| asks.iter().map(|ask| resolved(ask, &ids)).collect())
            .collect();
        let (atoms, here, mut there) = atom::atoms(&clients);
        there.extend(&names);
        names.extend(&here);
        let reference = Reference::new(atoms, there, Table::new(database()), &config, &start);
        let given = scenario.given.iter();
        let given = given.map(|(name, endpoint, _)| (name.clone(), *endpoint));
        Self {
            name: scenario.name().to_owned(),
            clients,
            config,
            table,
            start,
            names,
            given: given.collect(),
            reference,
            runs: 0,
        }
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Carries out one schedule and judges it. The seed is the weather's: it
    /// decides what is seen of a slow transaction.
    pub fn run(&mut self, seed: u64, chooser: &mut dyn Chooser) -> Outcome {
        self.table.restore(&self.start);
        self.runs += 1;
        let runtime = runtime();
        let place = usize::try_from(seed % 10).unwrap_or(0);
        let run = runtime.block_on(async {
            let weather = Weather::with(self.table.embedded.clone(), seed, still());
            let stage = Stage {
                clients: &self.clients,
                config: &self.config,
                weather,
                remaining: Duration::from_secs(*REMAINING.get(place).unwrap_or(&27)),
                salt: self.runs,
            };
            drive(&stage, chooser).await
        });
        drop(runtime);
        let items = self.table.read();
        let mut violations = run.broken.clone();
        violations.extend(audit(&items));
        let goal = digest(&items, &self.names);
        let atoms = &self.reference.atoms;
        let (findings, contradictions) = findings(atoms, &run.sent, &self.names);
        violations.extend(contradictions);
        violations.extend(walk::judge(
            atoms,
            &findings,
            &run.sent,
            &self.given,
            &self.names,
        ));
        let torn = run.words.iter().any(|word| word.ends_with("!torn"));
        let explained = self.reference.explains(&findings, &goal, torn);
        let apart = !explained && {
            let findings = without_overtaken(&findings, &self.reference.atoms);
            self.reference.explains(&findings, &goal, torn)
        };
        let mut summary = String::new();
        if !explained && !apart {
            violations.push("no order of the requests explains the answers and the table".into());
        }
        if !violations.is_empty() {
            for (atom, finding) in self.reference.atoms.iter().zip(&findings) {
                let said = match &finding.known {
                    Known::Answered(answer) => format!("{answer:?}"),
                    other => format!("{other:?}"),
                };
                let (method, target) = (atom.ask.method, &atom.ask.target);
                summary += &format!("{} {method} {target} → {said}\n", atom.name);
            }
            summary += &format!("the table:\n{goal}\n");
        }
        Outcome {
            words: run.words.join(" "),
            violations,
            cancelled: run.cancelled(),
            apart,
            run,
            names: self.names.clone(),
            summary,
        }
    }

    /// Carries out a schedule and, when something is broken, finds a shorter one
    /// that breaks it as well and says all there is to say.
    pub fn check(&mut self, seed: u64, chooser: &mut dyn Chooser) -> Result<Outcome, String> {
        let outcome = self.run(seed, chooser);
        if outcome.violations.is_empty() {
            return Ok(outcome);
        }
        let words: Vec<String> = outcome.words.split(' ').map(str::to_owned).collect();
        let shortest = self.shorten(seed, words).join(" ");
        let outcome = self.run(seed, &mut Replay::new(&shortest));
        Err(format!(
            "scenario {}, seed {seed}\n\nSCHEDULE=\"{} {seed} {shortest}\"\n\n{}\n\n{}\n{}",
            self.name,
            self.name,
            outcome.violations.join("\n"),
            outcome.trace(),
            outcome.summary,
        ))
    }

    /// Leaves out what the violation does not need: first the end, then faults,
    /// then single words.
    fn shorten(&mut self, seed: u64, mut words: Vec<String>) -> Vec<String> {
        let mut breaks = |words: &[String]| {
            let outcome = self.run(seed, &mut Replay::new(&words.join(" ")));
            !outcome.violations.is_empty()
        };
        let mut length = words.len() / 2;
        while length > 0 {
            let kept = words.len().saturating_sub(length);
            let shorter = words.get(..kept).unwrap_or_default().to_vec();
            if breaks(&shorter) {
                words = shorter;
                length = length.min(words.len());
            } else {
                length /= 2;
            }
        }
        for index in (0..words.len()).rev() {
            let plain = words.get(index).and_then(|word| word.split_once('!'));
            if let Some((plain, _)) = plain {
                let mut calmer = words.clone();
                calmer.splice(index..=index, [plain.to_owned()]);
                if breaks(&calmer) {
                    words = calmer;
                }
            }
            let mut shorter = words.clone();
            shorter.remove(index);
            if breaks(&shorter) {
                words = shorter;
            }
        }
        words
    }
}

impl Outcome {
    /// What befell it, by the words of the choices.
    pub fn misfortunes(&self) -> impl Iterator<Item = &str> {
        let words = self.words.split(' ');
        words.filter_map(|word| Some(word.split_once('!')?.1))
    }

    /// One line per decision, ids by what they stand for.
    pub fn trace(&self) -> String {
        self.run.trace(&|body| keys(body, &self.names))
    }
}

/// A runtime whose clock moves only when everybody sleeps.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread starts")
}

fn database() -> Embedded {
    let embedded = Embedded::memory().expect("SQLite opens a database in memory");
    runtime()
        .block_on(create_table(&embedded.client(), TABLE))
        .expect("an empty database takes a table");
    embedded
}

/// Makes what is given, one after another; the ids by name, and what they stand
/// for.
fn prepare(
    scenario: &Scenario,
    config: &Arc<Config>,
    embedded: &Embedded,
) -> (Vec<(String, String)>, Names) {
    let settings = patience(embedded.settings()).build();
    let provider = Provider {
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(settings), TABLE),
        config: Arc::clone(config),
    };
    let (mut ids, mut names) = (Vec::new(), Names::default());
    let runtime = runtime();
    for (name, endpoint, body) in &scenario.given {
        let ask = resolved(&Ask::post(endpoint, body.clone()), &ids);
        let number = GIVEN + ids.len() as u64;
        let reply = runtime.block_on(send(&provider, number, Duration::from_secs(27), &ask));
        let id = reply.body["id"].as_str();
        assert!(id.is_some(), "`{name}` is made: {}", reply.body);
        let id = id.unwrap_or_default();
        names.insert(id, name);
        ids.push((format!("{{{name}}}"), id.to_owned()));
    }
    (ids, names)
}

fn resolved(ask: &Ask, ids: &[(String, String)]) -> Ask {
    let mut ask = ask.clone();
    let mut body = ask.body.to_string();
    for (name, id) in ids {
        ask.target = ask.target.replace(name, id);
        body = body.replace(name, id);
    }
    ask.body = serde_json::from_str(&body).expect("an id fits into a string");
    ask
}

/// The number of a request, from which its ids and its jitter are derived.
fn number_of(client: usize, turn: usize) -> u64 {
    (client * 16 + turn + 1) as u64
}

/// The keys that a call names, hashes and tenants left out.
fn keys(body: &str, names: &Names) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut found = Vec::new();
    collect_keys(&body, &mut found);
    names.apply(&found.join(", "))
}

fn collect_keys(value: &Value, into: &mut Vec<String>) {
    if let (Some(pk), sk) = (value["pk"]["S"].as_str(), value["sk"]["S"].as_str()) {
        let parts: Vec<&str> = pk
            .split('#')
            .skip(1)
            .filter(|part| part.len() != 43)
            .collect();
        into.push(format!("{}/{}", parts.join("#"), sk.unwrap_or_default()));
        return;
    }
    if let Some(pk) = value[":pk"]["S"].as_str() {
        into.push(pk.split('#').skip(1).collect::<Vec<_>>().join("#"));
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| collect_keys(value, into)),
        Value::Array(list) => list.iter().for_each(|value| collect_keys(value, into)),
        _ => {}
    }
}
