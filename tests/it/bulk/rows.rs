//! One row at a time: what it may say and what is said of it
//! (RFC 7644 §3.7, §3.7.3).

use harness::{Client, Stack, group, id_of, patch, post, user};
use serde_json::{Value, json};

const ABSENT: &str = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Somebody with a name, and a group; their paths.
async fn directory(client: &Client) -> (String, String) {
    let ada = client.create("/Users", user("ada")).await;
    let crew = client.create("/Groups", group("Crew", &[&ada])).await;
    (format!("/Users/{ada}"), format!("/Groups/{crew}"))
}

/// RFC 7644 §3.7.3: the status and the error of a row are those of the same
/// request sent alone.
#[tokio::test(start_paused = true)]
async fn a_row_is_what_the_request_would_be_alone() {
    let title = |value: Value| patch(&[json!({"op": "replace", "path": "title", "value": value})]);
    let member = |value: &str| {
        patch(&[json!({"op": "add", "path": "members", "value": [{"value": value}]})])
    };
    let cases: Vec<(&str, &str, Value)> = vec![
        ("POST", "/Users", user("new")),
        ("POST", "/Users", user("ADA")),
        ("POST", "/Users", json!({"schemas": []})),
        (
            "POST",
            "/Users",
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}),
        ),
        ("POST", "/Groups", group("G", &[ABSENT])),
        ("PUT", "USER", user("ada")),
        ("PUT", "USER", json!([])),
        ("PUT", "GROUP", group("", &[])),
        ("PUT", "/Users/none", user("x")),
        ("PATCH", "USER", title(json!("x"))),
        ("PATCH", "USER", title(json!(7))),
        (
            "PATCH",
            "USER",
            patch(&[json!({"op": "remove", "path": "userName"})]),
        ),
        ("PATCH", "USER", patch(&[json!({"op": "remove"})])),
        ("PATCH", "GROUP", member(ABSENT)),
        (
            "PATCH",
            "GROUP",
            patch(&[json!({"op": "remove", "path": "members"})]),
        ),
        (
            "PATCH",
            "GROUP",
            patch(&[json!({"op": "add", "path": "x[", "value": 1})]),
        ),
        ("DELETE", "USER", Value::Null),
        ("DELETE", "GROUP", Value::Null),
        ("DELETE", "/Users/none", Value::Null),
    ];
    for (method, path, data) in cases {
        let (alone, bulk) = (Stack::start().await, Stack::start().await);
        let path = |(user, group): (String, String)| match path {
            "USER" => user,
            "GROUP" => group,
            other => other.to_owned(),
        };
        let body = match data.is_null() {
            true => Vec::new(),
            false => data.to_string().into_bytes(),
        };
        let client = alone.client();
        let single = client
            .send(method, &path(directory(&client).await), body)
            .await;
        let client = bulk.client();
        let target = path(directory(&client).await);
        let mut row = json!({"method": method, "path": target, "bulkId": "b"});
        if !data.is_null() {
            row["data"] = data.clone();
        }
        let reply = client.bulk(&[row]).await;
        assert_eq!(reply.status, 200);
        let row = &reply.body["Operations"][0];
        let case = format!("{method} {target} {data}: {row}");
        assert_eq!(row["status"], single.status.to_string(), "{case}");
        assert_eq!(
            (&row["method"], &row["bulkId"]),
            (&json!(method), &json!("b"))
        );
        assert!(row.get("path").is_none() && row.get("data").is_none());
        match single.status < 300 {
            true => assert!(row.get("response").is_none(), "{case}"),
            false => {
                let mut told = row["response"].clone();
                let place = "Operations[0].data: ";
                if let Some(detail) = told["detail"].as_str() {
                    told["detail"] = json!(detail.replace(place, ""));
                }
                assert_eq!(told, single.body, "{case}");
                assert_eq!(told["schemas"], json!([ERROR]));
            }
        }
        // Who has no location: a POST that failed.
        let located = method != "POST" || single.status == 201;
        assert_eq!(row.get("location").is_some(), located, "{case}");
        let versioned = method != "DELETE" && single.status < 300;
        let tag = single.header("etag").filter(|_| versioned);
        assert_eq!(row["version"].as_str(), tag, "{case}");
        alone.audit().await;
        bulk.audit().await;
    }
}

