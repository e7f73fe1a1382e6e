//! Filters, order and pages by index over a small directory, through the
//! gateway shape (RFC 7644 §3.4.2, §3.4.3). Cursors have `cursors.rs`, the
//! search over all types has `root.rs`.

use std::time::Duration;

use harness::{Client, Stack, encode, group, user};
use serde_json::json;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Ada, Ben and Cleo: Ada has everything, Cleo nothing.
async fn directory(client: &Client) -> [String; 3] {
    let mut ada = user("Ada");
    ada["externalId"] = json!("X-1");
    ada["title"] = json!("beta");
    ada["active"] = json!(true);
    ada["emails"] = json!([
        {"value": "ada@work", "type": "work"},
        {"value": "zoe@home", "type": "home", "primary": true},
    ]);
    ada[ENTERPRISE] = json!({"employeeNumber": "7"});
    let mut ben = user("ben");
    ben["title"] = json!("ALPHA");
    ben["active"] = json!(false);
    ben["emails"] =
        json!([{"value": "ben@work", "type": "work"}, {"value": "a@home", "type": "home"}]);
    [
        client.create("/Users", ada).await,
        client.create("/Users", ben).await,
        client.create("/Users", user("cleo")).await,
    ]
}

/// The names of a page in its order.
async fn names(client: &Client, query: &str) -> String {
    let reply = client.get(&format!("/Users?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    let resources = reply.body["Resources"].as_array().unwrap().iter();
    let names: Vec<&str> = resources
        .map(|one| one["userName"].as_str().unwrap())
        .collect();
    names.join(" ")
}

#[tokio::test(start_paused = true)]
async fn filters_select_what_they_say() {
    let stack = Stack::start().await;
    let client = stack.client();
    let [ada, _, cleo] = directory(&client).await;
    for (filter, expected) in [
        // Names and operators in any letter case, with and without URN.
        ("USERNAME EQ \"ada\"", "Ada"),
        (
            &*format!("{}:userName Sw \"B\"", CORE.to_uppercase()),
            "ben",
        ),
        (&format!("{ENTERPRISE}:employeeNumber eq \"7\""), "Ada"),
        (&format!("schemas eq \"{ENTERPRISE}\""), "Ada"),
        (&format!("not (schemas eq \"{ENTERPRISE}\")"), "ben cleo"),
        // Precedence: not, and, or.
        (
            "userName eq \"cleo\" or title pr and active eq true",
            "Ada cleo",
        ),
        (
            "(userName eq \"cleo\" or title pr) and active eq true",
            "Ada",
        ),
        ("not (title pr) or active eq false", "ben cleo"),
        // caseExact.
        ("title eq \"BETA\"", "Ada"),
        ("externalId eq \"x-1\"", ""),
        ("externalId eq \"X-1\"", "Ada"),
        // Values of one element, and of any.
        ("emails[type eq \"work\" and value co \"home\"]", ""),
        (
            "emails.type eq \"work\" and emails.value co \"home\"",
            "Ada ben",
        ),
        ("emails co \"zoe\"", "Ada"),
        ("emails[type eq \"work\"].value eq \"BEN@work\"", "ben"),
        ("emails[primary eq \"True\"]", "Ada"),
        // Absent values.
        ("title ne \"beta\"", "ben cleo"),
        ("not (title eq \"beta\")", "ben cleo"),
        ("title eq null", "cleo"),
        ("emails pr", "Ada ben"),
        ("title gt \"alpha\"", "Ada"),
        ("title le \"alpha\"", "ben"),
        // Time, whatever the offset.
        (
            "meta.created ge \"2026-01-01T01:00:00+01:00\"",
            "Ada ben cleo",
        ),
        ("meta.lastModified gt \"2026-01-02T00:00:00Z\"", ""),
        ("meta.resourceType eq \"User\"", "Ada ben cleo"),
        (&format!("id eq \"{cleo}\" or id eq \"{ada}\""), "Ada cleo"),
        (&format!("id eq \"{}\"", ada.to_uppercase()), ""),
    ] {
        let query = format!("filter={}&sortBy=userName", encode(filter));
        assert_eq!(names(&client, &query).await, expected, "{filter}");
        // What is shown does not matter for what is found.
        let shown = client.get(&format!("/Users?{query}&attributes=id")).await;
        let found = expected.split_whitespace().count();
        assert_eq!(shown.body["totalResults"], found, "{filter}");
    }
    stack.audit().await;
}

/// A filter that cannot be is never a list of everybody.
#[tokio::test(start_paused = true)]
async fn a_filter_that_means_nothing_is_refused() {
    let stack = Stack::start().await;
    let client = stack.client();
    directory(&client).await;
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName eq ada",
        "userName like \"ada\"",
        "shoeSize eq 9",
        "name.shoe eq \"x\"",
        "urn:example:nobody:userName eq \"ada\"",
        "active gt true",
        "active co \"r\"",
        "meta.created co \"2026\"",
        "userName eq 5",
        "userName eq \"ada\" title pr",
        "(userName pr",
        "userName pr)",
        "not userName pr",
        "emails[type eq \"work\"",
        "emails[emails[type pr]]",
        "password eq \"x\"",
    ] {
        for reply in [
            client
                .get(&format!("/Users?filter={}", encode(filter)))
                .await,
            client
                .post("/Users/.search", json!({"filter": filter}))
                .await,
        ] {
            let told = (reply.status, &reply.body["scimType"]);
            assert_eq!(told, (400, &json!("invalidFilter")), "{filter}");
        }
    }
}

/// RFC 7644 §3.4.2.3: what is missing comes last, and first in descending
/// order; the primary value counts, else the first; letter case as the schema
/// says.
#[tokio::test(start_paused = true)]
async fn lists_come_in_the_order_asked_for() {
    let stack = Stack::start().await;
    let client = stack.client();
    directory(&client).await;
    for (query, expected) in [
        ("sortBy=userName", "Ada ben cleo"),
        ("sortBy=USERNAME&sortOrder=Descending", "cleo ben Ada"),
        ("sortBy=title", "ben Ada cleo"),
        ("sortBy=title&sortOrder=ascending", "ben Ada cleo"),
        ("sortBy=title&sortOrder=descending", "cleo Ada ben"),
        ("sortBy=emails", "ben Ada cleo"),
        ("sortBy=emails.value&sortOrder=descending", "cleo Ada ben"),
        ("sortBy=meta.created", "Ada ben cleo"),
        ("sortBy=userName&startIndex=2&count=1", "ben"),
        (
            "sortBy=title&filter=active%20pr&sortOrder=descending",
            "Ada ben",
        ),
    ] {
        assert_eq!(names(&client, query).await, expected, "{query}");
    }
    for wrong in ["sortBy=shoeSize", "sortBy=userName&sortOrder=up"] {
        let reply = client.get(&format!("/Users?{wrong}")).await;
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (400, &json!("invalidValue")), "{wrong}");
    }
}

