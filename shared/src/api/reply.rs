//! What becomes of an answer: status, headers and body as the gateway takes
//! them.
//!
//! Every body is `application/scim+json` (RFC 7644 §3.1), or `application/json`
//! for a client that accepts only that (§3.8); every failure is a SCIM Error. A fault of the service is logged once, here, with its chain of
//! causes, and answered without any of it.
//!
//! ```ignore
//! reply::written(201, &body, version, &location)
//! reply::error(&ScimError::not_found("User", id), &config)
//! ```

mod size;

use std::error::Error;
use std::time::Duration;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::provider::Fault;
use crate::scim::{ScimError, Version};

pub use size::CARRIED;

/// RFC 7644 §8.1.
const SCIM: &str = "application/scim+json";
/// The same for those who do not know it (RFC 7644 §3.8).
const JSON: &str = "application/json";

/// An answer with a body.
pub fn message(status: u16, body: &Value) -> ApiGatewayV2httpResponse {
    typed(status, &body.to_string(), SCIM)
}

/// An answer with a body, if the platform carries it. What it would not carry
/// is written no further than that.
pub fn carried(status: u16, body: &impl Serialize) -> Option<ApiGatewayV2httpResponse> {
    let text = size::carried(body)?;
    Some(typed(status, &text, SCIM))
}

/// An answer to a read. One that the platform would not carry becomes a 400
/// `tooMany` that says what to ask for instead.
pub fn found(status: u16, body: &Value, config: &Config) -> ApiGatewayV2httpResponse {
    let text = body.to_string();
    if size::is_carried(&text) {
        return typed(status, &text, SCIM);
    }
    let detail = format!(
        "the answer has {} bytes, more than can be sent: ask for fewer results with `count`, \
         or for less of each with `attributes` or `excludedAttributes`",
        text.len()
    );
    error(&ScimError::too_many(detail), config)
}

/// An answer without a body.
pub fn empty(status: u16) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status);
    response
}

/// An answer to a write that succeeded. What the platform would not carry is
/// left out, since the write has happened: the client sees status, entity-tag
/// and location, and a 204 where it would expect a body with a 200.
pub fn written(
    status: u16,
    body: &Value,
    version: Version,
    location: &str,
) -> ApiGatewayV2httpResponse {
    let text = body.to_string();
    let response = match size::is_carried(&text) {
        true => typed(status, &text, SCIM),
        false => bare(status),
    };
    identified(response, version, location)
}

/// An answer to a write that succeeded and whose result could not be read for
/// it, because of `cause` or because no time was left: as bare as one that
/// would not be carried.
pub fn unshown(
    status: u16,
    cause: Option<&Fault>,
    version: Version,
    location: &str,
) -> ApiGatewayV2httpResponse {
    let cause = cause.map_or_else(|| "no time was left".to_owned(), |cause| chain(cause));
    tracing::error!(error = cause, "what was written could not be shown");
    identified(bare(status), version, location)
}

/// Adds entity-tag and location of a resource. They equal `meta.version` and
/// `meta.location` byte for byte, also when the body was projected and shows
/// neither.
pub fn identified(
    response: ApiGatewayV2httpResponse,
    version: Version,
    location: &str,
) -> ApiGatewayV2httpResponse {
    with(tagged(response, version), header::LOCATION, location)
}

/// Adds the entity-tag of a resource.
pub fn tagged(response: ApiGatewayV2httpResponse, version: Version) -> ApiGatewayV2httpResponse {
    with(response, header::ETAG, &version.to_string())
}

/// An answer to a write of which an earlier run has succeeded, and whose
/// resource has moved on since: as bare as one that would not be carried.
pub fn outdated(status: u16, version: Version, location: &str) -> ApiGatewayV2httpResponse {
    identified(bare(status), version, location)
}

/// 409 to a repetition of a request that is still being carried out.
pub fn running(wait: Duration, config: &Config) -> ApiGatewayV2httpResponse {
    let seconds = wait.as_secs().saturating_add(1).to_string();
    let detail = "a request with this `Idempotency-Key` is under way; \
                  send it again after the seconds that `Retry-After` gives";
    with(
        error(&ScimError::new(409, detail), config),
        header::RETRY_AFTER,
        &seconds,
    )
}

