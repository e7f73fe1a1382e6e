//! What things cost, as counts: calls, units, depth. The figures stand in
//! `docs/table.md`, and those of bulk requests in `docs/bulk.md`.

use harness::weather::Report;
use harness::{Client, Reply, Stack, group, id_of, patch, post, user};
use serde_json::{Value, json};

/// What a request costs.
async fn cost<T>(stack: &Stack, request: impl Future<Output = T>) -> (T, Report) {
    stack.weather().reset();
    let reply = request.await;
    (reply, stack.weather().report())
}

/// A group of this many members, and a user who is not in it.
async fn crew(client: &Client, size: usize) -> (String, String) {
    let crew = client
        .create("/Groups", group(&format!("Crew of {size}"), &[]))
        .await;
    for chunk in (0..size).collect::<Vec<_>>().chunks(40) {
        let mut operations: Vec<Value> = chunk
            .iter()
            .map(|n| post(&n.to_string(), "/Users", user(&format!("m{size}-{n}"))))
            .collect();
        let members: Vec<Value> = chunk
            .iter()
            .map(|n| json!({"value": format!("bulkId:{n}")}))
            .collect();
        let add = patch(&[json!({"op": "add", "path": "members", "value": members})]);
        operations.push(json!({"method": "PATCH", "path": format!("/Groups/{crew}"), "data": add}));
        let reply = client.bulk(&operations).await;
        let last = reply.rows().last().unwrap();
        assert_eq!(last["status"], "204", "{last}");
    }
    let newcomer = client
        .create("/Users", user(&format!("newcomer{size}")))
        .await;
    (crew, newcomer)
}

/// Invariant 6.
#[tokio::test(start_paused = true)]
async fn adding_and_removing_a_member_costs_the_same_in_any_group() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let mut costs = Vec::new();
    for size in [2, 20, 200] {
        let (crew, newcomer) = crew(&client, size).await;
        let path = format!("/Groups/{crew}");
        let add = patch(&[json!({"op": "add", "path": "members", "value": [{"value": newcomer}]})]);
        let remove =
            patch(&[json!({"op": "remove", "path": format!("members[value eq \"{newcomer}\"]")})]);
        let (added, adding) = cost(&stack, client.patch(&path, add)).await;
        let (removed, removing) = cost(&stack, client.patch(&path, remove)).await;
        assert_eq!((added.status, removed.status), (204, 204));
        let (header, reading) = cost(
            &stack,
            client.get(&format!("{path}?excludedAttributes=members")),
        )
        .await;
        assert_eq!(header.status, 200);
        costs.push(
            [adding, removing, reading]
                .map(|report| (report.total_calls(), report.write_units, report.read_units)),
        );
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[1], costs[2]);
}

#[tokio::test(start_paused = true)]
async fn a_minimal_user_costs_two_calls_and_six_write_units() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    let (created, report) = cost(&stack, client.post("/Users", user("minimal"))).await;
    assert_eq!(created.status, 201);
    assert_eq!((report.total_calls(), report.write_units), (2, 6.0));
    let mut rich = user("rich");
    rich["externalId"] = json!("701984");
    rich["emails"] = json!([{"value": "rich@example.com", "type": "work"}]);
    let (created, report) = cost(&stack, client.post("/Users", rich)).await;
    assert_eq!(created.status, 201);
    assert_eq!((report.total_calls(), report.write_units), (2, 10.0));
}

#[tokio::test(start_paused = true)]
async fn a_lookup_answers_a_filter_in_a_constant_number_of_calls() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    let mut costs = Vec::new();
    for round in 0..3 {
        for n in 0..15 {
            let mut body = user(&format!("user{round}-{n}"));
            body["externalId"] = json!(format!("ext{round}-{n}"));
            body["emails"] = json!([{"value": format!("mail{round}-{n}@example.com")}]);
            client.create("/Users", body).await;
        }
        let mut round_costs = Vec::new();
        for filter in [
            format!("userName eq \"USER{round}-3\""),
            format!("externalId eq \"ext{round}-3\""),
            format!("emails.value eq \"mail{round}-3@example.com\""),
            "userName eq \"nobody\"".to_owned(),
        ] {
            let path = format!("/Users?filter={}", harness::encode(&filter));
            let (found, report) = cost(&stack, client.get(&path)).await;
            let expected = u64::from(!filter.contains("nobody"));
            assert_eq!(found.body["totalResults"], expected, "{filter}");
            round_costs.push((report.total_calls(), report.read_units));
        }
        costs.push(round_costs);
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[1], costs[2]);
}

