//! The SCIM Error (RFC 7644 §3.12): what a client is told when something fails.
//!
//! A `ScimError` is made where the fault is found and travels unchanged to the
//! wire, as the body of a response or as the `response` of a bulk row. It holds
//! only what the client may see. A fault of the service itself is another kind
//! of error (`StoreError`), logged in full and shown as an opaque 500.

use std::fmt;

use serde_json::{Map, Value, json};

use super::urn;

/// The `scimType` keywords of RFC 7644 table 9 and RFC 9865 §2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    /// A filter that cannot be parsed or compares what cannot be compared.
    InvalidFilter,
    /// More results than the service provider will process.
    TooMany,
    /// A unique value is already in use.
    Uniqueness,
    /// Incompatible with the mutability of the attribute.
    Mutability,
    /// The message has the wrong structure.
    InvalidSyntax,
    /// A PATCH path is malformed or names no attribute.
    InvalidPath,
    /// A PATCH path selects nothing that can be changed.
    NoTarget,
    /// A value is missing or of the wrong type.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// Personal data in a request URI.
    Sensitive,
    /// A cursor that was not given for this request.
    InvalidCursor,
    /// A cursor that is too old.
    ExpiredCursor,
    /// A page size that is too large, or another one than at first.
    InvalidCount,
}

impl ScimType {
    /// Every keyword.
    pub const ALL: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// The keyword as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// One faulty place in a message, in the `{loc, msg, type}` form that clients
/// of FastAPI services expect beside the SCIM Error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Member names and array indexes from the root of the body.
    pub loc: Vec<Value>,
    /// What is wrong there.
    pub msg: String,
    /// A keyword such as `missing` or `type_error`.
    pub kind: &'static str,
}

/// The longest detail, in bytes. It bounds what one error repeats of a request,
/// not what a thousand do: see [`Detail`].
pub const MAX_DETAIL: usize = 1_000;

/// The most bytes of [`Detail::Beginning`].
const BEGINNING: usize = 100;

/// How much an error says besides its status and keyword. The rows of a bulk
/// response say less where all that they say could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The detail and the faulty places.
    Whole,
    /// The detail alone.
    Alone,
    /// Its first 100 bytes.
    Beginning,
    /// Only the sign that there was more.
    Mark,
}

impl Detail {
    /// From the most to the least.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Alone, Self::Beginning, Self::Mark];
}

/// An error as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimError {
    status: u16,
    scim_type: Option<ScimType>,
    detail: String,
    places: Vec<Place>,
}

