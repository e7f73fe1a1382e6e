//! One user at a time, through the gateway shape (RFC 7644 §3.3 to §3.6).

use harness::{Stack, encode, patch, post, user};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn full(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": name,
        "externalId": "701984",
        "name": {"familyName": "Jensen", "givenName": "Barbara", "middleName": null},
        "emails": [
            {"value": "bjensen@Example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.example", "type": "home"},
        ],
        "phoneNumbers": [],
        "active": true,
        "password": "t1meMa$heen",
        "id": "chosen-by-the-client",
        "meta": {"created": "1999-01-01T00:00:00Z"},
        "groups": [{"value": "none"}],
        ENTERPRISE: {"employeeNumber": "701984"},
    })
}

/// Everything in the table, as text.
pub(crate) fn dump(stack: &Stack) -> String {
    serde_json::to_string(&stack.items()).unwrap()
}

fn stored_password(stack: &Stack, id: &str) -> String {
    let items = stack.items();
    let item = items
        .iter()
        .find(|item| item["sk"]["S"] == id && item.contains_key("doc"))
        .unwrap();
    let document: Value = serde_json::from_str(item["doc"]["S"].as_str().unwrap()).unwrap();
    document["password"]["phc"].as_str().unwrap().to_owned()
}

/// RFC 7644 §3.3: 201, Location, the representation as stored.
#[tokio::test(start_paused = true)]
async fn a_created_user_is_shown_as_it_is_then_read() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let created = client.post("/Users", full("BJensen@Example.com")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(
        created.header("content-type"),
        Some("application/scim+json")
    );
    assert_eq!(
        created.header("location"),
        created.body["meta"]["location"].as_str()
    );
    assert_eq!(created.header("etag"), Some("W/\"1\""));
    assert_eq!(created.body["meta"]["version"], "W/\"1\"");
    assert_eq!(
        created.body["meta"]["created"],
        created.body["meta"]["lastModified"]
    );
    assert_eq!(
        created.body["userName"], "BJensen@Example.com",
        "returned as written"
    );
    for hidden in ["password", "groups", "phoneNumbers"] {
        assert!(created.body.get(hidden).is_none(), "{hidden}");
    }
    assert_ne!(created.body["id"], "chosen-by-the-client");
    let id = created.body["id"].as_str().unwrap();
    let got = client.get(&format!("/Users/{id}")).await;
    assert_eq!((got.status, &got.body), (200, &created.body));
    let asked = client
        .get(&format!("/Users/{id}?attributes=password,userName"))
        .await;
    assert_eq!(asked.body["userName"], "BJensen@Example.com");
    assert!(asked.body.get("password").is_none() && asked.body.get("emails").is_none());
    assert!(
        !dump(&stack).contains("t1meMa$heen"),
        "a password is stored only as a hash"
    );
    stack.audit().await;
}

/// RFC 7644 §3.5.1: PUT replaces, and keeps what cannot be sent back.
#[tokio::test(start_paused = true)]
async fn a_put_clears_what_it_omits_and_keeps_the_password() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    let id = client.create("/Users", full("babs")).await;
    let hash = stored_password(&stack, &id);
    assert!(hash.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{hash}");
    let replaced = client.put(&format!("/Users/{id}"), user("babs")).await;
    assert_eq!(replaced.status, 200);
    assert!(replaced.body.get("emails").is_none() && replaced.body.get(ENTERPRISE).is_none());
    assert_eq!(
        replaced.body["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:User"])
    );
    assert_eq!(replaced.header("etag"), Some("W/\"2\""));
    assert_eq!(stored_password(&stack, &id), hash);
    let none = client
        .get("/Users?filter=externalId%20eq%20%22701984%22")
        .await;
    assert_eq!(none.body["totalResults"], 0, "a lookup goes with its value");
    stack.audit().await;
}

