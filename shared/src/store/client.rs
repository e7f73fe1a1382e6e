//! How the SDK is set up.
//!
//! A Lambda lives for one request of at most 30 seconds, so an attempt that
//! hangs must end early. The SDK sends everything once. It would count attempts,
//! and give up a read while the request that needs it still has time; and of
//! writes only [`Store::commit`](super::Store::commit) knows what an unanswered
//! transaction means.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::Builder;

/// The longest that one attempt may take.
pub(super) const ATTEMPT: Duration = Duration::from_millis(1_500);

/// The longest that connecting may take.
const CONNECT: Duration = Duration::from_millis(500);

/// A client from the environment of the process: region and credentials.
/// `endpoint` stands for the region's own; it is given rather than left to the
/// SDK to find, because a template can only leave its variable empty, and the
/// SDK takes an empty one for an endpoint.
pub async fn client(endpoint: Option<&str>) -> aws_sdk_dynamodb::Client {
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .load()
        .await;
    let mut settings = patience(Builder::from(&config));
    settings.set_endpoint_url(endpoint.map(str::to_owned));
    aws_sdk_dynamodb::Client::from_conf(settings.build())
}

/// How long an attempt may take, and that it is the only one.
pub fn patience(settings: Builder) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .build();
    settings
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
}
