//! The settings of a deployment, read once at cold start.
//!
//! Every variable is optional, and an empty one counts as absent, since a SAM
//! parameter cannot be left out. A value that cannot be
//! understood ends the cold start and names the variable and what was
//! expected: a limit that is advertised must be the limit that holds.
//!
//! ```ignore
//! let config = Config::read(&|_| None)?;
//! assert_eq!(config.max_operations, 1000);
//! ```

use std::collections::BTreeMap;

use thiserror::Error;
use url::Url;

use crate::plan::rights::is_scope;

/// What stands in [`Config::base_path`] for the name of the tenant.
pub const TENANT_IN_PATH: &str = "{tenant_id}";

/// A request over HTTP API and Lambda arrives as base64 inside an event of at
/// most 6 MB, so a larger limit could never be kept.
const PLATFORM_PAYLOAD: usize = 4_500_000;

/// The settings of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the DynamoDB table. None in a function that has none.
    pub table_name: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: another DynamoDB than the region's.
    pub endpoint: Option<String>,
    /// `BASE_PATH`, default `scim/v2`: the path of the service below its host
    /// and stage, without slashes at its ends. One whole segment may be
    /// `{tenant_id}`.
    pub base_path: String,
    /// `PUBLIC_URL`: what clients see in place of `https://{domain}/{stage}`;
    /// the base path follows it. Without a slash at its end.
    pub public_url: Option<String>,
    /// `TENANT_CLAIM`: the claim of the token that names the tenant. None: one
    /// tenant.
    pub tenant_claim: Option<String>,
    /// `MAX_OPERATIONS`, default 1,000, at most 10,000: operations in one bulk
    /// request. The rows of a thousand fit into an answer whatever they say; of
    /// more, those with long bulkIds may not, and are then refused.
    pub max_operations: usize,
    /// `MAX_PAYLOAD_SIZE`, default 3,072,000: bytes of a decoded request body.
    pub max_payload_size: usize,
    /// `MAX_RESULTS`, default 200: resources in one page of a list.
    pub max_results: usize,
    /// Resources in a page when the client names no `count`.
    pub default_page: usize,
    /// `STRICT_BULK_ID=true`: a bulk POST without `bulkId` is refused.
    pub strict_bulk_id: bool,
    /// False with `PASSWORD_HASH=none`: passwords are accepted and discarded.
    pub hash_passwords: bool,
    /// `COMPATIBILITY=entra`: PATCH replace on an unmatched filter creates.
    pub entra: bool,
    /// `VALIDATION_ERRORS=422`: shape errors answer in the form of FastAPI.
    pub validation_errors_422: bool,
    /// `IN_FLIGHT`, default 32: transactions of one request sent in parallel.
    pub in_flight: usize,
    /// `SUBJECT_ATTRIBUTE`: the attribute of User that a token's `sub` names,
    /// by which `/Me` finds its user. None: there is no `/Me`.
    pub subject_attribute: Option<SubjectAttribute>,
    /// `SCOPE_MAPPING`: what foreign scopes, roles and client ids mean in our
    /// own scopes, as a JSON object of arrays.
    pub scope_mapping: BTreeMap<String, Vec<String>>,
}

/// An attribute of User whose value may be the subject of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectAttribute {
    /// The id that this service has given.
    Id,
    /// The unique name, whatever its letter case.
    UserName,
    /// The identifier of the client that provisions, which need not be unique.
    ExternalId,
}

impl SubjectAttribute {
    /// The attribute's name (RFC 7643 §3.1, §4.1.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut known = [Self::Id, Self::UserName, Self::ExternalId].into_iter();
        let found = known.find(|attribute| attribute.name().eq_ignore_ascii_case(text));
        found.ok_or("`id`, `userName` or `externalId`")
    }
}

/// A variable that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{variable}` is {found}, expected {expected}")]
pub struct ConfigError {
    variable: &'static str,
    found: String,
    expected: String,
}