impl ScimError {
    /// An error with a status and no keyword. A detail repeats what the client
    /// wrote, which can be megabytes; it ends after [`MAX_DETAIL`] bytes.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: shortened(detail.into(), MAX_DETAIL),
            places: Vec::new(),
        }
    }

    fn keyed(status: u16, scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self {
            scim_type: Some(scim_type),
            ..Self::new(status, detail)
        }
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::InvalidValue, detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::InvalidSyntax, detail)
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::InvalidFilter, detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::InvalidPath, detail)
    }

    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::NoTarget, detail)
    }

    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::Mutability, detail)
    }

    /// 400 `tooMany`.
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::TooMany, detail)
    }

    /// 400 `invalidCursor` (RFC 9865 §2.1); the same words whatever is wrong.
    pub fn invalid_cursor() -> Self {
        Self::keyed(
            400,
            ScimType::InvalidCursor,
            "`cursor` was not given for this request",
        )
    }

    /// 400 `expiredCursor` (RFC 9865 §2.1).
    pub fn expired_cursor() -> Self {
        let detail = "`cursor` is too old: begin again with an empty one";
        Self::keyed(400, ScimType::ExpiredCursor, detail)
    }

    /// 400 `invalidCount` (RFC 9865 §2.1).
    pub fn invalid_count(detail: impl Into<String>) -> Self {
        Self::keyed(400, ScimType::InvalidCount, detail)
    }

    /// 409 `uniqueness` (RFC 7644 §3.3).
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::keyed(409, ScimType::Uniqueness, detail)
    }

    /// 404 for a resource; the same words whether it never existed, is gone,
    /// or belongs to another tenant.
    pub fn not_found(resource_type: &str, id: &str) -> Self {
        Self::new(404, format!("{resource_type} `{id}` not found"))
    }

    /// 500: a fault of the service, of which the client is told nothing more.
    pub fn internal() -> Self {
        Self::new(500, "internal error; it has been logged")
    }

    /// Puts `prefix` before the detail, to name the place in a larger message.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.detail = shortened(format!("{prefix}: {}", self.detail), MAX_DETAIL);
        self
    }

    /// Adds a faulty place.
    #[must_use]
    pub fn at(mut self, mut place: Place) -> Self {
        place.msg = shortened(place.msg, MAX_DETAIL);
        self.places.push(place);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The keyword, where the RFC's table has one.
    pub fn scim_type(&self) -> Option<ScimType> {
        self.scim_type
    }

    /// What went wrong, for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The faulty places of a shape error.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The body: `schemas`, `status` as a string, `scimType`, `detail`, and
    /// `errors` where places are known.
    pub fn to_json(&self) -> Value {
        self.told(Detail::Whole)
    }

    /// The body with as much of its detail as that.
    pub fn told(&self, detail: Detail) -> Value {
        let mut body = Map::new();
        body.insert("schemas".into(), json!([urn::ERROR]));
        body.insert("status".into(), json!(self.status.to_string()));
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType".into(), json!(scim_type.as_str()));
        }
        let text = match detail {
            Detail::Whole | Detail::Alone => self.detail.clone(),
            Detail::Beginning => shortened(self.detail.clone(), BEGINNING),
            Detail::Mark => shortened(self.detail.clone(), 0),
        };
        body.insert("detail".into(), Value::String(text));
        if detail == Detail::Whole && !self.places.is_empty() {
            let places = self
                .places
                .iter()
                .map(|place| json!({"loc": place.loc, "msg": place.msg, "type": place.kind}));
            body.insert("errors".into(), places.collect());
        }
        Value::Object(body)
    }
}

impl fmt::Display for ScimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scim_type {
            Some(scim_type) => write!(f, "{} {}: {}", self.status, scim_type.as_str(), self.detail),
            None => write!(f, "{}: {}", self.status, self.detail),
        }
    }
}

impl std::error::Error for ScimError {}

fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_ends_before_what_it_quotes_fills_the_answer() {
        let quoted = "é".repeat(1_000_000);
        let error = ScimError::not_found("User", &quoted).within("Operations[7]");
        let detail = error.to_json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("Operations[7]: User `é") && detail.ends_with("é…"));
        assert!(detail.len() <= MAX_DETAIL + '…'.len_utf8());
        assert_eq!(ScimError::new(400, "short").to_json()["detail"], "short");
    }

    #[test]
    fn an_error_says_less_in_steps() {
        let place = Place {
            loc: vec![json!("a")],
            msg: "m".into(),
            kind: "missing",
        };
        let error = ScimError::no_target("é".repeat(60)).at(place);
        let bodies = Detail::ALL.map(|detail| {
            let body = error.told(detail);
            assert_eq!(
                (&body["status"], &body["scimType"]),
                (&json!("400"), &json!("noTarget"))
            );
            let detail = body["detail"].as_str().unwrap().to_owned();
            (detail, body.get("errors").is_some())
        });
        let (whole, beginning) = ("é".repeat(60), "é".repeat(50) + "…");
        let expected = [
            (whole.clone(), true),
            (whole, false),
            (beginning, false),
            ("…".to_owned(), false),
        ];
        assert_eq!(bodies, expected);
        let short = ScimError::new(400, "short").told(Detail::Beginning);
        assert_eq!(short["detail"], "short");
    }
}
