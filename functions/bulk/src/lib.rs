//! What spans all resource types: `/Bulk` (RFC 7644 §3.7), many operations in
//! one request, and the search from the base path.
//!
//! A bulk request as a whole fails only for what concerns all of it: the token,
//! the limits, the shape of the envelope. Everything else belongs to the row of
//! an operation, and the answer is 200 whatever became of the rows. Rows stand
//! in the order of the request; those that were never processed because
//! `failOnErrors` was reached are left out.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::http::{Method as Verb, header};
use shared::ambient::Moment;
use shared::api::idempotency::{self, Begin};
use shared::api::{Call, principal, reply, resources, root};
use shared::plan::{Terms, operation};
use shared::provider::{Fault, Provider};
use shared::scim::message::BulkRequest;

mod rows;
pub mod terms;

/// Answers one request.
pub async fn handle(
    provider: &Provider,
    event: ApiGatewayV2httpRequest,
    moment: Moment,
) -> ApiGatewayV2httpResponse {
    let call = Call::read(event, &provider.config);
    let answer = answer(provider, &call, &moment).await;
    reply::accepted(answer, call.header(header::ACCEPT).as_deref())
}

async fn answer(provider: &Provider, call: &Call, moment: &Moment) -> ApiGatewayV2httpResponse {
    let config = &provider.config;
    if call.path() == ["Bulk"] && call.method != Verb::POST {
        return reply::method_not_allowed("POST", config);
    }
    if root::methods(&call.path()).is_some() {
        return root::answer(provider, call, moment).await;
    }
    // Boxed: what a request waits for is too deep a tree for one type.
    let answer = Box::pin(execute(provider, call, moment)).await;
    answer.unwrap_or_else(|fault| reply::fault(&fault, config))
}

async fn execute(
    provider: &Provider,
    call: &Call,
    moment: &Moment,
) -> Result<ApiGatewayV2httpResponse, Fault> {
    let provider = &provider.during(moment);
    let config = &provider.config;
    let caller = principal::caller(call, config)?;
    if call.path() != ["Bulk"] {
        return Err(resources::no_endpoint().into());
    }
    caller.rights.require_bulk()?;
    let atomicity = terms::atomicity(call)?;
    let dry_run = terms::dry_run(call)?;
    let request = BulkRequest::parse(call.json(config)?, config.max_operations)?;
    let terms = Terms {
        fail_on_errors: request.fail_on_errors,
        atomicity,
    };
    let check = |moment: &Moment| {
        let mint = |position| moment.id(position);
        let rules = resources::rules(&caller, config, &mint);
        operation::check(&request.operations, &rules)
    };
    let mut entries = check(moment);
    rows::check(&entries, &caller.base_url)?;
    if dry_run {
        let planned = provider.dry_run(
            &caller,
            moment,
            &entries,
            terms,
            idempotency::is_asked_for(call),
        );
        let (outcomes, summary) = planned.await?;
        return Ok(rows::planned(&outcomes, &caller.base_url, &summary)?);
    }
    let types = entries
        .iter()
        .flatten()
        .map(|operation| operation.resource_type.name.clone());
    let (types, lanes) = (types.collect(), config.in_flight);
    let beginning = idempotency::begin(provider, call, &caller, moment, types, lanes);
    let run = match beginning.await? {
        Begin::Answer(answer) => return Ok(*answer),
        Begin::Run(run) => run,
    };
    let moment = run.as_ref().map_or(moment, |run| &run.moment);
    if run.as_ref().is_some_and(|run| run.is_repetition()) {
        entries = check(moment);
    }
    // What was sent is held no longer than it is needed.
    drop(request);
    let run = run.as_deref();
    let outcomes = provider.apply(&caller, moment, &entries, terms, run).await;
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .count();
    tracing::info!(
        tenant.id = %caller.tenant,
        bulk.operations = entries.len(),
        bulk.processed = outcomes.len(),
        bulk.failed = failed,
        "bulk request of {} operations, {failed} failed",
        entries.len()
    );
    let answer = rows::told(&outcomes, &caller.base_url);
    let is_final = outcomes.iter().all(|outcome| outcome.status() < 500);
    idempotency::end(provider, run, &answer, is_final).await;
    Ok(answer)
}

#[cfg(test)]
mod tests;