/// What only an answer has, or has no meaning for the method, is not read.
#[tokio::test(start_paused = true)]
async fn members_without_meaning_are_not_read() {
    let stack = Stack::start().await;
    let client = stack.client();
    let (ada, _) = directory(&client).await;
    let mut create = post("a", "/Users", user("new"));
    for (name, value) in [
        ("status", json!("500")),
        ("location", json!("https://evil.example.com/Users/1")),
        ("response", json!({"status": "500"})),
        ("version", json!("W/\"99\"")),
        ("unknown", json!([1])),
    ] {
        create[name] = value;
    }
    let delete = json!({"method": "DELETE", "path": ada, "data": {"op": "nonsense"},
        "status": 1, "bulkId": null, "version": null});
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "failOnErrors": 5, "Operations": [create, delete]});
    let reply = client.post("/Bulk?attributes=userName", body).await;
    assert_eq!(reply.statuses(), ["201", "204"], "{}", reply.body);
    let names: Vec<&String> = reply.body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["schemas", "Operations"]);
    let location = reply.body["Operations"][0]["location"].as_str().unwrap();
    assert!(location.starts_with("https://api.example.com/scim/v2/Users/"));
    assert!(reply.body["Operations"][1].get("bulkId").is_none());
    stack.audit().await;
}

/// A bulkId names what its operation creates; on any other method it is echoed
/// and names nothing.
#[tokio::test(start_paused = true)]
async fn only_a_create_defines_what_a_bulk_id_names() {
    let stack = Stack::start().await;
    let client = stack.client();
    let (ada, crew) = directory(&client).await;
    let put = json!({"method": "PUT", "path": ada, "bulkId": "p", "data": user("ada")});
    let join = patch(&[json!({"op": "add", "path": "members", "value": [{"value": "bulkId:p"}]})]);
    let join = json!({"method": "PATCH", "path": crew, "data": join});
    let again = json!({"method": "DELETE", "path": ada, "bulkId": "p"});
    let reply = client.bulk(&[put, join, again]).await;
    assert_eq!(reply.statuses(), ["200", "400", "400"]);
    let rows = reply.rows();
    assert_eq!(rows[0]["bulkId"], "p");
    assert_eq!(rows[1]["response"]["scimType"], "invalidValue");
    assert_eq!(rows[2]["response"]["scimType"], "invalidValue", "unique");
    stack.audit().await;
}

/// A reference is the whole rest of the value, in the letter case of its
/// bulkId, and a `$ref` beside it says nothing.
#[tokio::test(start_paused = true)]
async fn a_bulk_id_is_any_text_and_compared_exactly() {
    let stack = Stack::start().await;
    let client = stack.client();
    let odd = "a:b/c bulkId:\u{e9}";
    let member =
        json!([{"value": format!("bulkId:{odd}"), "$ref": format!("/Users/bulkId:{odd}")}]);
    let mut named = group("Named", &[]);
    named["members"] = member;
    let reply = client
        .bulk(&[
            post(odd, "/Users", user("odd")),
            post("Q", "/Users", user("upper")),
            post("g", "/Groups", named),
            post("h", "/Groups", group("Lower", &["bulkId:q"])),
            post("", "/Users", user("empty")),
            json!({"method": "POST", "path": "/Users", "bulkId": 7, "data": user("number")}),
            post(&"x".repeat(257), "/Users", user("long")),
        ])
        .await;
    assert_eq!(
        reply.statuses(),
        ["201", "201", "201", "400", "400", "400", "400"]
    );
    let rows = reply.rows();
    assert_eq!(rows[0]["bulkId"], odd);
    for refused in &rows[3..] {
        assert_eq!(refused["response"]["scimType"], "invalidValue", "{refused}");
    }
    let shown = client.get(&format!("/Groups/{}", id_of(&rows[2]))).await;
    let member = &shown.body["members"][0];
    assert_eq!(member["value"], id_of(&rows[0]));
    assert!(member["$ref"].as_str().unwrap().ends_with(id_of(&rows[0])));
    stack.audit().await;
}

