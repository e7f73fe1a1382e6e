//! The figures that the design is held to, as far as they concern bulk.

use std::fmt;

use super::{Cost, Latency, Workload, bulk, stack};

/// A bound, and what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Of what.
    pub name: String,
    /// The bound.
    pub most: f64,
    /// What it is.
    pub measured: f64,
}

impl Figure {
    /// A bound on something.
    pub fn new(name: impl Into<String>, most: f64, measured: f64) -> Self {
        Self {
            name: name.into(),
            most,
            measured,
        }
    }

    /// Whether the bound is kept.
    pub fn is_met(&self) -> bool {
        self.measured <= self.most
    }

    /// As the page lists it.
    pub fn line(&self) -> String {
        format!("- figure: {self}")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            most,
            measured,
        } = self;
        let met = if self.is_met() { "met" } else { "NOT met" };
        write!(f, "{name}: at most {most}, measured {measured}, {met}")
    }
}

/// Measures those of an idle table.
pub async fn figures(latency: Latency) -> Vec<Figure> {
    let measured = |workload, rows| bulk(workload, rows, stack(latency, 1));
    let users = measured(Workload::Users, 1_000).await;
    let rich = measured(Workload::RichUsers, 1_000).await;
    let members = measured(Workload::OneGroup, 500).await;
    let groups = measured(Workload::GroupsFirst, 220).await;
    let failed = |cost: &Cost| {
        let failed = cost.statuses.iter().filter(|status| **status >= 400);
        failed.count() as f64
    };
    let conflicts = [&users, &rich, &members, &groups].map(|cost| cost.conflicts);
    let of = |count: u64| count as f64;
    let least = groups.actions.div_ceil(99);
    vec![
        Figure::new(
            "1,000 minimal users, transactions",
            23.0,
            of(users.transactions),
        ),
        Figure::new(
            "1,000 minimal users, write units",
            4_200.0,
            users.write_units,
        ),
        Figure::new(
            "1,000 minimal users, round trips deep",
            4.0,
            of(users.depth),
        ),
        Figure::new(
            "1,000 users with externalId and one e-mail, transactions",
            44.0,
            of(rich.transactions),
        ),
        Figure::new(
            "1,000 users with externalId and one e-mail, round trips deep",
            4.0,
            of(rich.depth),
        ),
        Figure::new(
            "500 PATCH rows, one new member each, on one group, write calls",
            13.0,
            of(members.write_calls),
        ),
        Figure::new(
            "220 rows, groups before their users, references not resolved",
            0.0,
            failed(&groups),
        ),
        Figure::new(
            format!(
                "the same, transactions by ceil({} actions / 99) = {least}",
                groups.actions
            ),
            1.2,
            (of(groups.transactions) / of(least) * 1_000.0).round() / 1_000.0,
        ),
        Figure::new(
            "conflicts of these on an idle table",
            0.0,
            of(conflicts.iter().sum()),
        ),
    ]
}
