//! What the service says about itself (RFC 7644 §4): `/ServiceProviderConfig`,
//! `/Schemas`, `/ResourceTypes`.
//!
//! Everything is rendered from what the rest of the code works by: the limits
//! from the settings, the schemas from the catalogue. These paths need no
//! token, since a client reads here how to get one.
//!
//! This function also answers whatever no other route takes: 405 where the path
//! exists and the method does not, 501 for what the standard has and this
//! service does not, 404 for the rest.

mod service;

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::http::{Method, header};
use serde_json::{Value, json};
use shared::ambient::Moment;
use shared::api::resources::{self, ME};
use shared::api::{Call, me, reply, root};
use shared::config::Config;
use shared::scim::schema::catalogue;
use shared::scim::{ScimError, urn};
use shared::table::Tenant;

/// Answers one request.
pub async fn handle(
    config: &Config,
    event: ApiGatewayV2httpRequest,
    _moment: Moment,
) -> ApiGatewayV2httpResponse {
    let call = Call::read(event, config);
    let answer = answer(&call, config).unwrap_or_else(|error| reply::error(&error, config));
    reply::accepted(answer, call.header(header::ACCEPT).as_deref())
}

fn answer(call: &Call, config: &Config) -> Result<ApiGatewayV2httpResponse, ScimError> {
    let legal = call
        .path_tenant
        .as_deref()
        .is_none_or(|name| Tenant::parse(name).is_some());
    if call.segments.is_none() || !legal {
        return Err(resources::no_endpoint());
    }
    let path = call.path();
    let Some(found) = discover(&path, call, config) else {
        return elsewhere(&path, call, config);
    };
    if call.method != Method::GET {
        return Ok(reply::method_not_allowed("GET", config));
    }
    // RFC 7644 §4: a client must not believe that the list was filtered.
    if call
        .parameters
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("filter"))
    {
        return Err(ScimError::new(403, "`filter` is not supported here"));
    }
    found.map(|body| reply::message(200, &body))
}

/// The resource or list at a path of discovery; 404 for one that is unknown,
/// none for any other path.
fn discover(path: &[&str], call: &Call, config: &Config) -> Option<Result<Value, ScimError>> {
    let base = &call.base_url;
    let schemas = || {
        let schemas = catalogue().schemas.iter();
        schemas.map(|schema| {
            (
                schema.id.as_str(),
                located(schema.to_json(), base, "Schemas", &schema.id),
            )
        })
    };
    let types = || {
        let types = catalogue().resource_types.iter();
        types.map(|known| {
            (
                known.name.as_str(),
                located(known.to_json(), base, "ResourceTypes", &known.name),
            )
        })
    };
    match path {
        ["ServiceProviderConfig"] => {
            let asked = call.list("attributes").unwrap_or_default();
            Some(Ok(service::render(config, base, &asked)))
        }
        ["Schemas"] => Some(Ok(list(schemas().map(|(_, body)| body)))),
        ["Schemas", urn] => {
            let mut known = schemas();
            let found = known.find(|(id, _)| id.eq_ignore_ascii_case(urn));
            Some(
                found
                    .map(|(_, body)| body)
                    .ok_or_else(|| ScimError::not_found("Schema", urn)),
            )
        }
        ["ResourceTypes"] => Some(Ok(list(types().map(|(_, body)| body)))),
        ["ResourceTypes", name] => {
            let found = types().find(|(known, _)| known == name);
            let missing = || ScimError::not_found("ResourceType", name);
            Some(found.map(|(_, body)| body).ok_or_else(missing))
        }
        _ => None,
    }
}

/// The answer for a path that is not of discovery.
fn elsewhere(
    path: &[&str],
    call: &Call,
    config: &Config,
) -> Result<ApiGatewayV2httpResponse, ScimError> {
    let methods = match path {
        [ME] => Some(me::methods(&call.method, config)?),
        [ME, ..] => {
            let detail = format!("`/{}` is not supported", path.join("/"));
            return Err(ScimError::new(501, detail));
        }
        ["Bulk"] => Some("POST"),
        [endpoint, below @ ..] if catalogue().by_endpoint(endpoint).is_some() => {
            resources::methods(below)
        }
        _ => root::methods(path),
    };
    match methods {
        // A method that exists has its own route; what led here is a path that
        // only resembles it, such as one with a slash at its end.
        Some(methods)
            if !methods
                .split(", ")
                .any(|known| known == call.method.as_str()) =>
        {
            Ok(reply::method_not_allowed(methods, config))
        }
        _ => Err(resources::no_endpoint()),
    }
}

fn located(mut body: Value, base_url: &str, endpoint: &str, id: &str) -> Value {
    if let Some(Value::Object(meta)) = body.get_mut("meta") {
        meta.insert(
            "location".into(),
            json!(format!("{base_url}/{endpoint}/{id}")),
        );
    }
    body
}

fn list(bodies: impl Iterator<Item = Value>) -> Value {
    let bodies: Vec<Value> = bodies.collect();
    json!({
        "schemas": [urn::LIST_RESPONSE],
        "totalResults": bodies.len(),
        "startIndex": 1,
        "itemsPerPage": bodies.len(),
        "Resources": bodies,
    })
}

#[cfg(test)]
mod tests;
