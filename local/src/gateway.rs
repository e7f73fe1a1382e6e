//! The HTTP API in front of the functions, as API Gateway behaves.
//!
//! A request finds its route, passes the authorizer when the route has one,
//! becomes an event, and the function's response becomes HTTP again. What the
//! gateway answers by itself (401, 413, 500) has the gateway's own body, not a
//! SCIM one. It knows nothing of SCIM, and does not listen: [`crate::command::serve`]
//! does.
//!
//! ```ignore
//! let gateway = Gateway::new(&template, "scim/v2", authorizer, host, "localhost");
//! let response = gateway.answer(request, address).await;
//! ```

pub mod event;
pub mod route;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings::Body;
use serde_json::{Map, Value};

use crate::authorizer::{Authorizer, Refusal};
use crate::gateway::event::Arrival;
use crate::gateway::route::{Matched, Routes};
use crate::host::Host;
use crate::template::Template;

/// Bytes of a request body that an HTTP API takes.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// One deployed API.
#[derive(Debug, Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    routes: Routes,
    authorizer: Authorizer,
    host: Host,
    domain: String,
}

impl Gateway {
    /// The API of a template under a base path. `domain` is what events carry
    /// as `requestContext.domainName`.
    pub fn new(
        template: &Template,
        base_path: &str,
        authorizer: Authorizer,
        host: Host,
        domain: impl Into<String>,
    ) -> Self {
        let shared = Shared {
            routes: Routes::new(template, base_path),
            authorizer,
            host,
            domain: domain.into(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Answers one request. Infallible: what goes wrong has a status.
    pub async fn answer(&self, request: Request<Bytes>, source: IpAddr) -> Response<Bytes> {
        if request.body().len() > MAX_BODY {
            return too_large();
        }
        let time = Timestamp::now();
        let matched = self
            .shared
            .routes
            .find(request.method().as_str(), request.uri().path());
        let claims = match self.claims(&matched, request.headers(), time.as_second()) {
            Ok(claims) => claims,
            Err(refusal) => {
                tracing::info!(reason = %refusal, "the authorizer refused a request");
                return unauthorized();
            }
        };
        let arrival = Arrival {
            id: request_id(),
            time,
            source,
            domain: self.shared.domain.clone(),
        };
        let event = event::event(&request, &matched, claims.as_ref(), &arrival);
        let answer = match self.shared.host.call(matched.target.function, event).await {
            Ok(answer) => http_response(answer),
            Err(error) => {
                tracing::error!(error = %error, "the function gave no answer");
                None
            }
        };
        let mut response = answer
            .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"));
        if let Ok(id) = HeaderValue::from_str(&arrival.id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        response
    }

    fn claims(
        &self,
        matched: &Matched,
        headers: &HeaderMap,
        now: i64,
    ) -> Result<Option<Map<String, Value>>, Refusal> {
        if !matched.target.authorized {
            return Ok(None);
        }
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        self.shared.authorizer.check(token, now).map(Some)
    }
}

/// The answer to a body above [`MAX_BODY`].
pub fn too_large() -> Response<Bytes> {
    message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

fn unauthorized() -> Response<Bytes> {
    let mut response = message(StatusCode::UNAUTHORIZED, "Unauthorized");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let body = format!(r#"{{"message":"{text}"}}"#);
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A function's response on the wire; none when it is not one that the gateway
/// would accept.
fn http_response(answer: ApiGatewayV2httpResponse) -> Option<Response<Bytes>> {
    let body = match answer.body {
        Some(Body::Text(text)) if answer.is_base64_encoded => {
            Bytes::from(STANDARD.decode(text).ok()?)
        }
        Some(Body::Text(text)) => Bytes::from(text),
        Some(Body::Binary(bytes)) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(u16::try_from(answer.status_code).ok()?).ok()?;
    let headers = response.headers_mut();
    let mut last: Option<HeaderName> = None;
    for (name, value) in answer.headers.into_iter().chain(answer.multi_value_headers) {
        // Without a name it is a further value of the last one.
        last = name.or(last);
        headers.append(last.clone()?, value);
    }
    for cookie in answer.cookies {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    Some(response)
}

fn request_id() -> String {
    let mut bytes = [0; 11];
    // An id that repeats harms no one, so a failure may leave zeros.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
