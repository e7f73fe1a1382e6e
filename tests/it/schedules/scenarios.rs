//! What several clients ask for at once. Each scenario is small enough that one
//! can say what must come of it.

use std::time::Duration;

use harness::schedule::{Ask, Scenario};
use harness::{encode, group, patch, post, user};
use serde_json::{Value, json};

use super::{pinned, random};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Two requests of at most five calls each, of which every order is tried.
pub(super) const SMALL: [&str; 11] = [
    "two-creates",
    "create-rename",
    "two-adds",
    "add-delete-user",
    "add-delete-group",
    "two-deletes",
    "put-patch",
    "read-change",
    "reader-of-groups",
    "add-group-delete",
    "same-key",
];

/// All of them.
pub(super) const ALL: [&str; 31] = [
    "one-after-another",
    "nested-groups",
    "opposite-bulks",
    "two-creates",
    "create-rename",
    "two-adds",
    "add-delete-user",
    "add-delete-group",
    "two-deletes",
    "put-patch",
    "read-change",
    "swapped-names",
    "four-creates",
    "bulk-patch",
    "fail-on-errors",
    "reader-of-a-name",
    "reader-of-many-changes",
    "managers",
    "ring",
    "free-name",
    "reader-of-groups",
    "add-group-delete",
    "same-key",
    "same-key-bulk",
    "repeated-bulk",
    "component-bulk",
    "whole-bulk",
    "whole-swap",
    "walk-by-cursor",
    "walk-by-index",
    "readers-of-a-membership",
];

