//! Paths and query strings.

use harness::{Stack, user};

use super::{ABSENT, case, check};

#[tokio::test(start_paused = true)]
async fn paths_that_lead_nowhere() {
    const NONE: (u16, &str) = (404, "");
    const METHOD: (u16, &str) = (405, "");
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    let get = |name, target: &str| case(name, "GET", target, "", NONE);
    let cases = vec![
        get("an id that nobody has", &format!("/Users/{ABSENT}")),
        get(
            "the id in upper case",
            &format!("/Users/{}", id.to_uppercase()),
        ),
        get(
            "the id without hyphens",
            &format!("/Users/{}", id.replace('-', "")),
        ),
        get("the id in braces", &format!("/Users/%7B{id}%7D")),
        case(
            "the id and a slash",
            "GET",
            format!("/Users/{id}%2F"),
            "",
            (200, ""),
        ),
        get("the id and more", &format!("/Users/{id}/name")),
        get("the id and a zero byte", &format!("/Users/{id}%00")),
        get("the id of another type", &format!("/Groups/{id}")),
        get("one dot", "/Users/%2E"),
        get("two dots", "/Users/.."),
        get("a way out", "/Users/..%2F..%2FGroups"),
        get("a number", "/Users/1"),
        get("a negative number", "/Users/-1"),
        get("10 KB", &format!("/Users/{}", "x".repeat(10_240))),
        get("no UTF-8", "/Users/%FF%FE"),
        get("a delimiter of keys", "/Users/acme%23User%230"),
        get("SQL", "/Users/'%20OR%20'1'%3D'1"),
        get("another letter case", &format!("/users/{id}")),
        get("an unknown endpoint", "/Devices"),
        get("a space", "/Users/%20"),
        case(
            "a delete of nobody",
            "DELETE",
            format!("/Users/{ABSENT}"),
            "",
            NONE,
        ),
        case("a delete of no id", "DELETE", "/Users/x", "", NONE),
        case(
            "a replacement of nobody",
            "PUT",
            format!("/Users/{ABSENT}"),
            user("x").to_string(),
            NONE,
        ),
        case("a delete of all", "DELETE", "/Users", "", METHOD),
        case(
            "a replacement of all",
            "PUT",
            "/Users",
            user("x").to_string(),
            METHOD,
        ),
        case(
            "a POST to one",
            "POST",
            format!("/Users/{id}"),
            user("x").to_string(),
            METHOD,
        ),
        case("HEAD", "HEAD", format!("/Users/{id}"), "", METHOD),
        case("OPTIONS", "OPTIONS", "/Users", "", METHOD),
        case("TRACE", "TRACE", "/Users", "", METHOD),
        case("a method of one's own", "BREW", "/Users", "", METHOD),
        case("a GET of the search", "GET", "/Users/.search", "", METHOD),
        case("a GET of Bulk", "GET", "/Bulk", "", METHOD),
        case(
            "a GET of the search of everything",
            "GET",
            "/.search",
            "",
            METHOD,
        ),
        case("Me", "GET", "/Me", "", (501, "")),
        case("a schema that is none", "GET", "/Schemas/urn:x", "", NONE),
        case(
            "a filter on discovery",
            "GET",
            "/Schemas?filter=id%20pr",
            "",
            (403, ""),
        ),
    ];
    check(&client, cases).await;
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn queries_that_ask_for_nonsense() {
    const FILTER: (u16, &str) = (400, "invalidFilter");
    const VALUE: (u16, &str) = (400, "invalidValue");
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    let get =
        |name, query: &str, expected| case(name, "GET", format!("/Users?{query}"), "", expected);
    let nested = |depth: usize| {
        let open = "(".repeat(depth);
        format!("filter={open}active%20pr{}", ")".repeat(depth))
    };
    let one = format!("/Users/{id}");
    let cases = vec![
        get("an empty filter", "filter=", FILTER),
        get(
            "an unknown operator",
            "filter=userName%20is%20%22a%22",
            FILTER,
        ),
        get("an unknown attribute", "filter=shoeSize%20eq%201", FILTER),
        get("a filter without value", "filter=userName%20eq", FILTER),
        get(
            "a string without end",
            "filter=userName%20eq%20%22a",
            FILTER,
        ),
        get("a parenthesis without end", "filter=(userName%20pr", FILTER),
        get(
            "half a surrogate",
            "filter=userName%20eq%20%22%5Cud800%22",
            FILTER,
        ),
        get("a thousand parentheses", &nested(1_000), FILTER),
        get("a password", "filter=password%20sw%20%22a%22", FILTER),
        get("no UTF-8", "filter=%FF", FILTER),
        get("two filters", "filter=userName%20pr&filter=id%20pr", VALUE),
        get("a count that is no number", "count=many", VALUE),
        get(
            "a count beyond all numbers",
            "count=99999999999999999999999",
            (200, ""),
        ),
        get("a negative count", "count=-1", (200, "")),
        get(
            "a start beyond the end",
            "startIndex=9223372036854775807",
            (200, ""),
        ),
        get("a start of a fraction", "startIndex=1.5", VALUE),
        get(
            "an order that is none",
            "sortBy=userName&sortOrder=up",
            VALUE,
        ),
        get(
            "attributes in and out",
            "attributes=userName&excludedAttributes=name",
            VALUE,
        ),
        case(
            "both lists on one",
            "GET",
            format!("{one}?attributes=userName&excludedAttributes=name"),
            "",
            VALUE,
        ),
        case(
            "both lists on a write",
            "PUT",
            format!("{one}?attributes=userName&excludedAttributes=name"),
            user("x").to_string(),
            VALUE,
        ),
        get(
            "an attribute that is none",
            "attributes=shoeSize",
            (200, ""),
        ),
        get(
            "10,000 attributes",
            &format!("attributes={}", "a,".repeat(10_000)),
            (200, ""),
        ),
        get("a percent sign alone", "filter=%", FILTER),
        get("nothing but signs", "&&&===", (200, "")),
        case(
            "a search of an array",
            "POST",
            "/Users/.search",
            "[]",
            (400, "invalidSyntax"),
        ),
        case(
            "a search of nothing",
            "POST",
            "/Users/.search",
            "",
            (400, "invalidSyntax"),
        ),
    ];
    check(&client, cases).await;
    assert_eq!(client.get(&one).await.body["userName"], "there");
    stack.audit().await;
}
