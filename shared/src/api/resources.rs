//! The verbs that all resource types share: what `/Users`, `/Groups` and every
//! further endpoint answer.
//!
//! A write is a plan of one operation and takes the same way as a row of a
//! bulk request. Rights are checked first, then the shape of what was asked,
//! then the body.
//!
//! | path | methods |
//! |---|---|
//! | `/Users` | GET, POST |
//! | `/Users/.search` | POST |
//! | `/Users/{id}` | GET, PUT, PATCH, DELETE |
//!
//! `/Me` is the user whom the token's subject names, see `me`.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::http::{Method as Verb, header};
use tokio::time::timeout_at;

use super::idempotency::{self, Begin};
use super::{Call, principal, reply};
use crate::ambient::Moment;
use crate::config::Config;
use crate::plan::{Access, Done, Method, Operation, Outcome, Rules, Target, Terms, operation};
use crate::provider::{Caller, Extent, Fault, Provider};
use crate::scim::message::SearchRequest;
use crate::scim::patch::Dialect;
use crate::scim::projection::Projection;
use crate::scim::schema::catalogue;
use crate::scim::{Precondition, ResourceId, ResourceType, ScimError, Version};

/// The path below a resource type that searches (RFC 7644 §3.4.3).
pub const SEARCH: &str = ".search";

/// The path of the user whom a token's subject names (RFC 7644 §3.11).
pub const ME: &str = "Me";

/// Answers a request to a resource type, named as in its `/ResourceTypes`
/// entry. Never fails: a failure is an answer too.
pub async fn answer(
    provider: &Provider,
    name: &str,
    event: ApiGatewayV2httpRequest,
    moment: Moment,
) -> ApiGatewayV2httpResponse {
    let config = &*provider.config;
    let call = Call::read(event, config);
    let answer = match catalogue().by_name(name) {
        // Boxed: what a request waits for is too deep a tree for one type.
        Some(resource_type) => Box::pin(route(provider, resource_type, &call, &moment)).await,
        None => Err(no_endpoint().into()),
    };
    let answer = answer.unwrap_or_else(|fault| reply::fault(&fault, config));
    reply::accepted(answer, call.header(header::ACCEPT).as_deref())
}

/// Answers a request to the resource type that the path names, whichever it is
/// but those named in `elsewhere`. Never fails: a failure is an answer too.
pub async fn answer_but(
    provider: &Provider,
    elsewhere: &[&str],
    event: ApiGatewayV2httpRequest,
    moment: Moment,
) -> ApiGatewayV2httpResponse {
    let config = &*provider.config;
    let call = Call::read(event, config);
    let path = call.path();
    let named = path.first().and_then(|name| catalogue().by_endpoint(name));
    let answer = match named.filter(|known| !elsewhere.contains(&&*known.name)) {
        // Boxed: what a request waits for is too deep a tree for one type.
        Some(resource_type) => Box::pin(route(provider, resource_type, &call, &moment)).await,
        None => Err(no_endpoint().into()),
    };
    let answer = answer.unwrap_or_else(|fault| reply::fault(&fault, config));
    reply::accepted(answer, call.header(header::ACCEPT).as_deref())
}

/// The methods of a path below a resource type: what `Allow` says.
pub fn methods(below: &[&str]) -> Option<&'static str> {
    match below {
        [] => Some("GET, POST"),
        [SEARCH] => Some("POST"),
        [_] => Some("GET, PUT, PATCH, DELETE"),
        _ => None,
    }
}

/// What the checks of operations go by in this deployment.
pub fn rules<'a>(
    caller: &'a Caller,
    config: &Config,
    mint: &'a (dyn Fn(usize) -> ResourceId + Sync),
) -> Rules<'a> {
    Rules {
        rights: &caller.rights,
        dialect: Dialect {
            entra: config.entra,
        },
        strict_bulk_id: config.strict_bulk_id,
        mint,
    }
}

/// 404 for a path that names no endpoint.
pub fn no_endpoint() -> ScimError {
    ScimError::new(404, "no such endpoint")
}

/// 503 where the time of the request does not suffice to read a resource.
pub(super) fn too_slow() -> ScimError {
    let detail = "the resource could not be read in time: \
                  ask for less of it with `attributes` or `excludedAttributes`";
    ScimError::new(503, detail)
}

