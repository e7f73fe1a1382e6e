//! Scenarios by chance of which a schedule is pinned, written down: what chance
//! makes of a number changes with the library that draws it.

use harness::schedule::{Ask, Scenario};
use harness::{group, post, user};
use serde_json::{Value, json};

use super::scenarios::{members, replace, row};

/// One of them by its name.
pub(super) fn scenario(name: &str) -> Scenario {
    let new = Scenario::new(name)
        .given("u0", "/Users", user("u0"))
        .given("u1", "/Users", user("u1"))
        .given("u2", "/Users", user("u2"))
        .given("g0", "/Groups", group("One", &["{u0}"]))
        .given("g1", "/Groups", group("Two", &["{u1}", "{g0}"]));
    match name {
        "put-and-deletes" => new
            .client([Ask::bulk(&[
                post("0", "/Groups", group("New", &["{g0}"])),
                put("g1", &["{u1}", "{u2}"]),
            ])])
            .client([Ask::bulk_until(
                1,
                &[
                    row("PATCH", "/Groups/{g1}", members("remove", &["{u0}"])),
                    delete("/Users/{u1}"),
                ],
            )])
            .client([change("g0", "add", "{u0}"), Ask::get("/Groups/{g1}")])
            .client([
                Ask::bulk(&[delete("/Groups/{g1}"), put("g1", &["{g0}"])]),
                Ask::bulk(&[delete("/Users/{u2}"), put("g1", &[]), delete("/Users/{u1}")]),
            ]),
        "delete-among-fellows" => new
            .client([
                Ask::bulk_until(
                    1,
                    &[
                        versioned(2, row("PATCH", "/Users/{u1}", replace("userName", "u1"))),
                        versioned(3, row("PATCH", "/Users/{u2}", replace("title", "x"))),
                    ],
                ),
                Ask::bulk(&[delete("/Users/{u0}"), put("g0", &["{u1}", "{g1}"])]),
            ])
            .client([
                Ask::post("/Users", user("ada")),
                change("g0", "remove", "{u0}"),
            ])
            .client([
                Ask::post("/Groups", group("New", &["{u1}"])),
                change("g0", "remove", "{g0}").header("if-match", "W/\"2\""),
            ])
            .client([Ask::bulk(&[
                put("g1", &["{u1}", "{u2}"]),
                row("PATCH", "/Groups/{g1}", members("remove", &["{u2}"])),
                delete("/Groups/{g1}"),
            ])]),
        "three-deletes-of-a-group" => new
            .client([Ask::delete("/Groups/{g0}"), Ask::get("/Groups/{g1}")])
            .client([change("g1", "add", "{u0}"), Ask::delete("/Groups/{g0}")])
            .client([
                Ask::post("/Groups", group("New", &[])),
                change("g1", "add", "{u1}").header("if-match", "W/\"2\""),
            ])
            .client([Ask::post("/Users", user("u0")), Ask::delete("/Groups/{g0}")]),
        "two-names-of-a-user" => new
            .client([Ask::patch("/Users/{u2}", replace("userName", "Ada"))])
            .client([
                Ask::bulk(&[
                    post("0", "/Users", user("u0")),
                    row("PATCH", "/Users/{u2}", replace("userName", "bob")),
                    row("PATCH", "/Groups/{g0}", members("add", &["{u0}"])),
                ]),
                Ask::put("/Groups/{g1}", group("Put", &["{u2}"])),
            ]),
        unknown => panic!("no scenario `{unknown}`"),
    }
}

fn change(group: &str, op: &str, member: &str) -> Ask {
    Ask::patch(&format!("/Groups/{{{group}}}"), members(op, &[member]))
}

fn put(id: &str, members: &[&str]) -> Value {
    row("PUT", &format!("/Groups/{{{id}}}"), group("Put", members))
}

fn delete(path: &str) -> Value {
    row("DELETE", path, Value::Null)
}

fn versioned(version: u64, mut row: Value) -> Value {
    row["version"] = json!(format!("W/\"{version}\""));
    row
}
