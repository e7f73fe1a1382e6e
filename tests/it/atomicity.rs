//! `?atomicity=` on `/Bulk`: how much is carried out all or not at all
//! (`docs/bulk.md`). What each mode leaves behind is compared with single
//! requests in `oracle.rs`.

use harness::weather::Fault;
use harness::{Reply, Stack, group, patch, post, user};
use serde_json::{Value, json};

fn rows(reply: &Reply) -> Vec<String> {
    let told = reply.rows().iter().map(|row| {
        let detail = row["response"]["detail"].as_str().unwrap_or_default();
        format!("{} {detail}", row["status"].as_str().unwrap())
    });
    told.map(|row| row.trim_end().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_undone_names_the_row_that_failed() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    client.create("/Users", user("taken")).await;
    let operations = [
        post("ada", "/Users", user("ada")),
        post(
            "team",
            "/Groups",
            group("Team", &["bulkId:ada", "bulkId:bob"]),
        ),
        post("bob", "/Users", user("taken")),
        post("eve", "/Users", user("eve")),
    ];
    let request = json!({"Operations": operations});
    let reply = client
        .post("/Bulk?atomicity=component", request.clone())
        .await;
    assert_eq!(
        reply.status, 200,
        "as every bulk request that was processed"
    );
    insta::assert_json_snapshot!(rows(&reply), @r#"
    [
      "424 not carried out: with `atomicity=component` it falls with the operation with bulkId `bob`, which failed with status 409",
      "424 not carried out: with `atomicity=component` it falls with the operation with bulkId `bob`, which failed with status 409",
      "409 User with userName `taken` already exists",
      "201"
    ]
    "#);
    assert_eq!(
        client
            .get("/Users?filter=userName%20eq%20%22ada%22")
            .await
            .body["totalResults"],
        0
    );
    let reply = client.post("/Bulk?atomicity=request", request).await;
    insta::assert_json_snapshot!(rows(&reply), @r#"
    [
      "424 not carried out: with `atomicity=request` it falls with the operation with bulkId `bob`, which failed with status 409",
      "424 not carried out: with `atomicity=request` it falls with the operation with bulkId `bob`, which failed with status 409",
      "409 User with userName `taken` already exists",
      "424 not carried out: with `atomicity=request` it falls with the operation with bulkId `bob`, which failed with status 409"
    ]
    "#);
    assert_eq!(client.get("/Groups").await.body["totalResults"], 0);
    assert_eq!(
        client.get("/Users").await.body["totalResults"],
        2,
        "`taken` and `eve`"
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_no_operation_undoes_the_request_too() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    let operations = json!([
        post("ada", "/Users", user("ada")),
        {"method": "POST", "bulkId": "x", "path": "/Nowhere", "data": {}},
        {"method": "GET", "path": "/Users"},
    ]);
    let reply = client
        .post("/Bulk?atomicity=request", json!({"Operations": operations}))
        .await;
    insta::assert_json_snapshot!(rows(&reply), @r#"
    [
      "424 not carried out: with `atomicity=request` it falls with the operation with bulkId `x`, which failed with status 404",
      "404 Operations[1].path: no endpoint `/Nowhere`",
      "400 `Operations[2].method` must be POST, PUT, PATCH or DELETE"
    ]
    "#);
    assert_eq!(client.get("/Users").await.body["totalResults"], 0);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn one_transaction_carries_the_whole_request_and_each_row_its_own_version() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let title = |title: &str| patch(&[json!({"op": "replace", "path": "title", "value": title})]);
    let operations = [
        json!({"method": "PATCH", "path": "/Users/bulkId:ada", "data": title("a")}),
        post("ada", "/Users", user("ada")),
        json!({"method": "PATCH", "path": "/Users/bulkId:ada", "data": title("b")}),
    ];
    stack.weather().reset();
    let request = json!({"Operations": operations});
    let reply = client.post("/Bulk?atomicity=request", request).await;
    let versions: Vec<&Value> = (0..3)
        .map(|row| &reply.body["Operations"][row]["version"])
        .collect();
    assert_eq!(versions, ["W/\"2\"", "W/\"1\"", "W/\"3\""]);
    assert_eq!(stack.weather().report().transactions, 1);
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn what_no_transaction_can_hold_is_refused_with_the_number_and_nothing_is_written() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let people = (0..60).map(|n| post(&format!("u{n}"), "/Users", user(&format!("user{n}"))));
    let request = json!({"Operations": people.collect::<Value>()});
    stack.weather().reset();
    let reply = client
        .post("/Bulk?atomicity=request", request.clone())
        .await;
    let rows = rows(&reply);
    assert_eq!(rows.len(), 60);
    insta::assert_snapshot!(rows[17], @"413 with `atomicity=request` these 60 operations need 121 actions, and a DynamoDB transaction takes 100");
    assert_eq!(stack.weather().report().transactions, 0);
    // Without references between them each is a component of its own.
    let reply = client.post("/Bulk?atomicity=component", request).await;
    assert_eq!(reply.body["Operations"][17]["status"], "201");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_row_that_fails_for_another_writer_undoes_its_component() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let operations = [
        post("ada", "/Users", user("ada")),
        post("team", "/Groups", group("Team", &["bulkId:ada"])),
    ];
    let request = json!({"Operations": operations});
    stack.weather().reset();
    // The name is taken between the read and the commit: the first transaction
    // is not heard of, and when it is sent again the name is somebody else's.
    let silence = Fault::Silent { applied: false };
    stack.weather().inject("TransactWriteItems", 1, silence);
    let meanwhile = async {
        stack.weather().begun("TransactWriteItems").await;
        client.post("/Users", user("Ada")).await
    };
    let bulk = client.post("/Bulk?atomicity=component", request);
    let (bulk, single) = tokio::join!(bulk, meanwhile);
    assert_eq!(single.status, 201, "{}", single.body);
    insta::assert_json_snapshot!(rows(&bulk), @r#"
    [
      "409 User with userName `ada` already exists",
      "424 not carried out: with `atomicity=component` it falls with the operation with bulkId `ada`, which failed with status 409"
    ]
    "#);
    assert_eq!(client.get("/Users").await.body["totalResults"], 1, "`Ada`");
    assert_eq!(client.get("/Groups").await.body["totalResults"], 0);
    assert!(
        stack.weather().report().failed_conditions > 0,
        "it was tried"
    );
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_mode_that_does_not_exist_is_refused() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    let request = json!({"Operations": [post("ada", "/Users", user("ada"))]});
    for query in [
        "atomicity=all",
        "atomicity=",
        "atomicity=Request",
        "atomicity=request&atomicity=operation",
    ] {
        let reply = client
            .post(&format!("/Bulk?{query}"), request.clone())
            .await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.body["scimType"], "invalidValue");
    }
    assert_eq!(client.get("/Users").await.body["totalResults"], 0);
    stack.audit().await;
}
