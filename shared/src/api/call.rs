//! The event of a request, taken apart: method, path below the base path,
//! query, headers, body.
//!
//! The path is the gateway's decoded `rawPath`. What stands before the base
//! path (a stage, the key of a custom domain) is found from the route that
//! matched, and stays part of every URL that clients are given. The Host
//! header is never read: a client could write anything there.
//!
//! The body stays undecoded until somebody asks for it, after the caller's
//! rights are known.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::http::{HeaderMap, Method, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use crate::config::{Config, TENANT_IN_PATH};
use crate::scim::{ScimError, json, message, secret};

/// Any padding: what decodes is what the gateway sent, and nothing is signed.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A request of HTTP, before anything is known about the caller.
#[derive(Debug, Clone)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The path below the base path, such as `Users` and an id. None when the
    /// path lies outside of it.
    pub segments: Option<Vec<String>>,
    /// What stands in the path for `{tenant_id}`.
    pub path_tenant: Option<String>,
    /// The query, decoded, in order.
    pub parameters: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The claims that the gateway has verified. None without an authorizer.
    pub claims: Option<std::collections::HashMap<String, String>>,
    /// The URL of the service without a slash at its end.
    pub base_url: String,
    body: String,
    is_base64: bool,
}

impl Call {
    /// Takes an event apart. An event always can be.
    pub fn read(event: ApiGatewayV2httpRequest, config: &Config) -> Self {
        let context = event.request_context;
        let path = event.raw_path.unwrap_or_default();
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        // A slash inside of a parameter was decoded and divides it now.
        let slashes = event
            .path_parameters
            .values()
            .map(|value| value.matches('/').count());
        let divided = slashes.sum();
        let mounted = mount(
            &path,
            event.route_key.as_deref(),
            divided,
            context.stage.as_deref(),
        );
        let (mount, rest) = path.split_at_checked(mounted).unwrap_or((&[], &path));
        let below = Below::find(rest, &config.base_path);
        let origin = match (&config.public_url, context.domain_name) {
            (Some(url), _) => url.clone(),
            (None, Some(domain)) => [&[&*format!("https://{domain}")], mount].concat().join("/"),
            (None, None) => String::new(),
        };
        let path_tenant = below.as_ref().and_then(|below| below.tenant.clone());
        let tenant = path_tenant.as_deref().unwrap_or(TENANT_IN_PATH);
        let base_path = config.base_path.replace(TENANT_IN_PATH, tenant);
        Self {
            method: context.http.method,
            segments: below.map(|below| below.segments),
            path_tenant,
            parameters: pairs(event.raw_query_string.as_deref().unwrap_or_default()),
            headers: event.headers,
            claims: context
                .authorizer
                .and_then(|authorizer| authorizer.jwt)
                .map(|jwt| jwt.claims),
            base_url: format!("{origin}/{base_path}"),
            body: event.body.unwrap_or_default(),
            is_base64: event.is_base64_encoded,
        }
    }

    /// The path below the base path as text slices; empty outside of it.
    pub fn path(&self) -> Vec<&str> {
        self.segments.iter().flatten().map(String::as_str).collect()
    }

    /// A header as text; several of one name are joined by commas, as lists
    /// are in HTTP. What is no text is text that matches nothing: a condition
    /// that cannot be read must not count as none.
    pub fn header(&self, name: header::HeaderName) -> Option<String> {
        let values = self.headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let values: Vec<_> = values.collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// The names of an attribute list in the query.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        message::list(&self.parameters, name)
    }

