//! The whole service in one process: emulator, weather, provider, the
//! functions, and clients by role.
//!
//! Time and chance are the test's: under `#[tokio::test(start_paused = true)]`
//! two runs with the same seed give the same answers, ids and versions
//! included. Dropping a [`Stack`] audits what is left in the table.
//!
//! ```ignore
//! let stack = Stack::start().await;
//! let reply = stack.client().post("/Users", json!({"userName": "bjensen"})).await;
//! assert_eq!(reply.status, 201);
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use local::dynamo::{Embedded, create_table};
use serde_json::{Map, Value};
use shared::ambient::Moment;
use shared::config::Config;
use shared::provider::Provider;
use shared::scim::Timestamp;
use shared::scim::schema::catalogue;
use shared::store::{Store, patience};
use tokio::time::Instant;

use crate::audit::audit;
use crate::client::Client;
use crate::event::{self, Request};
use crate::weather::{Settings, Weather};

/// The table's name.
pub const TABLE: &str = "scim";
/// The tenant of [`Stack::client`].
pub const TENANT: &str = "acme";
/// The bytes of a function's response that Lambda hands on: 6 MB.
const RESPONSE: usize = 6 * 1024 * 1024;
/// 2026-01-01T00:00:00Z: when every stack starts.
const EPOCH: i64 = 1_767_225_600_000;

/// A running service. See the module.
#[derive(Debug)]
pub struct Stack {
    weather: Weather,
    functions: Arc<Functions>,
    abandoned: AtomicBool,
}

/// What a stack is made of.
#[derive(Debug, Clone)]
pub struct Builder {
    seed: u64,
    settings: Settings,
    variables: BTreeMap<String, String>,
    remaining: Duration,
}

/// The functions with what they share, as one execution environment has it.
pub(crate) struct Functions {
    provider: Provider,
    seed: u64,
    requests: Arc<AtomicU64>,
    began: Instant,
    remaining: Duration,
}

impl Builder {
    /// Of the weather, the ids and all else that is random.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The weather.
    #[must_use]
    pub fn weather(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// An environment variable of the functions, such as `MAX_OPERATIONS`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// How long a request may take; 27 s at first.
    #[must_use]
    pub fn remaining(mut self, remaining: Duration) -> Self {
        self.remaining = remaining;
        self
    }

    /// Makes the table and starts the functions.
    pub async fn start(self) -> Stack {
        let embedded = Embedded::memory().expect("SQLite opens a database in memory");
        create_table(&embedded.client(), TABLE)
            .await
            .expect("an empty database takes a table");
        let weather = Weather::with(embedded, self.seed, self.settings);
        let variables = self.variables;
        let config = Config::read(&|name| variables.get(name).cloned())
            .expect("the variables of a test are legal");
        let functions = Functions {
            provider: Provider {
                store: store(&weather),
                config: Arc::new(config),
            },
            seed: self.seed,
            requests: Arc::default(),
            began: Instant::now(),
            remaining: self.remaining,
        };
        Stack {
            weather,
            functions: Arc::new(functions),
            abandoned: AtomicBool::new(false),
        }
    }
}

impl Stack {
    /// A stack under ordinary weather.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A stack under the weather of a seed.
    pub async fn seeded(seed: u64) -> Self {
        Self::builder().seed(seed).start().await
    }

    /// A stack to one's taste.
    pub fn builder() -> Builder {
        let variables = [("TABLE_NAME", TABLE), ("TENANT_CLAIM", "tenant")];
        Builder {
            seed: 1,
            settings: Settings::default(),
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            remaining: Duration::from_secs(27),
        }
    }

    /// A client of the default tenant with all scopes.
    pub fn client(&self) -> Client {
        Client::new(Arc::clone(&self.functions), TENANT)
    }

    /// The database's weather.
    pub fn weather(&self) -> &Weather {
        &self.weather
    }

    /// The provider behind the functions, for a test that calls it directly.
    pub fn provider(&self) -> &Provider {
        &self.functions.provider
    }

