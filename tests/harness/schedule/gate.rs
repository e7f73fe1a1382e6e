//! Where every call waits until the schedule lets it through.
//!
//! A call is carried by a task of its own, so that a caller that dies does not
//! take back what it has sent: its call stays at the gate as an orphan, and may
//! still arrive. A caller that gives up because of its timeout takes it back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use local::dynamo::{self, Embedded};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::weather::Weather;

/// The name of a call: whose, and its number. The calls of one client come in an
/// order that does not depend on the other clients' tasks.
pub(super) type Ticket = (usize, u64);

/// What befell a call, for the trace.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) ticket: Ticket,
    pub(super) answer: String,
}

/// A call at the gate.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) ticket: Ticket,
    pub(super) operation: String,
    pub(super) body: Arc<str>,
    pub(super) orphan: bool,
}

#[derive(Debug)]
struct Waiting {
    operation: String,
    body: Arc<str>,
    pass: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<Ticket, Waiting>,
    dead: BTreeSet<usize>,
    told: Vec<Told>,
}

/// The gate of one schedule.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    news: watch::Sender<u64>,
    /// Makes client request tokens differ between schedules, which have one
    /// database and one seed: it remembers them for ten minutes.
    salt: u32,
}

/// One client's way through the gate.
#[derive(Debug)]
pub(super) struct Door {
    gate: Arc<Gate>,
    client: usize,
    calls: Arc<AtomicU64>,
    weather: Weather,
}

impl Gate {
    pub(super) fn new(salt: u32) -> Self {
        Self {
            state: Mutex::default(),
            news: watch::channel(0).0,
            salt,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call at the gate, in the order of the clients and of their calls.
    pub(super) fn waiting(&self) -> Vec<Caller> {
        let state = self.state();
        let caller = |(ticket, waiting): (&Ticket, &Waiting)| Caller {
            ticket: *ticket,
            operation: waiting.operation.clone(),
            body: Arc::clone(&waiting.body),
            orphan: state.dead.contains(&ticket.0),
        };
        state.waiting.iter().map(caller).collect()
    }

    /// Lets a call through.
    pub(super) fn pass(&self, ticket: Ticket) {
        if let Some(waiting) = self.state().waiting.remove(&ticket) {
            // A carrier never goes away before its call.
            let _ = waiting.pass.send(());
        }
    }

    /// A call that never arrives.
    pub(super) fn discard(&self, ticket: Ticket) {
        self.state().waiting.remove(&ticket);
    }

    /// From now on what this client has at the gate is nobody's.
    pub(super) fn orphan(&self, client: usize) {
        self.state().dead.insert(client);
    }

    /// Something has happened that a waiting schedule wants to know.
    pub(super) fn tell(&self) {
        self.news.send_modify(|news| *news += 1);
    }

    /// Until the next call arrives or is taken back, or a client is done.
    pub(super) async fn news(&self) {
        let mut news = self.news.subscribe();
        // The sender lives in `self`.
        let _ = news.changed().await;
    }

    /// What became of the calls let through so far, in the order of their ends.
    pub(super) fn told(&self) -> Vec<Told> {
        self.state().told.clone()
    }
}

impl Door {
    pub(super) fn new(gate: &Arc<Gate>, client: usize, weather: &Weather) -> Self {
        Self {
            gate: Arc::clone(gate),
            client,
            calls: Arc::default(),
            weather: weather.clone(),
        }
    }
}

/// Takes a call back when its caller gives up.
struct Guard {
    gate: Arc<Gate>,
    ticket: Ticket,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if !state.dead.contains(&self.ticket.0) && state.waiting.remove(&self.ticket).is_some() {
            drop(state);
            self.gate.tell();
        }
    }
}

impl HttpConnector for Door {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (operation, body) = match dynamo::read_request(&request) {
            Ok((operation, body)) => (operation.to_owned(), salted(body, self.gate.salt)),
            Err(error) => return HttpConnectorFuture::ready(Err(error)),
        };
        *request.body_mut() = body.clone().into();
        let ticket = (self.client, self.calls.fetch_add(1, Ordering::Relaxed));
        let (pass, passed) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        self.gate.state().waiting.insert(
            ticket,
            Waiting {
                operation,
                body: body.into(),
                pass,
            },
        );
        self.gate.tell();
        let (gate, weather) = (Arc::clone(&self.gate), self.weather.clone());
        tokio::spawn(async move {
            if passed.await.is_err() {
                return;
            }
            let result = SharedHttpConnector::new(weather).call(request).await;
            let told = describe(&result);
            gate.state().told.push(Told {
                ticket,
                answer: told,
            });
            // Nobody may be there to hear it.
            let _ = answer.send(result);
        });
        let guard = Guard {
            gate: Arc::clone(&self.gate),
            ticket,
        };
        HttpConnectorFuture::new(async move {
            let _guard = guard;
            match answered.await {
                Ok(result) => result,
                // Never carried: the caller's timeout ends it.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

/// The way to a database without a gate, under client request tokens of its own:
/// the reference sends one request again and again, each time to another state.
#[derive(Debug)]
pub(super) struct Salted {
    embedded: Embedded,
    salt: Arc<AtomicU32>,
}

impl Salted {
    pub(super) fn new(embedded: &Embedded, salt: &Arc<AtomicU32>) -> Self {
        Self {
            embedded: embedded.clone(),
            salt: Arc::clone(salt),
        }
    }
}

impl HttpConnector for Salted {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let body = match dynamo::read_request(&request) {
            Ok((_, body)) => salted(body, self.salt.load(Ordering::Relaxed)),
            Err(error) => return HttpConnectorFuture::ready(Err(error)),
        };
        *request.body_mut() = body.into();
        self.embedded.connector().call(request)
    }
}

fn salted(body: &str, salt: u32) -> String {
    const NAME: &str = "\"ClientRequestToken\":\"";
    let Some(start) = body.find(NAME).map(|found| found + NAME.len()) else {
        return body.to_owned();
    };
    let (before, after) = body.split_at(start);
    let rest = after.get(8..).unwrap_or_default();
    format!("{before}{salt:08x}{rest}")
}

/// `ok`, `lost`, or the exception with the reasons of a cancelled transaction.
fn describe(result: &Result<HttpResponse, ConnectorError>) -> String {
    let Ok(response) = result else {
        return "the connection broke".to_owned();
    };
    if response.status().is_success() {
        return "ok".to_owned();
    }
    let body = response.body().bytes().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = body["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let reasons = body["CancellationReasons"].as_array();
    let codes = reasons.into_iter().flatten();
    let codes: Vec<&str> = codes.filter_map(|reason| reason["Code"].as_str()).collect();
    format!("{kind} {}", codes.join(" ")).trim_end().to_owned()
}
