//! The event of a request (API Gateway payload format 2.0), as far as a
//! function reads it by itself: path, query, claims, body.
//!
//! An event always can be taken apart. The caller it gives is of a tenant that
//! the token names and a key can hold; URLs do not follow the Host header; a
//! body is JSON or refused.

use std::sync::LazyLock;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::http::HeaderValue;
use shared::api::{Call, principal};
use shared::config::Config;
use shared::scim::message::SearchRequest;

use crate::{bounded, refused};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(event) = serde_json::from_slice::<ApiGatewayV2httpRequest>(input) else {
        return;
    };
    static DEPLOYMENTS: LazyLock<[Config; 3]> = LazyLock::new(|| {
        [
            deployment(&[("TENANT_CLAIM", "tenant")]),
            deployment(&[
                ("TENANT_CLAIM", "tenant"),
                ("BASE_PATH", "t/{tenant_id}/scim/v2"),
                ("PUBLIC_URL", "https://scim.example.com"),
            ]),
            deployment(&[("BASE_PATH", "{tenant_id}")]),
        ]
    });
    for config in &*DEPLOYMENTS {
        read(&event, config);
    }
}

fn deployment(variables: &[(&str, &str)]) -> Config {
    let read = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::read(&read).expect("the variables are legal")
}

fn read(event: &ApiGatewayV2httpRequest, config: &Config) {
    let call = Call::read(event.clone(), config);
    let mut elsewhere = event.clone();
    let host = HeaderValue::from_static("attacker.example");
    elsewhere.headers.insert("host", host.clone());
    elsewhere.headers.insert("x-forwarded-host", host);
    assert_eq!(Call::read(elsewhere, config).base_url, call.base_url);

    match principal::caller(&call, config) {
        Ok(caller) => {
            let tenant = caller.tenant.to_string();
            let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(
                tenant.chars().all(legal) && (1..=64).contains(&tenant.len()),
                "{tenant}"
            );
            let claims = call.claims.as_ref().expect("a caller has claims");
            let named = config.tenant_claim.as_ref().map(|claim| claims.get(claim));
            match named {
                Some(named) => {
                    assert_eq!(named, Some(&tenant));
                    let path = call.path_tenant.as_ref();
                    assert!(path.is_none_or(|path| *path == tenant), "{path:?}");
                }
                None => assert_eq!(tenant, "default"),
            }
        }
        Err(error) => {
            bounded(&error);
            assert!([401, 403, 404].contains(&error.status()), "{error}");
        }
    }
    if let Err(error) = SearchRequest::from_query(&call.parameters) {
        refused(&error, &["invalidValue"]);
    }
    if let Err(error) = call.json(config) {
        bounded(&error);
        assert!([400, 413, 415].contains(&error.status()), "{error}");
    }
}
