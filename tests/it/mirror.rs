//! Invariant 7, held as strictly as it can be asked for: what one tenant is
//! answered is byte for byte the same whether or not another one holds what the
//! request is about, and so is what is asked of the database.
//!
//! Two stacks live the same life: the same seed, the same requests at the same
//! times. In one of them tenant `a` owns a directory, in the other nothing.
//! Tenant `b` sends everything that it could think of about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::weather::{Report, Settings};
use harness::{Client, Stack, encode, group, patch, post, user};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ABSENT: &str = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";

/// What tenant `a` holds in one of the stacks.
#[derive(Debug, Clone)]
struct Held {
    user: String,
    group: String,
    cursor: String,
}

/// What tenant `b` holds in both.
struct Own {
    user: String,
    group: String,
}

/// What is compared: the answer, and each call of the database with what came
/// of it and what it cost.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: BTreeMap<String, String>,
    text: String,
    calls: Vec<String>,
    report: Report,
}

/// A stack and the time by which both are set.
struct World {
    stack: Stack,
    origin: Instant,
    requests: u32,
}

type Asked = (
    &'static str,
    String,
    Option<Value>,
    Vec<(&'static str, String)>,
);

impl World {
    async fn start() -> Self {
        // The same calls take the same time, so that those side by side end in
        // the same order.
        let settings = Settings {
            transaction: Duration::from_millis(9)..=Duration::from_millis(9),
            call: Duration::from_millis(4)..=Duration::from_millis(4),
            ..Settings::default()
        };
        let stack = Stack::builder().seed(7).weather(settings).start().await;
        Self {
            stack,
            origin: Instant::now(),
            requests: 0,
        }
    }

    /// Each request has its own minute, whatever the one before took.
    async fn turn(&mut self) {
        self.requests += 1;
        sleep_until(self.origin + Duration::from_secs(60) * self.requests).await;
    }

    /// The directory of `a`, or as many requests about nothing.
    async fn prepare(&mut self, holds: bool) -> Option<Held> {
        let a = self.stack.client().tenant("a");
        let mut named = user("shared.name");
        named["externalId"] = json!("shared");
        named["emails"] = json!([{"value": "shared@example.com", "type": "work"}]);
        let mut made = Vec::new();
        for number in 0..3 {
            self.turn().await;
            let (endpoint, body) = match number {
                0 => ("/Users", named.clone()),
                1 => ("/Users", user("another")),
                _ => ("/Groups", group("Shared", &made_so_far(&made))),
            };
            match holds {
                true => made.push(a.create(endpoint, body).await),
                false => assert_eq!(a.get(&format!("{endpoint}/{ABSENT}")).await.status, 404),
            }
        }
        self.turn().await;
        let page = a.get("/Users?cursor&count=1").await.body;
        holds.then(|| Held {
            user: made[0].clone(),
            group: made[2].clone(),
            cursor: page["nextCursor"].as_str().unwrap().to_owned(),
        })
    }

    /// The directory of `b`.
    async fn own(&mut self) -> Own {
        let b = self.stack.client().tenant("b");
        self.turn().await;
        let user = b.create("/Users", user("own")).await;
        self.turn().await;
        let group = b.create("/Groups", group("Own", &[&user])).await;
        Own { user, group }
    }

    async fn see(&mut self, client: &Client, asked: &Asked) -> Seen {
        self.turn().await;
        let (method, target, body, headers) = asked;
        let mut client = client.clone();
        for (name, value) in headers {
            client = client.with_header(name, value);
        }
        let body = body.as_ref().map(|body| body.to_string().into_bytes());
        self.stack.weather().reset();
        let reply = client.send(method, target, body.unwrap_or_default()).await;
        self.stack.weather().quiet().await;
        let calls = self.stack.weather().trace();
        Seen {
            status: reply.status,
            headers: reply.headers,
            text: reply.text,
            calls: calls.iter().map(|call| nameless(call)).collect(),
            report: self.stack.weather().report(),
        }
    }
}

/// The operation and what came of it, without time and number.
fn nameless(call: &str) -> String {
    let call = call.split_once("· ").map_or(call, |(_, call)| call);
    call.split_once(' ')
        .map_or(call, |(_, call)| call)
        .to_owned()
}

fn made_so_far(made: &[String]) -> Vec<&str> {
    made.iter().map(String::as_str).collect()
}

fn asked(method: &'static str, target: impl Into<String>, body: Option<Value>) -> Asked {
    (method, target.into(), body, Vec::new())
}

/// Every verb on a resource of `a`, and on an id of it as one of another type.
fn verbs(held: &Held) -> Vec<Asked> {
    let mut all = Vec::new();
    for (endpoint, id) in [
        ("Users", &held.user),
        ("Groups", &held.group),
        ("Users", &held.group),
        ("Groups", &held.user),
    ] {
        let path = format!("/{endpoint}/{id}");
        let body = match endpoint {
            "Users" => user("shared.name"),
            _ => group("Shared", &[&held.user]),
        };
        let join = json!([{"value": held.user}]);
        let requests = [
            ("GET", path.clone(), None),
            ("GET", format!("{path}?attributes=id"), None),
            (
                "GET",
                format!("{path}?excludedAttributes=members,groups"),
                None,
            ),
            ("PUT", path.clone(), Some(body.clone())),
            ("PUT", path.clone(), Some(json!({"schemas": []}))),
            (
                "PATCH",
                path.clone(),
                Some(patch(&[
                    json!({"op": "add", "path": "externalId", "value": "x"}),
                ])),
            ),
            (
                "PATCH",
                path.clone(),
                Some(patch(&[
                    json!({"op": "add", "path": "members", "value": join}),
                ])),
            ),
            (
                "PATCH",
                path.clone(),
                Some(patch(&[json!({"op": "remove", "path": "members"})])),
            ),
            ("PATCH", format!("{path}?attributes=id"), Some(patch(&[]))),
            ("DELETE", path.clone(), None),
            ("POST", path.clone(), Some(body)),
            ("HEAD", path.clone(), None),
        ];
        for (method, target, body) in requests {
            all.push(asked(method, target, body));
        }
    }
    all
}

/// The same with every precondition.
fn conditional(verbs: &[Asked]) -> Vec<Asked> {
    let mut all = Vec::new();
    for (name, value) in [
        ("if-match", "W/\"1\""),
        ("if-match", "W/\"9\", *"),
        ("if-none-match", "W/\"1\""),
        ("if-none-match", "*"),
    ] {
        all.extend(verbs.iter().map(|(method, target, body, _)| {
            let headers = vec![(name, value.to_owned())];
            (*method, target.clone(), body.clone(), headers)
        }));
    }
    all
}

/// Every way to look for what `a` holds.
fn searches(held: &Held) -> Vec<Asked> {
    let (user, group) = (&held.user, &held.group);
    let filters = [
        "userName eq \"shared.name\"".to_owned(),
        "userName eq \"SHARED.name\" and active pr".to_owned(),
        "externalId eq \"shared\"".to_owned(),
        "emails.value eq \"shared@example.com\"".to_owned(),
        "emails[type eq \"work\"].value eq \"shared@example.com\"".to_owned(),
        "displayName eq \"Shared\"".to_owned(),
        "displayName co \"hare\"".to_owned(),
        "meta.created pr".to_owned(),
        format!("id eq \"{user}\""),
        format!("id eq \"{group}\""),
        format!("members.value eq \"{user}\""),
        format!("members[value eq \"{user}\"]"),
        format!("id eq \"{group}\" and members eq \"{user}\""),
        format!("not (members.value eq \"{user}\")"),
        format!("groups.value eq \"{group}\""),
        "groups.display eq \"Shared\"".to_owned(),
        format!("manager eq \"{user}\""),
        format!("manager.value eq \"{user}\" or id eq \"{user}\""),
    ];
    let mut all = Vec::new();
    for (number, filter) in filters.iter().enumerate() {
        let query = format!("filter={}", encode(filter));
        let body = json!({"filter": filter, "count": 1});
        for (place, endpoint) in ["/Users", "/Groups", ""].into_iter().enumerate() {
            all.push(match (number + place) % 3 {
                0 => asked("GET", format!("{endpoint}?{query}"), None),
                1 => asked("GET", format!("{endpoint}?cursor&count=1&{query}"), None),
                _ => asked("POST", format!("{endpoint}/.search"), Some(body.clone())),
            });
        }
    }
    for query in [
        "",
        "count=0",
        "count=1",
        "startIndex=2",
        "startIndex=2&count=1",
        "sortBy=meta.created",
        "sortBy=id&sortOrder=descending",
        "cursor",
        "cursor&count=1",
        "attributes=groups,members",
    ] {
        for endpoint in ["/Users", "/Groups", ""] {
            all.push(asked("GET", format!("{endpoint}?{query}"), None));
        }
    }
    let cursor = &held.cursor;
    for target in [
        format!("/Users?cursor={cursor}&count=1"),
        format!("/Users?cursor={cursor}"),
        format!("/Groups?cursor={cursor}&count=1"),
        format!("?cursor={cursor}&count=1"),
    ] {
        all.push(asked("GET", target, None));
    }
    let body = json!({"cursor": cursor, "count": 1});
    all.push(asked("POST", "/Users/.search", Some(body)));
    all
}

/// Resources of `b` that name those of `a`.
fn references(held: &Held, own: &Own) -> Vec<Asked> {
    let mut all = Vec::new();
    for id in [&held.user, &held.group] {
        let mut managed = user("managed");
        managed[ENTERPRISE] = json!({"manager": {"value": id}});
        all.push(asked("POST", "/Users", Some(managed.clone())));
        all.push(asked("PUT", format!("/Users/{}", own.user), Some(managed)));
        all.push(asked("POST", "/Groups", Some(group("G", &[id]))));
        all.push(asked("POST", "/Groups", Some(group("G", &[&own.user, id]))));
        let mut typed = group("G", &[]);
        typed["members"] = json!([{"value": id, "type": "User"}]);
        all.push(asked("POST", "/Groups", Some(typed)));
        let path = format!("/Groups/{}", own.group);
        all.push(asked("PUT", path.clone(), Some(group("Own", &[id]))));
        let manager = json!({"op": "add", "path": "manager", "value": id});
        all.push(asked(
            "PATCH",
            format!("/Users/{}", own.user),
            Some(patch(&[manager])),
        ));
        for operation in [
            json!({"op": "add", "path": "members", "value": [{"value": id}]}),
            json!({"op": "add", "value": {"members": [{"value": id}]}}),
            json!({"op": "replace", "path": "members", "value": [{"value": id}]}),
            json!({"op": "remove", "path": "members", "value": [{"value": id}]}),
            json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}),
            json!({"op": "replace", "path": format!("members[value eq \"{id}\"].type"),
                "value": "User"}),
        ] {
            all.push(asked("PATCH", path.clone(), Some(patch(&[operation]))));
        }
    }
    all
}

