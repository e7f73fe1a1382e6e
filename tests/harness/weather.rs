//! The database behaving badly: a layer between the SDK client and the
//! embedded DynamoDB.
//!
//! The emulator executes one request after another, instantly, and never
//! conflicts, lags or throttles. Code that is only ever tested against it is
//! untested where it matters. This layer gives every call a latency, and from
//! that alone most of the weather follows; it knows keys, sizes and operations
//! of DynamoDB and nothing of SCIM.
//!
//! **What it imitates of the real one**
//! - A TransactWriteItems holds its keys, those of its ConditionChecks included,
//!   until it has answered. One that meets a held key is cancelled with
//!   `TransactionConflict`; a plain write is refused with
//!   `TransactionConflictException`. Half of the cancelled ones also learn
//!   which conditions failed on the keys that were free, as it may happen in
//!   the real one.
//! - A transaction is atomic for writers and not for readers: BatchGetItem,
//!   Query and even two consecutive GetItems see some of its items before and
//!   some after the write while it commits (read-committed isolation, per item).
//! - Reads without ConsistentRead show a state up to [`Settings::lag`] old.
//! - A partition takes 1,000 write units and 3,000 read units a second; a
//!   transactional write costs 2 per KB of the larger of the item before and
//!   after, a ConditionCheck likewise. Refused keys of a BatchGetItem come back
//!   unprocessed.
//! - A transaction of more than 4 MB is refused, counting the larger image of
//!   every item that it names. (More than 100 actions and two actions on one
//!   item the emulator refuses itself.)
//! - A client request token seen before is answered without a second write, and
//!   one whose transaction is still running with `TransactionInProgressException`.
//! - A caller who stops waiting does not stop the work.
//! - Operations that the service has no permission for are denied.
//!
//! **What it does not**: partitions split or heat up over time (one partition
//! key value is one partition, and its budget is never more than a second's);
//! plain writes never hold a key; global tables, limits of the account and the
//! ten minutes after which a token is forgotten do not exist.
//!
//! Everything is drawn from the seed and the number of the call, and time is
//! tokio's: under `#[tokio::test(start_paused = true)]` the same seed gives the
//! same [`Weather::trace`] in no wall time.
//!
//! ```ignore
//! let weather = Weather::new(embedded, 7);
//! weather.inject("TransactWriteItems", 1, Fault::Lost { applied: true });
//! let client = weather.client();
//! // … and afterwards
//! assert_eq!(weather.report().conflicts, 0);
//! ```

pub(crate) mod action;
mod budget;
pub(crate) mod chance;
mod fault;
pub(crate) mod past;
mod read;
mod report;
mod server;
mod write;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::{Client, config};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use local::dynamo::{self, Embedded};
use serde_json::{Map, Value};
use tokio::sync::{oneshot, watch};

pub use budget::Budget;
pub use fault::{Fault, Rates};
pub use report::Report;

use server::{Arrival, Server};

/// How bad the weather is. The default is an ordinary day: latency, conflicts
/// where transactions overlap, lag, torn reads and real budgets, no faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How long a transaction takes and holds its keys.
    pub transaction: RangeInclusive<Duration>,
    /// How long any other call takes.
    pub call: RangeInclusive<Duration>,
    /// How old the state may be that a read without ConsistentRead shows.
    pub lag: Duration,
    /// Whether readers see the items of a committing transaction change one by
    /// one.
    pub torn: bool,
    /// What a partition takes; `None` is without limit.
    pub budget: Option<Budget>,
    /// Faults by chance.
    pub rates: Rates,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transaction: Duration::from_millis(6)..=Duration::from_millis(20),
            call: Duration::from_millis(2)..=Duration::from_millis(8),
            lag: Duration::from_millis(500),
            torn: true,
            budget: Some(Budget::default()),
            rates: Rates::default(),
        }
    }
}

/// The layer as one caller sees it. Clones are the same caller: they die
/// together of a [`Fault::Kill`]. [`Weather::successor`] is another caller of
/// the same database.
#[derive(Clone)]
pub struct Weather {
    server: Arc<Server>,
    dead: Arc<watch::Sender<bool>>,
}

impl Weather {
    /// Puts ordinary weather before a database.
    pub fn new(embedded: Embedded, seed: u64) -> Self {
        Self::with(embedded, seed, Settings::default())
    }

