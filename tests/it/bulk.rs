//! Bulk through the gateway shape, on a database that misbehaves
//! (RFC 7644 §3.7; `docs/bulk.md`).

mod answers;
mod rows;

use std::collections::BTreeSet;

use harness::{Stack, group, id_of, patch, post, user};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn ten_groups_before_their_fifty_users() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let mut operations = Vec::new();
    for g in 0..10 {
        let members: Vec<String> = (0..5).map(|m| format!("bulkId:u{}", g * 5 + m)).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        operations.push(post(
            &format!("g{g}"),
            "/Groups",
            group(&format!("Group {g}"), &members),
        ));
    }
    for u in 0..50 {
        operations.push(post(&format!("u{u}"), "/Users", user(&format!("user{u}"))));
    }
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.statuses(), vec!["201"; 60]);
    let rows = reply.rows();
    let echoed: Vec<&str> = rows
        .iter()
        .map(|row| row["bulkId"].as_str().unwrap())
        .collect();
    let sent: Vec<&str> = operations
        .iter()
        .map(|row| row["bulkId"].as_str().unwrap())
        .collect();
    assert_eq!(echoed, sent, "rows come in the order of the request");
    for g in 0..10 {
        let expected: BTreeSet<String> = (0..5)
            .map(|m| id_of(&rows[10 + g * 5 + m]).to_owned())
            .collect();
        assert_eq!(client.members(id_of(&rows[g])).await, expected);
    }
    let first = client.get(&format!("/Users/{}", id_of(&rows[10]))).await;
    assert_eq!(first.body["groups"][0]["value"], id_of(&rows[0]));
    assert_eq!(first.body["groups"][0]["display"], "Group 0");
    assert_eq!(
        stack.weather().report().conflicts,
        0,
        "an idle table sees no conflict"
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn groups_that_contain_each_other() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    let operations = [
        post("a", "/Groups", group("A", &["bulkId:b"])),
        post("b", "/Groups", group("B", &["bulkId:a"])),
        post("self", "/Groups", group("Self", &["bulkId:self"])),
    ];
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.statuses(), ["201", "201", "201"]);
    let rows = reply.rows();
    assert_eq!(
        client.members(id_of(&rows[0])).await,
        [id_of(&rows[1]).to_owned()].into()
    );
    assert_eq!(
        client.members(id_of(&rows[1])).await,
        [id_of(&rows[0]).to_owned()].into()
    );
    assert_eq!(
        client.members(id_of(&rows[2])).await,
        [id_of(&rows[2]).to_owned()].into()
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_three_hundred_groups_in_reverse_order() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let mut operations = vec![post("g0", "/Groups", group("Group 0", &[]))];
    for g in 1..300 {
        let member = format!("bulkId:g{}", g - 1);
        operations.push(post(
            &format!("g{g}"),
            "/Groups",
            group(&format!("Group {g}"), &[&member]),
        ));
    }
    operations.reverse();
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.statuses(), vec!["201"; 300]);
    let rows = reply.rows();
    for pair in rows.windows(2).step_by(37) {
        assert_eq!(
            client.members(id_of(&pair[0])).await,
            [id_of(&pair[1]).to_owned()].into()
        );
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_ring_too_large_for_a_transaction_is_refused_with_the_number() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let ring = |n: usize| -> Vec<Value> {
        let member = |g: usize| format!("bulkId:g{}", (g + 1) % n);
        (0..n)
            .map(|g| {
                post(
                    &format!("g{g}"),
                    "/Groups",
                    group(&format!("Ring {g}"), &[&member(g)]),
                )
            })
            .collect()
    };
    // A header, a membership and a lookup for each group, and the counter: 33
    // groups fill the 100 actions of a transaction.
    let reply = client.bulk(&ring(33)).await;
    assert_eq!(reply.statuses(), vec!["201"; 33]);
    let reply = client.bulk(&ring(34)).await;
    assert_eq!(reply.statuses(), vec!["409"; 34]);
    let detail = reply.body["Operations"][0]["response"]["detail"]
        .as_str()
        .unwrap();
    assert!(detail.contains("103 actions"), "{detail}");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn references_resolve_wherever_a_resource_can_be_named() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let crew = client.create("/Groups", group("Crew", &[])).await;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut managed = user("managed");
    managed[enterprise] = json!({"manager": {"value": "bulkId:boss"}});
    let mut boss = user("boss");
    boss[enterprise] = json!({"manager": {"value": "bulkId:boss"}});
    let add = |op: Value| patch(&[op]);
    let operations = [
        post("managed", "/Users", managed),
        post("boss", "/Users", boss),
        post("team", "/Groups", group("Team", &["bulkId:managed"])),
        json!({"method": "PATCH", "path": format!("/Groups/{crew}"),
            "data": add(json!({"op": "add", "path": "members", "value": [{"value": "bulkId:boss"}]}))}),
        json!({"method": "PATCH", "path": format!("/Groups/{crew}"),
            "data": add(json!({"op": "add", "value": {"members": [{"value": "bulkId:team"}]}}))}),
        json!({"method": "PATCH", "path": "/Groups/bulkId:team",
            "data": add(json!({"op": "remove", "path": "members[value eq \"bulkId:managed\"]"}))}),
        json!({"method": "PUT", "path": "/Users/bulkId:managed", "bulkId": "put",
            "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "managed", "nickName": "bulkId:boss"}}),
        post("gone", "/Users", user("gone")),
        json!({"method": "DELETE", "path": "/Users/bulkId:gone"}),
    ];
    let reply = client.bulk(&operations).await;
    let expected = [
        "201", "201", "201", "204", "204", "204", "200", "201", "204",
    ];
    assert_eq!(reply.statuses(), expected, "{:#}", reply.body);
    let rows = reply.rows();
    let (boss, team) = (id_of(&rows[1]).to_owned(), id_of(&rows[2]).to_owned());
    assert_eq!(
        rows[6]["location"], rows[0]["location"],
        "a path holds the permanent id"
    );
    assert_eq!(
        client.members(&crew).await,
        [boss.clone(), team.clone()].into()
    );
    assert_eq!(client.members(&team).await, BTreeSet::new());
    let boss = client.get(&format!("/Users/{boss}")).await;
    assert_eq!(boss.body[enterprise]["manager"]["value"], boss.body["id"]);
    let managed = client.get(&format!("/Users/{}", id_of(&rows[0]))).await;
    assert_eq!(managed.body["nickName"], "bulkId:boss", "text is only text");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn references_match_whole_values_exactly() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    let operations = [
        post("1", "/Users", user("one")),
        post("10", "/Users", user("ten")),
        post("g", "/Groups", group("Ten", &["bulkId:10"])),
    ];
    let reply = client.bulk(&operations).await;
    let rows = reply.rows();
    assert_eq!(
        client.members(id_of(&rows[2])).await,
        [id_of(&rows[1]).to_owned()].into()
    );
}

#[tokio::test(start_paused = true)]
async fn failure_spreads_along_references_only() {
    let stack = Stack::seeded(7).await;
    let client = stack.client();
    let operations = [
        post("a", "/Users", user("becca")),
        post("b", "/Users", user("BECCA")),
        post("g", "/Groups", group("Friends", &["bulkId:b"])),
        post("h", "/Groups", group("More friends", &["bulkId:g"])),
        post("k", "/Groups", group("Others", &["bulkId:a"])),
    ];
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.statuses(), ["201", "409", "409", "409", "201"]);
    let rows = reply.rows();
    assert_eq!(rows[1]["response"]["scimType"], "uniqueness");
    assert!(rows[1].get("location").is_none());
    let detail = rows[2]["response"]["detail"].as_str().unwrap();
    assert!(detail.contains("`b`") && detail.contains("409"), "{detail}");
    let only_failures = client.bulk(&operations[1..2]).await;
    assert_eq!(
        (only_failures.status, only_failures.statuses()),
        (200, vec!["409"])
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_beyond_the_error_limit() {
    let stack = Stack::seeded(8).await;
    let client = stack.client();
    let missing = |n: usize| json!({"method": "DELETE", "path": format!("/Users/00000000-0000-4000-8000-00000000000{n}")});
    let operations = [
        post("a", "/Users", user("a")),
        missing(1),
        post("b", "/Users", user("b")),
        missing(2),
        post("c", "/Users", user("c")),
    ];
    for (limit, expected) in [
        (json!(1), vec!["201", "404"]),
        (json!(2), vec!["409", "404"]),
        (json!(null), vec!["409", "404", "201", "404", "201"]),
    ] {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "failOnErrors": limit, "Operations": operations});
        let reply = client.post("/Bulk", body).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.statuses(), expected, "{limit}");
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn fail_on_errors_must_be_a_whole_number() {
    let stack = Stack::seeded(9).await;
    let client = stack.client();
    for wrong in [json!(-1), json!(1.5), json!("1"), json!(true)] {
        let body = json!({"failOnErrors": wrong, "Operations": [post("a", "/Users", user("a"))]});
        let reply = client.post("/Bulk", body).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert_eq!(reply.body["scimType"], "invalidValue", "{wrong}");
    }
    assert_eq!(client.get("/Users").await.body["totalResults"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_over_a_limit_is_refused_whole() {
    let stack = Stack::seeded(10).await;
    let client = stack.client();
    let operations: Vec<Value> = (0..1001)
        .map(|n| post(&format!("u{n}"), "/Users", user(&format!("u{n}"))))
        .collect();
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.status, 413);
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .contains("maxOperations (1000)")
    );
    let body = |filler: usize| {
        let mut large = user("large");
        large["displayName"] = json!("x".repeat(filler));
        json!({"Operations": [post("l", "/Users", large)]}).to_string()
    };
    let filler = 3_072_001 - (body(1).len() - 1);
    let reply = client
        .send("POST", "/Bulk", body(filler).into_bytes())
        .await;
    assert_eq!(reply.status, 413);
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .contains("maxPayloadSize (3072000)")
    );
    let reply = client
        .send("POST", "/Bulk", body(filler - 1).into_bytes())
        .await;
    assert_eq!(reply.status, 200, "the limit itself is allowed");
    let row = &reply.body["Operations"][0];
    assert_eq!(row["status"], "413", "but a resource of 3 MB is not");
    assert!(
        row["response"]["detail"]
            .as_str()
            .unwrap()
            .contains("350000")
    );
    assert_eq!(client.get("/Users").await.body["totalResults"], 0);
}

#[tokio::test(start_paused = true)]
async fn an_operation_too_large_for_a_transaction_is_refused_with_the_number() {
    let stack = Stack::seeded(11).await;
    let client = stack.client();
    let mut operations: Vec<Value> = (0..60)
        .map(|n| post(&format!("u{n}"), "/Users", user(&format!("u{n}"))))
        .collect();
    let members: Vec<String> = (0..60).map(|n| format!("bulkId:u{n}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    operations.push(post("g", "/Groups", group("Large", &members)));
    let reply = client.bulk(&operations).await;
    let rows = reply.rows();
    assert_eq!(rows[60]["status"], "413");
    let detail = rows[60]["response"]["detail"].as_str().unwrap();
    assert!(detail.contains("123 actions"), "{detail}");
    assert_eq!(client.get("/Groups").await.body["totalResults"], 0);
    assert_eq!(client.get("/Users").await.body["totalResults"], 60);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_use_of_a_bulk_id_fails_and_references_bind_to_the_first() {
    let stack = Stack::seeded(12).await;
    let client = stack.client();
    let operations = [
        post("x", "/Users", user("first")),
        post("x", "/Users", user("second")),
        post("g", "/Groups", group("G", &["bulkId:x"])),
    ];
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.statuses(), ["201", "400", "201"]);
    let rows = reply.rows();
    assert_eq!(rows[1]["response"]["scimType"], "invalidValue");
    assert_eq!(
        client.members(id_of(&rows[2])).await,
        [id_of(&rows[0]).to_owned()].into()
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_version_acts_as_if_match() {
    let stack = Stack::seeded(13).await;
    let client = stack.client();
    let id = client.create("/Users", user("versioned")).await;
    let rename = |version: &str, bulk_id: &str, name: &str| {
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "version": version, "bulkId": bulk_id,
            "data": patch(&[json!({"op": "replace", "path": "displayName", "value": name})])})
    };
    let reply = client
        .bulk(&[
            rename("W/\"1\"", "p1", "One"),
            rename("W/\"1\"", "p2", "Two"),
        ])
        .await;
    assert_eq!(reply.statuses(), ["200", "412"]);
    let rows = reply.rows();
    assert_eq!(rows[1]["bulkId"], "p2");
    assert_eq!(rows[1]["location"], rows[0]["location"]);
    let got = client.get(&format!("/Users/{id}")).await;
    assert_eq!(got.body["displayName"], "One");
    assert_eq!(got.body["meta"]["version"], rows[0]["version"]);
    assert_eq!(got.header("etag"), rows[0]["version"].as_str());
    assert!(rows[1].get("version").is_none());
}

#[tokio::test(start_paused = true)]
async fn member_names_are_read_in_any_letter_case() {
    let stack = Stack::seeded(14).await;
    let body = json!({"operations": [{"Method": "post", "PATH": "Users", "BulkID": "u", "Data": user("odd")}]});
    let reply = stack.client().post("/Bulk", body).await;
    assert_eq!((reply.status, reply.statuses()), (200, vec!["201"]));
    assert_eq!(reply.body["Operations"][0]["bulkId"], "u");
    assert_eq!(reply.body["Operations"][0]["method"], "POST");
}

#[tokio::test(start_paused = true)]
async fn each_illegal_entry_fails_alone() {
    let stack = Stack::seeded(15).await;
    let client = stack.client();
    let operations = [
        json!(7),
        json!({"method": "GET", "path": "/Users/1"}),
        json!({"method": "DELETE", "path": "/Robots/1"}),
        json!({"method": "DELETE", "path": "https://example.com/Users/1"}),
        json!({"method": "DELETE", "path": "/Users/1"}),
        json!({"method": "DELETE", "path": "/Users/bulkId:nobody"}),
        post("u", "/Users", user("fine")),
        post("g", "/Groups", group("G", &["bulkId:nobody"])),
        json!({"method": "POST", "path": "/Users", "bulkId": "n"}),
    ];
    let reply = client.bulk(&operations).await;
    let expected = [
        "400", "400", "404", "400", "404", "400", "201", "400", "400",
    ];
    assert_eq!(reply.statuses(), expected);
    let rows = reply.rows();
    assert!(rows[4]["location"].as_str().unwrap().ends_with("/Users/1"));
    for nowhere in [0, 2, 3, 5, 7, 8] {
        assert!(rows[nowhere].get("location").is_none(), "row {nowhere}");
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_created_and_deleted_in_one_request_leaves_nothing() {
    let stack = Stack::seeded(16).await;
    let client = stack.client();
    let before = stack.items().len();
    for (path, created) in [
        ("/Groups", group("Short-lived", &[])),
        ("/Users", user("short-lived")),
    ] {
        let operations = [
            post("x", path, created),
            json!({"method": "DELETE", "path": format!("{path}/bulkId:x")}),
        ];
        let reply = client.bulk(&operations).await;
        assert_eq!(reply.statuses(), ["201", "204"], "{path}");
    }
    assert_eq!(stack.items().len(), before);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_changes_of_one_user_are_told_one_by_one() {
    let stack = Stack::seeded(17).await;
    let client = stack.client();
    let id = client.create("/Users", user("restless")).await;
    let operations: Vec<Value> = (0..1_000)
        .map(|n| {
            let replace = json!({"op": "replace", "path": "title", "value": format!("t{n}")});
            json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": patch(&[replace])})
        })
        .collect();
    let reply = client.bulk(&operations).await;
    let rows = reply.rows();
    assert_eq!(rows.len(), 1_000);
    for (row, version) in rows.iter().zip(2..) {
        assert_eq!(row["status"], "200", "{row}");
        assert_eq!(row["version"], format!("W/\"{version}\""));
    }
    let got = client.get(&format!("/Users/{id}")).await;
    assert_eq!(got.body["title"], "t999");
    assert_eq!(got.body["meta"]["version"], "W/\"1001\"");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn three_users_pass_their_names_around() {
    let stack = Stack::seeded(18).await;
    let client = stack.client();
    let mut ids = Vec::new();
    for name in ["ada", "bea", "cleo"] {
        ids.push(client.create("/Users", user(name)).await);
    }
    let rename = |id: &str, name: &str| {
        let replace = json!({"op": "replace", "path": "userName", "value": name});
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": patch(&[replace])})
    };
    // Each wants what the next one still has, so without a free name the first
    // two are refused and the last one finds its name taken as well.
    let operations = [
        rename(&ids[0], "bea"),
        rename(&ids[1], "cleo"),
        rename(&ids[2], "ada"),
    ];
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.statuses(), ["409", "409", "409"]);
    let operations = [
        rename(&ids[0], "none"),
        rename(&ids[2], "ada"),
        rename(&ids[1], "cleo"),
        rename(&ids[0], "bea"),
    ];
    let reply = client.bulk(&operations).await;
    assert_eq!(reply.statuses(), ["200"; 4], "{:#}", reply.body);
    for (id, name) in ids.iter().zip(["bea", "cleo", "ada"]) {
        let got = client.get(&format!("/Users/{id}")).await;
        assert_eq!(got.body["userName"], name);
        let filter = harness::encode(&format!("userName eq \"{name}\""));
        let found = client.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(found.body["Resources"][0]["id"], **id);
    }
    let free = client.post("/Users", user("none")).await;
    assert_eq!(free.status, 201, "the name in between is free again");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn every_third_of_a_thousand_rows_fails_alone() {
    let stack = Stack::seeded(19).await;
    let client = stack.client();
    let name = |n: usize| format!("u{}", if n % 3 == 2 { n - 1 } else { n });
    let operations: Vec<Value> = (0..1_000)
        .map(|n| post(&n.to_string(), "/Users", user(&name(n))))
        .collect();
    let reply = client.bulk(&operations).await;
    let rows = reply.rows();
    assert_eq!(rows.len(), 1_000);
    for (n, row) in rows.iter().enumerate() {
        let expected = if n % 3 == 2 { "409" } else { "201" };
        assert_eq!(row["status"], expected, "row {n}");
        assert_eq!(row["response"]["scimType"] == "uniqueness", n % 3 == 2);
    }
    assert_eq!(client.get("/Users").await.body["totalResults"], 667);
    stack.audit().await;
}