async fn route(
    provider: &Provider,
    resource_type: &'static ResourceType,
    call: &Call,
    moment: &Moment,
) -> Result<ApiGatewayV2httpResponse, Fault> {
    let caller = principal::caller(call, &provider.config)?;
    let provider = &provider.during(moment);
    let request = Request {
        provider,
        resource_type,
        call,
        caller,
        moment,
    };
    let path = call.path();
    let Some((endpoint, below)) = path.split_first() else {
        return Err(no_endpoint().into());
    };
    if *endpoint == ME && below.is_empty() && resource_type.name == "User" {
        return request.me().await;
    }
    if resource_type.endpoint.trim_start_matches('/') != *endpoint {
        return Err(no_endpoint().into());
    }
    match (&call.method, below) {
        (&Verb::GET, []) => request.list().await,
        (&Verb::POST, []) => request.write(Method::Create, None).await,
        (&Verb::POST, [SEARCH]) => request.search().await,
        (&Verb::GET, [id]) if *id != SEARCH => request.get(id).await,
        (&Verb::PUT, [id]) if *id != SEARCH => request.write(Method::Replace, Some(id)).await,
        (&Verb::PATCH, [id]) if *id != SEARCH => request.write(Method::Patch, Some(id)).await,
        (&Verb::DELETE, [id]) if *id != SEARCH => request.write(Method::Delete, Some(id)).await,
        _ => match methods(below) {
            Some(allowed) => Ok(reply::method_not_allowed(allowed, &provider.config)),
            None => Err(no_endpoint().into()),
        },
    }
}

pub(super) struct Request<'a> {
    pub(super) provider: &'a Provider,
    pub(super) resource_type: &'static ResourceType,
    pub(super) call: &'a Call,
    pub(super) caller: Caller,
    pub(super) moment: &'a Moment,
}

