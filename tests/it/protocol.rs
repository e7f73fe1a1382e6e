//! What HTTP has around the resources: media types, methods, paths, errors
//! (RFC 7644 §3.1, §3.8, §3.12, §3.13), through the gateway shape.

use harness::{Client, Reply, Stack, group, patch, post, user};
use serde_json::{Value, json};

const SCIM: &str = "application/scim+json";
const ABSENT: &str = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";

/// A SCIM Error as RFC 7644 §3.12 has it: nothing else, and of the right types.
fn is_error(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some(SCIM));
    let body = reply.body.as_object().unwrap();
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
    );
    assert_eq!(body["status"], status.to_string(), "a string");
    assert!(body.get("detail").is_none_or(Value::is_string));
    let known = [
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
        "invalidCursor",
        "expiredCursor",
        "invalidCount",
    ];
    if let Some(keyword) = body.get("scimType") {
        assert!(known.contains(&keyword.as_str().unwrap()), "{keyword}");
        assert_eq!(status, if keyword == "uniqueness" { 409 } else { 400 });
    }
    let legal = ["schemas", "status", "scimType", "detail", "errors"];
    assert!(body.keys().all(|name| legal.contains(&name.as_str())));
}

#[tokio::test(start_paused = true)]
async fn bodies_come_in_both_media_types_with_any_charset_parameter() {
    let stack = Stack::start().await;
    let client = stack.client();
    let odd = "Zoë \u{1f600}";
    for (n, kind) in [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "APPLICATION/SCIM+JSON",
    ]
    .into_iter()
    .enumerate()
    {
        let client = client.with_header("content-type", kind);
        let mut body = user(&format!("u{n}"));
        body["displayName"] = json!(odd);
        let created = client.post("/Users", body).await;
        assert_eq!(created.status, 201, "{kind}: {}", created.body);
        assert_eq!(created.header("content-type"), Some(SCIM), "{kind}");
        assert_eq!(created.body["displayName"], odd);
    }
    let id = client.create("/Users", user("there")).await;
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
    ] {
        let client = client.with_header("content-type", kind);
        let change = patch(&[json!({"op": "add", "path": "title", "value": "x"})]);
        let rows = json!({"Operations": [{"method": "DELETE", "path": format!("/Users/{id}")}]});
        for reply in [
            client.post("/Users", user("other")).await,
            client.put(&format!("/Users/{id}"), user("other")).await,
            client.patch(&format!("/Users/{id}"), change).await,
            client.post("/Bulk", rows).await,
            client.post("/Users/.search", json!({})).await,
            client.post("/.search", json!({})).await,
        ] {
            is_error(&reply, 415);
        }
    }
    assert_eq!(client.get(&format!("/Users/{id}")).await.status, 200);
    stack.audit().await;
}

/// RFC 7644 §3.8: `application/scim+json` unless the client accepts nothing but
/// plain JSON.
#[tokio::test(start_paused = true)]
async fn an_answer_has_the_media_type_that_the_client_accepts() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    let plain = "application/json";
    for (accept, expected) in [
        ("application/scim+json", SCIM),
        ("*/*", SCIM),
        ("application/*", SCIM),
        ("application/scim+json, application/json", SCIM),
        ("application/json, application/scim+json;q=0.5", SCIM),
        ("text/html", SCIM),
        ("application/json", plain),
        ("Application/JSON; charset=utf-8", plain),
        ("application/json, text/plain, */*", SCIM),
    ] {
        let client = client.with_header("accept", accept);
        for (reply, status) in [
            (client.get(&format!("/Users/{id}")).await, 200),
            (
                client.put(&format!("/Users/{id}"), user("there")).await,
                200,
            ),
            (client.get("/Users").await, 200),
            (client.get("/Devices").await, 200),
            (client.get("/Schemas").await, 200),
            (client.get(&format!("/Users/{ABSENT}")).await, 404),
            (client.get("/").await, 200),
            (client.get("/nowhere").await, 404),
        ] {
            assert_eq!(reply.status, status, "{accept}");
            assert_eq!(reply.header("content-type"), Some(expected), "{accept}");
        }
    }
    stack.audit().await;
}