/// Bulk requests about what `a` holds, one row at a time and many at once.
fn bulks(held: &Held, own: &Own) -> Vec<Asked> {
    let row = |method: &str, path: String, data: Value| json!({"method": method, "path": path, "data": data});
    let user_path = format!("/Users/{}", held.user);
    let group_path = format!("/Groups/{}", held.group);
    let rename = patch(&[json!({"op": "replace", "path": "displayName", "value": "Mine"})]);
    let join =
        |id: &str| patch(&[json!({"op": "add", "path": "members", "value": [{"value": id}]})]);
    let mut versioned = row("PATCH", user_path.clone(), rename.clone());
    versioned["version"] = json!("W/\"1\"");
    let mut stale = row("PUT", group_path.clone(), group("Shared", &[]));
    stale["version"] = json!("W/\"8\"");
    let rows = vec![
        row("PUT", user_path.clone(), user("shared.name")),
        row("PATCH", user_path.clone(), rename.clone()),
        row("DELETE", user_path, Value::Null),
        row("PUT", group_path.clone(), group("Shared", &[&held.user])),
        row("PATCH", group_path.clone(), rename),
        row("PATCH", group_path.clone(), join(&own.user)),
        row("DELETE", group_path, Value::Null),
        row("POST", "/Groups".to_owned(), group("G", &[&held.user])),
        row("PATCH", format!("/Groups/{}", own.group), join(&held.user)),
        row("PATCH", format!("/Groups/{}", own.group), join(&held.group)),
        versioned,
        stale,
    ];
    let message = |rows: &[Value]| Some(json!({"Operations": rows}));
    let mut all: Vec<Asked> = rows
        .iter()
        .map(|row| asked("POST", "/Bulk", message(std::slice::from_ref(row))))
        .collect();
    all.push(asked("POST", "/Bulk", message(&rows)));
    let limited = json!({"failOnErrors": 2, "Operations": rows});
    all.push(asked("POST", "/Bulk", Some(limited)));
    all
}

