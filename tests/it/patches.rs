//! PATCH as clients send it, through the gateway shape (RFC 7644 §3.5.2). What
//! each operation makes of each kind of attribute is tested beside the code, in
//! `shared/src/scim/patch`.

use harness::{Client, Reply, Stack, group, patch, user};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

async fn babs(client: &Client) -> String {
    let mut body = user("babs");
    body["name"] = json!({"givenName": "Barbara", "familyName": "Jensen"});
    body["emails"] = json!([
        {"value": "w@x", "type": "work", "primary": true, "display": "W"},
        {"value": "h@x", "type": "home"},
    ]);
    body[ENTERPRISE] = json!({"department": "Tours"});
    format!("/Users/{}", client.create("/Users", body).await)
}

async fn one(client: &Client, path: &str, operation: Value) -> Reply {
    client.patch(path, patch(&[operation])).await
}

/// RFC 7644 §3.5.2: the result is shown where attributes are asked for, and
/// always for a user; a group is not, for its members may be many.
#[tokio::test(start_paused = true)]
async fn a_patch_answers_with_the_resource_when_attributes_are_asked_for() {
    let stack = Stack::start().await;
    let client = stack.client();
    let path = babs(&client).await;
    let ada = client.create("/Users", user("ada")).await;
    let crew = client.create("/Groups", group("Crew", &[&ada])).await;
    let rename = |name: &str| json!({"op": "replace", "path": "displayName", "value": name});
    let whole = one(&client, &path, rename("B")).await;
    assert_eq!(
        (whole.status, &whole.body["userName"]),
        (200, &json!("babs"))
    );
    let silent = one(&client, &format!("/Groups/{crew}"), rename("C1")).await;
    assert_eq!((silent.status, &silent.body), (204, &Value::Null));
    assert_eq!(silent.header("etag"), Some("W/\"2\""));
    for (query, members) in [
        ("attributes=displayName", false),
        ("attributes=members", true),
        ("excludedAttributes=members", false),
        ("excludedAttributes=displayName", true),
    ] {
        let target = format!("/Groups/{crew}?{query}");
        let shown = one(&client, &target, rename("C2")).await;
        assert_eq!((shown.status, &shown.body["id"]), (200, &json!(crew)));
        assert_eq!(shown.body.get("members").is_some(), members, "{query}");
        assert!(shown.header("location").unwrap().ends_with(&crew));
    }
    stack.audit().await;
}

/// All or nothing, each operation on what the one before has left.
#[tokio::test(start_paused = true)]
async fn operations_are_applied_in_order_and_fail_together() {
    let stack = Stack::start().await;
    let client = stack.client();
    let path = babs(&client).await;
    let before = client.get(&path).await;
    for failing in [
        json!({"op": "replace", "path": "id", "value": "x"}),
        json!({"op": "remove"}),
        json!({"op": "replace", "path": "shoeSize", "value": 1}),
        json!({"op": "replace", "path": "emails[type eq \"x\"].value", "value": "x"}),
        json!({"op": "replace", "path": "active", "value": "perhaps"}),
        json!({"op": "jump", "path": "title", "value": "x"}),
    ] {
        let operations = [
            json!({"op": "replace", "path": "title", "value": "Lost"}),
            json!({"op": "remove", "path": "emails"}),
            failing.clone(),
        ];
        let reply = client.patch(&path, patch(&operations)).await;
        assert_eq!(reply.status, 400, "{failing}");
        let told = reply.body["detail"].as_str().unwrap();
        assert!(told.contains("Operations[2]"), "{told}");
        assert_eq!(client.get(&path).await, before, "{failing}");
    }
    let ordered = client
        .patch(
            &path,
            patch(&[
                json!({"op": "remove", "path": "emails"}),
                json!({"op": "add", "path": "emails", "value": {"value": "n@x", "type": "other"}}),
                json!({"op": "replace", "path": "emails[type eq \"other\"].display", "value": "N"}),
            ]),
        )
        .await;
    assert_eq!(
        ordered.body["emails"],
        json!([{"value": "n@x", "type": "other", "display": "N"}])
    );
    let crew = client.create("/Groups", group("Crew", &[])).await;
    let path = format!("/Groups/{crew}");
    let member = json!([{"value": ordered.body["id"]}]);
    let reply = client
        .patch(
            &path,
            patch(&[
                json!({"op": "add", "path": "members", "value": member}),
                json!({"op": "replace", "path": "displayName", "value": "Lost"}),
                json!({"op": "add", "path": "members", "value": [{"value": "nobody"}]}),
            ]),
        )
        .await;
    assert_eq!(reply.status, 400);
    let got = client.get(&path).await;
    assert_eq!(got.body["displayName"], "Crew");
    assert!(got.body.get("members").is_none());
    assert_eq!(got.header("etag"), Some("W/\"1\""));
    stack.audit().await;
}