    /// Another execution environment on the same table, alive whatever befell
    /// this one. Only the last one dropped audits.
    #[must_use]
    pub fn successor(&self) -> Self {
        self.abandon();
        let weather = self.weather.successor();
        let config = Arc::clone(&self.functions.provider.config);
        let functions = Functions {
            provider: Provider {
                store: store(&weather),
                config,
            },
            seed: self.functions.seed,
            requests: Arc::clone(&self.functions.requests),
            began: self.functions.began,
            remaining: self.functions.remaining,
        };
        Self {
            weather,
            functions: Arc::new(functions),
            abandoned: AtomicBool::new(false),
        }
    }

    /// Waits for the database to finish and checks the invariants; panics with
    /// all that is broken.
    pub async fn audit(&self) {
        self.weather.quiet().await;
        self.check();
    }

    /// All items of the table in DynamoDB's JSON, in the order of their keys.
    pub fn items(&self) -> Vec<Map<String, Value>> {
        let mut items = self.weather.items(TABLE);
        let key = |item: &Map<String, Value>| [item["pk"].to_string(), item["sk"].to_string()];
        items.sort_by_key(key);
        items
    }

    /// Lets the stack be dropped without an audit: for a test that leaves a
    /// large change unfinished on purpose.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    fn check(&self) {
        let broken = audit(&self.items());
        assert!(
            broken.is_empty(),
            "the table is broken:\n{}",
            broken.join("\n")
        );
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() || self.abandoned.load(Ordering::Relaxed) {
            return;
        }
        assert!(
            !self.weather.is_busy(),
            "the database is still at work: await `stack.audit()` before the end of the test"
        );
        self.check();
    }
}

/// A store that reaches the weather with production's timeout.
fn store(weather: &Weather) -> Store {
    let settings = patience(weather.settings()).build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(settings), TABLE)
}

impl Functions {
    /// One request's own, so that its ids depend on its number and on nothing
    /// that other requests do.
    pub(crate) fn of_request(
        provider: Provider,
        seed: u64,
        number: u64,
        remaining: Duration,
    ) -> Self {
        Self {
            provider,
            seed,
            requests: Arc::new(AtomicU64::new(number.saturating_sub(1))),
            began: Instant::now(),
            remaining,
        }
    }

    /// Hands the event to the function of its first path segment, as the
    /// template does.
    pub(crate) async fn call(
        &self,
        request: &Request,
        claims: Option<&Map<String, Value>>,
    ) -> ApiGatewayV2httpResponse {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let moment = self.moment(number);
        let config = &self.provider.config;
        let event = event::event(request, &config.base_path, claims, number, moment.now.0);
        let answer = match event::endpoint(&request.target).as_str() {
            "Users" | "Me" => users::handle(&self.provider, event, moment).await,
            "Groups" => groups::handle(&self.provider, event, moment).await,
            "Bulk" | ".search" | "" => bulk::handle(&self.provider, event, moment).await,
            endpoint if catalogue().by_endpoint(endpoint).is_some() => {
                resources::handle(&self.provider, event, moment).await
            }
            _ => discovery::handle(config, event, moment).await,
        };
        let size = serde_json::to_vec(&answer).map_or(usize::MAX, |bytes| bytes.len());
        assert!(size <= RESPONSE, "Lambda drops a response of {size} bytes");
        answer
    }

    /// The instant by tokio's clock; the seed of the stack and the request's
    /// number.
    fn moment(&self, number: u64) -> Moment {
        let elapsed = self.began.elapsed().as_millis();
        Moment {
            now: Timestamp(EPOCH + i64::try_from(elapsed).unwrap_or(0)),
            seed: moment_seed(self.seed, number),
            deadline: Instant::now() + self.remaining,
        }
    }
}

/// What everything random of a request is derived from.
pub(crate) fn moment_seed(seed: u64, number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let said = seed.to_be_bytes().into_iter().chain(number.to_be_bytes());
    for (place, byte) in bytes.iter_mut().zip(said) {
        *place = byte;
    }
    bytes
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}
