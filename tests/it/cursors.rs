//! Paging by cursor (RFC 9865).

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{Client, Stack, encode, group, user};
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    let resources = page["Resources"].as_array().unwrap().iter();
    let ids = resources.map(|one| one["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn users(client: &Client, names: &str, number: usize) -> Vec<String> {
    let mut made = Vec::new();
    for n in 0..number {
        let mut body = user(&format!("{names}{n}"));
        body["title"] = json!(names);
        made.push(client.create("/Users", body).await);
    }
    made
}

/// The first page of a list of users and its cursor.
async fn begin(client: &Client, query: &str) -> String {
    let page = client.get(&format!("/Users?cursor&{query}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page.body["nextCursor"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_walk_shows_once_whatever_was_there_throughout() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let lasting: BTreeSet<String> = users(&client, "lasting", 25).await.into_iter().collect();
    for (round, filter) in ["", "&filter=title%20pr"].into_iter().enumerate() {
        let mut fleeting = users(&client, &format!("fleeting{round}-"), 12).await;
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let path = format!("/Users?count=4&cursor={cursor}{filter}&attributes=userName");
            let page = client.get(&path).await.body;
            assert!(page.get("startIndex").is_none());
            let shown = ids(&page);
            assert_eq!(page["itemsPerPage"], shown.len());
            assert_eq!(page.get("totalResults").is_some(), filter.is_empty());
            seen.extend(shown);
            pages += 1;
            users(&client, &format!("late{round}-{pages}-"), 1).await;
            if let Some(id) = fleeting.pop() {
                assert_eq!(client.delete(&format!("/Users/{id}")).await.status, 204);
            }
            let Some(next) = page.get("nextCursor") else {
                break;
            };
            cursor = next.as_str().unwrap().to_owned();
            let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
            assert!(cursor.chars().all(unreserved), "{cursor}");
        }
        assert!(pages > 6);
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "nothing is shown twice");
        assert!(once.is_superset(&lasting), "nothing is left out");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_serves_its_caller_and_its_request_alone() {
    let stack = Stack::seeded(2).await;
    let client = stack.client();
    users(&client, "a", 6).await;
    let query = "count=2&filter=title%20pr&attributes=userName";
    let cursor = begin(&client, query).await;
    let go = format!("/Users?cursor={cursor}");
    assert_eq!(client.get(&format!("{go}&{query}")).await.status, 200);
    let first = if cursor.starts_with('A') { "B" } else { "A" };
    let forged = format!("/Users?cursor={first}{}&{query}", &cursor[1..]);
    let other = client.with_claim("client_id", json!("other"));
    let subject = client.with_claim("sub", json!("other"));
    let tenant = client.tenant("other");
    for (case, client, path) in [
        ("forged", &client, forged),
        (
            "truncated",
            &client,
            format!("/Users?cursor={}&{query}", &cursor[..60]),
        ),
        ("short", &client, format!("/Users?cursor=AQ&{query}")),
        (
            "longer",
            &client,
            format!("/Users?cursor={cursor}AAAA&{query}"),
        ),
        (
            "padded",
            &client,
            format!("/Users?cursor={cursor}=&{query}"),
        ),
        (
            "no cursor",
            &client,
            format!("/Users?cursor=%F0%9F%92%A9&{query}"),
        ),
        ("a number", &client, format!("/Users?cursor=3&{query}")),
        ("tenant", &tenant, format!("{go}&{query}")),
        ("client", &other, format!("{go}&{query}")),
        ("subject", &subject, format!("{go}&{query}")),
        (
            "filter",
            &client,
            format!("{go}&count=2&filter=id%20pr&attributes=userName"),
        ),
        (
            "no filter",
            &client,
            format!("{go}&count=2&attributes=userName"),
        ),
        (
            "attributes",
            &client,
            format!("{go}&count=2&filter=title%20pr"),
        ),
        (
            "endpoint",
            &client,
            format!("/Groups?cursor={cursor}&count=2&filter=id%20pr"),
        ),
    ] {
        let reply = client.get(&path).await;
        let told = (reply.status, &reply.body["scimType"], &reply.body["detail"]);
        let expected = (
            json!("invalidCursor"),
            json!("`cursor` was not given for this request"),
        );
        assert_eq!(told, (400, &expected.0, &expected.1), "{case}");
    }
    for (path, expected) in [
        (
            format!("{go}&{}", query.replace("count=2", "count=3")),
            "invalidCount",
        ),
        ("/Users?cursor&count=201".to_owned(), "invalidCount"),
        (format!("{go}&{query}&startIndex=1"), "invalidValue"),
        ("/Users?cursor&sortBy=userName".to_owned(), "invalidValue"),
    ] {
        let reply = client.get(&path).await;
        assert_eq!(
            (reply.status, &reply.body["scimType"]),
            (400, &json!(expected)),
            "{path}"
        );
    }
    let unread = client.with_scopes(&["scim.users.write"]);
    assert_eq!(unread.get(&format!("{go}&{query}")).await.status, 403);
    tokio::time::advance(Duration::from_secs(3_590)).await;
    assert_eq!(client.get(&format!("{go}&{query}")).await.status, 200);
    tokio::time::advance(Duration::from_secs(20)).await;
    let late = client.get(&format!("{go}&{query}")).await;
    assert_eq!(
        (late.status, &late.body["scimType"]),
        (400, &json!("expiredCursor"))
    );
}

/// All execution environments seal with one secret: that of the first.
#[tokio::test(start_paused = true)]
async fn a_cursor_is_good_in_every_environment() {
    let stack = Stack::seeded(5).await;
    let candidates = [[1; 32], [2; 32], [3; 32]];
    let mut agreed = Vec::new();
    let first = stack.provider().store.cursor_secret(candidates[0]).await;
    agreed.push(first.unwrap());
    let mut environments = vec![stack];
    for candidate in &candidates[1..] {
        let next = environments.last().unwrap().successor();
        let secret = next.provider().store.cursor_secret(*candidate).await;
        agreed.push(secret.unwrap());
        environments.push(next);
    }
    assert_eq!(agreed, vec![candidates[0].to_vec(); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_search_takes_a_cursor_across_types_and_lookups() {
    let stack = Stack::seeded(3).await;
    let client = stack.client();
    users(&client, "a", 5).await;
    for n in 0..4 {
        client.create("/Groups", group(&format!("g{n}"), &[])).await;
    }
    for (path, filter, total, expected) in [
        ("/.search", Value::Null, json!(9), 9),
        ("/.search", json!("meta.created pr"), Value::Null, 9),
        ("/.search", json!("userName eq \"A3\""), json!(1), 1),
        ("/.search", json!("userName pr"), Value::Null, 5),
        (
            "/Groups/.search",
            json!("displayName eq \"g1\""),
            json!(1),
            1,
        ),
        (
            "/Groups/.search",
            json!("displayName eq \"none\""),
            json!(0),
            0,
        ),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), json!(""));
        loop {
            let body = json!({"filter": filter, "count": 2, "cursor": cursor});
            let page = client.post(path, body).await;
            assert_eq!(page.status, 200, "{}", page.body);
            assert_eq!(page.body["totalResults"], total, "{filter}");
            seen.extend(ids(&page.body));
            match page.body.get("nextCursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((once.len(), seen.len()), (expected, expected), "{filter}");
    }
    let nothing = client.get("/Users?cursor&count=0").await.body;
    assert_eq!(nothing["totalResults"], 5);
    assert!(nothing.get("nextCursor").is_none() && ids(&nothing).is_empty());
    let query = format!("/Users?filter={}&count=2", encode("title pr"));
    assert_eq!(
        client.get(&query).await.body["startIndex"],
        1,
        "index by default"
    );
}

/// A page over a sparse filter ends when half of its time is over, and the walk
/// goes on from there.
#[tokio::test(start_paused = true)]
async fn a_page_that_takes_long_is_short_and_the_walk_goes_on() {
    let stack = Stack::seeded(4).await;
    let client = stack.client();
    let all = users(&client, "a", 30).await;
    let last = all.iter().max().unwrap();
    let pause = Duration::from_secs(1);
    stack
        .weather()
        .change(|settings| settings.call = pause..=pause);
    let filter = encode(&format!("id ge \"{last}\""));
    let (mut seen, mut cursor, mut empty) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("/Users?cursor={cursor}&count=1&filter={filter}");
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let shown = ids(&page.body);
        empty += usize::from(shown.is_empty());
        seen.extend(shown);
        match page.body.get("nextCursor") {
            Some(next) => cursor = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, std::slice::from_ref(last));
    assert!(empty > 0, "a page ended before its match");
}
