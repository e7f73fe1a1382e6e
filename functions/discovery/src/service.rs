//! `/ServiceProviderConfig` (RFC 7643 §5): what this deployment supports and
//! its true limits.

use serde_json::{Value, json};
use shared::config::Config;
use shared::plan::Atomicity;
use shared::provider::{CURSOR_TIMEOUT, KEPT};
use shared::scim::urn;

/// Renders the settings as clients see them.
pub(crate) fn render(config: &Config, base_url: &str) -> Value {
    json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": config.max_operations,
            "maxPayloadSize": config.max_payload_size,
            // Beyond the RFC, by parameters of the request: `docs/bulk.md`.
            "atomicity": Atomicity::ALL.map(Atomicity::as_str),
            "dryRun": true,
        },
        // draft-ietf-httpapi-idempotency-key-header; seconds.
        "idempotencyKey": {"supported": true, "kept": KEPT.as_secs()},
        "filter": {"supported": true, "maxResults": config.max_results},
        // Without a hash there is no password that could be changed.
        "changePassword": {"supported": config.hash_passwords},
        "sort": {"supported": true},
        "etag": {"supported": true},
        // RFC 9865 §4.
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": config.default_page,
            "maxPageSize": config.max_results,
            "cursorTimeout": CURSOR_TIMEOUT.as_secs(),
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A JSON Web Token in the Authorization header",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    })
}