impl Config {
    /// Reads the settings from the environment of the process.
    ///
    /// # Errors
    ///
    /// The first variable that cannot be understood.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the environment enters"
    )]
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads the settings from any source of variables.
    ///
    /// # Errors
    ///
    /// The first variable that cannot be understood.
    pub fn read(source: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let from = Variables { source };
        let max_results = from.number("MAX_RESULTS", 200, 1..=1000)?;
        Ok(Self {
            table_name: from.text("TABLE_NAME"),
            endpoint: from.text("AWS_ENDPOINT_URL_DYNAMODB"),
            base_path: from
                .checked("BASE_PATH", base_path)?
                .unwrap_or_else(|| "scim/v2".to_owned()),
            public_url: from.checked("PUBLIC_URL", public_url)?,
            tenant_claim: from.text("TENANT_CLAIM"),
            max_operations: from.number("MAX_OPERATIONS", 1000, 1..=10_000)?,
            max_payload_size: from.number("MAX_PAYLOAD_SIZE", 3_072_000, 1..=PLATFORM_PAYLOAD)?,
            max_results,
            default_page: max_results.min(100),
            strict_bulk_id: from.either("STRICT_BULK_ID", "false", "true")?,
            hash_passwords: !from.either("PASSWORD_HASH", "argon2id", "none")?,
            entra: from.either("COMPATIBILITY", "none", "entra")?,
            validation_errors_422: from.either("VALIDATION_ERRORS", "400", "422")?,
            in_flight: from.number("IN_FLIGHT", 32, 1..=256)?,
            subject_attribute: from.checked("SUBJECT_ATTRIBUTE", SubjectAttribute::parse)?,
            scope_mapping: from
                .checked("SCOPE_MAPPING", scope_mapping)?
                .unwrap_or_default(),
        })
    }

    /// The name of the table.
    ///
    /// # Errors
    ///
    /// When `TABLE_NAME` is not set.
    pub fn table(&self) -> Result<&str, ConfigError> {
        let table = self.table_name.as_deref();
        table.ok_or_else(|| refuse("TABLE_NAME", None, "the name of the table"))
    }
}

/// The level from which the platform wants log lines (`AWS_LAMBDA_LOG_LEVEL`,
/// set from the function's logging configuration), in lower case.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment enters"
)]
pub fn log_level() -> Option<String> {
    std::env::var("AWS_LAMBDA_LOG_LEVEL")
        .ok()
        .map(|level| level.to_ascii_lowercase())
}

struct Variables<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
}

impl Variables<'_> {
    fn text(&self, variable: &'static str) -> Option<String> {
        let text = (self.source)(variable)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn checked<T>(
        &self,
        variable: &'static str,
        check: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(variable) else {
            return Ok(None);
        };
        check(&text)
            .map(Some)
            .map_err(|expected| refuse(variable, Some(&text), expected))
    }

    fn number(
        &self,
        variable: &'static str,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        let Some(text) = self.text(variable) else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            refuse(variable, Some(&text), expected)
        })
    }

    /// Whether the variable has its second value rather than its first, which
    /// is the default.
    fn either(
        &self,
        variable: &'static str,
        default: &str,
        other: &str,
    ) -> Result<bool, ConfigError> {
        match self.text(variable) {
            Some(text) if text.eq_ignore_ascii_case(other) => Ok(true),
            Some(text) if !text.eq_ignore_ascii_case(default) => Err(refuse(
                variable,
                Some(&text),
                format!("`{default}` or `{other}`"),
            )),
            _ => Ok(false),
        }
    }
}

fn refuse(variable: &'static str, found: Option<&str>, expected: impl Into<String>) -> ConfigError {
    let found = found.map_or_else(|| "not set".to_owned(), |text| format!("`{text}`"));
    ConfigError {
        variable,
        found,
        expected: expected.into(),
    }
}

fn base_path(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let path = text.trim_matches('/');
    let mut tenants = 0;
    let legal = path.split('/').all(|segment| {
        tenants += usize::from(segment == TENANT_IN_PATH);
        segment == TENANT_IN_PATH || (!segment.is_empty() && segment.bytes().all(plain))
    });
    match legal && tenants <= 1 {
        true => Ok(path.to_owned()),
        false => Err("a path such as `scim/v2`, of letters, digits and `-._~`, \
                      with `{tenant_id}` as at most one of its segments"),
    }
}

fn public_url(text: &str) -> Result<String, &'static str> {
    let legal = Url::parse(text).is_ok_and(|url| {
        let plain = url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        ["https", "http"].contains(&url.scheme()) && url.has_host() && plain && anonymous
    });
    match legal {
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => Err("a URL such as `https://id.example.com`, without query or fragment"),
    }
}

fn scope_mapping(text: &str) -> Result<BTreeMap<String, Vec<String>>, &'static str> {
    let mapping: BTreeMap<String, Vec<String>> = serde_json::from_str(text).unwrap_or_default();
    // A misspelt scope would silently grant nothing.
    let legal = mapping.values().flatten().all(|scope| is_scope(scope));
    match legal && (!mapping.is_empty() || text == "{}") {
        true => Ok(mapping),
        false => Err("a JSON object whose members are arrays of own scopes, \
                      such as `{\"admin\": [\"scim.users.read\"]}`"),
    }
}

#[cfg(test)]
mod tests;