/// One answer for each method that a path does not have, naming those it has.
#[tokio::test(start_paused = true)]
async fn a_method_that_a_path_lacks_is_405_with_allow() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    for (path, allowed) in [
        ("/Users".to_owned(), "GET, POST"),
        ("/Groups".to_owned(), "GET, POST"),
        (format!("/Users/{id}"), "GET, PUT, PATCH, DELETE"),
        (format!("/Groups/{ABSENT}"), "GET, PUT, PATCH, DELETE"),
        ("/Users/.search".to_owned(), "POST"),
        ("/.search".to_owned(), "POST"),
        ("/Bulk".to_owned(), "POST"),
        ("/ServiceProviderConfig".to_owned(), "GET"),
        ("/Schemas".to_owned(), "GET"),
        (
            "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User".to_owned(),
            "GET",
        ),
        ("/ResourceTypes".to_owned(), "GET"),
        ("/ResourceTypes/User".to_owned(), "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            if allowed.split(", ").any(|known| known == method) {
                continue;
            }
            let reply = client.send(method, &path, Vec::new()).await;
            is_error(&reply, 405);
            assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
        }
    }
    stack.audit().await;
}

/// What is no path of ours, and what is one although it looks odd.
#[tokio::test(start_paused = true)]
async fn paths_are_what_they_name() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    for path in [
        "/v9/Users",
        "/users",
        "/Users.scim",
        "/Robots",
        "/Users/x/y",
        "/Schemas/x/y",
    ] {
        is_error(&client.get(path).await, 404);
    }
    for path in [
        format!("/Users/{id}.scim"),
        format!("/Groups/{id}"),
        "/Users/.Search".to_owned(),
    ] {
        is_error(&client.get(&path).await, 404);
    }
    for (path, status) in [("/Users/", 200), ("/Schemas/", 200), ("/", 200)] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
    assert_eq!(client.get(&format!("/Users/{id}/")).await.status, 200);
    is_error(&client.get("/Me").await, 501);
    stack.audit().await;
}

/// RFC 7644 §3.12: every failure has one shape, whichever function answers.
#[tokio::test(start_paused = true)]
async fn every_failure_is_an_error_of_one_shape() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    let path = format!("/Users/{id}");
    let anonymous = client.anonymous();
    for (reply, status) in [
        (anonymous.get(&path).await, 401),
        (
            anonymous.post("/Bulk", json!({"Operations": [1]})).await,
            401,
        ),
        (anonymous.get("/").await, 401),
        (client.with_scopes(&[]).get(&path).await, 403),
        (client.with_scopes(&[]).bulk(&[json!(1)]).await, 403),
        (client.get("/Schemas?filter=id%20pr").await, 403),
        (client.get(&format!("/Groups/{id}")).await, 404),
        (client.post("/Users", user("THERE")).await, 409),
        (
            client.with_header("if-match", "\"9\"").delete(&path).await,
            412,
        ),
        (
            client
                .post("/Users", json!({"x": "y".repeat(3_072_000)}))
                .await,
            413,
        ),
        (client.post("/Users", json!([])).await, 400),
        (client.get("/Users?count=x").await, 400),
        (client.post("/Bulk", json!({"Operations": []})).await, 400),
    ] {
        is_error(&reply, status);
        let challenge = reply.header("www-authenticate");
        assert_eq!(challenge.is_some(), status == 401, "{status}");
    }
    stack.audit().await;
}

/// RFC 7644 §4: discovery is open, complete, and true.
#[tokio::test(start_paused = true)]
async fn discovery_needs_no_token_and_refuses_a_filter() {
    let stack = Stack::start().await;
    let client = stack.client().anonymous();
    for path in ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes"] {
        let plain = client.get(path).await;
        assert_eq!(plain.status, 200, "{path}");
        assert_eq!(plain.header("content-type"), Some(SCIM));
        let paged = format!("{path}?count=1&startIndex=2&sortBy=id&attributes=id");
        let ignored = client.get(&paged).await;
        assert_eq!(ignored.body, plain.body, "{path}");
        for filter in ["filter=id%20pr", "filter=", "FILTER=x"] {
            is_error(&client.get(&format!("{path}?{filter}")).await, 403);
        }
        is_error(&client.get(&format!("{path}/nobody")).await, 404);
    }
    for path in ["/Schemas", "/ResourceTypes"] {
        let list = client.get(path).await.body;
        assert_eq!(
            list["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
        );
        for entry in list["Resources"].as_array().unwrap() {
            let found = client
                .get(&format!("{path}/{}", entry["id"].as_str().unwrap()))
                .await;
            assert_eq!((found.status, &found.body), (200, entry));
            assert!(entry["schemas"].is_array() && entry["meta"].is_object());
            let text = entry.to_string();
            assert!(
                ![":null", "[null", ",null"]
                    .iter()
                    .any(|null| text.contains(null)),
                "no member is null"
            );
            assert!(!text.contains("api:messages"), "messages are no schemas");
        }
    }
}

