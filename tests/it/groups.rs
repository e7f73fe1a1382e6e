//! Groups and their members, through the gateway shape.

use harness::{Stack, encode, group, patch, user};
use serde_json::{Value, json};

use crate::users::dump;

fn values(list: &Value) -> Vec<&str> {
    let elements = list.as_array().map(Vec::as_slice).unwrap_or_default();
    elements
        .iter()
        .map(|element| element["value"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_and_its_members_tell_the_same_story() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let ada = client.create("/Users", user("ada")).await;
    let inner = client.create("/Groups", group("Inner", &[&ada])).await;
    let created = client.post("/Groups", group("Outer", &[&inner])).await;
    assert_eq!(created.status, 201);
    let member = &created.body["members"][0];
    assert_eq!(
        (&member["value"], &member["type"]),
        (&json!(inner), &json!("Group"))
    );
    assert!(
        member["$ref"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/Groups/{inner}"))
    );
    let outer = created.body["id"].as_str().unwrap();
    let seen = client.get(&format!("/Users/{ada}")).await;
    let mut groups: Vec<_> = seen.body["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            (
                group["display"].as_str().unwrap(),
                group["type"].as_str().unwrap(),
            )
        })
        .collect();
    groups.sort_unstable();
    assert_eq!(groups, [("Inner", "direct"), ("Outer", "indirect")]);
    let filter = encode(&format!("members.value eq \"{ada}\""));
    let found = client
        .get(&format!(
            "/Groups?filter={filter}&excludedAttributes=members"
        ))
        .await;
    assert_eq!(found.body["totalResults"], 1);
    assert_eq!(found.body["Resources"][0]["id"], inner);
    assert!(found.body["Resources"][0].get("members").is_none());
    assert_eq!(client.delete(&format!("/Groups/{inner}")).await.status, 204);
    let outer = client.get(&format!("/Groups/{outer}")).await;
    assert_eq!(values(&outer.body["members"]), Vec::<&str>::new());
    assert_eq!(
        outer.header("etag"),
        Some("W/\"2\""),
        "losing a member is a change"
    );
    assert!(
        client
            .get(&format!("/Users/{ada}"))
            .await
            .body
            .get("groups")
            .is_none()
    );
    stack.audit().await;
}

/// RFC 7644 §3.5.2, and what Entra ID and Okta send.
#[tokio::test(start_paused = true)]
async fn members_are_patched_in_every_dialect() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(client.create("/Users", user(&format!("u{n}"))).await);
    }
    let id = client.create("/Groups", group("Crew", &[&ids[0]])).await;
    let path = format!("/Groups/{id}");
    let value = |n: usize| json!({"value": ids[n]});
    for (operation, expected) in [
        (
            json!({"op": "add", "path": "members", "value": [value(1), value(0)]}),
            vec![0, 1],
        ),
        (
            json!({"op": "Add", "value": {"members": [value(2)]}}),
            vec![0, 1, 2],
        ),
        (
            json!({"op": "Remove", "path": "members", "value": [{"value": ids[0], "$ref": null}]}),
            vec![1, 2],
        ),
        (
            json!({"op": "remove", "path": format!("members[value eq \"{}\"]", ids[1])}),
            vec![2],
        ),
        (
            json!({"op": "remove", "path": format!("members[value eq \"{}\"]", ids[4])}),
            vec![2],
        ),
        (
            json!({"op": "add", "path": "members", "value": value(0)}),
            vec![0, 2],
        ),
        (
            json!({"op": "replace", "path": "members", "value": [value(3), value(2)]}),
            vec![2, 3],
        ),
        (json!({"op": "remove", "path": "members"}), vec![]),
    ] {
        let reply = client
            .patch(&path, patch(std::slice::from_ref(&operation)))
            .await;
        assert_eq!(reply.status, 204, "{operation}: {}", reply.body);
        let got = client.get(&path).await;
        let mut members = values(&got.body["members"]);
        members.sort_unstable();
        let mut expected: Vec<&str> = expected.iter().map(|n| ids[*n].as_str()).collect();
        expected.sort_unstable();
        assert_eq!(members, expected, "{operation}");
        stack.audit().await;
    }
    let shown = client
        .patch(
            &format!("{path}?attributes=displayName"),
            patch(&[json!({"op": "replace", "path": "displayName", "value": "Team"})]),
        )
        .await;
    assert_eq!(
        (shown.status, &shown.body["displayName"]),
        (200, &json!("Team"))
    );
    let by_name = client
        .get(&format!(
            "/Groups?filter={}",
            encode("displayName eq \"TEAM\"")
        ))
        .await;
    assert_eq!(by_name.body["totalResults"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_put_replaces_the_members_and_an_unknown_one_changes_nothing() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let ada = client.create("/Users", user("ada")).await;
    let bob = client.create("/Users", user("bob")).await;
    let id = client.create("/Groups", group("Crew", &[&ada])).await;
    let path = format!("/Groups/{id}");
    let refused = client
        .put(&path, group("Renamed", &[&bob, "501X123JRS"]))
        .await;
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (400, &json!("invalidValue"))
    );
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("501X123JRS")
    );
    let got = client.get(&path).await;
    assert_eq!(
        (&got.body["displayName"], got.header("etag")),
        (&json!("Crew"), Some("W/\"1\""))
    );
    let replaced = client.put(&path, group("Renamed", &[&bob])).await;
    assert_eq!(
        (replaced.status, values(&replaced.body["members"])),
        (200, vec![bob.as_str()])
    );
    let same = client.put(&path, group("Renamed", &[&bob])).await;
    assert_eq!(
        same.header("etag"),
        Some("W/\"2\""),
        "what changes nothing keeps the version"
    );
    let typed = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Renamed",
        "members": [{"value": bob, "type": "Group"}]});
    assert_eq!(
        client.put(&path, typed).await.status,
        400,
        "the type must be the member's"
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn groups_may_contain_each_other() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let a = client.create("/Groups", group("A", &[])).await;
    let b = client.create("/Groups", group("B", &[&a])).await;
    let add = patch(&[json!({"op": "add", "path": "members", "value": [{"value": b}]})]);
    assert_eq!(client.patch(&format!("/Groups/{a}"), add).await.status, 204);
    let ada = client.create("/Users", user("ada")).await;
    let add = patch(&[json!({"op": "add", "path": "members", "value": [{"value": ada}]})]);
    assert_eq!(client.patch(&format!("/Groups/{a}"), add).await.status, 204);
    let seen = client.get(&format!("/Users/{ada}")).await;
    assert_eq!(seen.body["groups"].as_array().unwrap().len(), 2);
    assert_eq!(client.delete(&format!("/Groups/{a}")).await.status, 204);
    assert_eq!(client.delete(&format!("/Groups/{b}")).await.status, 204);
    assert!(
        client
            .get(&format!("/Users/{ada}"))
            .await
            .body
            .get("groups")
            .is_none()
    );
    stack.audit().await;
}