impl Request<'_> {
    pub(super) async fn get(&self, id: &str) -> Result<ApiGatewayV2httpResponse, Fault> {
        self.require(Access::Read)?;
        let projection = self.projection()?;
        let fetching = self
            .provider
            .fetch(&self.caller, self.resource_type, id, &projection);
        let found = timeout_at(self.moment.deadline, fetching)
            .await
            .map_err(|_| too_slow())??;
        let wanted = self.call.header(header::IF_MATCH);
        if wanted.is_some_and(|wanted| !Precondition::parse(&wanted).matches(found.version)) {
            let detail = format!("the resource is at version {}", found.version);
            return Err(ScimError::new(412, detail).into());
        }
        let known = self.call.header(header::IF_NONE_MATCH);
        if known.is_some_and(|known| Precondition::parse(&known).matches(found.version)) {
            return Ok(reply::tagged(reply::empty(304), found.version));
        }
        let response = reply::found(200, &found.body, &self.provider.config);
        if response.status_code != 200 {
            return Ok(response);
        }
        Ok(reply::identified(response, found.version, &found.location))
    }

    async fn list(&self) -> Result<ApiGatewayV2httpResponse, Fault> {
        self.require(Access::Read)?;
        self.found(&SearchRequest::from_query(&self.call.parameters)?)
            .await
    }

    async fn search(&self) -> Result<ApiGatewayV2httpResponse, Fault> {
        self.require(Access::Read)?;
        self.found(&SearchRequest::parse(
            self.call.json(&self.provider.config)?,
        )?)
        .await
    }

    async fn found(&self, query: &SearchRequest) -> Result<ApiGatewayV2httpResponse, Fault> {
        let extent = Extent::One(self.resource_type);
        let list = self
            .provider
            .search(&self.caller, self.moment, &extent, query)
            .await?;
        Ok(reply::found(200, &list, &self.provider.config))
    }

    pub(super) async fn write(
        &self,
        method: Method,
        id: Option<&str>,
    ) -> Result<ApiGatewayV2httpResponse, Fault> {
        self.require(Access::Write)?;
        // A client that believes nothing will be written must not be ignored.
        if self.call.parameter("dryRun")?.is_some() {
            let detail = "`dryRun` is understood by `/Bulk` only";
            return Err(ScimError::invalid_value(detail).into());
        }
        // Before anything is written: a wrong list must not fail afterwards.
        let projection = self.projection()?;
        let config = &self.provider.config;
        let data = match method {
            Method::Delete => None,
            _ => Some(self.call.json(config)?),
        };
        let version = self
            .call
            .header(header::IF_MATCH)
            .filter(|_| method != Method::Create);
        let unless = self.call.header(header::IF_NONE_MATCH);
        let unless = unless.map(|known| Precondition::parse(&known));
        let entry = |moment: &Moment| {
            let mint = |position| moment.id(position);
            let rules = rules(&self.caller, config, &mint);
            let (version, data) = (version.as_deref(), data.as_ref());
            let single = operation::single(&rules, method, self.resource_type, id, version, data);
            single.map(|operation| Operation {
                unless: unless.clone(),
                ..operation
            })
        };
        // What is refused for its shape leaves an idempotency key unused.
        let mut operation = entry(self.moment);
        if let Err(rejection) = operation {
            return Err(rejection.error.into());
        }
        let types = [self.resource_type.name.clone()].into();
        let beginning = idempotency::begin(
            self.provider,
            self.call,
            &self.caller,
            self.moment,
            types,
            1,
        );
        let run = match beginning.await? {
            Begin::Answer(answer) => return Ok(*answer),
            Begin::Run(run) => run,
        };
        let moment = run.as_ref().map_or(self.moment, |run| &run.moment);
        if run.as_ref().is_some_and(|run| run.is_repetition()) {
            operation = entry(moment);
        }
        let run = run.as_deref();
        let outcomes = self
            .provider
            .apply(&self.caller, moment, &[operation], Terms::default(), run)
            .await;
        let answer = match outcomes.into_iter().next() {
            Some(outcome) => self.settled(method, outcome, &projection).await,
            None => Err(ScimError::internal().into()),
        };
        let answer = answer.unwrap_or_else(|fault| reply::fault(&fault, config));
        idempotency::end(self.provider, run, &answer, answer.status_code < 500).await;
        Ok(answer)
    }

    async fn settled(
        &self,
        method: Method,
        outcome: Outcome,
        projection: &Projection,
    ) -> Result<ApiGatewayV2httpResponse, Fault> {
        let done = outcome.result?;
        match (done.version, outcome.target) {
            (Some(version), Some(target)) if done.resource.is_none() => Ok(self
                .written_before(method, done.status, version, &target, projection)
                .await),
            _ => self.written(method, done, projection).await,
        }
    }

    /// The answer to a write that an earlier run has made: the resource, if it
    /// still is as that run has left it.
    async fn written_before(
        &self,
        method: Method,
        status: u16,
        version: Version,
        target: &Target,
        projection: &Projection,
    ) -> ApiGatewayV2httpResponse {
        if status == 204 && projection.is_default() {
            return reply::tagged(reply::empty(204), version);
        }
        let status = if method == Method::Create { 201 } else { 200 };
        let location = target.location(&self.caller.base_url);
        let fetching =
            self.provider
                .fetch(&self.caller, self.resource_type, &target.id, projection);
        match timeout_at(self.moment.deadline, fetching).await {
            Ok(Ok(found)) if found.version == version => {
                reply::written(status, &found.body, version, &location)
            }
            _ => reply::outdated(status, version, &location),
        }
    }

    /// The answer to a write that succeeded. One that needs no body has one only
    /// when attributes were asked for (RFC 7644 §3.5.2).
    async fn written(
        &self,
        method: Method,
        done: Done,
        projection: &Projection,
    ) -> Result<ApiGatewayV2httpResponse, Fault> {
        let Some(stored) = done.resource else {
            return Ok(reply::empty(204));
        };
        if done.status == 204 && projection.is_default() {
            return Ok(reply::tagged(reply::empty(204), stored.version()));
        }
        let target = Target {
            resource_type: self.resource_type,
            id: stored.id.to_string(),
        };
        let location = target.location(&self.caller.base_url);
        let status = if method == Method::Create { 201 } else { 200 };
        let presenting = self.provider.present(
            &self.caller,
            self.resource_type,
            &stored,
            done.members,
            projection,
        );
        // The write has happened: that its answer lacks something must not make
        // it look like a failure, nor like no answer at all.
        let version = stored.version();
        Ok(match timeout_at(self.moment.deadline, presenting).await {
            Ok(Ok(body)) => reply::written(status, &body, version, &location),
            Ok(Err(cause)) => reply::unshown(status, Some(&cause), version, &location),
            Err(_) => reply::unshown(status, None, version, &location),
        })
    }

    pub(super) fn require(&self, access: Access) -> Result<(), ScimError> {
        self.caller.rights.require(self.resource_type, access)
    }

    fn projection(&self) -> Result<Projection, ScimError> {
        let attributes = self.call.list("attributes");
        let excluded = self.call.list("excludedAttributes");
        Projection::from_lists(attributes.as_deref(), excluded.as_deref())
    }
}

#[cfg(test)]
mod tests;