/// Adds the permanent URL of a resource that was asked for by another one (RFC
/// 7644 §3.11); to a representation also as its own (RFC 9110 §8.7).
pub fn aliased(response: ApiGatewayV2httpResponse, location: &str) -> ApiGatewayV2httpResponse {
    let shown = response.status_code == 200;
    let response = with(response, header::LOCATION, location);
    match shown {
        true => with(response, header::CONTENT_LOCATION, location),
        false => response,
    }
}

/// 405 that names the methods which the path has.
pub fn method_not_allowed(allowed: &str, config: &Config) -> ApiGatewayV2httpResponse {
    let detail = format!("the method is not allowed here, expected one of: {allowed}");
    with(
        error(&ScimError::new(405, detail), config),
        header::ALLOW,
        allowed,
    )
}

/// A client's fault. With `VALIDATION_ERRORS=422` an error of shape takes the
/// form of FastAPI instead.
pub fn error(error: &ScimError, config: &Config) -> ApiGatewayV2httpResponse {
    if config.validation_errors_422 && error.status() == 400 && !error.places().is_empty() {
        return typed(422, &validation_error(error).to_string(), JSON);
    }
    let response = message(error.status(), &error.to_json());
    match error.status() {
        // RFC 7644 §2: a 401 says how to authenticate.
        401 => with(response, header::WWW_AUTHENTICATE, "Bearer"),
        // Asked again later, what was not attempted may well succeed.
        503 => with(response, header::RETRY_AFTER, "1"),
        _ => response,
    }
}

/// A client's fault as it is; a fault of the service as an opaque 500, or as a
/// 503 where the request came too early.
pub fn fault(fault: &Fault, config: &Config) -> ApiGatewayV2httpResponse {
    match fault {
        Fault::Client(refused) => error(refused, config),
        Fault::Service(cause) => {
            tracing::error!(error = chain(cause), "the request could not be served");
            match cause.is_transient() {
                true => error(&unavailable(), config),
                false => error(&ScimError::internal(), config),
            }
        }
    }
}

/// The answer as a client takes it that sent this `Accept`: marked as plain
/// JSON where that is named and nothing else that we send is.
pub fn accepted(
    mut response: ApiGatewayV2httpResponse,
    accept: Option<&str>,
) -> ApiGatewayV2httpResponse {
    let named = |known: &str| {
        let ranges = accept.unwrap_or_default().split(',');
        let mut essences = ranges.map(|range| range.split(';').next().unwrap_or_default());
        essences.any(|essence| essence.trim().eq_ignore_ascii_case(known))
    };
    let plain = named(JSON) && ![SCIM, "application/*", "*/*"].into_iter().any(named);
    if plain && let Some(kind) = response.headers.get_mut(header::CONTENT_TYPE) {
        *kind = HeaderValue::from_static(JSON);
    }
    response
}

/// 503: the table refused or did not answer for as long as there was time. What
/// this says is true of a read, and of a write that has not begun.
fn unavailable() -> ScimError {
    ScimError::new(
        503,
        "the table did not answer in time: send the request again",
    )
}

/// A success without the body that it would have.
fn bare(status: u16) -> ApiGatewayV2httpResponse {
    match status {
        200 => empty(204),
        _ => empty(status),
    }
}

/// An error and its causes, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn validation_error(error: &ScimError) -> Value {
    let details = error.places().iter().map(|place| {
        let loc = std::iter::once(json!("body")).chain(place.loc.iter().cloned());
        json!({"loc": loc.collect::<Value>(), "msg": place.msg, "type": place.kind})
    });
    json!({"detail": details.collect::<Value>()})
}

fn typed(status: u16, body: &str, media_type: &str) -> ApiGatewayV2httpResponse {
    let mut response = empty(status);
    response.body = Some(Body::Text(body.to_owned()));
    with(response, header::CONTENT_TYPE, media_type)
}

