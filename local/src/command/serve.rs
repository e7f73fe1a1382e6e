//! `serve`: the gateway with all functions on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use jiff::SignedDuration;
use serde_json::json;
use shared::config::TENANT_IN_PATH;
use shared::provider::Provider;
use shared::scim::urn;
use shared::store::Store;
use tokio::net::TcpListener;

use super::{Failure, interrupted, say, token};
use crate::authorizer::Authorizer;
use crate::authorizer::key::Key;
use crate::database;
use crate::gateway::{self, Gateway, MAX_BODY};
use crate::host::Host;
use crate::settings::Settings;
use crate::template::Template;

/// The tenant of the banner's token where the base path has one.
const TENANT: &str = "example";
/// A working day, so that a pasted token does not end in the middle of it.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Keep the database in this directory instead of in memory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What comes before /Users; may contain {tenant_id} [default: scim/v2]
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
}

/// Serves until interrupted.
///
/// # Errors
///
/// When the port is taken, or database, key or configuration are not usable.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let template = Template::embedded()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .map_err(|error| format!("cannot listen on 127.0.0.1:{}: {error}", arguments.port))?;
    let address = listener.local_addr()?;
    let mut settings = Settings::read(&template).with_public_url(&format!("http://{address}"));
    if let Some(base_path) = &arguments.base_path {
        settings = settings.with_base_path(base_path);
    }
    let settings = settings.with_tenant_claim();
    let client = database::open(arguments.data.as_deref(), settings.table()).await?;
    let provider = Provider {
        store: Store::new(client, settings.table()),
        config: settings.config()?.into(),
    };
    let authorizer = Authorizer::new(Key::kept()?, &template.authorizer);
    banner(&settings, &authorizer)?;
    let gateway = Gateway::new(
        &template,
        settings.base_path(),
        authorizer,
        Host::new(provider, template.timeout),
        "localhost",
    );
    let router = Router::new().fallback(answer).with_state(gateway);
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(interrupted())
    .await?;
    Ok(())
}

async fn answer(
    State(gateway): State<Gateway>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let response = match axum::body::to_bytes(body, MAX_BODY).await {
        Ok(body) => {
            let request = Request::from_parts(parts, body);
            gateway.answer(request, client.ip()).await
        }
        Err(_) => gateway::too_large(),
    };
    response.map(Body::from)
}

/// Base URL, a token, and a request to paste.
fn banner(settings: &Settings, authorizer: &Authorizer) -> Result<(), Failure> {
    let tenant = (!settings.tenant_claim().is_empty()).then_some(TENANT);
    let token = token::full(authorizer, settings, tenant, LIFETIME)?;
    let base_path = settings.base_path().replace(TENANT_IN_PATH, TENANT);
    let base_url = format!(
        "{}/{base_path}",
        settings.public_url().trim_end_matches('/')
    );
    say(&format!("Base URL: {base_url}"))?;
    say(&format!("Token: {token}"))?;
    say("Try a user and a group that refers to it:")?;
    say(&format!(
        "curl -sS '{base_url}/Bulk' -H 'Authorization: Bearer {token}' \
         -H 'Content-Type: application/scim+json' -d '{}'",
        first_bulk()
    ))
}

/// The group comes first: order is the service's business.
fn first_bulk() -> String {
    json!({
        "schemas": [urn::BULK_REQUEST],
        "Operations": [
            {
                "method": "POST",
                "path": "/Groups",
                "bulkId": "crew",
                "data": {
                    "schemas": [urn::GROUP],
                    "displayName": "Crew",
                    "members": [{ "value": "bulkId:ada", "type": "User" }],
                },
            },
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": "ada",
                "data": { "schemas": [urn::USER], "userName": "ada" },
            },
        ],
    })
    .to_string()
}