/// RFC 7644 §3.7: the server may reorder, not change what comes out.
#[tokio::test(start_paused = true)]
async fn rows_about_one_thing_keep_their_order() {
    let stack = Stack::start().await;
    let client = stack.client();
    let (ada, crew) = directory(&client).await;
    let op = |op: &str, path: &str, value: Value| {
        patch(&[json!({"op": op, "path": path, "value": value})])
    };
    let row = |method: &str, path: &str, data: Value| json!({"method": method, "path": path, "data": data});
    let reply = client
        .bulk(&[
            // A name is given up and taken again.
            json!({"method": "DELETE", "path": ada}),
            post("new", "/Users", user("Ada")),
            post("late", "/Users", user("ADA")),
            // One resource, three changes.
            row("PATCH", "/Users/bulkId:new", op("add", "title", json!("1"))),
            row("PUT", "/Users/bulkId:new", user("ada2")),
            row(
                "PATCH",
                "/Users/bulkId:new",
                op("add", "nickName", json!("2")),
            ),
            // Whom nobody can name any more.
            row(
                "PATCH",
                &crew,
                op("add", "members", json!([{"value": &ada[7..]}])),
            ),
            post("free", "/Users", user("ada")),
        ])
        .await;
    assert_eq!(
        reply.statuses(),
        ["204", "201", "409", "200", "200", "200", "400", "201"],
        "{:#}",
        reply.body
    );
    let rows = reply.rows();
    let got = client.get(&format!("/Users/{}", id_of(&rows[1]))).await;
    assert_eq!(got.body["userName"], "ada2");
    assert_eq!(got.body["nickName"], "2");
    assert!(got.body.get("title").is_none(), "the PUT came between");
    assert_eq!(got.body["meta"]["version"], rows[5]["version"]);
    assert!(client.members(&crew[8..]).await.is_empty());
    stack.audit().await;
}

/// RFC 7644 §3.5.2 within §3.7: a PATCH row happens or does not.
#[tokio::test(start_paused = true)]
async fn a_patch_row_that_fails_leaves_no_trace() {
    let stack = Stack::start().await;
    let client = stack.client();
    let (ada, _) = directory(&client).await;
    let failing = patch(&[
        json!({"op": "add", "path": "title", "value": "lost"}),
        json!({"op": "replace", "path": "ims[type eq \"x\"].value", "value": "y"}),
    ]);
    let fine = patch(&[json!({"op": "add", "path": "nickName", "value": "kept"})]);
    let reply = client
        .bulk(&[
            json!({"method": "PATCH", "path": ada, "data": failing}),
            json!({"method": "PATCH", "path": ada, "data": fine}),
            json!({"method": "PATCH", "path": ada, "data": [{"op": "remove", "path": "title"}]}),
        ])
        .await;
    assert_eq!(reply.statuses(), ["400", "200", "200"]);
    assert_eq!(
        reply.body["Operations"][0]["response"]["scimType"],
        "noTarget"
    );
    let got = client.get(&ada).await;
    assert!(got.body.get("title").is_none());
    assert_eq!(got.body["nickName"], "kept");
    assert_eq!(got.header("etag"), Some("W/\"2\""));
    stack.audit().await;
}

/// Errors of every kind count, in the order in which rows are carried out; what
/// was done stays done.
#[tokio::test(start_paused = true)]
async fn illegal_rows_count_as_errors_and_nothing_is_rolled_back() {
    let stack = Stack::start().await;
    let client = stack.client();
    let operations = [
        post("a", "/Users", user("a")),
        json!({"method": "GET", "path": "/Users"}),
        post("b", "/Users", user("b")),
        json!({"method": "DELETE", "path": "/Robots/1"}),
        post("c", "/Users", user("c")),
    ];
    let body = |limit: u32| json!({"failOnErrors": limit, "Operations": operations});
    let reply = client.post("/Bulk", body(2)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.statuses(), ["201", "400", "201", "404"]);
    let list = client.get("/Users?attributes=userName").await;
    assert_eq!(list.body["totalResults"], 2, "nothing is rolled back");
    // A prerequisite goes first, and its failure may be the last one.
    let operations = [
        post("g", "/Groups", group("G", &["bulkId:taken"])),
        post("d", "/Users", user("d")),
        post("taken", "/Users", user("a")),
    ];
    let body = json!({"failOnErrors": 1, "Operations": operations});
    let reply = client.post("/Bulk", body).await;
    let rows = reply.rows();
    assert!(
        rows.iter()
            .any(|row| row["bulkId"] == "taken" && row["status"] == "409")
    );
    assert!(
        rows.iter().all(|row| row["bulkId"] != "g"),
        "never tried: {rows:?}"
    );
    assert_eq!(client.get("/Groups").await.body["totalResults"], 0);
    stack.audit().await;
}