    /// Puts weather of one's choice before a database.
    pub fn with(embedded: Embedded, seed: u64, settings: Settings) -> Self {
        Self {
            server: Arc::new(Server::new(embedded, seed, settings)),
            dead: Arc::new(watch::channel(false).0),
        }
    }

    /// Another caller of the same database under the same weather, alive
    /// whatever befell this one: the next execution environment of a function.
    #[must_use]
    pub fn successor(&self) -> Self {
        Self {
            server: Arc::clone(&self.server),
            dead: Arc::new(watch::channel(false).0),
        }
    }

    /// A client that does not retry by itself.
    pub fn client(&self) -> Client {
        Client::from_conf(self.settings().build())
    }

    /// Client settings that lead through the weather, for a caller who adds
    /// timeouts before building the client.
    pub fn settings(&self) -> config::Builder {
        dynamo::settings(SharedHttpConnector::new(self.clone()))
    }

    /// The database without weather, to look at what is really there.
    pub fn embedded(&self) -> &Embedded {
        self.server.embedded()
    }

    /// Changes the weather from the next call on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.server.change(change);
    }

    /// Lets a fault befall the `nth` call of an operation, such as
    /// `TransactWriteItems`, counted from now; 1 is the next one.
    pub fn inject(&self, operation: &str, nth: u64, fault: Fault) {
        self.server.inject(operation, nth, fault);
    }

    /// Forgets every fault that has not struck yet, by script or by chance.
    pub fn calm(&self) {
        self.server.calm();
    }

    /// Resolves once a [`Fault::Kill`] has struck this caller: the moment to
    /// drop whatever it was doing.
    pub async fn killed(&self) {
        let mut dead = self.dead.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = dead.wait_for(|dead| *dead).await;
    }

    /// Whether a [`Fault::Kill`] has struck this caller.
    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Waits until a call of this operation has begun, counted from the last
    /// [`Weather::reset`]: the moment to come between a request and its commit.
    pub async fn begun(&self, operation: &str) {
        while !self.report().calls.contains_key(operation) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until the database has finished all that was asked of it, also by
    /// callers who did not wait for it.
    pub async fn quiet(&self) {
        while self.server.busy() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Whether the database is still working on something.
    pub fn is_busy(&self) -> bool {
        self.server.busy()
    }

    /// All items of a table as they are now, in DynamoDB's JSON.
    pub fn items(&self, table: &str) -> Vec<Map<String, Value>> {
        past::scan(self.server.embedded(), table)
    }

    /// What was asked of the database so far.
    pub fn report(&self) -> Report {
        self.server.report()
    }

    /// Begins a new report and a new trace.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// One line per call in the order of their ends: milliseconds, number,
    /// operation, what came of it.
    pub fn trace(&self) -> Vec<String> {
        self.server.trace()
    }
}

impl fmt::Debug for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weather")
            .field("dead", &self.is_dead())
            .finish_non_exhaustive()
    }
}

impl HttpConnector for Weather {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, body) = match dynamo::read_request(&request) {
            Ok((operation, body)) => (operation.to_owned(), body.to_owned()),
            Err(error) => return HttpConnectorFuture::ready(Err(error)),
        };
        let weather = self.clone();
        HttpConnectorFuture::new(async move {
            if weather.is_dead() {
                return std::future::pending().await;
            }
            let server = Arc::clone(&weather.server);
            let (call, fault) = server.admit(&operation);
            let number = call.number();
            if matches!(fault, Some(Fault::Kill { .. })) {
                weather.dead.send_replace(true);
            }
            // A task of its own: who stops waiting does not stop the work.
            let (sender, receiver) = oneshot::channel();
            tokio::spawn(async move {
                let arrival = server.serve(call, &operation, &body, fault).await;
                // Nobody waits any more: the caller ran into its timeout.
                let _ = sender.send(arrival);
            });
            let arrival = tokio::select! {
                biased;
                () = weather.killed() => Arrival::Never,
                arrival = receiver => arrival.unwrap_or(Arrival::Never),
            };
            match arrival {
                Arrival::Answer(answer) => dynamo::write_response(answer, number),
                Arrival::Lost => Err(ConnectorError::io("the connection broke".into())),
                Arrival::Never => std::future::pending().await,
            }
        })
    }
}
