//! The search over all resource types (RFC 7644 §3.4.2.1, §3.4.3).

use harness::{Client, Stack, encode, group, user};
use serde_json::{Value, json};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// Three users, two of whom are in the first of two groups. A user has the name
/// of a group.
async fn directory(client: &Client) {
    let mut ids = Vec::new();
    for name in ["ada", "ben", "cleo"] {
        let mut body = user(name);
        body["displayName"] = json!(format!("{name} of Staff"));
        body["externalId"] = json!("7");
        ids.push(client.create("/Users", body).await);
    }
    let staff = [ids[0].as_str(), ids[1].as_str()];
    client.create("/Groups", group("Staff", &staff)).await;
    client.create("/Groups", group("Tours", &[])).await;
}

/// What a filter finds: names in the order of the answer, then `totalResults`.
async fn found(client: &Client, query: &str) -> String {
    let reply = client.get(query).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let names = reply.body["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = one.get("userName").unwrap_or(&one["displayName"]);
            name.as_str().unwrap().to_owned()
        });
    let names: Vec<String> = names.collect();
    format!("{} of {}", names.join(" "), reply.body["totalResults"])
}

fn filtered(filter: &str) -> String {
    format!("?filter={}&sortBy=displayName", encode(filter))
}

#[tokio::test(start_paused = true)]
async fn an_attribute_of_another_type_has_no_value() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    directory(&client).await;
    let users = "urn:ietf:params:scim:schemas:core:2.0:User";
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for (filter, expected) in [
        ("displayName co \"staff\"", "ada ben cleo Staff of 4"),
        ("displayName eq \"staff\"", "Staff of 1"),
        ("userName eq \"ADA\"", "ada of 1"),
        ("userName ne \"ada\"", "ben cleo Staff Tours of 4"),
        ("not (userName eq \"ada\")", "ben cleo Staff Tours of 4"),
        ("userName pr", "ada ben cleo of 3"),
        ("not (userName pr)", "Staff Tours of 2"),
        ("members pr", "Staff of 1"),
        ("not (members[value pr])", "ada ben cleo Tours of 4"),
        ("groups.display eq \"Staff\"", "ada ben of 2"),
        (
            "externalId eq \"7\" or members pr",
            "ada ben cleo Staff of 4",
        ),
        ("meta.resourceType eq \"User\"", "ada ben cleo of 3"),
        ("meta.resourceType eq \"Device\"", " of 0"),
        ("not (meta.resourceType eq \"User\")", "Staff Tours of 2"),
        (&format!("schemas eq \"{users}\""), "ada ben cleo of 3"),
        (
            &format!("{users}:displayName co \"s\""),
            "ada ben cleo of 3",
        ),
        (&format!("{enterprise}:manager.value pr"), " of 0"),
        (
            &format!("not ({enterprise} pr) and members pr"),
            "Staff of 1",
        ),
    ] {
        assert_eq!(
            found(&client, &filtered(filter)).await,
            expected,
            "{filter}"
        );
    }
    for filter in ["shoeSize eq 1", "", "members eq", "urn:x:y pr"] {
        let refused = client.get(&filtered(filter)).await;
        let told = (refused.status, &refused.body["scimType"]);
        assert_eq!(told, (400, &json!("invalidFilter")), "{filter}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_go_through_one_type_after_the_other() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    directory(&client).await;
    for filter in ["", "&filter=id%20pr"] {
        let mut seen: Vec<(String, String)> = Vec::new();
        for start in 1..=5 {
            let page = client
                .get(&format!("?startIndex={start}&count=1{filter}"))
                .await;
            assert_eq!(page.body["totalResults"], 5);
            assert_eq!(page.body["itemsPerPage"], 1);
            let one = &page.body["Resources"][0];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            seen.push((text(&one["meta"]["resourceType"]), text(&one["id"])));
        }
        let types: Vec<&str> = seen.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(
            types,
            ["Group", "Group", "User", "User", "User"],
            "{filter}"
        );
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5, "each is shown once");
        let beyond = client.get(&format!("?startIndex=6{filter}")).await;
        assert_eq!(beyond.body["Resources"], json!([]));
        assert_eq!(beyond.body["totalResults"], 5);
    }
    let all = client.get("?count=9&attributes=members").await;
    let shown = all.body["Resources"].as_array().unwrap();
    let members = shown.iter().filter(|one| one.get("members").is_some());
    assert_eq!((shown.len(), members.count()), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_token_may_not_read_is_not_there() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    directory(&client).await;
    let body = || json!({"schemas": [SEARCH], "filter": "displayName co \"s\""});
    for (scopes, status, total) in [
        (&["scim.users.read"][..], 200, json!(3)),
        (&["scim.groups.read"], 200, json!(2)),
        (&["scim.users.read", "scim.groups.read"], 200, json!(5)),
        (&["scim.bulk", "scim.users.write"], 403, Value::Null),
        (&[], 403, Value::Null),
    ] {
        let client = client.with_scopes(scopes);
        let reply = client.post("/.search", body()).await;
        assert_eq!(
            (reply.status, &reply.body["totalResults"]),
            (status, &total)
        );
        assert_eq!(client.get("").await.status, status);
    }
    let other = client.tenant("other").post("/.search", body()).await;
    assert_eq!(other.body["totalResults"], 0);
    assert_eq!(
        client.anonymous().post("/.search", body()).await.status,
        401
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_with_a_lookup_is_found_by_it_among_all_types() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    directory(&client).await;
    stack.weather().reset();
    let query = format!("?filter={}", encode("userName eq \"ben\""));
    assert_eq!(found(&client, &query).await, "ben of 1");
    let report = stack.weather().report();
    // The lookup, the user, and for her groups header and membership.
    assert!(report.total_calls() <= 5, "{report:?}");
}