/// What RFC 7644 table 9 calls each fault.
#[tokio::test(start_paused = true)]
async fn each_fault_has_its_keyword() {
    let stack = Stack::start().await;
    let client = stack.client();
    client.create("/Users", user("taken")).await;
    let path = babs(&client).await;
    for (operation, status, keyword) in [
        (
            json!({"op": "replace", "path": "userName", "value": "  "}),
            400,
            "invalidValue",
        ),
        (
            json!({"op": "replace", "value": {"userName": "\t"}}),
            400,
            "invalidValue",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": "TAKEN"}),
            409,
            "uniqueness",
        ),
        (
            json!({"op": "remove", "path": "userName"}),
            400,
            "mutability",
        ),
        (json!({"op": "remove", "path": "id"}), 400, "mutability"),
        (
            json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}),
            400,
            "mutability",
        ),
        (
            json!({"op": "replace", "value": {"id": "other"}}),
            400,
            "mutability",
        ),
        (
            json!({"op": "add", "path": "emails[type", "value": 1}),
            400,
            "invalidFilter",
        ),
        (
            json!({"op": "add", "path": "emails[shoe eq 1].value", "value": 1}),
            400,
            "invalidFilter",
        ),
        (
            json!({"op": "add", "path": "title[value eq \"x\"]", "value": "x"}),
            400,
            "invalidFilter",
        ),
        (
            json!({"op": "add", "path": "emails..value", "value": "x"}),
            400,
            "invalidPath",
        ),
        (
            json!({"op": "add", "path": "shoeSize", "value": "x"}),
            400,
            "invalidPath",
        ),
        (
            json!({"op": "add", "path": "name.shoe", "value": "x"}),
            400,
            "invalidPath",
        ),
        (
            json!({"op": "add", "path": "", "value": "x"}),
            400,
            "invalidValue",
        ),
        (json!({"op": "remove"}), 400, "noTarget"),
        (
            json!({"op": "replace", "path": "ims[type eq \"x\"].value", "value": "x"}),
            400,
            "noTarget",
        ),
        (json!({"op": "add", "path": "title"}), 400, "invalidValue"),
        (
            json!({"op": "add", "path": "title", "value": 7}),
            400,
            "invalidValue",
        ),
        (json!({"op": "add", "value": 7}), 400, "invalidValue"),
        (
            json!({"op": "move", "path": "title", "value": "x"}),
            400,
            "invalidSyntax",
        ),
        (json!({"path": "title", "value": "x"}), 400, "invalidSyntax"),
        (json!("add"), 400, "invalidSyntax"),
    ] {
        let reply = one(&client, &path, operation.clone()).await;
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (status, &json!(keyword)), "{operation}");
        assert_eq!(reply.body["status"], status.to_string());
    }
    for message in [
        json!({"Operations": [{"op": "remove", "path": "title"}]}),
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "Operations": [{"op": "remove", "path": "title"}]}),
        patch(&[]),
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}),
        json!([]),
    ] {
        let reply = client.patch(&path, message.clone()).await;
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (400, &json!("invalidSyntax")), "{message}");
    }
    assert_eq!(client.get(&path).await.header("etag"), Some("W/\"1\""));
    stack.audit().await;
}