/// RFC 7643 §5: what is advertised is what is enforced.
#[tokio::test(start_paused = true)]
async fn what_the_configuration_says_is_what_happens() {
    let stack = Stack::builder()
        .variable("MAX_OPERATIONS", "2")
        .variable("MAX_PAYLOAD_SIZE", "2000")
        .variable("MAX_RESULTS", "3")
        .start()
        .await;
    let client = stack.client();
    let config = client.get("/ServiceProviderConfig").await.body;
    let number = |pointer: &str| {
        let found = config.pointer(pointer).and_then(Value::as_u64);
        usize::try_from(found.unwrap()).unwrap()
    };
    let row = |n: usize| post(&n.to_string(), "/Groups", group(&format!("g{n}"), &[]));
    let rows = |number: usize| (0..number).map(row).collect::<Vec<_>>();
    let operations = number("/bulk/maxOperations");
    assert_eq!(client.bulk(&rows(operations)).await.status, 200);
    is_error(&client.bulk(&rows(operations + 1)).await, 413);
    let size = number("/bulk/maxPayloadSize");
    let blanks = |size: usize| [b"{}".to_vec(), vec![b' '; size - 2]].concat();
    let exact = client.send("POST", "/Bulk", blanks(size)).await;
    is_error(&exact, 400);
    is_error(&client.send("POST", "/Bulk", blanks(size + 1)).await, 413);
    let results = number("/filter/maxResults");
    assert_eq!(results, number("/pagination/maxPageSize"));
    for n in 0..=results {
        client.create("/Users", user(&format!("u{n}"))).await;
    }
    let page = client.get("/Users?count=100").await.body;
    assert_eq!(page["itemsPerPage"], results);
    for (flag, expected) in [
        ("/patch/supported", true),
        ("/bulk/supported", true),
        ("/filter/supported", true),
        ("/sort/supported", true),
        ("/etag/supported", true),
        ("/pagination/cursor", true),
        ("/pagination/index", true),
        ("/changePassword/supported", true),
    ] {
        assert_eq!(config.pointer(flag), Some(&json!(expected)), "{flag}");
    }
    assert_eq!(config["pagination"]["defaultPaginationMethod"], "index");
    assert!(client.get("/Users").await.body.get("startIndex").is_some());
    assert!(config.get("securityEvents").is_none());
    let mute = Stack::builder()
        .variable("PASSWORD_HASH", "none")
        .start()
        .await;
    let told = mute.client().get("/ServiceProviderConfig").await.body;
    assert_eq!(told["changePassword"]["supported"], false);
    stack.audit().await;
}

/// Nobody asked for it, so nobody needs it; but it is there for the asking.
#[tokio::test(start_paused = true)]
async fn reads_and_writes_say_where_a_resource_is() {
    let stack = Stack::start().await;
    let client: Client = stack.client();
    let created = client
        .post("/Groups?attributes=displayName", group("G", &[]))
        .await;
    let location = created.header("location").unwrap().to_owned();
    let path = location
        .strip_prefix("https://api.example.com/scim/v2")
        .unwrap();
    assert!(created.body.get("meta").is_none());
    for reply in [
        client.get(path).await,
        client.put(path, group("G", &[])).await,
        client.get(&format!("{path}?excludedAttributes=meta")).await,
    ] {
        assert_eq!(reply.header("location"), Some(&*location));
    }
    let shown = client.get(path).await.body;
    assert_eq!(shown["meta"]["location"], location);
    stack.audit().await;
}
