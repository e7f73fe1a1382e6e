//! One schedule from its first call to its last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use local::dynamo;
use shared::config::Config;
use shared::provider::Provider;
use shared::store::{Store, patience};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::choice::{Choice, Chooser, Fate, TRANSACTION, faults};
use super::gate::{Caller, Door, Gate, Ticket};
use super::scenario::Ask;
use super::walk::walk;
use super::{SEED, number_of};
use crate::client::{Client, Reply};
use crate::stack::{Functions, TABLE, TENANT};
use crate::weather::{Settings, Weather};

/// As much as the clock tells apart. Sleeping for it lets everybody else go on
/// until he waits, too.
const TICK: Duration = Duration::from_millis(1);

/// How long a slow transaction takes: about so many decisions.
const SLOW: Duration = Duration::from_millis(6);

/// Longer than anybody waits without asking the database.
const STUCK: Duration = Duration::from_secs(120);

/// One request as it was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) client: usize,
    pub(super) turn: usize,
    /// When, by a count of such events.
    pub(super) begin: u64,
    /// When it was answered, and with what; nothing where the client died.
    pub(super) reply: Option<(u64, Reply)>,
}

/// What a schedule was and came to.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) words: Vec<String>,
    pub(super) sent: Vec<Sent>,
    /// What went wrong with the run itself.
    pub(super) broken: Vec<String>,
    decisions: Vec<Decision>,
    told: Vec<(Ticket, String)>,
}

#[derive(Debug)]
struct Decision {
    at: Duration,
    word: String,
    call: Option<Caller>,
}

/// What all schedules of a world have in common.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) clients: &'a [Vec<Ask>],
    pub(super) config: &'a Arc<Config>,
    pub(super) weather: Weather,
    pub(super) remaining: Duration,
    pub(super) salt: u32,
}

#[derive(Debug)]
struct Party {
    task: JoinHandle<()>,
    dead: bool,
}

impl Run {
    /// One line per decision: when, the word, whose call of what, what came of it.
    pub(super) fn trace(&self, name: &dyn Fn(&str) -> String) -> String {
        let mut lines = Vec::new();
        for decision in &self.decisions {
            let mut line = format!("{:>6} ms  {:<12}", decision.at.as_millis(), decision.word);
            if let Some(call) = &decision.call {
                line += &format!("{} {}", call.operation, name(&call.body));
                let told = self.told.iter().find(|(ticket, _)| *ticket == call.ticket);
                let answer = told.map_or("no answer", |(_, answer)| answer.as_str());
                line += &format!(" → {answer}");
            }
            lines.push(line);
        }
        lines.join("\n")
    }

    pub(super) fn cancelled(&self) -> bool {
        let mut answers = self.told.iter().map(|(_, answer)| answer);
        answers.any(|answer| answer.starts_with("TransactionCanceled"))
    }
}

/// Carries the clients' requests out as the chooser decides.
pub(super) async fn drive(stage: &Stage<'_>, chooser: &mut dyn Chooser) -> Run {
    let gate = Arc::new(Gate::new(stage.salt));
    let log: Arc<Mutex<Vec<Sent>>> = Arc::default();
    let clock: Arc<AtomicU64> = Arc::default();
    let mut parties: Vec<Party> = Vec::new();
    for (client, asks) in stage.clients.iter().enumerate() {
        let door = Door::new(&gate, client, &stage.weather);
        let provider = Provider {
            store: store(door),
            config: Arc::clone(stage.config),
        };
        let talk = Talk {
            client,
            asks: asks.clone(),
            provider,
            remaining: stage.remaining,
            log: Arc::clone(&log),
            clock: Arc::clone(&clock),
            gate: Arc::clone(&gate),
        };
        parties.push(Party {
            task: tokio::spawn(talk.hold()),
            dead: false,
        });
    }
    let mut run = Run {
        words: Vec::new(),
        sent: Vec::new(),
        broken: Vec::new(),
        decisions: Vec::new(),
        told: Vec::new(),
    };
    let began = Instant::now();
    let mut left = chooser.faults();
    loop {
        sleep(TICK).await;
        let waiting = gate.waiting();
        let live = |client: usize| {
            parties
                .get(client)
                .is_some_and(|party| !party.dead && !party.task.is_finished())
        };
        let any_live = (0..parties.len()).any(live);
        if !any_live && waiting.is_empty() {
            break;
        }
        let busy = |client: usize| waiting.iter().any(|call| call.ticket.0 == client);
        let asleep = (0..parties.len()).any(|client| live(client) && !busy(client));
        if waiting.is_empty() {
            if timeout(STUCK, gate.news()).await.is_err() {
                run.broken
                    .push("a request neither ends nor asks for anything".to_owned());
                break;
            }
            continue;
        }
        let options = Options {
            asleep,
            any_live,
            left,
            few: chooser.few(),
        };
        let options = options.among(&waiting);
        let words: Vec<String> = options
            .iter()
            .map(|(choice, ..)| choice.to_string())
            .collect();
        let faulty: Vec<bool> = options.iter().map(|(.., faulty)| *faulty).collect();
        let place = chooser.choose(&words, &faulty);
        run.words.extend(words.get(place).cloned());
        let Some((choice, ticket, faulty)) = options.get(place).copied() else {
            break;
        };
        run.decisions.push(Decision {
            at: began.elapsed(),
            word: choice.to_string(),
            call: waiting
                .iter()
                .find(|call| Some(call.ticket) == ticket)
                .cloned(),
        });
        left -= usize::from(faulty).min(left);
        let (Choice::Call(client, _, fate), Some(ticket)) = (choice, ticket) else {
            if timeout(STUCK, gate.news()).await.is_err() {
                run.broken.push("a client sleeps for ever".to_owned());
                break;
            }
            continue;
        };
        let operation = waiting
            .iter()
            .find(|call| call.ticket == ticket)
            .map_or("", |call| call.operation.as_str());
        let duration = if matches!(fate, Fate::Slow | Fate::Torn) {
            SLOW
        } else {
            Duration::ZERO
        };
        stage.weather.change(|settings| {
            settings.transaction = duration..=duration;
            settings.torn = fate == Fate::Torn;
        });
        match fate {
            Fate::Passes | Fate::Slow | Fate::Torn => gate.pass(ticket),
            Fate::Gone => gate.discard(ticket),
            Fate::Struck(fault) => {
                stage.weather.inject(operation, 1, fault);
                gate.pass(ticket);
            }
            Fate::Dies => {
                gate.orphan(client);
                if let Some(party) = parties.get_mut(client) {
                    party.dead = true;
                    party.task.abort();
                }
            }
        }
    }
    stage.weather.quiet().await;
    for party in parties {
        if let Err(error) = party.task.await
            && error.is_panic()
        {
            run.broken.push("a request panicked".to_owned());
        }
    }
    let told = gate.told().into_iter();
    run.told = told.map(|told| (told.ticket, told.answer)).collect();
    run.sent = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    run
}