/// What `b` makes of the same names and values, and takes away again.
fn namesakes(own: &Own) -> Vec<Asked> {
    let mut same = user("Shared.Name");
    same["externalId"] = json!("shared");
    same["emails"] = json!([{"value": "shared@example.com", "type": "work"}]);
    let filter = encode("userName eq \"shared.name\"");
    let rename = patch(&[json!({"op": "replace", "path": "userName", "value": "shared.NAME"})]);
    let row = post("1", "/Users", same.clone());
    vec![
        asked("PATCH", format!("/Users/{}", own.user), Some(rename)),
        asked("POST", "/Users", Some(same.clone())),
        asked("GET", format!("/Users?filter={filter}"), None),
        asked("POST", "/Groups", Some(group("Shared", &[&own.user]))),
        asked("GET", "/Groups", None),
        asked("GET", format!("/Users/{}", own.user), None),
        asked("DELETE", format!("/Users/{}", own.user), None),
        asked("POST", "/Bulk", Some(json!({"Operations": [row]}))),
        asked("POST", "/Users", Some(same)),
        asked("GET", "/Users", None),
        asked("GET", "", None),
    ]
}

/// What belongs to everybody, or to nobody.
fn elsewhere(held: &Held) -> Vec<Asked> {
    let mut all: Vec<Asked> = [
        "/Me",
        "/ServiceProviderConfig",
        "/Schemas",
        "/ResourceTypes/User",
        "/Devices",
        "/nowhere",
    ]
    .into_iter()
    .map(|path| asked("GET", path, None))
    .collect();
    for method in ["PUT", "PATCH", "DELETE"] {
        all.push(asked(method, "/Me", Some(user("shared.name"))));
    }
    all.push(asked("GET", format!("/Me/{}", held.user), None));
    all
}

