//! The service provider: read, plan, commit; search; present.
//!
//! The one room where the pure rooms and the store meet. A single request and a
//! bulk of a thousand rows take the same way through [`Provider::apply`]. It
//! must never know HTTP, events or claims.

mod apply;
mod board;
mod execute;
mod idempotency;
mod password;
mod present;
mod search;
mod subject;

use std::sync::Arc;

use tokio::time::Instant;

use crate::ambient::Moment;
use crate::config::Config;
use crate::plan::Rights;
use crate::scim::ScimError;
use crate::store::{Store, StoreError};
use crate::table::Tenant;

pub use apply::capacity;
pub use idempotency::{Begun, Intention, KEPT, Run};
pub use password::stretched;
pub use present::Presented;
pub use search::{CURSOR_TIMEOUT, Extent, Position, Seal};

/// Everything that a function needs to answer requests. Made once at cold
/// start.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Where resources are kept.
    pub store: Store,
    /// As read at cold start.
    pub config: Arc<Config>,
}

impl Provider {
    /// The same for one request: what is read for it is asked for until it is
    /// answered or the time of the request is up.
    #[must_use]
    pub fn during(&self, moment: &Moment) -> Self {
        self.until(moment, moment.deadline)
    }

    /// The same for a part of a request that has less time.
    fn until(&self, moment: &Moment, deadline: Instant) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = moment.bytes("reads", 0);
        let seed = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        Self {
            store: self.store.during(deadline, seed),
            config: Arc::clone(&self.config),
        }
    }
}

/// On whose behalf a request is carried out.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The only tenant whose items the request can reach.
    pub tenant: Tenant,
    /// What the token allows.
    pub rights: Rights,
    /// Which client and subject the token names, to tell callers apart.
    pub identity: String,
    /// Who issued the token.
    pub issuer: String,
    /// The client application that the token names, else its subject.
    pub client: String,
    /// Whom the token is about, to find the user behind `/Me`.
    pub subject: Option<String>,
    /// What locations begin with, without a trailing slash.
    pub base_url: String,
}

/// Why a request has no other answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The client's, told as it is.
    #[error(transparent)]
    Client(#[from] ScimError),
    /// The service's, logged in full and told as nothing but a 500, or a 503
    /// where it may pass.
    #[error("the store failed")]
    Service(#[from] StoreError),
}

/// What the row of an operation says when the store has failed it before
/// anything was written. The cause is logged here, once.
fn service_failed(error: &StoreError) -> ScimError {
    tracing::error!(error = %error, "an operation could not be carried out");
    match error.is_transient() {
        true => execute::not_attempted(),
        false => ScimError::internal(),
    }
}
