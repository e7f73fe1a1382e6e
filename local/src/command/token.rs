//! `token`: a token that `serve` accepts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use shared::plan::rights;

use super::{Failure, say};
use crate::authorizer::key::Key;
use crate::authorizer::{Authorizer, Grant};
use crate::settings::{Settings, TENANT_CLAIM};
use crate::template::Template;

/// The arguments of `token`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// The tenant, in the claim that `TENANT_CLAIM` names, else `tenant_id`
    #[arg(long)]
    tenant: Option<String>,
    /// The rights, separated by spaces
    #[arg(long, default_value_t = all_scopes())]
    scope: String,
    /// Who calls
    #[arg(long, default_value = "local")]
    subject: String,
    /// How long it is good for, such as 30m or 1h; -1h makes one that has ended
    #[arg(long, default_value = "1h", allow_hyphen_values = true)]
    expires_in: SignedDuration,
}

/// Prints the token and nothing else.
///
/// # Errors
///
/// When the key cannot be had.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let template = Template::embedded()?;
    let settings = Settings::read(&template);
    let authorizer = Authorizer::new(Key::kept()?, &template.authorizer);
    let grant = Grant {
        subject: arguments.subject.clone(),
        scope: arguments.scope.clone(),
        claims: tenant_claims(&settings, arguments.tenant.as_deref()),
        seconds: arguments.expires_in.as_secs(),
    };
    say(&authorizer.sign(&grant, Timestamp::now().as_second())?)
}

/// A token with all rights, for the banner of `serve`.
pub(super) fn full(
    authorizer: &Authorizer,
    settings: &Settings,
    tenant: Option<&str>,
    lifetime: SignedDuration,
) -> Result<String, Failure> {
    let grant = Grant {
        subject: "local".into(),
        scope: all_scopes(),
        claims: tenant_claims(settings, tenant),
        seconds: lifetime.as_secs(),
    };
    Ok(authorizer.sign(&grant, Timestamp::now().as_second())?)
}

/// All rights that the service knows.
fn all_scopes() -> String {
    rights::scopes().join(" ")
}

fn tenant_claims(settings: &Settings, tenant: Option<&str>) -> Map<String, Value> {
    let name = match settings.tenant_claim() {
        "" => TENANT_CLAIM,
        name => name,
    };
    let claim = tenant.map(|tenant| (name.to_owned(), Value::from(tenant)));
    claim.into_iter().collect()
}
