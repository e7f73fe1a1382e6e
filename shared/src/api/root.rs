//! The base path itself: a search over all resource types (RFC 7644 §3.4.2.1,
//! §3.4.3).
//!
//! What a token may not read is left out, as if there were none of it; a token
//! that may read nothing is refused.
//!
//! | path | methods |
//! |---|---|
//! | `/` | GET |
//! | `/.search` | POST |

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;

use super::resources::SEARCH;
use super::{Call, principal, reply};
use crate::ambient::Moment;
use crate::plan::{Access, Rights};
use crate::provider::{Caller, Extent, Fault, Provider};
use crate::scim::ScimError;
use crate::scim::message::SearchRequest;
use crate::scim::schema::catalogue;

/// The methods of a path that asks about all types: what `Allow` says. None
/// for any other path.
pub fn methods(path: &[&str]) -> Option<&'static str> {
    match path {
        [] => Some("GET"),
        [SEARCH] => Some("POST"),
        _ => None,
    }
}

/// Answers a request to a path that has [`methods`]. Never fails: a failure is
/// an answer too.
pub async fn answer(provider: &Provider, call: &Call, moment: &Moment) -> ApiGatewayV2httpResponse {
    let config = &*provider.config;
    let path = call.path();
    if let Some(allowed) = methods(&path)
        && call.segments.is_some()
        && call.method != allowed
    {
        return reply::method_not_allowed(allowed, config);
    }
    // Boxed: what a request waits for is too deep a tree for one type.
    let answer = Box::pin(search(provider, call, moment)).await;
    answer.unwrap_or_else(|fault| reply::fault(&fault, config))
}

async fn search(
    provider: &Provider,
    call: &Call,
    moment: &Moment,
) -> Result<ApiGatewayV2httpResponse, Fault> {
    let config = &provider.config;
    let caller = principal::caller(call, config)?;
    let extent = readable(&caller)?;
    let query = match call.path().is_empty() {
        true => SearchRequest::from_query(&call.parameters)?,
        false => SearchRequest::parse(call.json(config)?)?,
    };
    let provider = provider.during(moment);
    let list = provider.search(&caller, moment, &extent, &query).await?;
    Ok(reply::found(200, &list, config))
}

fn readable(caller: &Caller) -> Result<Extent, ScimError> {
    let types = catalogue().resource_types.iter();
    let (may, may_not): (Vec<_>, Vec<_>) =
        types.partition(|known| caller.rights.may(known, Access::Read));
    if !may.is_empty() {
        return Ok(Extent::Several(may));
    }
    let scopes = may_not
        .into_iter()
        .map(|known| format!("`{}`", Rights::scope(known, Access::Read)));
    let scopes: Vec<String> = scopes.collect();
    let detail = format!("the token lacks a scope to read: {}", scopes.join(", "));
    Err(ScimError::new(403, detail))
}
