//! Plans of request files, and how they are shown.
//!
//! A bulk request is planned as the functions would, from a directory that is
//! [`assumed`] where there is none: no network and no clock are asked, so the
//! same file has the same plan every time. Each of [`text`], [`json`],
//! [`mermaid`] and [`svg`] shows one [`Summary`] and knows nothing of the
//! others; what they share is in [`label`].
//!
//! ```ignore
//! let request = request::read(&bytes, &settings, &template)?;
//! println!("{}", text::render(&plan(&request, None).await?, Price::default()));
//! ```

pub mod assumed;
pub mod json;
pub mod label;
pub mod mermaid;
pub mod request;
pub mod svg;
pub mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use shared::ambient::Moment;
use shared::api::resources;
use shared::plan::{self, Job, Summary, operation};
use shared::provider;
use shared::scim::Timestamp;
use shared::store::{Store, StoreError};

use assumed::Assumed;
use request::Request;

/// What a million write request units cost, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price(pub f64);

impl Price {
    /// On demand, Standard table class, us-east-1, since November 2024 (Amazon
    /// DynamoDB pricing page, "On-demand capacity").
    pub const ON_DEMAND: Self = Self(0.625);

    /// What a million requests with so many write units cost.
    pub fn of_a_million(self, write_units: usize) -> Dollars {
        // A million requests of one unit are a million units.
        Dollars(write_units as f64 * self.0)
    }
}

/// An amount in US dollars, shown with cents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dollars(pub f64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.2}", self.0)
    }
}

/// Plans a request. Without a store, on an assumed directory.
///
/// # Errors
///
/// When the store fails; without one never.
pub async fn plan(request: &Request, store: Option<&Store>) -> Result<Summary, StoreError> {
    let moment = Moment {
        // Any instant of this century is stored in as many digits.
        now: Timestamp(1_800_000_000_000),
        seed: [0; 32],
        ..Moment::begin(Duration::ZERO)
    };
    let mint = |position| moment.id(position);
    let rules = resources::rules(&request.caller, &request.config, &mint);
    let entries = operation::check(&request.operations, &rules);
    let units = plan::order(&entries, request.terms.atomicity);
    let settled = vec![None; entries.len()];
    let job = Job {
        entries: &entries,
        units: &units,
        settled: &settled,
        terms: request.terms,
        now: moment.now,
        tenant: &request.caller.tenant,
        cancelled: &[],
        capacity: provider::capacity(&entries, false),
        enough: &|_| false,
    };
    let mut assumed = Assumed::new(&entries, moment.now);
    let mut read = plan::ReadSet::default();
    let planned = loop {
        let wants: BTreeSet<plan::Want> = match plan::plan(&job, &read) {
            Ok(planned) => break planned,
            Err(wants) => wants,
        };
        match store {
            Some(store) => {
                let tenant = &request.caller.tenant;
                store.read(tenant, &wants, &mut read).await?;
            }
            None => assumed.read(wants, &mut read),
        }
    };
    let tenant = &request.caller.tenant;
    Ok(Summary::new(&entries, &units, &planned, tenant))
}
