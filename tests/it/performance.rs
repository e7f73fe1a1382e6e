//! What `docs/performance.md` tells is what the code does.

use harness::performance::disturbed::{self, Disturbed};
use harness::performance::page::{self, Part};
use harness::performance::{Comparison, Figure, LATENCY, Workload, figure, table};

/// What helps where the page is out of date.
const ANEW: &str = "write it anew with `cargo bench --bench bulk -- --write`";

/// The lines of 10 and 100 rows, up to the times.
#[tokio::test(start_paused = true)]
async fn the_page_tells_what_small_requests_cost() {
    let page = page::read(Part::Comparison).unwrap();
    let mut tables = page.split("\n\n**");
    for workload in Workload::ALL {
        let told = tables.next().unwrap();
        let mut lines = told.lines().skip_while(|line| !line.starts_with("|--:"));
        lines.next();
        for rows in [10, 100] {
            let compared = Comparison::measure(workload, rows, LATENCY).await;
            assert_eq!(compared.bulk.conflicts, 0);
            for counted in table::counts(&compared) {
                let told = lines.next().unwrap();
                assert!(
                    told.starts_with(&counted),
                    "{}: the page says\n{told}\nand it is\n{counted}\n{ANEW}",
                    workload.name()
                );
            }
        }
    }
}

/// What is measured here is what the page tells, and within its bound. The last
/// line of the page is not: it is of 10,000 rows too, which a debug build takes
/// minutes for, so it is only read.
#[tokio::test(start_paused = true)]
async fn the_page_tells_the_figures_of_an_idle_table_and_all_are_met() {
    let measured = figure::figures(LATENCY).await;
    told_and_met(&measured, 0);
    let page = page::read(Part::Figures).unwrap();
    let disturbed = page.lines().filter(|line| line.contains(", disturbed, "));
    assert_eq!(page.lines().count(), measured.len() + disturbed.count() + 1);
    let last =
        "- figure: conflicts of all tables above on an idle table: at most 0, measured 0, met";
    assert_eq!(page.lines().last(), Some(last));
}

/// The lines of the page from this one on are these figures.
fn told_and_met(measured: &[Figure], first: usize) {
    let page = page::read(Part::Figures).unwrap();
    for (place, figure) in measured.iter().enumerate() {
        assert!(figure.is_met(), "{figure}");
        let line = figure.line();
        let told = page.lines().nth(first + place);
        assert_eq!(told, Some(line.as_str()), "{ANEW}");
    }
}

/// Half of the writes are repeated at worst, and every row ends as it would
/// have undisturbed. Counts are compared, and times are not.
#[tokio::test(start_paused = true)]
async fn three_conflicts_in_ten_calls_cost_less_than_half_as_many_calls_again() {
    let mut measured = Vec::new();
    for workload in [Workload::Users, Workload::Mixed] {
        measured.push(Disturbed::measure(workload, 1_000, LATENCY, 1..=5).await);
    }
    let figures: Vec<Figure> = measured.iter().flat_map(Disturbed::figures).collect();
    told_and_met(&figures, 9);
    for one in &measured {
        let conflicts: u64 = one.runs.iter().map(|[_, run]| run.conflicts).sum();
        assert!(conflicts > 20, "the weather was better than thought");
    }
    let untimed = |table: &str| -> Vec<String> {
        let cells = |line: &str| Some(line.strip_suffix('|')?.rsplit_once('|')?.0.to_owned());
        table.trim().lines().filter_map(cells).collect()
    };
    let told = page::read(Part::Disturbed).unwrap();
    let told = untimed(&told);
    assert_eq!(told.len(), 2 + 10);
    assert_eq!(told, untimed(&disturbed::render(&measured)), "{ANEW}");
}