/// Paths that no row may write to.
#[tokio::test(start_paused = true)]
async fn a_row_names_the_endpoint_or_a_resource_and_nothing_else() {
    let stack = Stack::start().await;
    let client = stack.client();
    let (ada, _) = directory(&client).await;
    let post = |path: &str| json!({"method": "POST", "path": path, "data": user("new")});
    let put = |path: &str| json!({"method": "PUT", "path": path, "data": user("ada")});
    for (row, status, keyword) in [
        (post(&ada), "400", json!("invalidValue")),
        (put("/Users"), "400", json!("invalidValue")),
        (put("/Users/"), "400", json!("invalidValue")),
        (
            put(&format!("{ada}?attributes=id")),
            "400",
            json!("invalidValue"),
        ),
        (
            put(&format!("https://api.example.com/scim/v2{ada}")),
            "400",
            json!("invalidValue"),
        ),
        (put(&format!("/v2{ada}")), "404", Value::Null),
        (put(&ada.replace("Users", "users")), "404", Value::Null),
        (post("/Bulk"), "400", json!("invalidValue")),
        (post("/.search"), "400", json!("invalidValue")),
        (post("/Users/.search"), "400", json!("invalidValue")),
        (put("/Me"), "400", json!("invalidValue")),
        (put("/Schemas/x"), "400", json!("invalidValue")),
        (put("/ServiceProviderConfig"), "400", json!("invalidValue")),
        (put("/ResourceTypes/User"), "400", json!("invalidValue")),
        (post("/Robots"), "404", Value::Null),
        (put(ada.trim_start_matches('/')), "200", Value::Null),
        (
            json!({"method": "get", "path": ada}),
            "400",
            json!("invalidSyntax"),
        ),
        (
            json!({"method": "put", "path": ada, "data": user("ada")}),
            "200",
            Value::Null,
        ),
    ] {
        let reply = client.bulk(std::slice::from_ref(&row)).await;
        assert_eq!(reply.status, 200);
        let told = &reply.body["Operations"][0];
        assert_eq!(told["status"], status, "{row}: {told}");
        assert_eq!(told["response"]["scimType"], keyword, "{row}");
    }
    assert_eq!(client.get(&ada).await.header("etag"), Some("W/\"1\""));
    stack.audit().await;
}

/// RFC 7644 §3.7 demands a bulkId of every create; by default we do without.
#[tokio::test(start_paused = true)]
async fn a_create_needs_a_bulk_id_only_where_it_is_configured() {
    let strict = Stack::builder()
        .variable("STRICT_BULK_ID", "true")
        .start()
        .await;
    let lenient = Stack::start().await;
    for (stack, expected) in [(&strict, "400"), (&lenient, "201")] {
        let client = stack.client();
        let (ada, _) = directory(&client).await;
        let reply = client
            .bulk(&[
                json!({"method": "POST", "path": "/Users", "data": user("new")}),
                json!({"method": "PUT", "path": ada, "data": user("ada")}),
                post("b", "/Users", user("other")),
            ])
            .await;
        assert_eq!(reply.statuses(), [expected, "200", "201"]);
        let first = &reply.body["Operations"][0];
        assert!(first.get("bulkId").is_none());
        if expected == "400" {
            assert_eq!(first["response"]["scimType"], "invalidSyntax");
        }
        stack.audit().await;
    }
}
