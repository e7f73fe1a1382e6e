//! Planning alone, for counting instructions: no database, no clock, and the
//! same work on every run.

use local::plan::assumed::Assumed;
use serde_json::Value;
use shared::plan::rights::{Access, Rights};
use shared::plan::{
    Atomicity, Capacity, Entry, Job, ReadSet, Rules, Terms, operation, order, plan,
};
use shared::scim::patch::Dialect;
use shared::scim::schema::catalogue;
use shared::scim::{ResourceId, Timestamp};
use shared::table::Tenant;

use super::workload::{Existing, Workload};

/// Checks the rows of a workload and assumes what they find, then orders and
/// plans them as often as is said. The transactions of one plan.
///
/// What one more repetition costs is what ordering, simulating and packing
/// cost, without checking and reading.
pub fn repeat(workload: Workload, rows: usize, repetitions: usize) -> usize {
    let users = (0..workload.users(rows)).map(|n| id(20_000 + n).to_string());
    let existing = Existing {
        users: users.collect(),
        group: id(60_000).to_string(),
    };
    let entries = checked(&workload.operations(rows, &existing));
    let now = Timestamp(1_800_000_000_000);
    let tenant = Tenant::parse("acme").expect("a tenant may have this name");
    let settled = vec![None; entries.len()];
    let planned = |read: &ReadSet| {
        let terms = Terms::default();
        let units = order(&entries, Atomicity::Operation);
        let job = Job {
            entries: &entries,
            units: &units,
            settled: &settled,
            terms,
            now,
            tenant: &tenant,
            cancelled: &[],
            capacity: Capacity::WHOLE,
            enough: &|_| false,
        };
        plan(&job, read)
    };
    let mut assumed = Assumed::new(&entries, now);
    let mut read = ReadSet::default();
    while let Err(wants) = planned(&read) {
        assumed.read(wants, &mut read);
    }
    let mut transactions = 0;
    for _ in 0..repetitions {
        transactions = planned(&read).unwrap_or_default().transactions.len();
    }
    transactions
}

/// The rows of somebody who may do everything, with ids by their number.
pub(super) fn checked(operations: &[Value]) -> Vec<Entry> {
    let types = catalogue().resource_types.iter();
    let rights = Rights::new(types.map(|kind| Rights::scope(kind, Access::Write)));
    let rules = Rules {
        rights: &rights,
        dialect: Dialect { entra: false },
        strict_bulk_id: false,
        mint: &id,
    };
    operation::check(operations, &rules)
}

fn id(n: usize) -> ResourceId {
    ResourceId::from_random((n as u128).to_be_bytes())
}
