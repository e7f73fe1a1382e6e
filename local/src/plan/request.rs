//! A file as a bulk request: the body itself, or the event of one.
//!
//! The same limits hold as for the functions. A body comes from a caller with
//! all rights; the claims of an event are taken as they stand.

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::http::Method;
use serde_json::Value;
use shared::api::{Call, principal};
use shared::config::{Config, ConfigError};
use shared::plan::{Access, Atomicity, Rights, Terms};
use shared::provider::Caller;
use shared::scim::message::BulkRequest;
use shared::scim::schema::catalogue;
use shared::scim::{ScimError, json};
use shared::table::Tenant;

use crate::settings::Settings;
use crate::template::Template;
use crate::template::way::way;

/// A bulk request and who sends it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The limits and choices of the deployment.
    pub config: Config,
    /// On whose behalf it is planned.
    pub caller: Caller,
    /// What the client chose.
    pub terms: Terms,
    /// The entries as sent.
    pub operations: Vec<Value>,
}

/// Why a file is no request that can be planned. Said after the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request would be refused as a whole.
    #[error("would be refused as a whole")]
    Refused(#[from] ScimError),
    /// It is an event of something else.
    #[error("is the event of `{0}`, and only bulk requests are planned")]
    NotBulk(String),
    /// It is no event that the gateway would send.
    #[error("{0}")]
    Event(String),
    /// This process is configured in a way that the functions refuse.
    #[error("cannot be planned with this configuration")]
    Config(#[from] ConfigError),
}

/// Reads a file's content.
///
/// # Errors
///
/// When it is no bulk request, is over a limit, or would be refused whole.
pub fn read(
    bytes: &[u8],
    settings: Settings,
    template: &Template,
) -> Result<Request, RequestError> {
    let content = json::parse(bytes)?;
    if content.get("requestContext").is_some() || content.get("routeKey").is_some() {
        return from_event(content, settings, template);
    }
    let config = settings.config()?;
    let (size, limit) = (bytes.len(), config.max_payload_size);
    if size > limit {
        let detail = format!("the body has {size} bytes, over maxPayloadSize ({limit})");
        return Err(ScimError::new(413, detail).into());
    }
    let types = catalogue().resource_types.iter();
    let scopes = types.map(|kind| Rights::scope(kind, Access::Write));
    let tenant = Tenant::parse(principal::ONLY_TENANT);
    let caller = Caller {
        tenant: tenant.ok_or_else(ScimError::internal)?,
        rights: Rights::new(scopes),
        issuer: String::new(),
        client: String::new(),
        identity: String::new(),
        subject: None,
        base_url: String::new(),
    };
    request(content, config, caller, Atomicity::default())
}

/// As `functions/bulk` reads it.
fn from_event(
    event: Value,
    settings: Settings,
    template: &Template,
) -> Result<Request, RequestError> {
    let way = way(template, settings.base_path(), &event).map_err(RequestError::Event)?;
    let settings = match &way.base_path {
        Some(base_path) => settings.with_base_path(base_path),
        None => settings,
    };
    let config = settings.with_tenant_claim().config()?;
    let event: ApiGatewayV2httpRequest = serde_json::from_value(event).map_err(|error| {
        RequestError::Event(format!(
            "is not an API Gateway event of payload format 2.0: {error}"
        ))
    })?;
    let call = Call::read(event, &config);
    if call.path() != ["Bulk"] || call.method != Method::POST {
        let shown = format!("{} /{}", call.method, call.path().join("/"));
        return Err(RequestError::NotBulk(shown));
    }
    let caller = principal::caller(&call, &config)?;
    caller.rights.require_bulk()?;
    let atomicity = bulk::terms::atomicity(&call)?;
    request(call.json(&config)?, config, caller, atomicity)
}

fn request(
    body: Value,
    config: Config,
    caller: Caller,
    atomicity: Atomicity,
) -> Result<Request, RequestError> {
    let BulkRequest {
        fail_on_errors,
        operations,
    } = BulkRequest::parse(body, config.max_operations)?;
    Ok(Request {
        config,
        caller,
        terms: Terms {
            fail_on_errors,
            atomicity,
        },
        operations,
    })
}
