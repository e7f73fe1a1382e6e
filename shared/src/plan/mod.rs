//! Operations to transactions. Pure: same input, same plan, byte for byte.
//!
//! | step | made in | what has become true |
//! |---|---|---|
//! | `Result<Operation, Rejection>` | `operation` | each entry is legal by itself, or has its status |
//! | `Unit`s in canonical order | `graph` | prerequisites first; a ring is one unit |
//! | outcomes and changes | `simulate`, on a `World` | every outcome is decided |
//! | [`Plan`] | `step`, `pack` | folded and packed into transactions within DynamoDB's limits |
//!
//! It takes time, ids and what was read as arguments. It must never know the
//! SDK's client, HTTP, or how an answer is rendered.

pub mod graph;
mod integrity;
mod measured;
pub mod operation;
pub mod outcome;
mod pack;
pub mod read_set;
pub mod rights;
mod simulate;
mod step;
pub mod summary;
pub mod target;
pub mod transaction;
mod unit;
mod world;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::fmt;

pub use operation::{Intent, Method, Operation, Rejection, Rules};
pub use outcome::{Done, Outcome};
pub use read_set::{ReadSet, Want};
pub use rights::{Access, Rights};
pub use step::Step;
pub use summary::Summary;
pub use target::Target;
pub use transaction::{Capacity, Planned, Transaction};
pub use unit::{Atomicity, Terms, Unit};

use crate::scim::{ResourceId, Timestamp};
use crate::table::Tenant;
use graph::{Edges, Use};
use pack::Packing;
use world::World;

/// A legal operation, or the row of one that is not.
pub type Entry = Result<Operation, Rejection>;

/// What a plan is made of, besides what was read.
pub struct Job<'a> {
    /// The request, in its order.
    pub entries: &'a [Entry],
    /// The same in canonical order, from [`order`].
    pub units: &'a [Unit],
    /// What has become of each entry so far; planned are only the others.
    pub settled: &'a [Option<Outcome>],
    /// What the client chose.
    pub terms: Terms,
    /// The one instant of the request.
    pub now: Timestamp,
    /// Whose table it is: part of the size of every item.
    pub tenant: &'a Tenant,
    /// How often each unit, by its position, was to blame for a cancelled
    /// transaction.
    pub cancelled: &'a [u32],
    /// How much of each transaction is for the plan.
    pub capacity: Capacity,
    /// Asked after each unit, with the bytes of all that is changed so far:
    /// whether the plan shall end there. What is behind is left to another.
    pub enough: &'a (dyn Fn(usize) -> bool + Sync),
}

/// What will become of a request if nobody else writes meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In canonical order. Where `failOnErrors` ends the job, or there was
    /// enough, the units behind are absent.
    pub steps: Vec<Step>,
    /// What is written. Each depends on earlier ones only.
    pub transactions: Vec<Transaction>,
    /// Whether it ends where there was enough.
    pub is_cut: bool,
}

/// Who was to blame for so many cancelled transactions shares none any more.
pub const ALONE: u32 = 8;

/// Brings the entries into canonical order, as units that stand or fall
/// together.
pub fn order(entries: &[Entry], atomicity: Atomicity) -> Vec<Unit> {
    #[derive(PartialEq, Eq, Hash)]
    enum Object<'a> {
        /// What a resource holds.
        Content(ResourceId),
        /// That a resource exists.
        Existence(ResourceId),
        /// Who owns a unique value.
        Value(&'static str, &'a str),
    }
    let mut edges = Edges::new(entries.len());
    let operations = || entries.iter().flatten();
    for operation in operations() {
        for need in &operation.needs {
            edges.need(operation.index, *need);
        }
    }
    let mut uses = Vec::new();
    // What creates a resource comes before every other use of it, wherever it
    // stands in the request.
    let creates = operations().filter(|operation| operation.method == Method::Create);
    uses.extend(creates.map(|operation| {
        (
            Object::Content(operation.id),
            operation.index,
            Use::Exclusive,
        )
    }));
    for operation in operations() {
        if operation.method != Method::Create {
            uses.push((
                Object::Content(operation.id),
                operation.index,
                Use::Exclusive,
            ));
        }
        if operation.method == Method::Delete {
            uses.push((
                Object::Existence(operation.id),
                operation.index,
                Use::Exclusive,
            ));
        }
        for id in &operation.mentions {
            uses.push((Object::Existence(*id), operation.index, Use::Shared));
        }
    }
    let values: Vec<_> = operations()
        .flat_map(|operation| {
            let type_name = operation.resource_type.name.as_str();
            let values = operation.unique_values().into_iter();
            values.map(move |value| (type_name, value, operation.index))
        })
        .collect();
    uses.extend(values.iter().map(|(type_name, value, index)| {
        (Object::Value(type_name, value), *index, Use::Exclusive)
    }));
    edges.keep_order(uses);
    match atomicity {
        Atomicity::Operation => edges.order(),
        Atomicity::Component => edges.connected(),
        Atomicity::Request if entries.is_empty() => Vec::new(),
        Atomicity::Request => vec![Unit::joined(edges.order())],
    }
}

