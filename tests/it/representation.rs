//! What is shown of a resource and what a body may say (RFC 7643 §2, §3 and
//! §7, RFC 7644 §3.9), through the gateway shape and for every verb alike.

use harness::{Client, Reply, Stack, group, patch, user};
use serde_json::{Value, json};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn names(body: &Value) -> Vec<&str> {
    let members = body.as_object().unwrap();
    members.keys().map(String::as_str).collect()
}

fn rich(name: &str) -> Value {
    json!({
        "schemas": [CORE, ENTERPRISE],
        "userName": name,
        "externalId": "e",
        "title": "Guide",
        "name": {"givenName": "Babs", "familyName": "Jensen"},
        "emails": [{"value": "w@x", "type": "work"}],
        "password": "t1meMa$heen",
        ENTERPRISE: {"department": "Tours"},
    })
}

/// POST, GET, PUT, PATCH, a list and a search, each with the same lists of
/// attributes; what each shows.
async fn every_verb(client: &Client, query: &str, search: Value, name: &str) -> Vec<Reply> {
    let created = client.post(&format!("/Users?{query}"), rich(name)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.body["id"].as_str().unwrap();
    let path = format!("/Users/{id}?{query}");
    let change = patch(&[json!({"op": "replace", "path": "nickName", "value": "B"})]);
    let mut replies = vec![
        client.get(&path).await,
        client.put(&path, rich(name)).await,
        client.patch(&path, change).await,
        client.get(&format!("/Users?{query}")).await,
        client.post("/Users/.search", search.clone()).await,
        client.post("/.search", search).await,
    ];
    for list in &mut replies[3..] {
        assert_eq!(list.body["totalResults"], 1, "{}", list.body);
        list.body = list.body["Resources"][0].take();
    }
    replies.insert(0, created);
    replies
}

/// RFC 7644 §3.9 names every operation that returns resources; RFC 7643 §7
/// says what `returned` does to the lists.
#[tokio::test(start_paused = true)]
async fn both_attribute_lists_work_on_every_verb() {
    for (query, search, expected) in [
        (
            "attributes=USERNAME,name.givenName,nosuch,password",
            json!({"attributes": ["USERNAME", "name.givenName", "nosuch", "password"]}),
            json!({"userName": "u", "name": {"givenName": "Babs"}}),
        ),
        (
            "attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:DEPARTMENT",
            json!({"attributes": [format!("{ENTERPRISE}:department")]}),
            json!({ENTERPRISE: {"department": "Tours"}}),
        ),
        (
            "excludedAttributes=id,schemas,meta,name,emails.value,externalId,nickName,userName,title",
            json!({"excludedAttributes": ["id", "schemas", "meta", "name", "emails.value",
                "externalId", "nickName", "userName", "title"]}),
            json!({"emails": [{"type": "work"}], ENTERPRISE: {"department": "Tours"}}),
        ),
    ] {
        let stack = Stack::start().await;
        let replies = every_verb(&stack.client(), query, search, "u").await;
        for (verb, reply) in replies.into_iter().enumerate() {
            assert!([200, 201].contains(&reply.status), "{}", reply.body);
            let mut body = reply.body;
            let shown = body.as_object_mut().unwrap();
            assert!(shown.shift_remove("id").is_some(), "{verb} {query}");
            let schemas = shown.shift_remove("schemas").unwrap();
            assert_eq!(schemas, json!([CORE, ENTERPRISE]), "{verb} {query}");
            assert_eq!(body, expected, "{verb} {query}");
        }
        stack.audit().await;
    }
}

/// `returned: never` (RFC 7643 §7), whatever is asked for, and wherever.
#[tokio::test(start_paused = true)]
async fn a_password_comes_back_from_no_verb() {
    let stack = Stack::start().await;
    let client = stack.client();
    let replies = every_verb(&client, "", json!({}), "u").await;
    for reply in &replies {
        assert!(reply.body.get("password").is_none(), "{}", reply.body);
        assert!(!reply.body.to_string().contains("t1meMa"), "{}", reply.body);
    }
    let set = patch(&[json!({"op": "replace", "path": "password", "value": "n3w.Secret"})]);
    let id = replies[0].body["id"].as_str().unwrap();
    let rows = [
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": set}),
        json!({"method": "PUT", "path": format!("/Users/{id}"), "data": {
            "schemas": [CORE], "userName": "", "password": "n3w.Secret"}}),
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": patch(&[
            json!({"op": "add", "path": "password", "value": ["n3w.Secret", "n3w.Secret"]})])}),
    ];
    let bulk = client.bulk(&rows).await;
    assert_eq!(bulk.body["Operations"][0]["status"], "200");
    assert_eq!(bulk.body["Operations"][1]["status"], "400");
    assert_eq!(bulk.body["Operations"][2]["status"], "400");
    assert!(!bulk.body.to_string().contains("n3w.Secret"));
    stack.audit().await;
}

