//! `plan`: what a bulk request would do, without doing it.
//!
//! Offline by default: what the request names is assumed, as
//! [`assumed`](crate::plan::assumed) tells. With `--data` the directory that
//! `serve --data` keeps is read instead, and nothing is written to it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use shared::plan::Atomicity;
use shared::store::Store;
use shared::table::Tenant;

use super::{Failure, say, sentence};
use crate::plan::{self, Price, json, mermaid, request, svg, text};
use crate::settings::Settings;
use crate::template::Template;
use crate::{database, dynamo};

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// A file with the body of a bulk request, or an API Gateway event of one
    request: PathBuf,
    /// How much is carried out all or not at all; without it the event's choice
    #[arg(long, value_name = "operation|component|request", value_parser = atomicity)]
    atomicity: Option<Atomicity>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// What a million write request units cost, in US dollars; the default is
    /// on demand in us-east-1
    #[arg(long, value_name = "DOLLARS", default_value_t = Price::ON_DEMAND.0, value_parser = price)]
    price: f64,
    /// A folder that `serve --data` has kept, to plan on what is in it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Whose resources in that folder count; without it the event's tenant's
    #[arg(long, requires = "data", value_parser = tenant)]
    tenant: Option<Tenant>,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For programs
    Json,
    /// For Markdown that draws flowcharts
    Mermaid,
    /// A picture
    Svg,
}

/// Prints the plan.
///
/// # Errors
///
/// When the file is no bulk request that would be processed, or the folder
/// cannot be read.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let template = Template::embedded()?;
    let settings = Settings::read(&template);
    let shown = arguments.request.display();
    let bytes =
        fs::read(&arguments.request).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let store = match &arguments.data {
        Some(directory) => Some(stored(directory, settings.table()).await?),
        None => None,
    };
    let mut request = request::read(&bytes, settings, &template)
        .map_err(|error| format!("`{shown}` {}", sentence(&error)))?;
    if let Some(atomicity) = arguments.atomicity {
        request.terms.atomicity = atomicity;
    }
    if let Some(tenant) = arguments.tenant {
        request.caller.tenant = tenant;
    }
    let summary = plan::plan(&request, store.as_ref()).await?;
    let price = Price(arguments.price);
    say(&match arguments.format {
        Format::Text => text::render(&summary, price),
        Format::Json => json::render(&summary, price)?,
        Format::Mermaid => mermaid::render(&summary, price),
        Format::Svg => svg::render(&summary, price),
    })
}

/// What `serve` has kept. A folder that it never saw is not made into one.
async fn stored(directory: &Path, table: &str) -> Result<Store, Failure> {
    if !directory.is_dir() {
        return Err(format!("`{}` is no folder", directory.display()).into());
    }
    let client = database::embedded(Some(directory))?.client();
    dynamo::create_table(&client, table).await?;
    Ok(Store::new(client, table))
}

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 0.0 => Ok(price),
        _ => Err("expected a number of dollars such as 0.625".to_owned()),
    }
}

fn tenant(text: &str) -> Result<Tenant, String> {
    Tenant::parse(text).ok_or_else(|| "expected 1 to 64 of A-Z a-z 0-9 . _ -".to_owned())
}

fn atomicity(text: &str) -> Result<Atomicity, String> {
    let known = Atomicity::ALL
        .into_iter()
        .find(|mode| mode.as_str() == text);
    known.ok_or_else(|| "expected operation, component or request".to_owned())
}
