//! The bulk response (RFC 7644 §3.7.3), as short as it must be to be sent.
//!
//! By the time that the rows are told they are written, and the platform drops
//! an answer of over 6 MB whole. So its size is seen to twice: [`check`]
//! refuses, before anything is written, a request whose shortest answer might
//! not be carried; [`told`] then says as much of the failures as there is room
//! for. Method, bulkId, status, location and version stand in every answer.
//!
//! ```text
//! 1,000 failed rows whose details quote 1,000 control characters each
//!     →  the same rows, each with the first 100 bytes of its detail
//! ```

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use shared::api::reply::{self, CARRIED};
use shared::plan::{Entry, Outcome, Summary};
use shared::scim::{Detail, ScimError, urn};

/// Refuses entries whose rows might take too much in every form. A thousand
/// never do; of more, the bulkIds and locations together may be too long.
///
/// # Errors
///
/// 413 with the number of operations.
pub(crate) fn check(entries: &[Entry], base_url: &str) -> Result<(), ScimError> {
    let rows = entries.iter().map(|entry| longest(entry, base_url));
    match reply::carried(200, &Message::of(rows, None)) {
        Some(_) => Ok(()),
        None => Err(ScimError::new(
            413,
            format!(
                "the answer to {} operations may take more than the {CARRIED} bytes \
                 that can be sent: send fewer of them, or shorter `bulkId`s",
                entries.len()
            ),
        )),
    }
}

/// The answer to a request that was carried out.
pub(crate) fn told(outcomes: &[Outcome], base_url: &str) -> ApiGatewayV2httpResponse {
    // INVARIANT: `check` has let the request pass, so one form is carried.
    form(outcomes, base_url, None).unwrap_or_else(|| reply::empty(204))
}

/// The answer to a dry run.
///
/// # Errors
///
/// 413 when rows and plan together cannot be sent.
pub(crate) fn planned(
    outcomes: &[Outcome],
    base_url: &str,
    plan: &Summary,
) -> Result<ApiGatewayV2httpResponse, ScimError> {
    form(outcomes, base_url, Some(plan)).ok_or_else(|| {
        ScimError::new(
            413,
            format!(
                "the plan of {} operations takes more than the {CARRIED} bytes \
                 that can be sent: send fewer of them",
                outcomes.len()
            ),
        )
    })
}

/// The most that can be sent.
fn form(
    outcomes: &[Outcome],
    base_url: &str,
    plan: Option<&Summary>,
) -> Option<ApiGatewayV2httpResponse> {
    Detail::ALL.into_iter().find_map(|detail| {
        let rows = outcomes
            .iter()
            .map(|outcome| row(outcome, base_url, detail));
        let answer = reply::carried(200, &Message::of(rows, plan))?;
        if detail != Detail::Whole {
            tracing::warn!(
                bulk.processed = outcomes.len(),
                "the details of failed rows were shortened to what can be sent"
            );
        }
        Some(answer)
    })
}

/// A row as it stands in an answer that says so much of failures.
pub(crate) fn row(outcome: &Outcome, base_url: &str, detail: Detail) -> Value {
    let mut row = Map::new();
    if let Some(target) = &outcome.target {
        row.insert("location".into(), json!(target.location(base_url)));
    }
    // Nothing can be echoed of a row that names no method.
    if !outcome.method.is_empty() {
        row.insert("method".into(), json!(outcome.method));
    }
    if let Some(bulk_id) = &outcome.bulk_id {
        row.insert("bulkId".into(), json!(bulk_id));
    }
    match &outcome.result {
        Ok(done) => {
            if let Some(version) = done.version {
                row.insert("version".into(), json!(version.to_string()));
            }
            row.insert("status".into(), json!(done.status.to_string()));
        }
        Err(error) => {
            row.insert("status".into(), json!(error.status().to_string()));
            row.insert("response".into(), error.told(detail));
        }
    }
    Value::Object(row)
}

/// The longest row that an entry can come to where the least is said: it fails
/// with the longest keyword, and has its location all the same.
pub(crate) fn longest(entry: &Entry, base_url: &str) -> Value {
    let failure = ScimError::invalid_syntax("cut");
    let outcome = match entry {
        Ok(operation) => Outcome {
            target: Some(operation.target()),
            ..operation.outcome(Err(failure))
        },
        Err(rejection) => Outcome {
            result: Err(failure),
            ..rejection.outcome()
        },
    };
    row(&outcome, base_url, Detail::Mark)
}

/// The envelope.
#[derive(Serialize)]
struct Message<'a, R: Serialize> {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    rows: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Summary>,
}

impl<'a, I: Iterator<Item = Value> + Clone> Message<'a, Rows<I>> {
    fn of(rows: I, plan: Option<&'a Summary>) -> Self {
        Self {
            schemas: [urn::BULK_RESPONSE],
            rows: Rows(rows),
            plan,
        }
    }
}

/// Made one by one as they are written.
struct Rows<I>(I);

impl<I: Iterator<Item = Value> + Clone> Serialize for Rows<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}
