//! `dynamodb`: the embedded database over HTTP, with the template's table.

use std::net::{IpAddr, Ipv4Addr};

use tokio::net::TcpListener;

use super::{Failure, interrupted, say};
use crate::settings::Settings;
use crate::template::Template;
use crate::{database, dynamo};

/// The arguments of `dynamodb`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// The address; 0.0.0.0 lets containers in, and everyone else on the network
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
}

/// Serves until interrupted.
///
/// # Errors
///
/// When the address is taken.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::read(&Template::embedded()?);
    let listener = TcpListener::bind((arguments.bind, arguments.port))
        .await
        .map_err(|error| {
            format!(
                "cannot listen on {}:{}: {error}",
                arguments.bind, arguments.port
            )
        })?;
    let embedded = database::embedded(None)?;
    dynamo::create_table(&embedded.client(), settings.table()).await?;
    let address = listener.local_addr()?;
    say(&format!(
        "DynamoDB with the table {} at http://{address}",
        settings.table()
    ))?;
    dynoxide::server::serve_with_shutdown(listener, embedded.database(), interrupted()).await?;
    Ok(())
}