/// RFC 7644 §3.5.2.
#[tokio::test(start_paused = true)]
async fn a_patch_that_changes_nothing_keeps_the_version() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let id = client.create("/Users", full("babs")).await;
    let path = format!("/Users/{id}");
    let same = patch(&[json!({"op": "Replace", "path": "active", "value": "True"})]);
    let reply = client.patch(&path, same).await;
    assert_eq!((reply.status, reply.header("etag")), (200, Some("W/\"1\"")));
    let change = patch(&[
        json!({"op": "Replace", "path": "active", "value": "False"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"}),
        json!({"op": "add", "value": {"name.givenName": "Babs", format!("{ENTERPRISE}:department"): "Tours"}}),
    ]);
    let reply = client.patch(&path, change).await;
    assert_eq!(
        (reply.status, reply.header("etag")),
        (200, Some("W/\"2\"")),
        "{}",
        reply.body
    );
    assert_eq!(reply.body["active"], false);
    assert_eq!(reply.body["emails"][0]["value"], "new@example.com");
    assert_eq!(reply.body["name"]["givenName"], "Babs");
    assert_eq!(reply.body[ENTERPRISE]["department"], "Tours");
    let failing = patch(&[
        json!({"op": "replace", "path": "title", "value": "Lost"}),
        json!({"op": "remove", "path": "userName"}),
    ]);
    let reply = client.patch(&path, failing).await;
    assert_eq!(
        (reply.status, &reply.body["scimType"]),
        (400, &json!("mutability"))
    );
    let got = client.get(&path).await;
    assert!(got.body.get("title").is_none(), "all or nothing");
    assert_eq!(got.header("etag"), Some("W/\"2\""));
    for (mail, found) in [
        ("bjensen@example.COM", 0),
        ("NEW@example.com", 1),
        ("babs@jensen.example", 1),
    ] {
        let filter = encode(&format!("emails.value eq \"{mail}\""));
        let list = client.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(list.body["totalResults"], found, "{mail}");
    }
    stack.audit().await;
}

/// RFC 7644 §3.6: gone from everywhere, and its unique values free again.
#[tokio::test(start_paused = true)]
async fn a_deleted_user_is_gone_and_its_name_is_free() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let id = client.create("/Users", full("babs")).await;
    let path = format!("/Users/{id}");
    let deleted = client.delete(&path).await;
    assert_eq!((deleted.status, &deleted.body), (204, &Value::Null));
    for status in [
        client.get(&path).await.status,
        client.put(&path, user("babs")).await.status,
        client
            .patch(
                &path,
                patch(&[json!({"op": "add", "path": "title", "value": "x"})]),
            )
            .await
            .status,
        client.delete(&path).await.status,
    ] {
        assert_eq!(status, 404);
    }
    let list = client.get("/Users").await;
    assert_eq!(
        (&list.body["totalResults"], &list.body["Resources"]),
        (&json!(0), &json!([]))
    );
    let again = client.create("/Users", full("BABS")).await;
    assert_ne!(again, id, "an id is never used twice");
    stack.audit().await;
}

/// RFC 7644 §3.14.
#[tokio::test(start_paused = true)]
async fn versions_guard_reads_and_writes() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let id = client.create("/Users", user("babs")).await;
    let path = format!("/Users/{id}");
    let with = |name: &str, value: &str| client.with_header(name, value);
    assert_eq!(
        with("if-none-match", "W/\"1\"").get(&path).await.status,
        304
    );
    assert_eq!(
        with("if-none-match", "\"7\", \"1\"")
            .get(&path)
            .await
            .status,
        304
    );
    assert_eq!(
        with("if-none-match", "W/\"2\"").get(&path).await.status,
        200
    );
    let stale = with("if-match", "W/\"2\"");
    assert_eq!(stale.put(&path, user("babs2")).await.status, 412);
    assert_eq!(stale.delete(&path).await.status, 412);
    assert_eq!(
        with("if-match", "\"1\"")
            .put(&path, user("babs2"))
            .await
            .status,
        200
    );
    assert_eq!(with("if-match", "*").delete(&path).await.status, 204);
}