/// RFC 7643 §2.5: null, an empty list and nothing are one state.
#[tokio::test(start_paused = true)]
async fn null_an_empty_list_and_nothing_are_one_state() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut sparse = user("sparse");
    for name in ["displayName", "emails", "name", "active", "manager"] {
        sparse[name] = Value::Null;
    }
    sparse["phoneNumbers"] = json!([]);
    sparse["groups"] = json!([]);
    sparse["addresses"] = json!([{"locality": null}, null]);
    sparse[ENTERPRISE] = json!({"department": null});
    let created = client.post("/Users", sparse).await;
    assert_eq!(created.status, 201);
    assert_eq!(
        names(&created.body),
        ["schemas", "id", "userName", "meta"],
        "what is unassigned is not shown"
    );
    let id = client.create("/Users", rich("rich")).await;
    let path = format!("/Users/{id}");
    let mut cleared = rich("rich");
    cleared["title"] = Value::Null;
    cleared["emails"] = json!([]);
    cleared[ENTERPRISE] = Value::Null;
    let replaced = client.put(&path, cleared).await;
    assert_eq!(
        names(&replaced.body),
        ["schemas", "id", "externalId", "userName", "name", "meta"]
    );
    let unset = patch(&[
        json!({"op": "replace", "path": "name.givenName", "value": null}),
        json!({"op": "add", "value": {"externalId": null, "emails": []}}),
    ]);
    let patched = client.patch(&path, unset).await;
    assert_eq!(
        names(&patched.body),
        ["schemas", "id", "userName", "name", "meta"]
    );
    assert_eq!(patched.body["name"], json!({"familyName": "Jensen"}));
    stack.audit().await;
}

/// RFC 7643 §3.1 and RFC 7644 §3.3, §3.5.1: what is read-only is ignored in a
/// whole resource, also a foreign `id`, and refused in a PATCH.
#[tokio::test(start_paused = true)]
async fn what_is_read_only_is_ignored_in_bodies_and_refused_in_patches() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut body = user("u");
    body["id"] = json!("mine");
    body["meta"] = json!({"resourceType": "Group", "created": "1999-01-01T00:00:00Z",
        "location": "https://evil.example.com/", "version": "W/\"77\""});
    body["groups"] = json!([{"value": "admins"}]);
    let created = client.post("/Users", body.clone()).await;
    assert_eq!(created.status, 201);
    let id = created.body["id"].as_str().unwrap().to_owned();
    assert_ne!(id, "mine");
    body["title"] = json!("x");
    let replaced = client.put(&format!("/Users/{id}"), body).await;
    assert_eq!(replaced.status, 200);
    for reply in [&created, &replaced] {
        assert_eq!(reply.body["id"], id);
        assert_eq!(reply.body["meta"]["resourceType"], "User");
        let location = format!("https://api.example.com/scim/v2/Users/{id}");
        assert_eq!(reply.body["meta"]["location"], location);
        assert_eq!(reply.header("location"), Some(&*location));
        assert_eq!(
            reply.header("etag"),
            reply.body["meta"]["version"].as_str(),
            "byte for byte"
        );
        assert!(reply.body.get("groups").is_none());
    }
    assert_eq!(
        replaced.body["meta"]["created"],
        created.body["meta"]["created"]
    );
    for (path, value) in [
        ("id", json!("x")),
        ("meta", json!({"created": "1999-01-01T00:00:00Z"})),
        ("meta.version", json!("W/\"9\"")),
        ("groups", json!([{"value": "admins"}])),
        (&*format!("{ENTERPRISE}:manager.displayName"), json!("x")),
    ] {
        for op in ["add", "replace", "remove"] {
            let operation = json!({"op": op, "path": path, "value": value});
            let reply = client
                .patch(&format!("/Users/{id}"), patch(&[operation]))
                .await;
            let told = (reply.status, &reply.body["scimType"]);
            assert_eq!(told, (400, &json!("mutability")), "{op} {path}");
        }
    }
    stack.audit().await;
}

