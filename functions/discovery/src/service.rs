//! `/ServiceProviderConfig` (RFC 7643 §5): what this deployment supports and
//! its true limits.

use serde_json::{Value, json};
use shared::config::Config;
use shared::plan::Atomicity;
use shared::provider::{CURSOR_TIMEOUT, KEPT};
use shared::scim::urn;

/// Renders the settings as clients see them. What goes beyond the RFC is shown
/// to those who ask for it by name: some clients refuse what they do not know.
pub(crate) fn render(config: &Config, base_url: &str, asked: &[String]) -> Value {
    let mut settings = standard(config, base_url);
    // By parameters of the request: `docs/bulk.md`.
    let atomicity = json!(Atomicity::ALL.map(Atomicity::as_str));
    for (name, value) in [("atomicity", atomicity), ("dryRun", json!(true))] {
        let path = format!("bulk.{name}");
        if asked.iter().any(|asked| asked.eq_ignore_ascii_case(&path))
            && let Some(Value::Object(bulk)) = settings.get_mut("bulk")
        {
            bulk.insert(name.to_owned(), value);
        }
    }
    // draft-ietf-httpapi-idempotency-key-header; seconds.
    let name = "idempotencyKey";
    if asked.iter().any(|asked| asked.eq_ignore_ascii_case(name))
        && let Value::Object(settings) = &mut settings
    {
        let value = json!({"supported": true, "kept": KEPT.as_secs()});
        settings.insert(name.to_owned(), value);
    }
    settings
}

fn standard(config: &Config, base_url: &str) -> Value {
    json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": config.max_operations,
            "maxPayloadSize": config.max_payload_size,
        },
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
