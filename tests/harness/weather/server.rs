//! The far end of the wire: every call served with latency, budget and faults.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use local::dynamo::{Answer, Embedded};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Settings;
use super::action::{Item, Place};
use super::budget::Buckets;
use super::chance::Chance;
use super::fault::Fault;
use super::report::Report;

/// What reaches the caller.
#[derive(Debug)]
pub(super) enum Arrival {
    Answer(Answer),
    Lost,
    Never,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    number: u64,
    depth: u64,
    pub(super) chance: Chance,
}

impl Call {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) embedded: Embedded,
    seed: u64,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) report: Report,
    /// Keys of transactions under way.
    pub(super) held: HashMap<Place, u64>,
    /// Client request tokens; true once their transaction is applied.
    pub(super) tokens: HashMap<String, bool>,
    pub(super) writes: Buckets,
    pub(super) reads: Buckets,
    /// What items were before their latest writes, oldest first.
    pub(super) journal: VecDeque<(Instant, Place, Option<Item>)>,
    script: Vec<(String, u64, Fault)>,
    trace: Vec<String>,
    calls: u64,
    under_way: u64,
    deepest: u64,
}

impl Server {
    pub(super) fn new(embedded: Embedded, seed: u64, settings: Settings) -> Self {
        let state = State {
            settings,
            report: Report::default(),
            held: HashMap::new(),
            tokens: HashMap::new(),
            writes: Buckets::default(),
            reads: Buckets::default(),
            journal: VecDeque::new(),
            script: Vec::new(),
            trace: Vec::new(),
            calls: 0,
            under_way: 0,
            deepest: 0,
        };
        Self {
            embedded,
            seed,
            began: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// The state, for a few lines without `await`. A test that failed while
    /// holding it has already said so.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    pub(super) fn inject(&self, operation: &str, nth: u64, fault: Fault) {
        self.state().script.push((operation.to_owned(), nth, fault));
    }

    pub(super) fn calm(&self) {
        let mut state = self.state();
        state.script.clear();
        state.settings.rates = super::Rates::default();
    }

    pub(super) fn busy(&self) -> bool {
        self.state().under_way > 0
    }

    pub(super) fn report(&self) -> Report {
        self.state().report.clone()
    }

    pub(super) fn reset(&self) {
        let mut state = self.state();
        state.report = Report::default();
        state.trace.clear();
        state.deepest = 0;
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// Numbers a call, counts it and draws its fault: the script's before the
    /// rates'.
    pub(super) fn admit(&self, operation: &str) -> (Call, Option<Fault>) {
        let mut state = self.state();
        state.calls += 1;
        state.under_way += 1;
        *state.report.calls.entry(operation.to_owned()).or_default() += 1;
        let depth = state.deepest + 1;
        state.report.depth = state.report.depth.max(depth);
        state.report.width = state.report.width.max(state.under_way);
        let mut scripted = None;
        state.script.retain_mut(|(named, left, fault)| {
            if named == operation {
                *left = left.saturating_sub(1);
                if *left == 0 && scripted.is_none() {
                    scripted = Some(*fault);
                    return false;
                }
            }
            true
        });
        let number = state.calls;
        let mut chance = Chance::new(self.seed, number);
        let fault = scripted.or_else(|| state.settings.rates.draw(&mut chance));
        (
            Call {
                number,
                depth,
                chance,
            },
            fault,
        )
    }

    /// Serves a call to its end.
    pub(super) async fn serve(
        &self,
        mut call: Call,
        operation: &str,
        body: &str,
        fault: Option<Fault>,
    ) -> Arrival {
        // The others are counted where they refuse what they befall.
        if !matches!(fault, None | Some(Fault::Conflict | Fault::Throttle)) {
            self.state().report.faults += 1;
        }
        let arrival = match fault {
            Some(
                Fault::Lost { applied: false }
                | Fault::Silent { applied: false }
                | Fault::Internal { applied: false }
                | Fault::Invalid
                | Fault::Kill { applied: false },
            ) => {
                let latency = self.latency(&mut call.chance);
                sleep(latency).await;
                None
            }
            _ => Some(self.work(&mut call, operation, body, fault).await),
        };
        let arrival = match fault {
            Some(Fault::Lost { .. }) => Arrival::Lost,
            Some(Fault::Silent { .. } | Fault::Kill { .. }) => Arrival::Never,
            Some(Fault::Internal { .. }) => {
                Arrival::Answer(refusal("InternalServerError", "Internal server error", 500))
            }
            Some(Fault::Invalid) => {
                let message = "Item size has exceeded the maximum allowed size";
                Arrival::Answer(refusal("ValidationException", message, 400))
            }
            _ => arrival.map_or(Arrival::Never, Arrival::Answer),
        };
        self.finish(&call, operation, &arrival);
        arrival
    }

    async fn work(
        &self,
        call: &mut Call,
        operation: &str,
        body: &str,
        fault: Option<Fault>,
    ) -> Answer {
        let Ok(request) = serde_json::from_str::<Value>(body) else {
            return self.embedded.answer(operation, body);
        };
        match operation {
            "TransactWriteItems" => self.transact(call, &request, fault).await,
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                self.write(call, operation, &request, fault).await
            }
            "GetItem" | "BatchGetItem" | "Query" => {
                self.read(call, operation, request, fault).await
            }
            "CreateTable" | "DescribeTable" | "UpdateTimeToLive" => {
                self.embedded.answer(operation, body)
            }
            _ => refusal(
                "AccessDeniedException",
                "no statement allows the action",
                400,
            ),
        }
    }

    fn finish(&self, call: &Call, operation: &str, arrival: &Arrival) {
        let mut state = self.state();
        state.under_way -= 1;
        let shown = match arrival {
            Arrival::Answer(answer) => {
                state.deepest = state.deepest.max(call.depth);
                outcome(answer)
            }
            Arrival::Lost => {
                state.deepest = state.deepest.max(call.depth);
                "lost".to_owned()
            }
            Arrival::Never => "no answer".to_owned(),
        };
        let at = self.began.elapsed().as_millis();
        let number = call.number;
        state
            .trace
            .push(format!("{at} ms · {number} {operation} → {shown}"));
    }

    pub(super) fn latency(&self, chance: &mut Chance) -> std::time::Duration {
        chance.within(&self.state().settings.call)
    }
}

pub(super) fn throttled() -> Answer {
    refusal(
        "ThrottlingException",
        "Throughput exceeds the current capacity of your table",
        400,
    )
}

pub(super) fn refusal(kind: &str, message: &str, status: u16) -> Answer {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    Answer {
        status,
        body: json!({"__type": kind, "message": message}).to_string(),
    }
}

/// `ok`, or the exception's name with the reasons of a cancelled transaction.
fn outcome(answer: &Answer) -> String {
    if answer.status == 200 {
        return "ok".to_owned();
    }
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let kind = body["__type"]
        .as_str()
        .and_then(|kind| kind.rsplit('#').next());
    let reasons = body["CancellationReasons"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    format!("{} {}", kind.unwrap_or("?"), codes.join(" "))
        .trim_end()
        .to_owned()
}
