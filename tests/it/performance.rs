//! What bulk requests cost while others write.

use harness::performance::disturbed::Disturbed;
use harness::performance::{Figure, LATENCY, Workload};

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