/// RFC 7643 §2.3.7: a manager that is gone is not shown, and the next write
/// erases it.
#[tokio::test(start_paused = true)]
async fn a_manager_that_is_gone_is_neither_shown_nor_kept() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let boss = client
        .create("/Users", {
            let mut boss = user("boss");
            boss["displayName"] = json!("The Boss");
            boss
        })
        .await;
    let mut managed = user("managed");
    managed[enterprise] = json!({"manager": {"value": boss}, "department": "Tours"});
    let id = client.create("/Users", managed.clone()).await;
    let path = format!("/Users/{id}");
    let shown = client.get(&path).await;
    assert_eq!(shown.body[enterprise]["manager"]["displayName"], "The Boss");
    assert!(
        shown.body[enterprise]["manager"]["$ref"]
            .as_str()
            .unwrap()
            .ends_with(&boss)
    );
    assert_eq!(client.delete(&format!("/Users/{boss}")).await.status, 204);
    assert!(
        client.get(&path).await.body[enterprise]
            .get("manager")
            .is_none()
    );
    let change = patch(&[json!({"op": "add", "path": "title", "value": "x"})]);
    assert_eq!(client.patch(&path, change).await.status, 200);
    assert!(
        !dump(&stack).contains(&boss),
        "nothing in the table names it any more"
    );
    assert_eq!(
        client.put(&path, managed).await.status,
        400,
        "and it cannot be written anew"
    );
    stack.audit().await;
}

/// What identifies a manager elsewhere is kept: connectors send employee numbers.
#[tokio::test(start_paused = true)]
async fn a_manager_by_a_foreign_identifier_is_shown_as_written() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut managed = user("managed");
    managed[enterprise] = json!({"manager": {"value": "E-4711"}});
    let id = client.create("/Users", managed).await;
    let change = patch(&[json!({"op": "add", "path": "title", "value": "x"})]);
    let changed = client.patch(&format!("/Users/{id}"), change).await;
    assert_eq!((changed.status, &changed.body["title"]), (200, &json!("x")));
    let shown = client.get(&format!("/Users/{id}")).await;
    assert_eq!(
        shown.body[enterprise]["manager"],
        json!({"value": "E-4711"})
    );
    let mut nobody = user("lost");
    nobody[enterprise] = json!({"manager": {"value": "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11"}});
    let refused = client.post("/Users", nobody).await;
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (400, &json!("invalidValue"))
    );
}

#[tokio::test(start_paused = true)]
async fn odd_groups_come_and_go() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("member")).await;
    let twice = client.create("/Groups", group("Twice", &[&id, &id])).await;
    let path = format!("/Groups/{twice}");
    let shown = client.get(&path).await;
    assert_eq!(shown.body["members"].as_array().unwrap().len(), 1);
    // A group that contains itself and another one that contains it.
    let own = group("Own", &[&twice, &id]);
    assert_eq!(client.put(&path, own).await.status, 200);
    let above = client.create("/Groups", group("Above", &[&twice])).await;
    assert_eq!(
        client.get(&path).await.body["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    let above = client.get(&format!("/Groups/{above}")).await;
    assert_eq!(above.body.get("members"), None, "{}", above.body);
    let member = client.get(&format!("/Users/{id}")).await;
    assert_eq!(member.body.get("groups"), None, "{}", member.body);
    stack.audit().await;
}
