//! Where the functions run: here, in the process of the gateway.
//!
//! A call does what the Lambda runtime would: event in, response out, an end
//! after the function's timeout, and a panic that ends the call but not the
//! environment. It knows the functions and nothing of HTTP.

use std::sync::Arc;
use std::time::Duration;

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use serde_json::Value;
use shared::ambient::Moment;
use shared::provider::Provider;

use crate::template::Function;

/// The functions with what they share.
#[derive(Clone)]
pub struct Host {
    provider: Arc<Provider>,
    timeout: Duration,
}

/// Why a function gave no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The event is not one of payload format 2.0.
    #[error("the event is not an API Gateway event of payload format 2.0: {0}")]
    Event(String),
    /// It panicked.
    #[error("the function `{0}` panicked")]
    Panic(Function),
    /// It took too long.
    #[error("the function `{0}` took longer than {1:?}")]
    Timeout(Function, Duration),
}

impl Host {
    /// Functions that may run for `timeout`.
    pub fn new(provider: Provider, timeout: Duration) -> Self {
        Self {
            provider: Arc::new(provider),
            timeout,
        }
    }

    /// Calls a function with an event.
    ///
    /// # Errors
    ///
    /// When the event is malformed, or the function panics or takes too long.
    pub async fn call(
        &self,
        function: Function,
        event: Value,
    ) -> Result<ApiGatewayV2httpResponse, CallError> {
        let event =
            serde_json::from_value(event).map_err(|error| CallError::Event(error.to_string()))?;
        let call = tokio::spawn(run(
            Arc::clone(&self.provider),
            function,
            event,
            self.timeout,
        ));
        let stop = call.abort_handle();
        match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer.map_err(|_| CallError::Panic(function)),
            Err(_) => {
                stop.abort();
                Err(CallError::Timeout(function, self.timeout))
            }
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

async fn run(
    provider: Arc<Provider>,
    function: Function,
    event: ApiGatewayV2httpRequest,
    timeout: Duration,
) -> ApiGatewayV2httpResponse {
    let moment = Moment::begin(timeout);
    match function {
        Function::Users => users::handle(&provider, event, moment).await,
        Function::Groups => groups::handle(&provider, event, moment).await,
        Function::Resources => resources::handle(&provider, event, moment).await,
        Function::Bulk => bulk::handle(&provider, event, moment).await,
        Function::Discovery => discovery::handle(&provider.config, event, moment).await,
    }
}
