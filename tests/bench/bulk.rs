//! What bulk requests cost, as `docs/performance.md` shows it.
//!
//! ```sh
//! cargo bench --bench bulk                        # prints tables and figures
//! cargo bench --bench bulk -- --latency 2..8      # milliseconds of each call
//! cargo bench --bench bulk -- --rows 10,100       # not up to 10,000 rows
//! cargo bench --bench bulk -- --write             # puts them into the page
//! cargo bench --bench bulk -- --instructions      # counts those of planning
//! ```
//!
//! Counts and virtual times are the same on every machine and with every
//! profile; add `--profile dev` where it is already built. Instructions need
//! valgrind and depend on the profile. The end is not a success where a figure
//! of the design is not met, or a transaction met a conflict on the idle table.

#[path = "bulk/instructions.rs"]
mod instructions;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::thread::{self, ScopedJoinHandle};

use harness::performance::disturbed::{self, Disturbed};
use harness::performance::page::{self, Part};
use harness::performance::{Comparison, Figure, LATENCY, Latency, ROWS, Workload, chart, table};

/// What is asked on the command line.
struct Options {
    latency: Latency,
    rows: Vec<usize>,
    write: bool,
    instructions: bool,
    /// To plan only, under valgrind.
    plan: Option<instructions::Run>,
}

fn main() -> io::Result<ExitCode> {
    let Some(options) = options(std::env::args().skip(1)) else {
        let usage = "usage: [--latency MIN..MAX] [--rows N,…] [--write] [--instructions]";
        writeln!(io::stderr(), "{usage}")?;
        return Ok(ExitCode::from(2));
    };
    if let Some(run) = options.plan {
        run.plan();
        return Ok(ExitCode::SUCCESS);
    }
    if options.instructions {
        let table = instructions::render(&instructions::measure(&options.rows)?);
        show(Part::Instructions, &table, options.write)?;
        return Ok(ExitCode::SUCCESS);
    }
    measure(&options)
}

fn measure(options: &Options) -> io::Result<ExitCode> {
    let latency = options.latency;
    let (mut compared, mut disturbed) = (Vec::new(), Vec::new());
    let mut figures = thread::scope(|scope| {
        let comparing = Workload::ALL.map(|workload| {
            scope.spawn(move || {
                alone(async move {
                    let mut compared = Vec::new();
                    for rows in &options.rows {
                        compared.push(Comparison::measure(workload, *rows, latency).await);
                    }
                    compared
                })
            })
        });
        let disturbing = [Workload::Users, Workload::Mixed].map(|workload| {
            scope.spawn(move || alone(Disturbed::measure(workload, 1_000, latency, 1..=5)))
        });
        let figures = alone(harness::performance::figure::figures(latency))?;
        for one in comparing {
            compared.extend(joined(one)?);
        }
        for one in disturbing {
            disturbed.push(joined(one)?);
        }
        io::Result::Ok(figures)
    })?;
    show(Part::Comparison, &table::render(&compared), options.write)?;
    show(
        Part::Disturbed,
        &disturbed::render(&disturbed),
        options.write,
    )?;
    figures.extend(disturbed.iter().flat_map(Disturbed::figures));
    let conflicts: u64 = compared.iter().map(|one| one.bulk.conflicts).sum();
    let idle = "conflicts of all tables above on an idle table";
    figures.push(Figure::new(idle, 0.0, conflicts as f64));
    let lines: Vec<String> = figures.iter().map(Figure::line).collect();
    show(Part::Figures, &lines.join("\n"), options.write)?;
    if options.write {
        page::write_chart(&chart::render(&compared))?;
    }
    Ok(match figures.iter().all(Figure::is_met) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Measures on this thread, with a clock of its own. Time stands still while the
/// database "works", so the weather costs none.
fn alone<T>(measuring: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(measuring))
}

/// What a thread has measured. A row that ended otherwise than in the other
/// execution has failed there, and fails all.
fn joined<T>(thread: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    match thread.join() {
        Ok(measured) => measured,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn show(part: Part, text: &str, write: bool) -> io::Result<()> {
    writeln!(io::stdout(), "{}\n", text.trim_end())?;
    match write {
        true => page::write(part, text),
        false => Ok(()),
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        latency: LATENCY,
        rows: ROWS.to_vec(),
        write: false,
        instructions: false,
        plan: None,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Said by `cargo bench`.
            "--bench" => {}
            "--latency" => options.latency = Latency::parse(&arguments.next()?)?,
            "--rows" => {
                let rows = arguments.next()?;
                options.rows = rows
                    .split(',')
                    .map(|n| n.parse().ok())
                    .collect::<Option<_>>()?;
            }
            "--write" => options.write = true,
            "--instructions" => options.instructions = true,
            "--plan" => options.plan = Some(instructions::Run::parse(&arguments.next()?)?),
            _ => return None,
        }
    }
    // The tests compare the first lines of the page.
    let shown = ROWS
        .get(..2)
        .is_some_and(|first| options.rows.starts_with(first));
    (shown || !options.write).then_some(options)
}