    /// The value of a parameter of the query.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` when it occurs twice.
    pub fn parameter(&self, name: &str) -> Result<Option<&str>, ScimError> {
        message::parameter(&self.parameters, name)
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// 415 for another media type, 413 over the limit of the decoded body, 400
    /// `invalidSyntax` for what is not base64 or not JSON.
    pub fn json(&self, config: &Config) -> Result<Value, ScimError> {
        check_media_type(self.header(header::CONTENT_TYPE).as_deref())?;
        let limit = config.max_payload_size;
        if self.is_base64 {
            // Three bytes for four characters, less at most two of padding.
            check_size(
                (self.body.len() / 4).saturating_mul(3).saturating_sub(2),
                limit,
            )?;
        }
        let body = self.body()?;
        check_size(body.len(), limit)?;
        json::parse(&body)
    }

    /// A hash over everything that the request asks for: method, path, query,
    /// `If-Match`, `If-None-Match` and the decoded body.
    ///
    /// # Errors
    ///
    /// 400 `invalidSyntax` for what is not base64.
    pub fn fingerprint(&self) -> Result<[u8; 32], ScimError> {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // With its length before each, no two requests run together.
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(self.method.as_str().as_bytes());
        part(self.base_url.as_bytes());
        part(self.path().join("/").as_bytes());
        for condition in [header::IF_MATCH, header::IF_NONE_MATCH] {
            part(self.header(condition).unwrap_or_default().as_bytes());
        }
        part(&self.body()?);
        for (name, value) in &self.parameters {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        Ok(hash.finalize().into())
    }

    /// Whether the body may contain what no client may learn, such as a
    /// password.
    ///
    /// # Errors
    ///
    /// As [`Call::fingerprint`].
    pub fn mentions_a_secret(&self) -> Result<bool, ScimError> {
        Ok(secret::is_mentioned(&self.body()?))
    }

    fn body(&self) -> Result<Cow<'_, [u8]>, ScimError> {
        if !self.is_base64 {
            return Ok(Cow::Borrowed(self.body.as_bytes()));
        }
        let decoded = BASE64.decode(&self.body).map_err(|_| {
            ScimError::invalid_syntax("the body is marked as base64 and cannot be decoded")
        })?;
        Ok(Cow::Owned(decoded))
    }
}

/// What stands below the base path.
struct Below {
    segments: Vec<String>,
    tenant: Option<String>,
}

impl Below {
    fn find(path: &[&str], base_path: &str) -> Option<Self> {
        let base: Vec<&str> = base_path.split('/').collect();
        let (head, tail) = path.split_at_checked(base.len())?;
        let mut tenant = None;
        for (segment, expected) in head.iter().zip(&base) {
            if *expected == TENANT_IN_PATH {
                tenant = Some((*segment).to_owned());
            } else if segment != expected {
                return None;
            }
        }
        let segments = tail.iter().map(|segment| (*segment).to_owned()).collect();
        Some(Self { segments, tenant })
    }
}

/// How many segments stand before the base path. The route that matched tells:
/// its template has one segment for each that follows them, and `divided` more
/// came from its parameters. The route for everything has no template; there
/// only the name of the stage can precede.
fn mount(path: &[&str], route_key: Option<&str>, divided: usize, stage: Option<&str>) -> usize {
    let template = route_key
        .and_then(|key| key.split_once(' '))
        .map(|(_, template)| template);
    match template {
        Some(template) => {
            let named = template.trim_matches('/').split('/').count();
            path.len().saturating_sub(named).saturating_sub(divided)
        }
        None => {
            let stage = stage.filter(|stage| *stage != "$default");
            usize::from(stage.is_some() && path.first().copied() == stage)
        }
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

fn check_media_type(content_type: Option<&str>) -> Result<(), ScimError> {
    let Some(content_type) = content_type else {
        return Ok(());
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let known = ["application/scim+json", "application/json"];
    if essence.is_empty()
        || known
            .iter()
            .any(|known| essence.eq_ignore_ascii_case(known))
    {
        return Ok(());
    }
    let detail = format!(
        "media type `{}` is not supported, expected `application/scim+json` or `application/json`",
        json::excerpt(essence)
    );
    Err(ScimError::new(415, detail))
}

fn check_size(size: usize, limit: usize) -> Result<(), ScimError> {
    if size <= limit {
        return Ok(());
    }
    let detail = format!("the body has {size} bytes or more, over maxPayloadSize ({limit})");
    Err(ScimError::new(413, detail))
}

#[cfg(test)]
mod tests;