/// The habits of Entra ID and Okta, of which each once broke a server.
#[tokio::test(start_paused = true)]
async fn the_dialects_of_connectors_do_what_they_mean() {
    let stack = Stack::start().await;
    let client = stack.client();
    let path = babs(&client).await;
    let boss = client.create("/Users", user("boss")).await;
    let id = path.trim_start_matches("/Users/").to_owned();
    for (operation, pointer, expected) in [
        (
            json!({"op": "Add", "path": "title", "value": "T"}),
            "/title",
            json!("T"),
        ),
        (
            json!({"op": "REPLACE", "path": "title", "value": "U"}),
            "/title",
            json!("U"),
        ),
        (
            json!({"op": "Replace", "path": "active", "value": "False"}),
            "/active",
            json!(false),
        ),
        (
            json!({"op": "replace", "value": {"active": "true"}}),
            "/active",
            json!(true),
        ),
        (
            json!({"op": "Replace", "value": {"name.givenName": "Babs"}}),
            "/name",
            json!({"familyName": "Jensen", "givenName": "Babs"}),
        ),
        (
            json!({"op": "replace", "value": {format!("{ENTERPRISE}:department"): "Maps"}}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
            json!("Maps"),
        ),
        (
            json!({"op": "add", "value": {ENTERPRISE: {"division": "D"}}}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
            json!("Maps"),
        ),
        (
            json!({"op": "Replace", "path": format!("{ENTERPRISE}.department"), "value": "Sea"}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
            json!("Sea"),
        ),
        (
            json!({"op": "Add", "path": "manager", "value": [{"$ref": "x", "value": boss}]}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value",
            json!(boss),
        ),
        (
            json!({"op": "Replace", "path": format!("{ENTERPRISE}:manager"), "value": boss}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value",
            json!(boss),
        ),
        (
            json!({"op": "Replace", "path": "manager", "value": ""}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager",
            Value::Null,
        ),
        (
            json!({"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1"}),
            "/phoneNumbers",
            json!([{"value": "+1", "type": "mobile"}]),
        ),
        (
            json!({"op": "replace", "value": {"emails[type eq \"home\"].value": "n@x"}}),
            "/emails/1/value",
            json!("n@x"),
        ),
        (
            json!({"op": "replace", "value": {"id": id, "nickName": "B"}}),
            "/nickName",
            json!("B"),
        ),
        (
            json!({"op": "replace", "path": "title", "value": ["V"]}),
            "/title",
            json!("V"),
        ),
        (
            json!({"op": "Remove", "path": "title"}),
            "/title",
            Value::Null,
        ),
    ] {
        let reply = one(&client, &path, operation.clone()).await;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.body);
        let found = reply.body.pointer(pointer).unwrap_or(&Value::Null);
        let same = match (found, &expected) {
            (Value::Array(found), Value::Array(expected)) => found[0] == expected[0],
            _ => *found == expected,
        };
        assert!(same, "{operation}: {found}");
    }
    stack.audit().await;
}

/// RFC 7644 §3.5.2.3 refuses a replace that selects nothing; a deployment for
/// Entra ID creates what the filter says.
#[tokio::test(start_paused = true)]
async fn a_replace_without_target_creates_only_where_it_is_configured() {
    let replace =
        || json!({"op": "Replace", "path": "emails[type eq \"other\"].value", "value": "o@x"});
    let stack = Stack::start().await;
    let path = babs(&stack.client()).await;
    let refused = one(&stack.client(), &path, replace()).await;
    assert_eq!(refused.body["scimType"], "noTarget");
    let entra = Stack::builder()
        .variable("COMPATIBILITY", "entra")
        .start()
        .await;
    let path = babs(&entra.client()).await;
    let created = one(&entra.client(), &path, replace()).await;
    assert_eq!(
        created.body["emails"][2],
        json!({"value": "o@x", "type": "other"})
    );
    stack.audit().await;
    entra.audit().await;
}

/// RFC 7643 §4.2: a member is exchanged, never edited.
#[tokio::test(start_paused = true)]
async fn a_member_is_removed_and_added_but_never_edited() {
    let stack = Stack::start().await;
    let client = stack.client();
    let ada = client.create("/Users", user("ada")).await;
    let bob = client.create("/Users", user("bob")).await;
    let crew = client.create("/Groups", group("Crew", &[&ada])).await;
    let path = format!("/Groups/{crew}");
    let at = |sub: &str| format!("members[value eq \"{ada}\"]{sub}");
    for operation in [
        json!({"op": "replace", "path": at(".value"), "value": bob}),
        json!({"op": "replace", "path": at(""), "value": {"value": bob}}),
        json!({"op": "remove", "path": at(".value")}),
        json!({"op": "replace", "path": at(".type"), "value": "Group"}),
    ] {
        let reply = one(&client, &path, operation.clone()).await;
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (400, &json!("mutability")), "{operation}");
    }
    let display = json!({"op": "replace", "path": at(".display"), "value": "x"});
    assert_eq!(one(&client, &path, display).await.status, 204, "not kept");
    let got = client.get(&path).await;
    assert_eq!(got.header("etag"), Some("W/\"1\""));
    let member = &got.body["members"][0];
    assert_eq!(
        (&member["value"], &member["type"]),
        (&json!(ada), &json!("User"))
    );
    assert!(
        member["$ref"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/scim/v2/Users/{ada}"))
    );
    stack.audit().await;
}