/// RFC 7643 §3: `schemas` names the base schema and the extensions that the
/// resource has, each once, and follows every change.
#[tokio::test(start_paused = true)]
async fn the_list_of_schemas_follows_the_extensions() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut unlisted = user("unlisted");
    unlisted[ENTERPRISE] = json!({"department": "Tours"});
    let created = client.post("/Users", unlisted).await;
    assert_eq!(created.body["schemas"], json!([CORE, ENTERPRISE]));
    let path = format!("/Users/{}", created.body["id"].as_str().unwrap());
    let department = format!("{ENTERPRISE}:department");
    for (operation, expected) in [
        (json!({"op": "remove", "path": department}), json!([CORE])),
        (
            json!({"op": "add", "path": department, "value": "Maps"}),
            json!([CORE, ENTERPRISE]),
        ),
        (
            json!({"op": "replace", "path": ENTERPRISE, "value": {"department": null}}),
            json!([CORE]),
        ),
        (
            json!({"op": "add", "value": {"schemas": [CORE], ENTERPRISE: {"division": "D"}}}),
            json!([CORE, ENTERPRISE]),
        ),
    ] {
        let reply = client
            .patch(&path, patch(std::slice::from_ref(&operation)))
            .await;
        assert_eq!(reply.body["schemas"], expected, "{operation}");
        assert_eq!(
            reply.body.get(ENTERPRISE).is_some(),
            expected.as_array().unwrap().len() == 2
        );
    }
    let mut doubled = user("doubled");
    doubled["schemas"] = json!([ENTERPRISE, CORE, CORE, "urn:example:unknown"]);
    let created = client.post("/Users", doubled).await;
    assert_eq!(
        (created.status, &created.body["schemas"]),
        (201, &json!([CORE])),
        "a schema without attributes is none of the resource"
    );
    let foreign = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let mut entra = group("G", &[]);
    entra["schemas"] = json!([GROUP, foreign]);
    let created = client.post("/Groups", entra).await;
    assert_eq!(
        (created.status, &created.body["schemas"]),
        (201, &json!([GROUP]))
    );
    for schemas in [json!([]), json!([GROUP]), json!(["urn:example:unknown"])] {
        let mut wrong = user("wrong");
        wrong["schemas"] = schemas.clone();
        let reply = client.post("/Users", wrong).await;
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (400, &json!("invalidSyntax")), "{schemas}");
    }
    stack.audit().await;
}

/// RFC 7643 §2.4: at most one value is primary.
#[tokio::test(start_paused = true)]
async fn a_new_primary_value_takes_the_mark_from_the_old_one() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut two = user("two");
    two["emails"] = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    let refused = client.post("/Users", two.clone()).await;
    let told = (refused.status, &refused.body["scimType"]);
    assert_eq!(told, (400, &json!("invalidValue")));
    let mut one = user("one");
    one["emails"] = json!([{"value": "a", "primary": true, "type": "work"}, {"value": "b"}]);
    let id = client.create("/Users", one).await;
    let path = format!("/Users/{id}");
    let refused = client.put(&path, two).await;
    let told = (refused.status, &refused.body["scimType"]);
    assert_eq!(told, (400, &json!("invalidValue")));
    let primary = |reply: &Reply| -> Vec<String> {
        let emails = reply.body["emails"].as_array().unwrap().iter();
        let marked = emails.filter(|email| email["primary"] == true);
        marked.map(|email| email["value"].to_string()).collect()
    };
    for (operation, expected) in [
        (
            json!({"op": "replace", "path": "emails[value eq \"b\"].primary", "value": "True"}),
            "\"b\"",
        ),
        (
            json!({"op": "add", "path": "emails", "value": [{"value": "c", "primary": true}]}),
            "\"c\"",
        ),
        (
            json!({"op": "add", "value": {"emails": [{"value": "d", "primary": true}]}}),
            "\"d\"",
        ),
        (
            json!({"op": "replace", "path": "emails[value eq \"a\"]",
                "value": {"value": "a", "primary": true}}),
            "\"a\"",
        ),
    ] {
        let reply = client
            .patch(&path, patch(std::slice::from_ref(&operation)))
            .await;
        assert_eq!(primary(&reply), [expected], "{operation}");
    }
    stack.audit().await;
}

