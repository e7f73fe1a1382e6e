//! Every resource type that has no function of its own: one resource at a time,
//! list and search, on the path of its endpoint.
//!
//! The first segment of the path names the type, so a type that is added as a
//! JSON file needs routes to this function and no code.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use shared::ambient::Moment;
use shared::api::resources;
use shared::provider::Provider;

/// The types that another function answers for.
const ELSEWHERE: [&str; 2] = ["User", "Group"];

/// Answers one request.
pub async fn handle(
    provider: &Provider,
    event: ApiGatewayV2httpRequest,
    moment: Moment,
) -> ApiGatewayV2httpResponse {
    resources::answer_but(provider, &ELSEWHERE, event, moment).await
}