/// RFC 7644 §3.4.2.4; `totalResults` comes from counters.
#[tokio::test(start_paused = true)]
async fn pages_by_index_show_every_user_once() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    let operations: Vec<Value> = (0..57)
        .map(|n| post(&n.to_string(), "/Users", user(&format!("u{n}"))))
        .collect();
    assert_eq!(client.bulk(&operations).await.status, 200);
    let mut seen = std::collections::BTreeSet::new();
    let mut start = 1;
    loop {
        let page = client
            .get(&format!(
                "/Users?startIndex={start}&count=10&attributes=userName"
            ))
            .await;
        assert_eq!(
            (&page.body["totalResults"], &page.body["startIndex"]),
            (&json!(57), &json!(start))
        );
        let resources = page.body["Resources"].as_array().unwrap();
        assert_eq!(page.body["itemsPerPage"], resources.len());
        if resources.is_empty() {
            break;
        }
        for resource in resources {
            assert!(seen.insert(resource["userName"].as_str().unwrap().to_owned()));
            assert!(resource.get("meta").is_none(), "only what was asked for");
        }
        start += resources.len();
    }
    assert_eq!(seen.len(), 57);
    let none = client.get("/Users?count=0").await;
    assert_eq!(
        (&none.body["totalResults"], &none.body["Resources"]),
        (&json!(57), &json!([]))
    );
    let clamped = client.get("/Users?startIndex=-4&count=-1").await;
    assert_eq!(
        (&clamped.body["startIndex"], &clamped.body["itemsPerPage"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(client.get("/Users?count=ten").await.status, 400);
    assert_eq!(
        client
            .get("/Users?attributes=userName&excludedAttributes=name")
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn filters_that_a_lookup_answers_are_evaluated_whole() {
    let stack = Stack::seeded(7).await;
    let client = stack.client();
    let id = client.create("/Users", full("babs")).await;
    for (filter, found) in [
        ("userName eq \"BABS\"".to_owned(), 1),
        ("userName eq \"BABS\" and active eq false".to_owned(), 0),
        (
            "externalId eq \"701984\" and name.givenName sw \"Bar\"".to_owned(),
            1,
        ),
        (
            "emails[type eq \"work\"].value eq \"bjensen@example.com\"".to_owned(),
            1,
        ),
        (
            "emails[type eq \"home\" and value eq \"bjensen@example.com\"]".to_owned(),
            0,
        ),
        (format!("id eq \"{id}\""), 1),
        ("id eq \"1\"".to_owned(), 0),
        (format!("{ENTERPRISE}:employeeNumber eq \"701984\""), 1),
        ("not (userName eq \"babs\")".to_owned(), 0),
    ] {
        let list = client
            .get(&format!("/Users?filter={}", encode(&filter)))
            .await;
        assert_eq!(
            (list.status, &list.body["totalResults"]),
            (200, &json!(found)),
            "{filter}"
        );
        assert_eq!(
            list.body["Resources"].as_array().unwrap().len(),
            found,
            "{filter}"
        );
    }
    for wrong in [
        "",
        "userName",
        "userName eq babs",
        "userName is \"babs\"",
        "nope eq \"x\"",
        "password eq \"x\"",
    ] {
        let list = client
            .get(&format!("/Users?filter={}", encode(wrong)))
            .await;
        assert_eq!(
            (list.status, &list.body["scimType"]),
            (400, &json!("invalidFilter")),
            "{wrong}"
        );
    }
}

/// A token says what may be done; everything else is 403 with the scope's name.
#[tokio::test(start_paused = true)]
async fn each_verb_needs_its_scope() {
    let stack = Stack::seeded(8).await;
    let id = stack.client().create("/Users", user("babs")).await;
    let reader = stack.client().with_scopes(&["scim.users.read"]);
    let writer = stack.client().with_scopes(&["scim.users.write"]);
    let path = format!("/Users/{id}");
    assert_eq!(reader.get(&path).await.status, 200);
    let refused = writer.get(&path).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("scim.users.read")
    );
    for reply in [
        reader.post("/Users", user("other")).await,
        reader.put(&path, user("other")).await,
        reader.delete(&path).await,
        reader
            .bulk(&[json!({"method": "DELETE", "path": path})])
            .await,
        writer.post("/Groups", harness::group("G", &[])).await,
    ] {
        assert_eq!(reply.status, 403);
        assert_eq!(
            reply.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
    }
    assert_eq!(writer.delete(&path).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_body_of_another_kind_is_refused_with_its_place() {
    let stack = Stack::seeded(9).await;
    let client = stack.client();
    for (body, status, word) in [
        ("{", 400, "line 1"),
        ("[]", 400, "object"),
        ("{\"schemas\":[],\"userName\":\"a\"}", 400, "schemas"),
        (
            "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":7}",
            400,
            "userName",
        ),
        (
            "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"a\",\"userName\":\"b\"}",
            400,
            "userName",
        ),
    ] {
        let reply = client
            .send("POST", "/Users", body.as_bytes().to_vec())
            .await;
        assert_eq!(reply.status, status, "{body}");
        assert!(
            reply.body["detail"].as_str().unwrap().contains(word),
            "{body}: {}",
            reply.body
        );
    }
    let xml = client.with_header("content-type", "text/xml");
    assert_eq!(xml.post("/Users", user("a")).await.status, 415);
}