/// RFC 7643 §2.1: names in any letter case, shown as the schema spells them;
/// §7: `canonicalValues` suggest, they do not forbid.
#[tokio::test(start_paused = true)]
async fn names_are_read_in_any_letter_case_and_types_are_free() {
    let stack = Stack::start().await;
    let client = stack.client();
    let body = json!({
        "SCHEMAS": [CORE.to_uppercase()],
        "USERNAME": "Shout",
        "Name": {"GIVENNAME": "Babs"},
        "EMAILS": [{"VALUE": "a@x", "TYPE": "Billing"}],
        "externalid": "Ab",
        ENTERPRISE.to_uppercase(): {"COSTCENTER": "1"},
    });
    let created = client.post("/Users", body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let shown = json!({
        "schemas": [CORE, ENTERPRISE],
        "id": created.body["id"],
        "externalId": "Ab",
        "userName": "Shout",
        "name": {"givenName": "Babs"},
        "emails": [{"value": "a@x", "type": "Billing"}],
        ENTERPRISE: {"costCenter": "1"},
        "meta": created.body["meta"],
    });
    assert_eq!(created.body, shown);
    let twice = json!({"schemas": [CORE], "userName": "a", "UserName": "b"});
    let refused = client.post("/Users", twice).await;
    let told = (refused.status, &refused.body["scimType"]);
    assert_eq!(told, (400, &json!("invalidSyntax")));
    stack.audit().await;
}

/// RFC 7643 §2.4: the same value of the same type once; RFC 7644 §3.5.1: what
/// no schema knows is not kept.
#[tokio::test(start_paused = true)]
async fn equal_values_and_unknown_attributes_are_not_kept() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut body = user("u");
    body["emails"] = json!([
        {"value": "a@x", "type": "work"},
        {"value": "a@x", "type": "work"},
        {"value": "a@x", "type": "home", "verified": true},
    ]);
    body["shoeSize"] = json!(43);
    let created = client.post("/Users", body).await;
    assert_eq!(created.status, 201);
    assert_eq!(
        created.body["emails"],
        json!([{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}])
    );
    assert!(created.body.get("shoeSize").is_none());
    let path = format!("/Users/{}", created.body["id"].as_str().unwrap());
    let again = json!([{"value": "A@X", "type": "home", "display": "A"}, {"value": "a@x"}]);
    let add = patch(&[json!({"op": "add", "path": "emails", "value": again})]);
    assert_eq!(
        client.patch(&path, add).await.body["emails"],
        json!([
            {"value": "a@x", "type": "work"},
            {"value": "a@x", "display": "A", "type": "home"},
            {"value": "a@x"},
        ])
    );
    stack.audit().await;
}

/// RFC 7643 §3.1: an externalId is the client's, may occur twice, and is
/// compared with regard to letter case.
#[tokio::test(start_paused = true)]
async fn an_external_id_is_kept_as_given_and_may_occur_twice() {
    let stack = Stack::start().await;
    let client = stack.client();
    for name in ["a", "b"] {
        let mut body = user(name);
        body["externalId"] = json!("Ab-1");
        client.create("/Users", body).await;
    }
    let without = client.post("/Users", user("c")).await;
    assert!(without.body.get("externalId").is_none(), "never invented");
    for (value, found) in [("Ab-1", 2), ("ab-1", 0)] {
        let filter = format!("/Users?filter=externalId%20eq%20%22{value}%22");
        assert_eq!(client.get(&filter).await.body["totalResults"], found);
    }
    let other = client.tenant("other");
    let filter = "/Users?filter=externalId%20eq%20%22Ab-1%22";
    assert_eq!(other.get(filter).await.body["totalResults"], 0);
    stack.audit().await;
}

