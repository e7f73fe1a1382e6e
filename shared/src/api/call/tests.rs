use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn config(settings: &[(&str, &str)]) -> Config {
    let found = |name: &str| settings.iter().find(|(known, _)| *known == name);
    Config::read(&|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap()
}

/// An event with the given members over those of an ordinary one.
fn read(members: Value, settings: &[(&str, &str)]) -> Call {
    let mut event = json!({
        "routeKey": "GET /scim/v2/Users/{id}",
        "rawPath": "/scim/v2/Users/1",
        "rawQueryString": "",
        "headers": {"host": "evil.example.com"},
        "requestContext": {
            "domainName": "abc.example.com",
            "stage": "$default",
            "http": {"method": "GET", "path": "/scim/v2/Users/1"},
        },
    });
    merge(&mut event, members);
    Call::read(serde_json::from_value(event).unwrap(), &config(settings))
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn place(members: Value, settings: &[(&str, &str)]) -> String {
    let call = read(members, settings);
    format!(
        "{} {:?} {:?}",
        call.base_url, call.segments, call.path_tenant
    )
}

/// An `If-Match` that was passed over would let a stale write through.
#[test]
fn a_header_that_is_no_text_counts_as_sent() {
    let call = read(json!({"headers": {"if-match": "W/\"١\""}}), &[]);
    assert_snapshot!(call.header(header::IF_MATCH).unwrap(), @r#"W/"١""#);
    let call = read(
        json!({"headers": {"content-type": "application/јson"}}),
        &[],
    );
    let refused = call.json(&config(&[])).unwrap_err();
    assert_eq!(refused.status(), 415);
}

#[test]
fn the_path_below_the_base_path_is_found_wherever_it_is_mounted() {
    assert_snapshot!(place(json!({}), &[]), @r#"https://abc.example.com/scim/v2 Some(["Users", "1"]) None"#);
    // A stage of its own stands in the path.
    let staged = json!({"rawPath": "/prod/scim/v2/Users/1", "requestContext": {"stage": "prod"}});
    assert_snapshot!(place(staged.clone(), &[]), @r#"https://abc.example.com/prod/scim/v2 Some(["Users", "1"]) None"#);
    // So does the key of a custom domain, and nothing else in the event says so.
    let mapped = json!({"rawPath": "/key/scim/v2/Users/1"});
    assert_snapshot!(place(mapped, &[]), @r#"https://abc.example.com/key/scim/v2 Some(["Users", "1"]) None"#);
    // The route for everything tells nothing: only the stage may precede.
    let mut unknown = staged;
    merge(&mut unknown, json!({"routeKey": "$default"}));
    assert_snapshot!(place(unknown, &[]), @r#"https://abc.example.com/prod/scim/v2 Some(["Users", "1"]) None"#);
    let odd = json!({"routeKey": "$default", "rawPath": "/key/scim/v2/Users"});
    assert_snapshot!(place(odd, &[]), @"https://abc.example.com/scim/v2 None None");
    let public = [("PUBLIC_URL", "https://id.example.com/a/")];
    assert_snapshot!(place(json!({}), &public), @r#"https://id.example.com/a/scim/v2 Some(["Users", "1"]) None"#);
}

#[test]
fn a_tenant_in_the_path_is_taken_out_and_kept_in_the_base_url() {
    let settings = [("BASE_PATH", "api/v1/tenants/{tenant_id}/scim/v2")];
    let event = json!({
        "routeKey": "POST /api/v1/tenants/{tenant_id}/scim/v2/Bulk",
        "rawPath": "/api/v1/tenants/acme/scim/v2/Bulk",
    });
    assert_snapshot!(place(event, &settings), @r#"https://abc.example.com/api/v1/tenants/acme/scim/v2 Some(["Bulk"]) Some("acme")"#);
}

#[test]
fn odd_paths_and_ids_are_ordinary_segments() {
    for (path, expected) in [
        ("/scim/v2/Users/", vec!["Users"]),
        ("/scim/v2/Users/a b\u{0}é", vec!["Users", "a b\u{0}é"]),
        ("/scim/v2/Users/../Groups", vec!["Users", "..", "Groups"]),
        ("/scim/v2", vec![]),
        ("/scim", vec![]),
        ("", vec![]),
        ("////", vec![]),
        ("/SCIM/v2/Users", vec![]),
    ] {
        let call = read(json!({"routeKey": "$default", "rawPath": path}), &[]);
        assert_eq!(call.path(), expected, "{path:?}");
    }
    let inconsistent = json!({"routeKey": "GET /scim/v2/Users/{id}", "rawPath": "/scim/v2"});
    assert!(read(inconsistent, &[]).path().is_empty());
}

#[test]
fn an_id_with_slashes_never_moves_the_base_path() {
    let id = "x/scim/v2/Users/1";
    let event = json!({"rawPath": format!("/scim/v2/Users/{id}"), "pathParameters": {"id": id}});
    let call = read(event, &[]);
    assert_eq!(call.path(), ["Users", "x", "scim", "v2", "Users", "1"]);
    assert_eq!(call.base_url, "https://abc.example.com/scim/v2");
}

#[test]
fn the_query_is_decoded_and_keeps_its_order() {
    let query = "filter=userName+eq+%22a%26b%22&filter&x=%ff%zz&=y&attributes=a%2Cb";
    let call = read(json!({"rawQueryString": query}), &[]);
    assert_snapshot!(format!("{:?}", call.parameters), @r#"[("filter", "userName eq \"a&b\""), ("filter", ""), ("x", "�%zz"), ("", "y"), ("attributes", "a,b")]"#);
    assert_eq!(
        call.list("attributes"),
        Some(vec!["a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn headers_of_one_name_join_as_a_list() {
    let call = read(json!({"headers": {"if-match": "W/\"1\",W/\"2\""}}), &[]);
    assert_eq!(
        call.header(header::IF_MATCH).as_deref(),
        Some("W/\"1\",W/\"2\"")
    );
    assert_eq!(call.header(header::IF_NONE_MATCH), None);
}

fn body(members: Value) -> String {
    match read(members, &[("MAX_PAYLOAD_SIZE", "16")]).json(&config(&[("MAX_PAYLOAD_SIZE", "16")]))
    {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_body_is_read_as_text_or_as_base64_by_the_flag_alone() {
    let coded = |text: &str| json!({"body": text, "isBase64Encoded": true});
    assert_eq!(body(json!({"body": "{\"a\":1}"})), "{\"a\":1}");
    assert_eq!(body(coded("eyJhIjoxfQ==")), "{\"a\":1}");
    assert_eq!(body(coded("eyJhIjoxfQ")), "{\"a\":1}");
    assert_snapshot!(body(json!({"body": "eyJhIjoxfQ=="})), @"400 invalidSyntax: not valid JSON: expected value at line 1 column 1");
    assert_snapshot!(body(coded("{\"a\":1}")), @"400 invalidSyntax: the body is marked as base64 and cannot be decoded");
    assert_snapshot!(body(coded("é")), @"400 invalidSyntax: the body is marked as base64 and cannot be decoded");
    assert_snapshot!(body(coded("/w==")), @"400 invalidSyntax: not valid JSON: expected value at line 1 column 1");
    assert_snapshot!(body(json!({})), @"400 invalidSyntax: not valid JSON: the body is empty, expected JSON");
}

#[test]
fn the_limit_counts_the_bytes_that_were_sent() {
    // 16 bytes are within it and 17 over, in either form; base64 of 17 bytes
    // and of 18 has the same length, so a body may be told by its decoded size.
    let text = |size: usize| format!("[{}]", " ".repeat(size - 2));
    let coded = |size: usize| json!({"body": BASE64.encode(text(size)), "isBase64Encoded": true});
    assert_eq!(body(json!({"body": text(16)})), "[]");
    assert_eq!(body(coded(16)), "[]");
    assert_snapshot!(body(json!({"body": text(17)})), @"413: the body has 17 bytes or more, over maxPayloadSize (16)");
    assert_snapshot!(body(coded(17)), @"413: the body has 17 bytes or more, over maxPayloadSize (16)");
    assert_snapshot!(body(json!({"body": "!".repeat(100), "isBase64Encoded": true})), @"413: the body has 73 bytes or more, over maxPayloadSize (16)");
}

#[test]
fn json_is_the_only_media_type() {
    let typed =
        |media_type: &str| body(json!({"body": "1", "headers": {"content-type": media_type}}));
    for known in [
        "application/scim+json",
        "Application/JSON; charset=utf-8",
        "",
    ] {
        assert_eq!(typed(known), "1", "{known}");
    }
    assert_snapshot!(typed("text/plain"), @"415: media type `text/plain` is not supported, expected `application/scim+json` or `application/json`");
    assert_snapshot!(typed("application/jsonp"), @"415: media type `application/jsonp` is not supported, expected `application/scim+json` or `application/json`");
}

proptest! {
    #[test]
    fn no_event_makes_it_panic(
        path in "(/|prod|scim|v2|t|\\PC){0,8}",
        route in "(\\$default|[A-Z]{1,4} (/scim|/v2|/\\{id\\}|/){0,6}|\\PC{0,4})",
        query in "([&=%+]|%[0-9a-f]{1,2}|\\PC){0,8}",
        body in "\\PC{0,12}",
        coded: bool,
        tenant: bool,
    ) {
        let members = json!({
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": query,
            "requestContext": {"stage": "prod"},
            "body": body,
            "isBase64Encoded": coded,
        });
        let settings: &[_] = if tenant { &[("BASE_PATH", "t/{tenant_id}")] } else { &[] };
        let call = read(members, settings);
        let _ = call.json(&config(settings));
        // What is below the base path is never more than what was asked for.
        prop_assert!(call.path().len() <= path.split('/').count());
    }
}