/// Plans what is not settled yet.
///
/// # Errors
/// What must be read before a plan can be made. Asking again with all of it
/// may name more; after a few rounds nothing is missing.
pub fn plan(job: &Job<'_>, read: &ReadSet) -> Result<Plan, BTreeSet<Want>> {
    let open = |index: usize| job.settled.get(index).is_some_and(Option::is_none);
    let fresh: HashSet<ResourceId> = (job.entries.iter().flatten())
        .filter(|operation| operation.method == Method::Create && open(operation.index))
        .map(|operation| operation.id)
        .collect();
    let mut world = World::new(read, &fresh);
    let mut statuses: Vec<Option<u16>> = job
        .settled
        .iter()
        .map(|known| known.as_ref().map(Outcome::status))
        .collect();
    let mut failures = 0;
    let mut steps: Vec<Step> = Vec::new();
    let (mut bytes, mut is_cut) = (0, false);
    for (position, unit) in job.units.iter().enumerate() {
        let limit = job.terms.fail_on_errors;
        if limit.is_some_and(|limit| failures >= limit.get()) {
            break;
        }
        if !steps.is_empty() && (job.enough)(bytes) {
            is_cut = true;
            break;
        }
        if unit.operations.iter().copied().any(open)
            && let Some(step) = step::step(job, &mut world, position, unit, &statuses)
        {
            for outcome in &step.outcomes {
                if let Some(slot) = statuses.get_mut(outcome.index) {
                    *slot = Some(outcome.status());
                }
            }
            bytes += step
                .changes
                .iter()
                .map(|change| change.bytes)
                .sum::<usize>();
            steps.push(step);
        }
        let failed = |index: &&usize| {
            statuses
                .get(**index)
                .copied()
                .flatten()
                .is_some_and(|status| status >= 400)
        };
        failures += unit.operations.iter().filter(failed).count();
    }
    let missing = world.into_missing();
    if !missing.is_empty() {
        return Err(missing);
    }
    let packing = Packing {
        tenant: job.tenant,
        contiguous: job.terms.fail_on_errors.is_some(),
        cancelled: job.cancelled,
        capacity: job.capacity,
    };
    let transactions = pack::pack(&mut steps, &packing);
    Ok(Plan {
        steps,
        transactions,
        is_cut,
    })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(f, "unit {}", step.unit)?;
            for outcome in &step.outcomes {
                // A plan is logged, and what stands for a method may be anything.
                let method = Method::parse(&outcome.method).map_or("?", Method::as_str);
                write!(f, " · op {} {method} {}", outcome.index, outcome.status())?;
                if let Err(error) = &outcome.result
                    && let Some(scim_type) = error.scim_type()
                {
                    write!(f, " {}", scim_type.as_str())?;
                }
            }
            match step.transaction {
                Some(transaction) => writeln!(f, " · tx {transaction}")?,
                None => writeln!(f)?,
            }
        }
        for (index, transaction) in self.transactions.iter().enumerate() {
            write!(f, "tx {index}")?;
            if !transaction.after.is_empty() {
                write!(f, " after {:?}", transaction.after)?;
            }
            writeln!(f, " · {transaction}")?;
        }
        Ok(())
    }
}