/// RFC 7644 §3.4.2.4, the same with a filter and without.
#[tokio::test(start_paused = true)]
async fn pages_by_index_take_any_number() {
    let stack = Stack::builder().variable("MAX_RESULTS", "2").start().await;
    let client = stack.client();
    directory(&client).await;
    for filter in ["", "&filter=userName%20pr", "&sortBy=userName"] {
        for (page, start, shown) in [
            ("count=2", 1, 2),
            ("count=9", 1, 2),
            ("startIndex=0&count=1", 1, 1),
            ("startIndex=-5&count=1", 1, 1),
            ("startIndex=3", 3, 1),
            ("startIndex=4", 4, 0),
            ("startIndex=99999999999999999999", 0, 0),
            ("count=0", 1, 0),
            ("count=-3", 1, 0),
            ("Count=1&STARTINDEX=2", 2, 1),
            ("count=1&unknown=x", 1, 1),
        ] {
            let reply = client.get(&format!("/Users?{page}{filter}")).await;
            assert_eq!(reply.status, 200, "{page}{filter}: {}", reply.body);
            let body = &reply.body;
            assert_eq!(
                body["schemas"],
                json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
            );
            assert_eq!(body["totalResults"], 3, "{page}{filter}");
            assert_eq!(body["itemsPerPage"], shown, "{page}{filter}");
            assert_eq!(body["Resources"].as_array().unwrap().len(), shown);
            if start > 0 {
                assert_eq!(body["startIndex"], start, "{page}{filter}");
            }
        }
        for wrong in ["count=ten", "startIndex=1.5", "count="] {
            let reply = client.get(&format!("/Users?{wrong}{filter}")).await;
            let told = (reply.status, &reply.body["scimType"]);
            assert_eq!(told, (400, &json!("invalidValue")), "{wrong}");
        }
    }
}

/// RFC 7644 §3.4.3: a search by POST is the same list, with 200, and its
/// attributes are arrays.
#[tokio::test(start_paused = true)]
async fn a_search_by_post_is_the_same_list() {
    let stack = Stack::start().await;
    let client = stack.client();
    directory(&client).await;
    client.create("/Groups", group("Crew", &[])).await;
    let query = "filter=emails%20pr&sortBy=userName&sortOrder=descending&startIndex=2&count=1\
                 &attributes=userName,emails.type";
    let got = client.get(&format!("/Users?{query}")).await;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "emails pr",
        "sortBy": "userName",
        "sortOrder": "descending",
        "startIndex": 2,
        "count": 1,
        "attributes": ["userName", "emails.type"],
    });
    let searched = client.post("/Users/.search", body).await;
    assert_eq!((searched.status, &searched.body), (200, &got.body));
    assert_eq!(
        searched.body["Resources"][0]["emails"],
        json!([{"type": "work"}, {"type": "home"}])
    );
    for (wrong, keyword) in [
        (json!({"attributes": "userName"}), "invalidValue"),
        (json!({"count": "1"}), "invalidValue"),
        (
            json!({"attributes": ["userName"], "excludedAttributes": ["name"]}),
            "invalidValue",
        ),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}),
            "invalidSyntax",
        ),
        (json!([]), "invalidSyntax"),
    ] {
        for path in ["/Users/.search", "/Groups/.search", "/.search"] {
            let reply = client.post(path, wrong.clone()).await;
            let told = (reply.status, &reply.body["scimType"]);
            assert_eq!(told, (400, &json!(keyword)), "{path} {wrong}");
        }
    }
}

