//! What the programs of all functions do: logging, settings, the client of the
//! table, then one request after another.
//!
//! Everything that outlives a request is made here, before the first one, and
//! each request gets its own [`Moment`].
//!
//! ```ignore
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     serve::with_provider(users::handle).await
//! }
//! ```

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::lambda_runtime::{self, Error, LambdaEvent, service_fn};

use crate::ambient::Moment;
use crate::config::{self, Config};
use crate::provider::Provider;
use crate::store::{self, Store};
use crate::telemetry;

/// What is kept of the time that the platform gives, to send the answer.
const MARGIN: Duration = Duration::from_secs(2);

/// Serves a function that works on the table, until the platform ends it.
///
/// # Errors
///
/// Settings that cannot be understood, or a runtime that does not answer.
pub async fn with_provider(
    handle: impl AsyncFn(&Provider, ApiGatewayV2httpRequest, Moment) -> ApiGatewayV2httpResponse,
) -> Result<(), Error> {
    telemetry::start(config::log_level().as_deref());
    let config = Arc::new(settings()?);
    let table = config.table().map_err(logged)?.to_owned();
    let store = Store::new(store::client(config.endpoint.as_deref()).await, table);
    let provider = Provider { store, config };
    run(async |event, moment| handle(&provider, event, moment).await).await
}

/// Serves a function that needs the settings only, until the platform ends it.
///
/// # Errors
///
/// As [`with_provider`].
pub async fn with_config(
    handle: impl AsyncFn(&Config, ApiGatewayV2httpRequest, Moment) -> ApiGatewayV2httpResponse,
) -> Result<(), Error> {
    telemetry::start(config::log_level().as_deref());
    let config = settings()?;
    run(async |event, moment| handle(&config, event, moment).await).await
}

fn settings() -> Result<Config, Error> {
    Ok(Config::from_env().map_err(logged)?)
}

/// The platform shows only that a start failed; the line says why.
fn logged<E: std::fmt::Display>(error: E) -> E {
    tracing::error!(%error, "the settings of this function cannot be understood");
    error
}

async fn run(
    handle: impl AsyncFn(ApiGatewayV2httpRequest, Moment) -> ApiGatewayV2httpResponse,
) -> Result<(), Error> {
    let handle = &handle;
    let service = service_fn(|event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
        let moment = Moment::until(due(event.context.deadline()));
        Ok::<_, Error>(handle(event.payload, moment).await)
    });
    lambda_runtime::run(service).await
}

/// When the answer must be ready, for a function that is stopped at `stop`.
fn due(stop: SystemTime) -> SystemTime {
    stop.checked_sub(MARGIN).unwrap_or(SystemTime::UNIX_EPOCH)
}
