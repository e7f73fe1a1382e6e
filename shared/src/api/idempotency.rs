//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header):
//! one request, however often it is sent.
//!
//! Any write may carry one. The key belongs to the client that the token names;
//! what a key was used for is told by a fingerprint of the request. Requests
//! that are refused before anything is looked at (rights, shape, limits) leave
//! the key unused.
//!
//! ```ignore
//! match idempotency::begin(provider, call, &caller, moment, types, 1).await? {
//!     Begin::Answer(response) => response,
//!     Begin::Run(run) => carry_out(run).await,
//! }
//! ```

use std::collections::BTreeSet;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::HeaderName;

use super::{Call, reply};
use crate::ambient::Moment;
use crate::provider::{self, Begun, Caller, Fault, Intention, Provider, Run};
use crate::scim::ScimError;
use crate::table::RequestKey;

/// The longest key, in bytes.
pub const MAX_KEY: usize = 255;

pub(super) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// What a write begins with.
#[derive(Debug)]
pub enum Begin {
    /// It is carried out; with a key, as this run.
    Run(Option<Box<Run>>),
    /// It is answered already.
    Answer(Box<ApiGatewayV2httpResponse>),
}

/// Begins a write. `types` are the names of the resource types that it writes
/// to, `lanes` how many transactions may be under way at once.
///
/// # Errors
///
/// 400 `invalidValue` for what cannot be a key; as [`Provider::begin`].
pub async fn begin(
    provider: &Provider,
    call: &Call,
    caller: &Caller,
    moment: &Moment,
    types: BTreeSet<String>,
    lanes: usize,
) -> Result<Begin, Fault> {
    let Some(key) = key(call)? else {
        return Ok(Begin::Run(None));
    };
    let request = RequestKey::new(&caller.issuer, &caller.client, &key);
    let intention = Intention {
        fingerprint: fingerprint(call, &request)?,
        request,
        types,
        lanes: u8::try_from(lanes).unwrap_or(u8::MAX),
    };
    match provider.begin(caller, moment, intention).await? {
        Begun::Run(run) => Ok(Begin::Run(Some(run))),
        Begun::Running(wait) => {
            let answer = reply::running(wait, &provider.config);
            Ok(Begin::Answer(Box::new(answer)))
        }
        Begun::Answered(text) => {
            let answer = serde_json::from_str(&text).map_err(|_| ScimError::internal())?;
            Ok(Begin::Answer(Box::new(answer)))
        }
    }
}

/// Ends a run with its answer. An answer that is not final is not stored: sent
/// again, the request goes on.
pub async fn end(
    provider: &Provider,
    run: Option<&Run>,
    answer: &ApiGatewayV2httpResponse,
    is_final: bool,
) {
    let Some(run) = run else { return };
    match serde_json::to_string(answer) {
        Ok(text) if is_final => provider.finish(run, &text).await,
        _ => provider.release(run).await,
    }
}

/// Whether the request carries a key, be it one or not.
pub fn is_asked_for(call: &Call) -> bool {
    call.headers.contains_key(HEADER)
}

/// What tells the request from others with its key. Whoever can read the table
/// must not find a password in it faster than in the password's own hash.
fn fingerprint(call: &Call, request: &RequestKey) -> Result<[u8; 32], ScimError> {
    let digest = call.fingerprint()?;
    match call.mentions_a_secret()? {
        true => provider::stretched(digest, request.as_str().as_bytes()),
        false => Ok(digest),
    }
}

/// The key, with or without the quotes that the draft has around it.
fn key(call: &Call) -> Result<Option<String>, ScimError> {
    let mut values = call.headers.get_all(HEADER).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let text = first.to_str().ok().filter(|_| values.next().is_none());
    let text = text.map(str::trim).map(|text| {
        let inner = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        inner.unwrap_or(text)
    });
    match text.filter(|text| (1..=MAX_KEY).contains(&text.len())) {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(ScimError::invalid_value(format!(
            "the header `Idempotency-Key` must be one text of 1 to {MAX_KEY} printable characters"
        ))),
    }
}
