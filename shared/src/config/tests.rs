use insta::{assert_debug_snapshot, assert_snapshot};

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
    Config::read(&|name| found(name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn nothing_must_be_set() {
    assert_debug_snapshot!(read(&[]).unwrap(), @r#"
    Config {
        table_name: None,
        endpoint: None,
        base_path: "scim/v2",
        public_url: None,
        tenant_claim: None,
        max_operations: 1000,
        max_payload_size: 3072000,
        max_results: 200,
        default_page: 100,
        strict_bulk_id: false,
        hash_passwords: true,
        entra: false,
        validation_errors_422: false,
        in_flight: 32,
        subject_attribute: None,
        scope_mapping: {},
    }
    "#);
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let names = [
        "BASE_PATH",
        "PUBLIC_URL",
        "TENANT_CLAIM",
        "MAX_RESULTS",
        "COMPATIBILITY",
        "SUBJECT_ATTRIBUTE",
        "SCOPE_MAPPING",
    ];
    assert_eq!(read(&names.map(|name| (name, ""))), read(&[]));
    assert_snapshot!(read(&[("TABLE_NAME", " ")]).unwrap().table().unwrap_err(), @"`TABLE_NAME` is not set, expected the name of the table");
}

#[test]
fn every_variable_reaches_its_setting() {
    let config = read(&[
        ("TABLE_NAME", "scim"),
        ("BASE_PATH", "/api/v1/tenants/{tenant_id}/scim/v2/"),
        ("PUBLIC_URL", "https://id.example.com/prod/"),
        ("TENANT_CLAIM", "org"),
        ("MAX_OPERATIONS", "50"),
        ("MAX_PAYLOAD_SIZE", "1048576"),
        ("MAX_RESULTS", "20"),
        ("STRICT_BULK_ID", "True"),
        ("PASSWORD_HASH", "none"),
        ("COMPATIBILITY", "entra"),
        ("VALIDATION_ERRORS", "422"),
        ("IN_FLIGHT", "8"),
        ("SUBJECT_ATTRIBUTE", "username"),
        (
            "SCOPE_MAPPING",
            r#"{"https://jans.io/scim/bulk": ["scim.bulk", "scim.users.write"]}"#,
        ),
    ]);
    assert_debug_snapshot!(config.unwrap(), @r#"
    Config {
        table_name: Some(
            "scim",
        ),
        endpoint: None,
        base_path: "api/v1/tenants/{tenant_id}/scim/v2",
        public_url: Some(
            "https://id.example.com/prod",
        ),
        tenant_claim: Some(
            "org",
        ),
        max_operations: 50,
        max_payload_size: 1048576,
        max_results: 20,
        default_page: 20,
        strict_bulk_id: true,
        hash_passwords: false,
        entra: true,
        validation_errors_422: true,
        in_flight: 8,
        subject_attribute: Some(
            UserName,
        ),
        scope_mapping: {
            "https://jans.io/scim/bulk": [
                "scim.bulk",
                "scim.users.write",
            ],
        },
    }
    "#);
}

#[test]
fn an_error_names_the_variable_and_what_was_expected() {
    let refused = [
        ("BASE_PATH", "scim//v2"),
        ("BASE_PATH", "/"),
        ("BASE_PATH", "a{tenant_id}/scim"),
        ("BASE_PATH", "{tenant_id}/{tenant_id}"),
        ("BASE_PATH", "scim/v2?x"),
        ("PUBLIC_URL", "id.example.com"),
        ("PUBLIC_URL", "https://id.example.com/?a=b"),
        ("PUBLIC_URL", "https://user:secret@id.example.com"),
        ("MAX_OPERATIONS", "0"),
        ("MAX_PAYLOAD_SIZE", "6000000"),
        ("MAX_RESULTS", "-1"),
        ("STRICT_BULK_ID", "yes"),
        ("PASSWORD_HASH", "sha1"),
        ("COMPATIBILITY", "okta"),
        ("VALIDATION_ERRORS", "409"),
        ("IN_FLIGHT", "many"),
        ("SUBJECT_ATTRIBUTE", "emails"),
        ("SCOPE_MAPPING", "[]"),
        ("SCOPE_MAPPING", r#"{"admin": ["scim.user.reed"]}"#),
    ];
    let told = refused.map(|pair| read(&[pair]).unwrap_err().to_string());
    assert_snapshot!(told.join("\n"), @r#"
`BASE_PATH` is `scim//v2`, expected a path such as `scim/v2`, of letters, digits and `-._~`, with `{tenant_id}` as at most one of its segments
`BASE_PATH` is `/`, expected a path such as `scim/v2`, of letters, digits and `-._~`, with `{tenant_id}` as at most one of its segments
`BASE_PATH` is `a{tenant_id}/scim`, expected a path such as `scim/v2`, of letters, digits and `-._~`, with `{tenant_id}` as at most one of its segments
`BASE_PATH` is `{tenant_id}/{tenant_id}`, expected a path such as `scim/v2`, of letters, digits and `-._~`, with `{tenant_id}` as at most one of its segments
`BASE_PATH` is `scim/v2?x`, expected a path such as `scim/v2`, of letters, digits and `-._~`, with `{tenant_id}` as at most one of its segments
`PUBLIC_URL` is `id.example.com`, expected a URL such as `https://id.example.com`, without query or fragment
`PUBLIC_URL` is `https://id.example.com/?a=b`, expected a URL such as `https://id.example.com`, without query or fragment
`PUBLIC_URL` is `https://user:secret@id.example.com`, expected a URL such as `https://id.example.com`, without query or fragment
`MAX_OPERATIONS` is `0`, expected a whole number from 1 to 10000
`MAX_PAYLOAD_SIZE` is `6000000`, expected a whole number from 1 to 4500000
`MAX_RESULTS` is `-1`, expected a whole number from 1 to 1000
`STRICT_BULK_ID` is `yes`, expected `false` or `true`
`PASSWORD_HASH` is `sha1`, expected `argon2id` or `none`
`COMPATIBILITY` is `okta`, expected `none` or `entra`
`VALIDATION_ERRORS` is `409`, expected `400` or `422`
`IN_FLIGHT` is `many`, expected a whole number from 1 to 256
`SUBJECT_ATTRIBUTE` is `emails`, expected `id`, `userName` or `externalId`
`SCOPE_MAPPING` is `[]`, expected a JSON object whose members are arrays of own scopes, such as `{"admin": ["scim.users.read"]}`
`SCOPE_MAPPING` is `{"admin": ["scim.user.reed"]}`, expected a JSON object whose members are arrays of own scopes, such as `{"admin": ["scim.users.read"]}`
"#);
}
