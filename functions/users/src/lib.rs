//! `/Users`: one resource at a time, list and search.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use shared::ambient::Moment;
use shared::api::resources;
use shared::provider::Provider;

/// Answers one request.
pub async fn handle(
    provider: &Provider,
    event: ApiGatewayV2httpRequest,
    moment: Moment,
) -> ApiGatewayV2httpResponse {
    resources::answer(provider, "User", event, moment).await
}