/// RFC 7644 §3.3, §3.5.1: required attributes, types, and the keyword of each
/// fault, the same for POST and PUT, and nothing is changed.
#[tokio::test(start_paused = true)]
async fn a_body_that_the_schema_forbids_is_an_invalid_value_on_post_and_put() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", rich("there")).await;
    let path = format!("/Users/{id}");
    let crew = client.create("/Groups", group("Crew", &[])).await;
    for (name, value) in [
        ("userName", Value::Null),
        ("userName", json!("")),
        ("userName", json!(7)),
        ("active", json!("perhaps")),
        ("active", json!(1)),
        ("name", json!({"givenName": {"x": 1}})),
        ("name", json!("Babs")),
        ("emails", json!([{"value": 7}])),
        ("emails", json!("a@x")),
        ("x509Certificates", json!([{"value": "no base64!"}])),
        ("profileUrl", json!("not a uri")),
    ] {
        let mut body = user("there");
        body[name] = value.clone();
        for reply in [
            client.post("/Users", body.clone()).await,
            client.put(&path, body).await,
        ] {
            let told = (reply.status, &reply.body["scimType"]);
            assert_eq!(told, (400, &json!("invalidValue")), "{name} {value}");
        }
    }
    let nameless = json!({"schemas": [GROUP]});
    for reply in [
        client.post("/Groups", nameless.clone()).await,
        client.put(&format!("/Groups/{crew}"), nameless).await,
    ] {
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (400, &json!("invalidValue")));
    }
    let got = client.get(&path).await;
    assert_eq!(
        (got.header("etag"), &got.body["title"]),
        (Some("W/\"1\""), &json!("Guide"))
    );
    stack.audit().await;
}

/// RFC 7644 §3.3, §3.5: a name in use is 409 `uniqueness` for every verb, in
/// whatever letter case and spelling, and one's own is free.
#[tokio::test(start_paused = true)]
async fn a_user_name_in_use_is_refused_by_every_verb() {
    let stack = Stack::start().await;
    let client = stack.client();
    client.create("/Users", user("Straße")).await;
    let id = client.create("/Users", user("other")).await;
    let path = format!("/Users/{id}");
    let rename = |name: &str| patch(&[json!({"op": "replace", "path": "userName", "value": name})]);
    for taken in ["Straße", "straße", "STRAßE", "  straße", "ｓtraße"] {
        for reply in [
            client.post("/Users", user(taken)).await,
            client.put(&path, user(taken)).await,
            client.patch(&path, rename(taken)).await,
        ] {
            let told = (reply.status, &reply.body["scimType"]);
            assert_eq!(told, (409, &json!("uniqueness")), "{taken}");
        }
    }
    let own = client.put(&path, user("OTHER")).await;
    assert_eq!((own.status, &own.body["userName"]), (200, &json!("OTHER")));
    assert_eq!(client.patch(&path, rename("free")).await.status, 200);
    assert_eq!(client.post("/Users", user("other")).await.status, 201);
    for name in ["Crew", "Crew"] {
        client.create("/Groups", group(name, &[])).await;
    }
    stack.audit().await;
}

/// RFC 7643 §4.1: an inactive user is still a user.
#[tokio::test(start_paused = true)]
async fn an_inactive_user_is_still_shown() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("leaver")).await;
    let path = format!("/Users/{id}");
    let off = patch(&[json!({"op": "Replace", "path": "active", "value": "False"})]);
    assert_eq!(client.patch(&path, off).await.body["active"], false);
    assert_eq!(client.get(&path).await.body["active"], false);
    let list = client
        .get("/Users?filter=userName%20eq%20%22leaver%22")
        .await;
    assert_eq!(list.body["Resources"][0]["active"], false);
    stack.audit().await;
}
