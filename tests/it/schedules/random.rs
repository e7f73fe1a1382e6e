//! Requests by chance on three users and two groups.

use harness::schedule::{Ask, Scenario};
use harness::{group, post, user};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::scenarios::{members, replace, row};

const USERS: [&str; 3] = ["{u0}", "{u1}", "{u2}"];
const GROUPS: [&str; 2] = ["{g0}", "{g1}"];
const NAMES: [&str; 5] = ["ada", "Ada", "bob", "u0", "u1"];

/// A request of one operation: method, path, data, If-Match.
type Single = (&'static str, String, Value, Option<u64>);

fn anyone() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => select(&USERS[..]), 1 => select(&GROUPS[..])]
}

fn single() -> impl Strategy<Value = Single> {
    let user_path = |id: &str| format!("/Users/{id}");
    let group_path = |id: &str| format!("/Groups/{id}");
    let some = || proptest::collection::vec(anyone(), 0..3);
    let version = || prop_oneof![3 => Just(None), 1 => (1u64..4).prop_map(Some)];
    prop_oneof![
        3 => select(&NAMES[..]).prop_map(|name| ("POST", "/Users".to_owned(), user(name), None)),
        2 => some().prop_map(|members| ("POST", "/Groups".to_owned(), group("New", &members), None)),
        2 => (select(&USERS[..]), select(&NAMES[..]), version()).prop_map(move |(id, name, version)| {
            ("PATCH", user_path(id), replace("userName", name), version)
        }),
        1 => (select(&USERS[..]), select(&["x", "y"][..]), version())
            .prop_map(move |(id, title, version)| ("PATCH", user_path(id), replace("title", title), version)),
        5 => (select(&GROUPS[..]), select(&["add", "remove"][..]), anyone(), version())
            .prop_map(move |(id, op, member, version)| ("PATCH", group_path(id), members(op, &[member]), version)),
        2 => (select(&GROUPS[..]), some(), version())
            .prop_map(move |(id, members, version)| ("PUT", group_path(id), group("Put", &members), version)),
        2 => select(&USERS[..]).prop_map(move |id| ("DELETE", user_path(id), Value::Null, None)),
        1 => select(&GROUPS[..]).prop_map(move |id| ("DELETE", group_path(id), Value::Null, None)),
    ]
}

fn ask((method, path, data, version): Single) -> Ask {
    let ask = Ask::new(method, &path, data);
    match version {
        Some(version) => ask.header("if-match", &format!("W/\"{version}\"")),
        None => ask,
    }
}

/// Rows, of which groups after users also take these in.
fn rows(singles: Vec<Single>) -> Vec<Value> {
    let mut created: Option<usize> = None;
    let rows = singles.into_iter().enumerate();
    rows.map(|(index, (method, path, mut data, version))| {
        if let (Some(earlier), "POST", "/Groups") = (created, method, path.as_str()) {
            data["members"] = json!([{"value": format!("bulkId:{earlier}")}]);
        }
        if method == "POST" && path == "/Users" {
            created = Some(index);
        }
        let mut row = match method {
            "POST" => post(&index.to_string(), &path, data),
            _ => row(method, &path, data),
        };
        if let Some(version) = version {
            row["version"] = json!(format!("W/\"{version}\""));
        }
        row
    })
    .collect()
}

fn request() -> impl Strategy<Value = Ask> {
    let bulk = || proptest::collection::vec(single(), 2..4).prop_map(rows);
    prop_oneof![
        5 => single().prop_map(ask),
        2 => bulk().prop_map(|rows| Ask::bulk(&rows)),
        1 => bulk().prop_map(|rows| Ask::bulk_until(1, &rows)),
        2 => select(&GROUPS[..]).prop_map(|id| Ask::get(&format!("/Groups/{id}"))),
    ]
}

/// The scenario of a seed: two to four clients.
pub(super) fn scenario(seed: u64) -> Scenario {
    let mut bytes = [7; 32];
    for (place, byte) in bytes.iter_mut().zip(seed.to_be_bytes()) {
        *place = byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let clients = proptest::collection::vec(proptest::collection::vec(request(), 1..3), 2..5);
    let clients = clients.new_tree(&mut runner).unwrap().current();
    let mut scenario = Scenario::new(&format!("random-{seed}"))
        .given("u0", "/Users", user("u0"))
        .given("u1", "/Users", user("u1"))
        .given("u2", "/Users", user("u2"))
        .given("g0", "/Groups", group("One", &["{u0}"]))
        .given("g1", "/Groups", group("Two", &["{u1}", "{g0}"]));
    for asks in clients {
        scenario = scenario.client(asks);
    }
    scenario
}
