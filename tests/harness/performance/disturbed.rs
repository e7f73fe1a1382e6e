//! Bulk requests while three transactions in ten meet another writer.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Cost, Figure, Latency, Workload, bulk, stack};
use crate::weather::{Rates, Settings};

/// How often a transaction is cancelled with `TransactionConflict`, in a
/// thousand.
const CONFLICTS: u32 = 300;

/// The time that a request has in a deployment.
const TIME: Duration = Duration::from_secs(27);

/// The same request undisturbed and disturbed, on several seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Disturbed {
    /// The rows.
    pub workload: Workload,
    /// How many in one request.
    pub rows: usize,
    /// Undisturbed and disturbed, by seed.
    pub runs: Vec<[Cost; 2]>,
}

impl Disturbed {
    /// Measures one workload on these seeds.
    pub async fn measure(
        workload: Workload,
        rows: usize,
        latency: Latency,
        seeds: impl IntoIterator<Item = u64>,
    ) -> Self {
        let mut runs = Vec::new();
        for seed in seeds {
            let calm = bulk(workload, rows, stack(latency, seed)).await;
            let disturbed = disturbed(workload, rows, latency, seed).await;
            runs.push([calm, disturbed]);
        }
        Self {
            workload,
            rows,
            runs,
        }
    }

    /// Rows in a hundred that did not end as undisturbed.
    pub fn undone(&self) -> f64 {
        let pairs = self
            .runs
            .iter()
            .flat_map(|[calm, disturbed]| calm.statuses.iter().zip(&disturbed.statuses));
        let undone = pairs.filter(|(calm, disturbed)| calm != disturbed).count();
        100.0 * undone as f64 / (self.rows * self.runs.len()) as f64
    }

    /// Calls by those of the undisturbed runs, all seeds together.
    pub fn calls(&self) -> f64 {
        let of = |which: usize| -> u64 { self.runs.iter().map(|run| run[which].calls).sum() };
        of(1) as f64 / of(0) as f64
    }

    /// What is promised of it.
    pub fn figures(&self) -> [Figure; 2] {
        let rounded = |number: f64| (number * 100.0).round() / 100.0;
        let rows = super::table::number(self.rows as f64);
        let name = format!("{rows} rows of {}, disturbed", self.workload.name());
        [
            Figure::new(
                format!("{name}, % of rows not done in time"),
                0.1,
                rounded(self.undone()),
            ),
            Figure::new(
                format!("{name}, calls by the undisturbed ones"),
                1.5,
                rounded(self.calls()),
            ),
        ]
    }
}

async fn disturbed(workload: Workload, rows: usize, latency: Latency, seed: u64) -> Cost {
    let stack = stack(latency, seed).remaining(TIME).start().await;
    let client = stack.client();
    let operations = workload.prepare(&client, rows).await;
    stack.weather().change(|settings: &mut Settings| {
        settings.rates = Rates {
            conflict: CONFLICTS,
            ..Rates::default()
        };
    });
    let cost = super::cost(&stack, super::send(&client, &operations)).await;
    stack.weather().calm();
    stack.audit().await;
    cost
}

/// The table of the page.
pub fn render(measured: &[Disturbed]) -> String {
    let mut table = String::from(
        "| workload | rows | seed | conflicts | write calls | all calls | undisturbed | virtual time |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for one in measured {
        for (index, [calm, disturbed]) in one.runs.iter().enumerate() {
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                one.workload.name(),
                super::table::number(one.rows as f64),
                index + 1,
                disturbed.conflicts,
                disturbed.write_calls,
                disturbed.calls,
                calm.calls,
                super::table::seconds(disturbed.time),
            );
        }
    }
    table
}
