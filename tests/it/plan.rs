//! Plans of request files: what each format shows, that what stands in `docs/`
//! is what the command prints, and that the estimate is what a request costs.

use std::collections::BTreeSet;
use std::fs;

use harness::stack::TENANT;
use harness::{Stack, group, patch, post, user};
use local::plan::request::{self, Request};
use local::plan::{Price, json as json_format, mermaid, plan, svg, text};
use local::settings::Settings;
use local::template::Template;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::plan::Summary;
use shared::table::Tenant;

use crate::events::root;

const PRICE: Price = Price::ON_DEMAND;

fn read(bytes: &[u8]) -> Result<Request, String> {
    let template = Template::embedded().unwrap();
    let settings = Settings::overridden(&template, |_| None);
    request::read(bytes, settings, &template).map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        [Some(error.to_string()), source]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": ")
    })
}

/// The plan of a file on an assumed directory.
fn summary_of(bytes: &[u8]) -> Summary {
    let request = read(bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(plan(&request, None)).unwrap()
}

fn summary(operations: &[Value]) -> Summary {
    summary_of(json!({"Operations": operations}).to_string().as_bytes())
}

fn create_group(bulk_id: &str, members: &[&str]) -> Value {
    post(bulk_id, "/Groups", group(bulk_id, members))
}

fn create_user(bulk_id: &str) -> Value {
    post(bulk_id, "/Users", user(bulk_id))
}

fn example() -> Summary {
    summary_of(&fs::read(root().join("docs/plan/example.json")).unwrap())
}

#[test]
fn the_example_in_the_documentation_is_what_the_command_prints() {
    let summary = example();
    let shown = [
        ("text", "txt", text::render(&summary, PRICE)),
        ("mermaid", "mmd", mermaid::render(&summary, PRICE)),
        ("svg", "svg", svg::render(&summary, PRICE)),
    ];
    for (format, ending, shown) in shown {
        let path = format!("docs/plan/example.{ending}");
        let kept = fs::read_to_string(root().join(&path)).unwrap();
        assert_eq!(
            kept,
            format!("{shown}\n"),
            "cargo run -- plan docs/plan/example.json --format {format} > {path}"
        );
    }
    let bulk = fs::read_to_string(root().join("docs/bulk.md")).unwrap();
    assert!(bulk.contains("](plan/example.svg)"));
    assert!(
        bulk.contains(&text::render(&summary, PRICE)),
        "the text in docs/bulk.md"
    );
}

#[test]
fn the_example_shows_what_it_was_made_for() {
    let summary = example();
    assert_eq!(summary.totals.operations, 12);
    assert_eq!(summary.totals.cycles, 1);
    assert_eq!(summary.totals.transactions, 2);
    let failing: Vec<usize> = (summary.operations.iter())
        .filter(|row| row.fails())
        .map(|row| row.index)
        .collect();
    assert_eq!(failing, [8, 9]);
    let value: Value =
        serde_json::from_str(&json_format::render(&summary, PRICE).unwrap()).unwrap();
    assert_eq!(
        value["order"],
        json!([6, 5, 4, 1, 2, 3, 0, 7, 8, 9, 10, 11])
    );
    assert_eq!(value["dollarsPerMillion"], 140.0);
    assert_eq!(
        value["units"][3],
        json!({"operations": [1, 2, 3], "cycle": true})
    );
}

/// What is assumed of a directory that nobody has read: one row each, on a
/// resource that exists.
#[test]
fn what_a_request_names_by_id_is_assumed_to_exist() {
    let id = |n: u8| format!("3f0c9a52-0000-4000-8000-0000000000{n:02}");
    let add = |n| json!({"op": "add", "path": "members", "value": [{"value": id(n)}]});
    let remove = |n| json!({"op": "remove", "path": format!("members[value eq \"{}\"]", id(n))});
    let path = format!("/Groups/{}", id(1));
    let members =
        |operations: &[Value]| json!({"method": "PATCH", "path": path, "data": patch(operations)});
    let name = patch(&[json!({"op": "replace", "path": "displayName", "value": "x"})]);
    let on_user = |method: &str, data: Value| json!({"method": method, "path": format!("/Users/{}", id(2)), "version": "W/\"7\"", "data": data});
    let boss = json!({"value": id(3)});
    let mut report = user("report");
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    report["schemas"] = json!([report["schemas"][0], enterprise]);
    report[enterprise] = json!({"manager": boss});
    let mut outer = group("outer", &[]);
    outer["members"] = json!([{"value": id(4), "type": "Group"}]);
    let cases = [
        ("change", on_user("PATCH", name), "200 in 1"),
        ("replace", on_user("PUT", user("new")), "200 in 3"),
        ("delete", on_user("DELETE", Value::Null), "204 in 3"),
        ("add a member", members(&[add(2)]), "204 in 3"),
        ("remove a member", members(&[remove(2)]), "204 in 3"),
        (
            "add and remove others",
            members(&[add(2), remove(3)]),
            "204 in 5",
        ),
        ("a manager", post("r", "/Users", report), "201 in 3"),
        (
            "a group in a group",
            post("g", "/Groups", outer),
            "201 in 5",
        ),
        (
            "no such id",
            json!({"method": "DELETE", "path": "/Users/nobody"}),
            "404 in 0",
        ),
    ];
    for (name, operation, expected) in cases {
        let told = summary(&[operation]);
        let status = told.operations[0].status.unwrap();
        assert_eq!(
            format!("{status} in {}", told.totals.actions),
            expected,
            "{name}"
        );
    }
    let told = summary(&[
        members(&[add(2)]),
        members(&[remove(2)]),
        members(&[remove(2)]),
    ]);
    let transactions: Vec<_> = told.operations.iter().map(|row| row.transaction).collect();
    assert_eq!(transactions, [Some(0); 3]);
    let writes = "group, user and the membership that began and ended, which the last row checks";
    assert_eq!(told.totals.actions, 3, "{writes}");
}

#[test]
fn a_file_that_is_no_request_is_refused_in_a_sentence() {
    let many = json!({"Operations": vec![json!({}); 1_001]}).to_string();
    let large = format!("{}{}", json!({"Operations": [{}]}), " ".repeat(3_072_000));
    let event = |name: &str| fs::read(root().join(format!("events/{name}.json"))).unwrap();
    let cases = [
        ("empty", Vec::new()),
        ("text", b"POST /Users".to_vec()),
        ("not a request", b"[]".to_vec()),
        ("no operations", b"{\"Operations\": []}".to_vec()),
        (
            "twice",
            b"{\"Operations\": [{}], \"Operations\": [{}]}".to_vec(),
        ),
        ("not UTF-8", b"{\"Operations\": [\"\xff\"]}".to_vec()),
        ("many", many.into_bytes()),
        ("large", large.into_bytes()),
        ("another route", event("users-create")),
        ("another path", event("bulk-list-everything")),
        ("no scope", event("bulk-forbidden")),
        ("no route", b"{\"routeKey\": 7}".to_vec()),
        ("too many in an event", event("bulk-too-many-operations")),
    ];
    let refused = cases.map(|(name, bytes)| format!("{name}: it {}", read(&bytes).unwrap_err()));
    insta::assert_snapshot!(refused.join("\n"), @"
    empty: it would be refused as a whole: 400 invalidSyntax: not valid JSON: the body is empty, expected JSON
    text: it would be refused as a whole: 400 invalidSyntax: not valid JSON: expected value at line 1 column 1
    not a request: it would be refused as a whole: 400 invalidSyntax: the body is not a JSON object
    no operations: it would be refused as a whole: 400 invalidSyntax: `Operations` is missing or empty
    twice: it would be refused as a whole: 400 invalidSyntax: not valid JSON: the member `Operations` occurs twice at line 1 column 33
    not UTF-8: it would be refused as a whole: 400 invalidSyntax: not valid JSON, in `Operations[0]`: invalid unicode code point at line 1 column 18
    many: it would be refused as a whole: 413: the request has 1001 operations, over maxOperations (1000)
    large: it would be refused as a whole: 413: the body has 3072019 bytes, over maxPayloadSize (3072000)
    another route: it is the event of `POST /Users`, and only bulk requests are planned
    another path: it is the event of `GET /`, and only bulk requests are planned
    no scope: it would be refused as a whole: 403: the token lacks the scope `scim.bulk`
    no route: it is not an API Gateway event of payload format 2.0: it has no `routeKey`
    too many in an event: it would be refused as a whole: 413: the request has 1001 operations, over maxOperations (1000)
    ");
}

#[test]
fn every_bulk_event_that_is_processed_can_be_planned() {
    let mut planned = 0;
    for event in crate::events::all() {
        let bytes = fs::read(root().join(format!("events/{}.json", event.name))).unwrap();
        let Ok(request) = read(&bytes) else { continue };
        planned += 1;
        let told = summary_of(&bytes);
        assert_eq!(
            told.operations.len(),
            request.operations.len(),
            "{}",
            event.name
        );
    }
    assert!(planned >= 15, "{planned}");
}

/// What moves a terminal's cursor, ends a string, begins a tag or is no
/// character.
const HOSTILE: &str = "</text><script>alert(\"1\")</script>'&#x41;]]>\n\r\t\u{1b}[2J\u{9b}31m\u{202e}\u{0}\u{fffe}`end`\"] --> r0";

#[test]
fn hostile_names_are_harmless_in_every_format() {
    let mut named = create_user("u");
    named["bulkId"] = json!(HOSTILE);
    let reference = format!("bulkId:{HOSTILE}");
    let operations = [
        named,
        create_group("g", &[&reference]),
        json!({"method": HOSTILE, "path": HOSTILE, "bulkId": format!("2{HOSTILE}")}),
        json!({"method": "DELETE", "path": format!("/Users/{reference}")}),
        json!({"method": "DELETE", "path": "/Users/<b>&'\"", "bulkId": "4"}),
    ];
    let told = summary(&operations);
    assert_eq!(told.operations[0].status, Some(201));
    assert_eq!(told.operations[1].status, Some(201));
    let text = text::render(&told, PRICE);
    let chart = mermaid::render(&told, PRICE);
    let picture = svg::render(&told, PRICE);
    for shown in [&text, &chart, &picture] {
        let unseen = shown
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{fffe}'));
        assert_eq!(unseen, None, "{shown}");
    }
    // A line of text for each row: none breaks out of its own.
    let rows = text
        .lines()
        .filter(|line| line.contains("POST") || line.contains("DELETE") || line.contains("(none)"));
    assert_eq!(rows.count(), 5, "{text}");
    assert!(
        !picture.contains("<script") && !picture.contains("<b>"),
        "{picture}"
    );
    assert_well_formed(&picture);
    for line in chart.lines().filter(|line| line.contains('[')) {
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert!(
            !line.replace("<br/>", "").contains(['<', '`', '&']),
            "{line}"
        );
    }
    let value: Value = serde_json::from_str(&json_format::render(&told, PRICE).unwrap()).unwrap();
    assert_eq!(value["operations"][0]["bulkId"], HOSTILE);
}

/// Tags close in the order in which they open, attributes are quoted, and text
/// holds no sign of markup: enough of XML for what is drawn.
fn assert_well_formed(picture: &str) {
    let mut open = Vec::new();
    for piece in picture.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        assert!(!text.contains('>'), "{piece}");
        for entity in text.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(
                ["amp", "lt", "gt", "quot", "#39"].contains(&name),
                "{piece}"
            );
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{piece}");
        } else if !tag.ends_with('/') {
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn more_references_than_can_be_followed_are_counted_instead() {
    let users: Vec<String> = (0..80).map(|n| format!("bulkId:u{n}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut operations: Vec<Value> = (0..80).map(|n| create_user(&format!("u{n}"))).collect();
    operations.extend((0..70).map(|n| create_group(&format!("g{n}"), &users)));
    let told = summary(&operations);
    let picture = svg::render(&told, PRICE);
    assert!(
        picture.contains("5600 references are too many to draw"),
        "{picture}"
    );
    assert!(!picture.contains("class=\"arrow\""));
    assert_eq!(picture.matches("class=\"row").count(), 150);
    let chart = mermaid::render(&told, PRICE);
    assert!(chart.contains("%% needs maxEdges of 5600"));
    assert_eq!(chart.matches(" --> ").count(), 5_600);
}

#[test]
fn a_chain_of_a_thousand_groups_is_shown_whole() {
    let name = |n: usize| format!("bulkId:{n}");
    let operations: Vec<Value> = (0..1_000)
        .map(|n| match n {
            999 => create_group("999", &[]),
            n => create_group(&n.to_string(), &[&name(n + 1)]),
        })
        .collect();
    let told = summary(&operations);
    assert_eq!(told.order.first(), Some(&999));
    assert_eq!(told.totals.depth, told.totals.transactions);
    let picture = svg::render(&told, PRICE);
    assert_eq!(picture.matches("class=\"row").count(), 1_000);
    assert_eq!(picture.matches("class=\"arrow\"").count(), 999);
    let text = text::render(&told, PRICE);
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

/// A request of `len` rows whose groups name any others.
fn requests() -> impl Strategy<Value = Vec<Value>> {
    let row = (0..3usize, prop::collection::btree_set(0..24usize, 0..4));
    prop::collection::vec(row, 1..24).prop_map(|rows| {
        let len = rows.len();
        let operations = rows.iter().enumerate().map(|(n, (kind, named))| {
            let named = named.iter().map(|other| format!("bulkId:{}", other % len));
            let named: Vec<String> = named.collect();
            let named: Vec<&str> = named.iter().map(String::as_str).collect();
            match kind {
                0 => create_user(&n.to_string()),
                1 => create_group(&n.to_string(), &named),
                _ => json!({"method": "DELETE", "path": format!("/Users/{n}"), "bulkId": n.to_string()}),
            }
        });
        operations.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_row_is_shown_once_every_reference_and_every_transaction(operations in requests()) {
        let told = summary(&operations);
        let rows: BTreeSet<usize> = told.order.iter().copied().collect();
        prop_assert!(rows.into_iter().eq(0..operations.len()));
        prop_assert_eq!(told.order.len(), operations.len());
        let references: usize = told.operations.iter().map(|row| row.references.len()).sum();
        let groups = told.transactions.len()
            + usize::from(told.operations.iter().any(|row| row.transaction.is_none()));

        let picture = svg::render(&told, PRICE);
        prop_assert_eq!(picture.matches("class=\"row").count(), operations.len());
        prop_assert_eq!(picture.matches("class=\"arrow\"").count(), references);
        prop_assert_eq!(picture.matches("class=\"group").count(), groups);
        prop_assert_eq!(picture.matches(">cycle of ").count(), told.totals.cycles);
        for row in &told.operations {
            let title = format!("<title>{} ", row.index);
            prop_assert_eq!(picture.matches(&title).count(), 1);
        }
        let boxes: BTreeSet<&str> = picture.lines().filter(|line| line.contains("class=\"row")).collect();
        let places = boxes.iter().map(|line| line.split(" x=").nth(1).unwrap());
        prop_assert_eq!(places.collect::<BTreeSet<_>>().len(), operations.len(), "two rows in one place");

        let chart = mermaid::render(&told, PRICE);
        prop_assert_eq!(chart.matches(" --> ").count(), references);
        prop_assert_eq!(chart.matches("subgraph ").count(), groups + told.totals.cycles);
        prop_assert_eq!(chart.matches("\n    end").count(), told.totals.cycles);
        prop_assert_eq!(chart.matches("\n  end").count(), groups);
        for row in &told.operations {
            prop_assert_eq!(chart.matches(&format!("    r{}[", row.index)).count(), 1);
            for named in &row.references {
                let arrow = format!("  r{} --> r{named}\n", row.index);
                prop_assert!(chart.contains(&arrow));
            }
        }

        let text = text::render(&told, PRICE);
        prop_assert_eq!(text.matches("\ntransaction ").count(), told.transactions.len());
        prop_assert_eq!(text.matches("cycle of ").count(), told.totals.cycles);
    }
}

/// The estimate is exact where the directory is what the plan assumes, for
/// requests that nobody else disturbs.
#[tokio::test(start_paused = true)]
async fn the_estimate_is_what_a_request_costs() {
    let stack = Stack::seeded(61).await;
    let client = stack.client();
    let mut members = Vec::new();
    for n in 0..4 {
        members.push(client.create("/Users", user(&format!("old{n}"))).await);
    }
    let crew = client
        .create("/Groups", group("Crew", &[&members[3]]))
        .await;
    let add: Vec<Value> = members[..3].iter().map(|id| json!({"value": id})).collect();
    let change = patch(&[
        json!({"op": "add", "path": "members", "value": add}),
        json!({"op": "remove", "path": format!("members[value eq \"{}\"]", members[3])}),
    ]);
    let wide = |name: &str| {
        let mut wide = user(name);
        wide["externalId"] = json!(name);
        wide["displayName"] = json!("x".repeat(3_000));
        wide
    };
    let requests = [
        (0..150)
            .map(|n| create_user(&format!("new{n}")))
            .collect::<Vec<_>>(),
        vec![
            create_group("a", &["bulkId:b", "bulkId:w"]),
            create_group("b", &["bulkId:a"]),
            post("w", "/Users", wide("wide")),
            json!({"method": "PATCH", "path": "/Users/bulkId:w", "data": patch(&[json!({"op": "remove", "path": "displayName"})])}),
            post("again", "/Users", wide("Wide")),
        ],
        vec![json!({"method": "PATCH", "path": format!("/Groups/{crew}"), "data": change})],
        vec![json!({"method": "DELETE", "path": format!("/Users/{}", members[3])})],
    ];
    for operations in requests {
        let body = json!({"Operations": operations}).to_string();
        let request = read(body.as_bytes()).unwrap();
        let told = plan(&request, None).await.unwrap();
        stack.weather().reset();
        let reply = client.bulk(&operations).await;
        let planned = told
            .operations
            .iter()
            .map(|row| row.status.unwrap().to_string());
        assert_eq!(reply.statuses(), planned.collect::<Vec<_>>());
        let report = stack.weather().report();
        assert_eq!(report.write_units, told.totals.write_units as f64);
        assert_eq!(report.actions, told.totals.actions as u64);
        assert_eq!(report.transactions, told.totals.transactions as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn on_a_directory_that_is_kept_the_plan_knows_what_is_there() {
    let stack = Stack::seeded(63).await;
    let client = stack.client();
    let taken = client.create("/Users", user("taken")).await;
    let operations = [
        create_user("Taken"),
        json!({"method": "DELETE", "path": format!("/Users/{taken}")}),
        json!({"method": "DELETE", "path": "/Users/3f0c9a52-0000-4000-8000-000000000001"}),
    ];
    let body = json!({"Operations": operations}).to_string();
    let mut request = read(body.as_bytes()).unwrap();
    request.caller.tenant = Tenant::parse(TENANT).unwrap();
    let before = stack.items();
    let store = &stack.provider().store;
    let told = plan(&request, Some(store)).await.unwrap();
    let statuses = told.operations.iter().map(|row| row.status.unwrap());
    assert_eq!(statuses.collect::<Vec<_>>(), [409, 204, 404]);
    assert_eq!(stack.items(), before, "nothing is written");
}

/// The one thing that the plan does not know: what a password is stored as.
#[tokio::test(start_paused = true)]
async fn a_password_may_cost_two_units_more_than_estimated() {
    let stack = Stack::seeded(62).await;
    let mut request = Vec::new();
    for filler in [700, 760, 800] {
        let mut with_password = user(&format!("user{filler}"));
        with_password["displayName"] = json!("x".repeat(filler));
        with_password["password"] = json!("t1meMa$heen");
        request.push(post(&filler.to_string(), "/Users", with_password));
    }
    let body = json!({"Operations": request}).to_string();
    let told = plan(&read(body.as_bytes()).unwrap(), None).await.unwrap();
    stack.weather().reset();
    stack.client().bulk(&request).await;
    let difference = stack.weather().report().write_units - told.totals.write_units as f64;
    assert!((1.0..=6.0).contains(&difference), "{difference}");
}