fn of_tenant(stack: &Stack, tenant: &str) -> Vec<Map<String, Value>> {
    let mut items = stack.items();
    let prefix = format!("{tenant}#");
    items.retain(|item| item["pk"]["S"].as_str().unwrap().starts_with(&prefix));
    items
}

/// What `b` sees of all that it asks in a stack; of the `few`, also with tokens
/// that may not do it all.
async fn life(world: &mut World, few: &[Asked], all: &[Asked]) -> Vec<Seen> {
    let b = world.stack.client().tenant("b");
    let reader = b.with_scopes(&["scim.users.read", "scim.groups.read"]);
    let writer = b.with_scopes(&["scim.users.write", "scim.bulk"]);
    let mut seen = Vec::new();
    for (client, requests) in [(reader, few), (writer, few), (b, all)] {
        for request in requests {
            seen.push(world.see(&client, request).await);
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_answered_the_same_whether_or_not_another_holds_anything() {
    let mut with = World::start().await;
    let held = with.prepare(true).await.unwrap();
    let before = of_tenant(&with.stack, "a");
    let own = with.own().await;
    let verbs = verbs(&held);
    let mut few = verbs.clone();
    few.extend(elsewhere(&held));
    few.extend(bulks(&held, &own));
    let mut all = few.clone();
    all.extend(searches(&held));
    all.extend(conditional(&verbs[..24]));
    all.extend(references(&held, &own));
    all.extend(namesakes(&own));
    let left = life(&mut with, &few, &all).await;

    let mut without = World::start().await;
    without.prepare(false).await;
    assert!(before.len() > 10 && of_tenant(&without.stack, "a").is_empty());
    let same = without.own().await;
    assert_eq!((&own.user, &own.group), (&same.user, &same.group));
    let right = life(&mut without, &few, &all).await;

    let mut statuses = BTreeSet::new();
    let requests = few.iter().chain(&few).chain(&all);
    for (request, (left, right)) in requests.zip(left.iter().zip(&right)) {
        assert_eq!(left, right, "{request:?}");
        statuses.insert(left.status);
    }
    for status in [200, 201, 204, 400, 403, 404, 405, 409] {
        assert!(statuses.contains(&status), "{status} is in {statuses:?}");
    }
    assert_eq!(
        of_tenant(&with.stack, "a"),
        before,
        "and nothing was touched"
    );
    assert_eq!(
        of_tenant(&with.stack, "b"),
        of_tenant(&without.stack, "b"),
        "and what was written is the same"
    );
    with.stack.audit().await;
    without.stack.audit().await;
}