fn create(n: usize) -> Value {
    post(&n.to_string(), "/Users", user(&format!("u{n}")))
}

fn all(reply: &Reply, status: &str) -> bool {
    reply.statuses().into_iter().all(|told| told == status)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_users_take_two_dozen_transactions_side_by_side() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let operations: Vec<Value> = (0..1000).map(create).collect();
    let (reply, report) = cost(&stack, client.bulk(&operations)).await;
    assert!(all(&reply, "201"));
    assert_eq!(report.conflicts, 0);
    assert!(report.transactions <= 23, "{}", report.transactions);
    assert!(report.write_units <= 4_200.0, "{}", report.write_units);
    assert!(report.depth <= 4, "{}", report.depth);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_users_with_two_more_lookups_take_four_dozen_transactions() {
    let stack = Stack::seeded(5).await;
    let client = stack.client();
    let rich = |n: usize| {
        let mut operation = create(n);
        operation["data"]["externalId"] = json!(n.to_string());
        operation["data"]["emails"] = json!([{"value": format!("u{n}@example.com")}]);
        operation
    };
    let operations: Vec<Value> = (0..1000).map(rich).collect();
    let (reply, report) = cost(&stack, client.bulk(&operations)).await;
    assert!(all(&reply, "201"));
    assert_eq!(report.conflicts, 0);
    assert!(report.transactions <= 44, "{}", report.transactions);
    assert!(report.depth <= 4, "{}", report.depth);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_rows_on_one_group_are_folded() {
    let stack = Stack::seeded(6).await;
    let client = stack.client();
    let operations: Vec<Value> = (0..500).map(create).collect();
    let created = client.bulk(&operations).await;
    let crew = client.create("/Groups", group("Crew", &[])).await;
    let rows = created.rows().iter();
    let operations: Vec<Value> = rows
        .map(|row| {
            let add = json!({"op": "add", "path": "members", "value": [{"value": id_of(row)}]});
            json!({"method": "PATCH", "path": format!("/Groups/{crew}"), "data": patch(&[add])})
        })
        .collect();
    let (reply, report) = cost(&stack, client.bulk(&operations)).await;
    assert!(all(&reply, "204"));
    assert_eq!(report.conflicts, 0);
    assert!(report.transactions <= 13, "{}", report.transactions);
    let versions: Vec<&Value> = reply.rows().iter().map(|row| &row["version"]).collect();
    assert_eq!(
        (versions[0], versions[499]),
        (&json!("W/\"2\""), &json!("W/\"501\""))
    );
    let members = client.get(&format!("/Groups/{crew}")).await;
    assert_eq!(members.body["members"].as_array().unwrap().len(), 500);
    assert_eq!(members.body["meta"]["version"], "W/\"501\"");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn groups_before_their_users_cost_no_more_than_their_actions() {
    let stack = Stack::seeded(7).await;
    let client = stack.client();
    let mut operations: Vec<Value> = (0..20)
        .map(|g| {
            let members: Vec<String> = (0..10).map(|m| format!("bulkId:{}", g * 10 + m)).collect();
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            post(
                &format!("g{g}"),
                "/Groups",
                group(&format!("G{g}"), &members),
            )
        })
        .collect();
    operations.extend((0..200).map(create));
    let (reply, report) = cost(&stack, client.bulk(&operations)).await;
    assert!(all(&reply, "201"));
    assert_eq!(report.conflicts, 0);
    let least = report.actions.div_ceil(99);
    assert!(
        report.transactions * 10 <= least * 12,
        "{} for {}",
        report.transactions,
        report.actions
    );
    // No group waits for the users of another.
    assert!(report.depth <= 3, "{}", report.depth);
    stack.audit().await;
}

/// What most access patterns of `docs/table.md` come to on a directory of seven
/// users. What that page says was measured is compared with it in `patterns.rs`.
#[tokio::test(start_paused = true)]
async fn the_calls_and_units_of_access_patterns_are_counted() {
    let stack = Stack::seeded(8).await;
    let client = stack.client();
    let ada = client.create("/Users", user("ada")).await;
    let crew = client.create("/Groups", group("Crew", &[&ada])).await;
    for n in 0..3 {
        let other = client.create("/Users", user(&format!("other{n}"))).await;
        let add = patch(&[json!({"op": "add", "path": "members", "value": [{"value": other}]})]);
        client.patch(&format!("/Groups/{crew}"), add).await;
    }
    let loner = client.create("/Users", user("loner")).await;
    let newcomers = [
        client.create("/Users", user("new1")).await,
        client.create("/Users", user("new2")).await,
    ];
    let values: Vec<Value> = newcomers.iter().map(|id| json!({"value": id})).collect();
    let by_name = |name: &str| {
        format!(
            "/Users?filter={}",
            harness::encode(&format!("userName eq \"{name}\""))
        )
    };
    let group_path = format!("/Groups/{crew}");
    let rename = patch(&[json!({"op": "replace", "path": "title", "value": "x"})]);
    let requests = [
        (
            "read a user in no group",
            "GET",
            format!("/Users/{loner}"),
            None,
        ),
        (
            "read a user in 1 group",
            "GET",
            format!("/Users/{ada}"),
            None,
        ),
        ("read a group of 4 members", "GET", group_path.clone(), None),
        ("eq with a match", "GET", by_name("loner"), None),
        ("eq without a match", "GET", by_name("nobody"), None),
        (
            "id eq",
            "GET",
            format!(
                "/Users?filter={}",
                harness::encode(&format!("id eq \"{loner}\""))
            ),
            None,
        ),
        ("totalResults", "GET", "/Users?count=0".to_owned(), None),
        (
            "a page",
            "GET",
            "/Users?count=5&attributes=userName".to_owned(),
            None,
        ),
        (
            "another filter",
            "GET",
            format!(
                "/Users?filter={}&attributes=userName",
                harness::encode("title pr")
            ),
            None,
        ),
        (
            "change a user",
            "PATCH",
            format!("/Users/{loner}?attributes=title"),
            Some(rename),
        ),
        (
            "add 2 members",
            "PATCH",
            group_path.clone(),
            Some(patch(&[
                json!({"op": "add", "path": "members", "value": values}),
            ])),
        ),
        (
            "add 2 members who are in it",
            "PATCH",
            group_path.clone(),
            Some(patch(&[
                json!({"op": "add", "path": "members", "value": values}),
            ])),
        ),
        (
            "remove 2 members",
            "PATCH",
            group_path.clone(),
            Some(patch(&[
                json!({"op": "remove", "path": "members", "value": values}),
            ])),
        ),
        (
            "remove 2 members who were in it",
            "PATCH",
            group_path,
            Some(patch(&[
                json!({"op": "remove", "path": "members", "value": values}),
            ])),
        ),
        (
            "delete a user in 1 group",
            "DELETE",
            format!("/Users/{ada}"),
            None,
        ),
    ];
    let mut table = Vec::new();
    for (name, method, path, body) in requests {
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let (reply, report) = cost(&stack, client.send(method, &path, body)).await;
        assert!(reply.status < 300, "{name}: {}", reply.body);
        let (calls, read, write) = (report.total_calls(), report.read_units, report.write_units);
        table.push(format!(
            "{name}: {calls} calls, {read} read, {write} written"
        ));
    }
    insta::assert_snapshot!(table.join("\n"), @"
    read a user in no group: 1 calls, 1 read, 0 written
    read a user in 1 group: 3 calls, 3 read, 0 written
    read a group of 4 members: 2 calls, 2 read, 0 written
    eq with a match: 2 calls, 2 read, 0 written
    eq without a match: 1 calls, 1 read, 0 written
    id eq: 1 calls, 1 read, 0 written
    totalResults: 1 calls, 1 read, 0 written
    a page: 14 calls, 13 read, 1 written
    another filter: 16 calls, 16 read, 0 written
    change a user: 2 calls, 1 read, 2 written
    add 2 members: 4 calls, 9 read, 10 written
    add 2 members who are in it: 3 calls, 3 read, 6 written
    remove 2 members: 4 calls, 5 read, 10 written
    remove 2 members who were in it: 3 calls, 3 read, 6 written
    delete a user in 1 group: 5 calls, 4 read, 10 written
    ");
    stack.audit().await;
}
