//! What `docs/performance.md` tells is what the code does.

use harness::performance::disturbed::Disturbed;
use harness::performance::page::{self, Part};
use harness::performance::{Comparison, Figure, LATENCY, Workload, table};

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
                    "{}: the page says\n{told}\nand it is\n{counted}\n\
                     write it anew with `cargo bench --bench bulk -- --write`",
                    workload.name()
                );
            }
        }
    }
}

/// The page names its own bounds: none is told as broken, and none is missing.
#[test]
fn every_figure_of_the_page_is_met() {
    let page = page::read(Part::Figures).unwrap();
    let figures: Vec<&str> = page.lines().collect();
    assert!(figures.len() >= 14, "{figures:#?}");
    for figure in figures {
        assert!(figure.ends_with(", met"), "{figure}");
    }
}

/// Half of the writes are repeated at worst, and every row ends as it would
/// have undisturbed.
#[tokio::test(start_paused = true)]
async fn three_conflicts_in_ten_calls_cost_less_than_half_as_many_calls_again() {
    for workload in [Workload::Users, Workload::Mixed] {
        let disturbed = Disturbed::measure(workload, 1_000, LATENCY, 11..=14).await;
        let broken: Vec<String> = disturbed
            .figures()
            .iter()
            .filter(|figure| !figure.is_met())
            .map(Figure::to_string)
            .collect();
        assert!(broken.is_empty(), "{broken:?}");
        let conflicts: u64 = disturbed.runs.iter().map(|[_, run]| run.conflicts).sum();
        assert!(conflicts > 20, "the weather was better than thought");
    }
}
