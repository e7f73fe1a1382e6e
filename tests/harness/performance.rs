//! What bulk requests cost, against the same rows sent one at a time.
//!
//! Both run in one process, each on a stack of its own: the embedded database
//! behind the weather layer, with conflicts, lag and budgets and without
//! faults. Rows one at a time are requests to the same functions, in canonical
//! order, each after the answer to the one before: one transaction per row.
//! Everything told is a count, or time by tokio's paused clock, so it does not
//! depend on the machine. `docs/performance.md` shows it; `tests/bench/bulk.rs`
//! prints it.
//!
//! ```ignore
//! let compared = Comparison::measure(Workload::Users, 1_000, LATENCY).await;
//! assert_eq!(compared.bulk.conflicts, 0);
//! ```

pub mod chart;
pub mod disturbed;
pub mod figure;
pub mod naive;
pub mod page;
pub mod planning;
pub mod table;
pub mod workload;

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::Client;
use crate::stack::{Builder, Stack};
use crate::weather::{Report, Settings};

pub use figure::Figure;
pub use workload::Workload;

/// How many rows are measured.
pub const ROWS: [usize; 4] = [10, 100, 1_000, 10_000];

/// How long a call or a transaction takes unless told otherwise.
pub const LATENCY: Latency = Latency { least: 5, most: 15 };

/// How long each call to the database takes, transactions included:
/// milliseconds, drawn evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// At least.
    pub least: u64,
    /// At most.
    pub most: u64,
}

impl Latency {
    /// Reads `5..15`.
    pub fn parse(text: &str) -> Option<Self> {
        let (least, most) = text.split_once("..")?;
        let (least, most) = (least.parse().ok()?, most.parse().ok()?);
        (least <= most).then_some(Self { least, most })
    }

    fn range(self) -> RangeInclusive<Duration> {
        Duration::from_millis(self.least)..=Duration::from_millis(self.most)
    }
}

/// What some requests cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Transactions applied.
    pub transactions: u64,
    /// Actions in them.
    pub actions: u64,
    /// Calls that write, refused ones included.
    pub write_calls: u64,
    /// All calls.
    pub calls: u64,
    /// The longest chain of calls that waited for each other: round trips.
    pub depth: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units.
    pub write_units: f64,
    /// Writes refused because of another transaction.
    pub conflicts: u64,
    /// From the first request to the last answer, by tokio's clock.
    pub time: Duration,
    /// What became of each row, in the order of the request.
    pub statuses: Vec<u16>,
}

/// The same rows in one bulk request and one at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The rows.
    pub workload: Workload,
    /// How many.
    pub rows: usize,
    /// In one bulk request.
    pub bulk: Cost,
    /// One at a time.
    pub naive: Cost,
}

impl Comparison {
    /// Measures both.
    ///
    /// # Panics
    /// When a row ends otherwise than the same row in the other execution.
    pub async fn measure(workload: Workload, rows: usize, latency: Latency) -> Self {
        let bulk = bulk(workload, rows, stack(latency, 1)).await;
        let stack = stack(latency, 1).start().await;
        let client = stack.client();
        let operations = workload.prepare(&client, rows).await;
        let naive = cost(&stack, naive::execute(&client, &operations)).await;
        stack.audit().await;
        assert_eq!(
            bulk.statuses,
            naive.statuses,
            "{} rows of {}",
            rows,
            workload.name()
        );
        Self {
            workload,
            rows,
            bulk,
            naive,
        }
    }
}

/// One bulk request of this workload on a new stack.
pub async fn bulk(workload: Workload, rows: usize, stack: Builder) -> Cost {
    let stack = stack.start().await;
    let client = stack.client();
    let operations = workload.prepare(&client, rows).await;
    let cost = cost(&stack, send(&client, &operations)).await;
    stack.audit().await;
    cost
}

/// A stack that takes 10,000 rows, all the time they need, and no faults.
pub fn stack(latency: Latency, seed: u64) -> Builder {
    Stack::builder()
        .seed(seed)
        .weather(Settings {
            transaction: latency.range(),
            call: latency.range(),
            ..Settings::default()
        })
        .variable("MAX_OPERATIONS", "10000")
        .variable("MAX_PAYLOAD_SIZE", "4500000")
        .remaining(Duration::from_secs(3_600))
}

async fn cost(stack: &Stack, execution: impl Future<Output = Vec<u16>>) -> Cost {
    stack.weather().quiet().await;
    stack.weather().reset();
    let began = Instant::now();
    let statuses = execution.await;
    let time = began.elapsed();
    let report = stack.weather().report();
    Cost {
        transactions: report.transactions,
        actions: report.actions,
        write_calls: write_calls(&report),
        calls: report.total_calls(),
        depth: report.depth,
        read_units: report.read_units,
        write_units: report.write_units,
        conflicts: report.conflicts,
        time,
        statuses,
    }
}

fn write_calls(report: &Report) -> u64 {
    let writes = ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"];
    writes
        .iter()
        .filter_map(|name| report.calls.get(*name))
        .sum()
}

/// Sends one bulk request; the statuses of its rows.
async fn send(client: &Client, operations: &[Value]) -> Vec<u16> {
    let reply = client.bulk(operations).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let statuses = reply.statuses().into_iter();
    let statuses: Result<_, _> = statuses.map(str::parse).collect();
    statuses.expect("a status is a number")
}
