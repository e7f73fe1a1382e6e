//! `/Me`: the user whom the token's subject names (RFC 7644 §3.11).
//!
//! Another name for `/Users/{id}`, with its methods, its scopes and its answers,
//! to each of which the permanent URL is added. Where the deployment does not
//! say which attribute a subject names, `/Me` is not supported: 501. So is POST:
//! an account that a person opens for themselves is created at `/Users`, by
//! whoever may.
//!
//! ```text
//! GET /Me, sub bjensen   → 200, Location …/Users/2819c223-…
//! ```

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::Method as Verb;
use tokio::time::timeout_at;

use super::resources::{Request, too_slow};
use super::{idempotency, reply};
use crate::config::Config;
use crate::plan::{Access, Method, Target};
use crate::provider::Fault;
use crate::scim::ScimError;

/// The methods of the alias: what `Allow` says to a method.
///
/// # Errors
///
/// 501 where there is no alias in this deployment, and for POST.
pub fn methods(method: &Verb, config: &Config) -> Result<&'static str, ScimError> {
    if config.subject_attribute.is_none() {
        return Err(unsupported());
    }
    if *method == Verb::POST {
        let detail = "POST to `/Me` is not supported: create the user at `/Users`";
        return Err(ScimError::new(501, detail));
    }
    Ok("GET, PUT, PATCH, DELETE")
}

impl Request<'_> {
    /// Answers a request to the alias.
    pub(super) async fn me(&self) -> Result<ApiGatewayV2httpResponse, Fault> {
        let config = &self.provider.config;
        let attribute = config.subject_attribute.ok_or_else(unsupported)?;
        let allowed = methods(&self.call.method, config)?;
        let (access, method) = match self.call.method {
            Verb::GET => (Access::Read, None),
            Verb::PUT => (Access::Write, Some(Method::Replace)),
            Verb::PATCH => (Access::Write, Some(Method::Patch)),
            Verb::DELETE => (Access::Write, Some(Method::Delete)),
            _ => return Ok(reply::method_not_allowed(allowed, config)),
        };
        self.require(access)?;
        // A write may change whom the subject names, and its repetition would
        // then be about somebody else or nobody.
        if method.is_some() && self.call.headers.contains_key(&idempotency::HEADER) {
            let detail = "`Idempotency-Key` is not understood by `/Me`: \
                          send it to the permanent URL of the user";
            return Err(ScimError::invalid_value(detail).into());
        }
        let finding = self
            .provider
            .subject(&self.caller, self.resource_type, attribute);
        let found = timeout_at(self.moment.deadline, finding)
            .await
            .map_err(|_| too_slow())??;
        let target = Target {
            resource_type: self.resource_type,
            id: found.to_string(),
        };
        let answer = match method {
            None => self.get(&target.id).await,
            Some(method) => self.write(method, Some(&target.id)).await,
        };
        let response = answer.unwrap_or_else(|fault| reply::fault(&fault, config));
        // Of a user who is not there, no URL is permanent.
        Ok(match response.status_code {
            404 => response,
            _ => reply::aliased(response, &target.location(&self.caller.base_url)),
        })
    }
}

fn unsupported() -> ScimError {
    ScimError::new(501, "`/Me` is not supported")
}