/// A choice, the call that it is about, and whether it is a misfortune, of which
/// a schedule has a bounded number.
type Open = (Choice, Option<Ticket>, bool);

/// What decides about what may be decided.
struct Options {
    /// Whether somebody sleeps.
    asleep: bool,
    any_live: bool,
    /// How many misfortunes there may still be.
    left: usize,
    few: bool,
}

impl Options {
    /// What may be decided. An orphan may arrive or not; whoever lives may meet a
    /// fault or die while there may be faults; time may pass while somebody sleeps.
    /// A slow transaction is a misfortune only where all schedules are tried.
    fn among(&self, waiting: &[Caller]) -> Vec<Open> {
        let (mut found, mut struck) = (Vec::new(), Vec::new());
        let mut last = (usize::MAX, 0);
        for call in waiting {
            let client = call.ticket.0;
            last = (client, if last.0 == client { last.1 + 1 } else { 0 });
            let choice = |fate: Fate, faulty| {
                let choice = Choice::Call(client, last.1, fate);
                (choice, Some(call.ticket), faulty)
            };
            found.push(choice(Fate::Passes, false));
            if call.orphan {
                if !self.any_live {
                    found.push(choice(Fate::Gone, false));
                }
                continue;
            }
            if call.operation == TRANSACTION {
                let slow = [Fate::Slow, Fate::Torn].into_iter();
                if !self.few {
                    found.extend(slow.map(|fate| choice(fate, false)));
                } else if self.left > 0 {
                    struck.extend(slow.map(|fate| choice(fate, true)));
                }
            }
            if self.left > 0 {
                let faults = faults(&call.operation, self.few).into_iter();
                struck.extend(faults.map(|fate| choice(fate, true)));
                if last.1 == 0 {
                    struck.push(choice(Fate::Dies, true));
                }
            }
        }
        if self.asleep {
            found.push((Choice::Wait, None, false));
        }
        found.extend(struck);
        found
    }
}

/// One client and what it needs to ask for something.
struct Talk {
    client: usize,
    asks: Vec<Ask>,
    provider: Provider,
    remaining: Duration,
    log: Arc<Mutex<Vec<Sent>>>,
    clock: Arc<AtomicU64>,
    gate: Arc<Gate>,
}

/// Tells the gate that a client is done, also when it is by a panic.
struct Done(Arc<Gate>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.tell();
    }
}

impl Talk {
    async fn hold(self) {
        let _done = Done(Arc::clone(&self.gate));
        for (turn, ask) in self.asks.iter().enumerate() {
            sleep(ask.pause).await;
            let begin = self.clock.fetch_add(1, Ordering::Relaxed);
            let place = {
                let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push(Sent {
                    client: self.client,
                    turn,
                    begin,
                    reply: None,
                });
                log.len() - 1
            };
            let number = number_of(self.client, turn);
            let reply = if ask.walks {
                walk(&self.provider, number, self.remaining, ask).await
            } else {
                send(&self.provider, number, self.remaining, ask).await
            };
            let end = self.clock.fetch_add(1, Ordering::Relaxed);
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(sent) = log.get_mut(place) {
                sent.reply = Some((end, reply));
            }
        }
    }
}

/// One request to the functions.
pub(super) async fn send(
    provider: &Provider,
    number: u64,
    remaining: Duration,
    ask: &Ask,
) -> Reply {
    let functions = Functions::of_request(provider.clone(), SEED, number, remaining);
    let mut client = Client::new(Arc::new(functions), TENANT);
    for (name, value) in &ask.headers {
        client = client.with_header(name, value);
    }
    let body = if ask.body.is_null() {
        Vec::new()
    } else {
        ask.body.to_string().into_bytes()
    };
    client.send(ask.method, &ask.target, body).await
}

/// With production's patience, which sends everything once: what is tried again is
/// so by the store, after pauses that the requests' seeds decide.
fn store(door: Door) -> Store {
    let settings = patience(dynamo::settings(SharedHttpConnector::new(door))).build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(settings), TABLE)
}

/// The weather without latency, budget and chance: the schedule has them all.
pub(super) fn still() -> Settings {
    Settings {
        torn: false,
        transaction: Duration::ZERO..=Duration::ZERO,
        call: Duration::ZERO..=Duration::ZERO,
        lag: Duration::from_millis(40),
        budget: None,
        ..Settings::default()
    }
}