/// A scenario by its name; `random-7` is the seventh by chance.
pub(super) fn scenario(name: &str) -> Scenario {
    if let Some(seed) = name.strip_prefix("random-") {
        return random::scenario(seed.parse().unwrap());
    }
    let new = Scenario::new(name);
    match name {
        "two-creates" => new
            .client([Ask::post("/Users", user("ada"))])
            .client([Ask::post("/Users", user("ADA"))]),
        "create-rename" => new
            .given("u0", "/Users", user("u0"))
            .client([Ask::post("/Users", user("Ada"))])
            .client([rename("u0", "ada")]),
        "two-adds" => crew(new)
            .client([change("g0", "add", &["u1"])])
            .client([change("g0", "add", &["u2"])]),
        "add-delete-user" => crew(new)
            .client([change("g0", "add", &["u1"])])
            .client([Ask::delete("/Users/{u1}")]),
        "add-delete-group" => crew(new)
            .client([change("g0", "add", &["u1"])])
            .client([Ask::delete("/Groups/{g0}")]),
        "two-deletes" => crew(new)
            .client([Ask::delete("/Users/{u0}")])
            .client([Ask::delete("/Users/{u0}")]),
        "put-patch" => crew(new)
            .client([Ask::put("/Users/{u0}", titled("u0", "put")).header("if-match", "W/\"1\"")])
            .client([set("u0", "nickName", "patched")]),
        "read-change" => crew(new)
            .client([Ask::get("/Groups/{g0}")])
            .client([Ask::put("/Groups/{g0}", group("Crew", &["{u1}", "{u2}"]))]),
        // A ring of names: no order of two renames alone can swap them.
        "swapped-names" => new
            .given("u0", "/Users", user("ada"))
            .given("u1", "/Users", user("bob"))
            .client([rename("u0", "free"), rename("u0", "bob")])
            .client([rename("u1", "ada")]),
        "four-creates" => new
            .client([Ask::post("/Users", user("ada"))])
            .client([Ask::post("/Users", titled("Ada", "second"))])
            .client([Ask::bulk(&[
                post("a", "/Users", user("ADA")),
                post("b", "/Users", user("bob")),
            ])])
            .client([Ask::post("/Users", user("bob"))]),
        "bulk-patch" => crew(new)
            .client([Ask::bulk(&[
                post("n", "/Users", user("new")),
                row("PATCH", "/Groups/{g0}", members("add", &["bulkId:n"])),
                row("PATCH", "/Groups/{g0}", members("remove", &["{u0}"])),
                row("PATCH", "/Users/{u1}", replace("title", "bulk")),
            ])])
            .client([change("g0", "add", &["u1", "u2"])]),
        "opposite-bulks" => crew(new)
            .given("g1", "/Groups", group("Club", &[]))
            .client([Ask::bulk(&[
                row("PATCH", "/Groups/{g0}", members("add", &["{u1}"])),
                row("PATCH", "/Groups/{g1}", members("add", &["{u2}"])),
                row("DELETE", "/Users/{u0}", Value::Null),
            ])])
            .client([Ask::bulk(&[
                row("PATCH", "/Groups/{g1}", members("add", &["{u0}"])),
                row("PATCH", "/Groups/{g0}", members("add", &["{u2}"])),
                row("PATCH", "/Users/{u1}", replace("userName", "renamed")),
            ])]),
        "nested-groups" => crew(new)
            .given("g1", "/Groups", group("Inner", &["{u1}"]))
            .client([change("g0", "add", &["g1"])])
            .client([change("g1", "add", &["g0"])])
            .client([Ask::delete("/Groups/{g1}")]),
        "fail-on-errors" => new
            .given("u0", "/Users", user("u0"))
            .client([Ask::bulk_until(
                1,
                &[
                    post("a", "/Users", user("ada")),
                    row("PATCH", "/Users/{u0}", replace("title", "bulk")),
                    post("b", "/Users", user("bob")),
                ],
            )])
            .client([Ask::post("/Users", user("Bob"))])
            .client([Ask::post("/Users", user("Ada"))]),
        "reader-of-a-name" => new
            .given("u0", "/Users", user("wanted"))
            .given("u1", "/Users", user("other"))
            .client([named("wanted"), named("wanted")])
            .client([Ask::bulk(&[
                row("PATCH", "/Users/{u0}", replace("userName", "parked")),
                row("PATCH", "/Users/{u1}", replace("userName", "wanted")),
                row("PATCH", "/Users/{u0}", replace("userName", "other")),
            ])]),
        "reader-of-many-changes" => crew(new)
            .client([Ask::get("/Groups/{g0}"), Ask::get("/Groups/{g0}")])
            .client([
                change("g0", "add", &["u1", "u2"]),
                change("g0", "remove", &["u0", "u1"]),
            ])
            .client([Ask::delete("/Users/{u2}")]),
        "managers" => crew(new)
            .client([Ask::post("/Users", managed("report", "{u0}"))])
            .client([
                Ask::put("/Users/{u1}", managed("u1", "{u0}")),
                Ask::get("/Users/{u1}"),
            ])
            .client([Ask::delete("/Users/{u0}")]),
        "ring" => crew(new)
            .client([Ask::bulk(&[
                post("a", "/Groups", group("Ring A", &["bulkId:b", "{u1}"])),
                post("b", "/Groups", group("Ring B", &["bulkId:a", "{u2}"])),
                row("PATCH", "/Groups/{g0}", members("add", &["bulkId:a"])),
            ])])
            .client([Ask::delete("/Users/{u2}")])
            .client([Ask::delete("/Groups/{g0}")]),
        // The name that the row misses becomes free while it is looked for.
        "free-name" => new
            .given("u0", "/Users", user("ada"))
            .client([Ask::delete("/Users/{u0}")])
            .client([Ask::post("/Users", user("ada")), named("ada")])
            .client([rename("u0", "bob"), Ask::post("/Users", user("bob"))]),
        "reader-of-groups" => crew(new)
            .client([Ask::get("/Users/{u1}").of_groups()])
            .client([change("g0", "add", &["u1"])]),
        "add-group-delete" => crew(new)
            .given("g1", "/Groups", group("Inner", &[]))
            .client([change("g0", "add", &["g1"])])
            .client([Ask::delete("/Groups/{g1}")]),
        "same-key" => new
            .client([Ask::post("/Users", user("ada")).keyed("k")])
            .client([Ask::post("/Users", user("ada")).keyed("k")]),
        "same-key-bulk" => crew(new)
            .client([small_bulk().keyed("k"), small_bulk().keyed("k")])
            .client([small_bulk().keyed("k")])
            .client([Ask::post("/Users", user("Ada"))]),
        // Again, when the lease of a run that died is over; meanwhile others change
        // what it has written or is about to.
        "repeated-bulk" => crew(new)
            .client([small_bulk().keyed("k")])
            .client([small_bulk().keyed("k").after(LEASE)])
            .client([
                change("g0", "add", &["u2"]),
                Ask::delete("/Users/{u1}"),
                rename("u2", "ada"),
            ]),
        "component-bulk" => crew(new)
            .client([Ask::bulk_as(
                "component",
                &[
                    post("n", "/Users", user("ada")),
                    post("g", "/Groups", group("New", &["bulkId:n", "{u1}"])),
                    row("PATCH", "/Users/{u0}", replace("userName", "bob")),
                ],
            )])
            .client([Ask::post("/Users", user("Ada"))])
            .client([Ask::post("/Users", user("Bob")), Ask::delete("/Users/{u1}")]),
        "whole-bulk" => crew(new)
            .client([Ask::bulk_as(
                "request",
                &[
                    post("n", "/Users", user("ada")),
                    row("PATCH", "/Groups/{g0}", members("add", &["bulkId:n"])),
                    row("PATCH", "/Users/{u1}", replace("title", "whole")),
                ],
            )])
            .client([set("u1", "title", "single"), Ask::get("/Users/{u1}")])
            .client([Ask::post("/Users", user("Ada"))]),
        "whole-swap" => new
            .given("u0", "/Users", user("ada"))
            .given("u1", "/Users", user("bob"))
            .client([Ask::bulk_as(
                "request",
                &[
                    row("PATCH", "/Users/{u0}", replace("userName", "parked")),
                    row("PATCH", "/Users/{u1}", replace("userName", "ada")),
                    row("PATCH", "/Users/{u0}", replace("userName", "bob")),
                ],
            )])
            .client([rename("u1", "parked"), named("bob")])
            .client([Ask::post("/Users", user("Ada"))]),
        "walk-by-cursor" => crew(new)
            .client([Ask::walk("/Users?count=1&cursor=")])
            .client([Ask::delete("/Users/{u1}"), Ask::post("/Users", user("ada"))])
            .client([Ask::post("/Users", user("bob"))]),
        "walk-by-index" => crew(new)
            .client([Ask::walk("/Users?count=2")])
            .client([Ask::delete("/Users/{u1}"), Ask::post("/Users", user("ada"))])
            .client([Ask::post("/Users", user("bob"))]),
        "readers-of-a-membership" => crew(new)
            .client([
                Ask::get("/Users/{u1}").of_groups(),
                Ask::get("/Groups/{g0}"),
                Ask::get("/Users/{u1}").of_groups(),
            ])
            .client([
                change("g0", "add", &["u1"]),
                change("g0", "remove", &["u1"]),
            ])
            .client([Ask::delete("/Groups/{g0}")]),
        "one-after-another" => new
            .client([
                Ask::post("/Users", user("ada")),
                named("ada"),
                Ask::post("/Users", user("Ada")),
            ])
            .client([Ask::post("/Users", user("bob")), named("ada")]),
        // What a delete reads of a membership that is just being made.
        "torn-add-delete" => crew(new)
            .client([change("g0", "add", &["u1"])])
            .client([Ask::delete("/Users/{u1}")])
            .client([
                Ask::get("/Users/{u2}"),
                Ask::get("/Users/{u2}"),
                Ask::get("/Users/{u2}"),
            ]),
        "torn-create-delete" => crew(new)
            .client([Ask::post("/Groups", group("New", &["{u1}", "{u2}"]))])
            .client([Ask::delete("/Users/{u1}")])
            .client([
                Ask::get("/Users/{u0}"),
                Ask::get("/Users/{u2}"),
                Ask::get("/Users/{u2}"),
            ]),
        other => pinned::scenario(other),
    }
}