/// Adds a header; text that cannot stand in one is left out.
fn with(
    mut response: ApiGatewayV2httpResponse,
    name: HeaderName,
    value: &str,
) -> ApiGatewayV2httpResponse {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers.insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::scim::Place;

    fn config(validation_errors: &str) -> Config {
        let value = validation_errors.to_owned();
        Config::read(&|name| (name == "VALIDATION_ERRORS").then(|| value.clone())).unwrap()
    }

    fn shape_error() -> ScimError {
        let loc = vec![json!("Operations"), json!(3), json!("path")];
        let place = Place {
            loc,
            msg: "missing".into(),
            kind: "missing",
        };
        ScimError::invalid_syntax("`Operations[3].path` is missing").at(place)
    }

    #[test]
    fn a_resource_carries_entity_tag_and_location() {
        let response = written(
            201,
            &json!({"id": "a"}),
            Version(3),
            "https://h/scim/v2/Users/a",
        );
        assert_json_snapshot!(response, @r#"
    {
      "statusCode": 201,
      "headers": {
        "content-type": "application/scim+json",
        "etag": "W/\"3\"",
        "location": "https://h/scim/v2/Users/a"
      },
      "multiValueHeaders": {},
      "body": "{\"id\":\"a\"}",
      "isBase64Encoded": false,
      "cookies": []
    }
    "#);
    }

    #[test]
    fn an_answer_that_cannot_be_sent_says_so_and_a_write_stays_a_success() {
        // 3.2 MB as JSON, and 6.4 MB as a string inside of JSON.
        let large = json!("\"".repeat(1_600_000));
        let config = config("400");
        let refused = found(200, &large, &config);
        assert_eq!(refused.status_code, 400);
        assert!(matches!(refused.body, Some(Body::Text(text)) if text.contains("tooMany")));
        for (status, expected) in [(200, 204), (201, 201)] {
            let response = written(status, &large, Version(3), "https://h/scim/v2/Groups/a");
            assert_eq!((response.status_code, response.body), (expected, None));
            assert_eq!(response.headers[header::ETAG], "W/\"3\"");
        }
        assert_eq!(
            found(200, &json!("a".repeat(5_000_000)), &config).status_code,
            200
        );
    }

    #[test]
    fn a_shape_error_takes_the_form_that_is_configured() {
        assert_json_snapshot!(error(&shape_error(), &config("400")), @r#"
    {
      "statusCode": 400,
      "headers": {
        "content-type": "application/scim+json"
      },
      "multiValueHeaders": {},
      "body": "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":\"400\",\"scimType\":\"invalidSyntax\",\"detail\":\"`Operations[3].path` is missing\",\"errors\":[{\"loc\":[\"Operations\",3,\"path\"],\"msg\":\"missing\",\"type\":\"missing\"}]}",
      "isBase64Encoded": false,
      "cookies": []
    }
    "#);
        assert_json_snapshot!(error(&shape_error(), &config("422")), @r#"
    {
      "statusCode": 422,
      "headers": {
        "content-type": "application/json"
      },
      "multiValueHeaders": {},
      "body": "{\"detail\":[{\"loc\":[\"body\",\"Operations\",3,\"path\"],\"msg\":\"missing\",\"type\":\"missing\"}]}",
      "isBase64Encoded": false,
      "cookies": []
    }
    "#);
        assert_eq!(
            error(&ScimError::not_found("User", "a"), &config("422")).status_code,
            404
        );
        assert_eq!(
            error(&ScimError::invalid_value("no"), &config("422")).status_code,
            400
        );
    }

    #[test]
    fn statuses_that_demand_a_header_have_it() {
        let header = |status, name: HeaderName| {
            let response = error(&ScimError::new(status, ""), &config("400"));
            response
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            header(401, header::WWW_AUTHENTICATE).as_deref(),
            Some("Bearer")
        );
        assert_eq!(header(503, header::RETRY_AFTER).as_deref(), Some("1"));
        let refused = method_not_allowed("GET, POST", &config("400"));
        assert_eq!(
            (refused.status_code, &refused.headers[header::ALLOW]),
            (405, &HeaderValue::from_static("GET, POST"))
        );
    }
}
