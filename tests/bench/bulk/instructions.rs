//! Instructions that planning takes, counted by valgrind: the same on every
//! machine of one kind, whatever else runs on it.
//!
//! The benchmark runs itself twice under callgrind, planning twice and once;
//! the difference is one planning, without the start of the process and what
//! comes before.

use std::fmt::Write as _;
use std::io;
use std::process::Command;

use harness::performance::planning::repeat;
use harness::performance::table::number;
use harness::performance::{ROWS, Workload};

/// What the benchmark does under valgrind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    workload: Workload,
    rows: usize,
    repetitions: usize,
}

impl Run {
    /// Reads `workload,rows,repetitions`, the workload by its place.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<usize>> = text.split(',').map(|n| n.parse().ok()).collect();
        let [workload, rows, repetitions] = numbers?.try_into().ok()?;
        Some(Self {
            workload: *Workload::ALL.get(workload)?,
            rows,
            repetitions,
        })
    }

    pub(super) fn plan(self) {
        std::hint::black_box(repeat(self.workload, self.rows, self.repetitions));
    }
}

/// Instructions of one planning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    workload: Workload,
    rows: usize,
    instructions: u64,
}

/// Measures every workload.
pub(super) fn measure(rows: &[usize]) -> io::Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for (place, workload) in Workload::ALL.into_iter().enumerate() {
        for rows in rows.iter().copied() {
            let once = count(&format!("{place},{rows},1"))?;
            let twice = count(&format!("{place},{rows},2"))?;
            measured.push(Measured {
                workload,
                rows,
                instructions: twice.saturating_sub(once),
            });
        }
    }
    Ok(measured)
}

/// A line per workload: instructions of a row, by the number of rows.
pub(super) fn render(measured: &[Measured]) -> String {
    let sizes = ROWS.map(|rows| format!(" {} rows |", number(rows as f64)));
    let mut table = format!(
        "| thousand instructions a row |{} 10,000 by 100 |\n|---|{}--:|\n",
        sizes.concat(),
        "--:|".repeat(ROWS.len())
    );
    for workload in Workload::ALL {
        let of = |rows: usize| {
            let known = measured
                .iter()
                .find(|one| one.workload == workload && one.rows == rows)?;
            Some(known.instructions as f64 / rows as f64)
        };
        let cell = |rows: usize| of(rows).map_or(String::new(), |count| number(count / 1e3));
        let cells = ROWS.map(|rows| format!(" {} |", cell(rows)));
        let growth = match (of(10_000), of(100)) {
            (Some(many), Some(few)) => format!("{:.2}", many / few),
            _ => String::new(),
        };
        let _ = writeln!(
            table,
            "| {} |{} {growth} |",
            workload.name(),
            cells.concat()
        );
    }
    table
}

/// The instructions of a whole run.
fn count(run: &str) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--plan", run])
        .output()?;
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report
        .lines()
        .find_map(|line| line.split_once("Collected :"));
    collected
        .and_then(|(_, count)| count.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("valgrind counted nothing:\n{report}")))
}
