//! What identity providers send, replayed: `tests/connectors/*.json`, one file
//! for each connector and flavour, through the whole gateway with a signed
//! token and in front of the database that misbehaves.
//!
//! The files are written from public documentation, not recorded. Each names
//! its pages, and every step the page it is from or what was assumed.

mod coverage;
mod fixture;
mod pages;
mod place;
mod replay;

use std::collections::BTreeSet;

use fixture::{Compatibility, Fixture};
use harness::weather::{Rates, Settings};
use replay::replay;

/// Every file under every setting that it is written for, with the outcome
/// that the connector needs and the end state that it would see.
async fn all(settings: &Settings) -> Vec<String> {
    let mut failures = Vec::new();
    for fixture in Fixture::all() {
        for compatibility in &fixture.compatibility {
            failures.extend(replay(&fixture, *compatibility, settings).await);
        }
    }
    failures
}

#[tokio::test(start_paused = true)]
async fn every_connector_gets_what_it_goes_on_from() {
    let failures = all(&Settings::default()).await;
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// A third of all calls meet a conflict, a throttle or a broken connection.
/// What a connector is answered is the same.
#[tokio::test(start_paused = true)]
async fn every_connector_gets_the_same_in_foul_weather() {
    let settings = Settings {
        rates: Rates {
            conflict: 200,
            throttle: 50,
            lost_before: 30,
            lost_after: 30,
            internal: 20,
            unprocessed: 50,
        },
        ..Settings::default()
    };
    let failures = all(&settings).await;
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// The connectors that the service is for, Entra ID in both of its PATCH
/// flavours and with and without the setting that is named after it.
#[test]
fn every_connector_has_its_files() {
    let fixtures = Fixture::all();
    let connectors: BTreeSet<&str> = fixtures
        .iter()
        .map(|fixture| fixture.connector.as_str())
        .collect();
    let expected = [
        "Entra ID",
        "Google",
        "JumpCloud",
        "Okta",
        "OneLogin",
        "Ping",
    ];
    assert_eq!(connectors, BTreeSet::from(expected));
    for name in ["entra-default", "entra-compliant", "entra-validator"] {
        let found = fixtures.iter().find(|fixture| fixture.name == name);
        let settings = &found.unwrap().compatibility;
        assert_eq!(*settings, [Compatibility::None, Compatibility::Entra]);
    }
}