/// What Entra ID and Okta ask before they create somebody.
#[tokio::test(start_paused = true)]
async fn the_questions_of_connectors_are_answered() {
    let stack = Stack::start().await;
    let client = stack.client();
    let [ada, ben, _] = directory(&client).await;
    let manager = harness::patch(&[json!({"op": "add", "path": "manager", "value": ada})]);
    let reply = client.patch(&format!("/Users/{ben}"), manager).await;
    assert_eq!(reply.status, 200);
    let crew = client.create("/Groups", group("Crew", &[&ada])).await;
    for (target, filter, found) in [
        (
            "/Users?startIndex=1&count=100&",
            "userName eq \"ada\"".to_owned(),
            1,
        ),
        (
            "/Users?",
            "userName eq \"3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11\"".to_owned(),
            0,
        ),
        ("/Users?", "externalId eq \"X-1\"".to_owned(), 1),
        (
            "/Users?",
            "emails[type eq \"work\"].value eq \"ada@work\"".to_owned(),
            1,
        ),
        (
            "/Users?attributes=id&",
            format!("id eq \"{ben}\" and manager eq \"{ada}\""),
            1,
        ),
        (
            "/Users?attributes=id&",
            format!("id eq \"{ada}\" and manager eq \"{ben}\""),
            0,
        ),
        (
            "/Groups?excludedAttributes=members&",
            "displayName eq \"crew\"".to_owned(),
            1,
        ),
        (
            "/Groups?attributes=id&",
            format!("id eq \"{crew}\" and members eq \"{ada}\""),
            1,
        ),
        (
            "/Groups?attributes=id&",
            format!("id eq \"{crew}\" and members eq \"{ben}\""),
            0,
        ),
    ] {
        let reply = client
            .get(&format!("{target}filter={}", encode(&filter)))
            .await;
        assert_eq!(reply.status, 200, "{filter}: {}", reply.body);
        assert_eq!(reply.body["totalResults"], found, "{filter}");
        let resources = reply.body["Resources"].as_array().unwrap();
        assert_eq!(resources.len(), found, "{filter}");
        assert!(resources.iter().all(|one| one.get("members").is_none()));
    }
    assert_eq!(
        client.get("/Users").await.body["Resources"],
        client.get("/Users").await.body["Resources"],
        "an order that stays"
    );
    stack.audit().await;
}

/// RFC 7644 §3.12, `tooMany`: a search that cannot be finished is refused, not
/// cut short.
#[tokio::test(start_paused = true)]
async fn a_search_that_would_take_too_long_is_refused_and_never_cut_short() {
    let stack = Stack::builder()
        .remaining(Duration::from_millis(2_500))
        .start()
        .await;
    let client = stack.client();
    directory(&client).await;
    let slow = Duration::from_millis(600);
    let query = "/Users?filter=title%20pr";
    assert_eq!(client.get(query).await.body["totalResults"], 2);
    stack
        .weather()
        .change(|settings| settings.call = slow..=slow);
    let refused = client.get(query).await;
    let told = (refused.status, &refused.body["scimType"]);
    assert_eq!(told, (400, &json!("tooMany")));
    stack.audit().await;
}

/// RFC 9865 §2: no way back is offered, and a negative number is none.
#[tokio::test(start_paused = true)]
async fn a_page_by_cursor_leads_forward_only() {
    let stack = Stack::start().await;
    let client = stack.client();
    directory(&client).await;
    let first = client.get("/Users?cursor&count=2").await.body;
    let next = first["nextCursor"].as_str().unwrap();
    let last = client
        .get(&format!("/Users?cursor={next}&count=2"))
        .await
        .body;
    for (page, shown, more) in [(&first, 2, true), (&last, 1, false)] {
        assert_eq!(page["Resources"].as_array().unwrap().len(), shown);
        assert_eq!(page["itemsPerPage"], shown);
        assert_eq!(page["totalResults"], 3);
        assert_eq!(page.get("nextCursor").is_some(), more);
        assert!(page.get("previousCursor").is_none());
        assert!(page.get("startIndex").is_none());
    }
    let none = client.get("/Users?cursor&count=-1").await;
    assert_eq!((none.status, &none.body["itemsPerPage"]), (200, &json!(0)));
    for wrong in ["cursor&startIndex=1", "cursor=&startIndex=2&count=1"] {
        let reply = client.get(&format!("/Users?{wrong}")).await;
        let told = (reply.status, &reply.body["scimType"]);
        assert_eq!(told, (400, &json!("invalidValue")), "{wrong}");
    }
}
