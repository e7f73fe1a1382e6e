//! `invoke`: one event through the function that its route belongs to.
//!
//! The event is taken as it stands, claims included: the authorizer has had its
//! say before a function is called. The base path is read off the event's route
//! key, so that events of deployments with other base paths work as well.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use shared::provider::Provider;
use shared::store::Store;

use super::{Failure, say};
use crate::database;
use crate::host::Host;
use crate::settings::Settings;
use crate::template::Template;
use crate::template::way::way;

/// The arguments of `invoke`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// A file with an API Gateway event of payload format 2.0
    event: PathBuf,
}

/// Prints the function's response as the gateway would get it.
///
/// # Errors
///
/// When the file is no event, or no route of the template is the event's.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let template = Template::embedded()?;
    let shown = arguments.event.display();
    let text = fs::read_to_string(&arguments.event)
        .map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let event: Value =
        serde_json::from_str(&text).map_err(|error| format!("`{shown}` is not JSON: {error}"))?;
    let mut settings = Settings::read(&template);
    let way = way(&template, settings.base_path(), &event)
        .map_err(|reason| format!("`{shown}` {reason}"))?;
    if let Some(base_path) = &way.base_path {
        settings = settings.with_base_path(base_path);
    }
    let settings = settings.with_tenant_claim();
    let client = database::open(None, settings.table()).await?;
    let provider = Provider {
        store: Store::new(client, settings.table()),
        config: settings.config()?.into(),
    };
    let host = Host::new(provider, template.timeout);
    let response = host.call(way.function, event).await?;
    say(&serde_json::to_string_pretty(&response)?)
}