/// Longer than a run that died is waited for.
const LEASE: Duration = Duration::from_secs(60);

fn small_bulk() -> Ask {
    Ask::bulk(&[
        post("n", "/Users", user("ada")),
        row(
            "PATCH",
            "/Groups/{g0}",
            members("add", &["bulkId:n", "{u1}"]),
        ),
        row("PATCH", "/Users/{u2}", replace("title", "bulk")),
    ])
}

/// Three users and a group of the first.
fn crew(scenario: Scenario) -> Scenario {
    scenario
        .given("u0", "/Users", user("u0"))
        .given("u1", "/Users", user("u1"))
        .given("u2", "/Users", user("u2"))
        .given("g0", "/Groups", group("Crew", &["{u0}"]))
}

pub(super) fn row(method: &str, path: &str, data: Value) -> Value {
    json!({"method": method, "path": path, "data": data})
}

pub(super) fn members(op: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    patch(&[json!({"op": op, "path": "members", "value": members})])
}

pub(super) fn replace(path: &str, value: &str) -> Value {
    patch(&[json!({"op": "replace", "path": path, "value": value})])
}

fn rename(who: &str, name: &str) -> Ask {
    set(who, "userName", name)
}

fn set(who: &str, path: &str, value: &str) -> Ask {
    Ask::patch(&format!("/Users/{{{who}}}"), replace(path, value))
}

fn change(group: &str, op: &str, who: &[&str]) -> Ask {
    let who: Vec<String> = who.iter().map(|name| format!("{{{name}}}")).collect();
    let who: Vec<&str> = who.iter().map(String::as_str).collect();
    Ask::patch(&format!("/Groups/{{{group}}}"), members(op, &who))
}

fn titled(name: &str, title: &str) -> Value {
    let mut body = user(name);
    body["title"] = json!(title);
    body
}

fn managed(name: &str, manager: &str) -> Value {
    let mut body = user(name);
    body[ENTERPRISE] = json!({"manager": {"value": manager}});
    body
}

fn named(name: &str) -> Ask {
    let filter = encode(&format!("userName eq \"{name}\""));
    Ask::get(&format!("/Users?filter={filter}"))
}
