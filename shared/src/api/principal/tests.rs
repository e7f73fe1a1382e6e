use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::plan::Access;
use crate::plan::rights;
use crate::scim::schema::catalogue;

const MAPPING: &str = r#"{
    "https://jans.io/scim/bulk": ["scim.bulk", "scim.users.write"],
    "Directory.Admin": ["scim.users.read"],
    "client-7": ["scim.groups.read"]
}"#;

fn config(settings: &[(&str, &str)]) -> Config {
    let found = |name: &str| settings.iter().find(|(known, _)| *known == name);
    Config::read(&|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap()
}

/// The scopes that the claims come to, with `SCOPE_MAPPING` as above.
fn scopes(claims: &[(&str, &str)]) -> String {
    let claims = claims
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let principal =
        Principal::from_claims(&claims.collect(), &config(&[("SCOPE_MAPPING", MAPPING)]));
    let rights = principal.unwrap().rights;
    let mut found = Vec::new();
    for resource_type in &catalogue().resource_types {
        for access in [Access::Read, Access::Write] {
            if rights.may(resource_type, access) {
                found.push(Rights::scope(resource_type, access));
            }
        }
    }
    let bulk = rights.require_bulk().is_ok();
    found.extend(bulk.then(|| rights::BULK.to_owned()));
    found.sort();
    found.join(" ")
}

fn call(path: &str, claims: Value, settings: &[(&str, &str)]) -> Result<Caller, ScimError> {
    let event = json!({
        "routeKey": "$default",
        "rawPath": path,
        "requestContext": {
            "domainName": "abc.example.com",
            "authorizer": claims,
            "http": {"method": "GET"},
        },
    });
    let config = config(settings);
    caller(
        &Call::read(serde_json::from_value(event).unwrap(), &config),
        &config,
    )
}

fn told(path: &str, claims: Value, settings: &[(&str, &str)]) -> String {
    match call(path, claims, settings) {
        Ok(caller) => format!("{} at {}", caller.tenant, caller.base_url),
        Err(error) => error.to_string(),
    }
}

#[test]
fn scopes_come_from_every_claim_and_form_that_grants_them() {
    assert_eq!(
        scopes(&[("scope", "openid scim.users.read  scim.bulk")]),
        "scim.bulk scim.users.read"
    );
    assert_eq!(
        scopes(&[("scp", "[scim.users.read scim.users.write]")]),
        "scim.users.read scim.users.write"
    );
    assert_eq!(
        scopes(&[("roles", "[scim.groups.write]"), ("scope", "scim.bulk")]),
        "scim.bulk scim.groups.write"
    );
    assert_eq!(scopes(&[("scope", "[]"), ("scp", ""), ("roles", "[")]), "");
    assert_eq!(scopes(&[]), "");
}

#[test]
fn a_mapping_turns_foreign_grants_and_clients_into_scopes() {
    assert_eq!(
        scopes(&[("scope", "openid https://jans.io/scim/bulk")]),
        "scim.bulk scim.users.write"
    );
    assert_eq!(
        scopes(&[("roles", "[Directory.Admin]"), ("azp", "client-7")]),
        "scim.groups.read scim.users.read"
    );
}

#[test]
fn what_anyone_may_choose_grants_nothing() {
    for claim in ["groups", "sub", "name", "client_id", "azp", "aud"] {
        assert_eq!(scopes(&[(claim, "scim.bulk")]), "", "{claim}");
    }
    assert_eq!(
        scopes(&[("groups", "[Directory.Admin]"), ("sub", "client-7")]),
        ""
    );
}

#[test]
fn no_verified_token_is_no_caller() {
    for authorizer in [
        Value::Null,
        json!({}),
        json!({"lambda": {"sub": "a"}}),
        json!({"jwt": null}),
    ] {
        let told = told("/scim/v2/Users", authorizer, &[]);
        assert_eq!(told, "401: the request carries no verified token");
    }
}

#[test]
fn a_configured_claim_must_name_a_tenant() {
    let org = |name: &str| {
        let claims = json!({"jwt": {"claims": {"org": name}}});
        told("/scim/v2/Users", claims, &[("TENANT_CLAIM", "org")])
    };
    assert_eq!(org("acme"), "acme at https://abc.example.com/scim/v2");
    let refused = "403: the token's claim `org` names no tenant";
    for illegal in ["", "[acme]", "a#b", "acme ", &"a".repeat(65)] {
        assert_eq!(org(illegal), refused, "{illegal}");
    }
    let without = json!({"jwt": {"claims": {"tid": "acme"}}});
    assert_eq!(
        told("/scim/v2/Users", without, &[("TENANT_CLAIM", "org")]),
        refused
    );
}

#[test]
fn the_path_never_chooses_another_tenant_than_the_token() {
    let settings = [("BASE_PATH", "t/{tenant_id}/scim"), ("TENANT_CLAIM", "org")];
    let claims = || json!({"jwt": {"claims": {"org": "acme"}}});
    assert_snapshot!(told("/t/acme/scim/Users", claims(), &settings), @"acme at https://abc.example.com/t/acme/scim");
    for path in [
        "/t/other/scim/Users",
        "/t/ACME/scim/Users",
        "/t//scim/Users",
        "/t/a%62/scim/Users",
        "/scim/Users",
    ] {
        assert_eq!(
            told(path, claims(), &settings),
            "404: no such endpoint",
            "{path}"
        );
    }
}

#[test]
fn without_a_claim_there_is_one_tenant_whatever_the_path_says() {
    let settings = [("BASE_PATH", "t/{tenant_id}/scim")];
    let claims = || json!({"jwt": {"claims": {"org": "acme"}}});
    assert_snapshot!(told("/t/acme/scim/Users", claims(), &settings), @"default at https://abc.example.com/t/acme/scim");
    assert_snapshot!(told("/t/other/scim/Users", claims(), &settings), @"default at https://abc.example.com/t/other/scim");
    assert_snapshot!(told("/t/a b/scim/Users", claims(), &settings), @"404: no such endpoint");
}

#[test]
fn a_missing_scope_is_named() {
    let caller = call(
        "/scim/v2/Users",
        json!({"jwt": {"claims": {"scope": "scim.users.read"}}}),
        &[],
    )
    .unwrap();
    let user = catalogue().by_name("User").unwrap();
    assert_eq!(caller.rights.require(user, Access::Read), Ok(()));
    assert_snapshot!(caller.rights.require(user, Access::Write).unwrap_err(), @"403: the token lacks the scope `scim.users.write`");
}
