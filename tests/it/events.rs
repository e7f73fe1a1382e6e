//! The sample events of `events/`: what each is answered, that each is what a
//! gateway sends, and that `events/README.md` tells the truth about them.
//!
//! The replies are snapshots, one file per event, below the request as it was
//! sent. They are read with a critical eye when they change.

mod replay;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use harness::{id_of, user};
use http::Request as HttpRequest;
use local::gateway::event::{Arrival, event as gateway_event};
use local::gateway::route::Routes;
use local::template::{Function, Template};
use serde_json::{Value, json};

pub(crate) use replay::{Answer, Directory, Event, all, named, root};

/// The only event that no gateway sends: a body marked as base64 that is none.
const IMPOSSIBLE: &str = "bulk-malformed-base64";

#[tokio::test(start_paused = true)]
async fn every_event_is_answered_as_recorded() {
    let mut changed = Vec::new();
    for event in all() {
        let mut directory = Directory::prepared(&event).await;
        let shown = show(&mut directory, &event).await;
        directory.stack.audit().await;
        let settings = {
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings
        };
        let compare = || settings.bind(|| insta::assert_snapshot!(event.name.as_str(), shown));
        if catch_unwind(AssertUnwindSafe(compare)).is_err() {
            changed.push(event.name);
        }
    }
    assert!(changed.is_empty(), "other answers to {changed:?}");
}

#[test]
fn every_snapshot_is_of_an_event() {
    let entries = fs::read_dir(root().join("tests/it/snapshots")).unwrap();
    let kept: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".snap")?.to_owned()))
        .collect();
    let events: BTreeSet<String> = all().into_iter().map(|event| event.name).collect();
    assert_eq!(kept, events);
}

/// Each event equals the one that the local gateway builds from its request,
/// but for what names the account, the API and the moment.
#[test]
fn every_event_is_what_the_gateway_sends() {
    let template = Template::embedded().unwrap();
    for event in all() {
        if event.name == IMPOSSIBLE {
            continue;
        }
        let content = &event.content;
        let context = &content["requestContext"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let query = match text(&content["rawQueryString"]) {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        };
        let mut request = HttpRequest::builder()
            .method(event.method())
            .uri(format!("{}{query}", text(&content["rawPath"])));
        for (name, value) in content["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let request = request.body(event.body().unwrap_or_default()).unwrap();
        let length = request.headers().get("content-length");
        let length = length.map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        assert_eq!(request.body().len(), length, "{}: length", event.name);
        let matched = Routes::new(&template, &event.base_path())
            .find(event.method(), &text(&content["rawPath"]));
        let claims = context["authorizer"]["jwt"]["claims"].as_object();
        assert_eq!(
            claims.is_some(),
            matched.target.authorized,
            "{}",
            event.name
        );
        let arrival = Arrival {
            id: text(&context["requestId"]),
            time: "2026-11-22T10:00:00Z".parse().unwrap(),
            source: [192, 0, 2, 1].into(),
            domain: text(&context["domainName"]),
        };
        let mut sent = gateway_event(&request.map(Into::into), &matched, claims, &arrival);
        for name in ["accountId", "apiId", "domainPrefix"] {
            sent["requestContext"][name] = context[name].clone();
        }
        let pretty = |value: &Value| serde_json::to_string_pretty(&sorted(value)).unwrap();
        assert_eq!(pretty(&sent), pretty(content), "{}", event.name);
    }
}

/// The table says what `cargo run -- invoke` prints for each event.
#[tokio::test(start_paused = true)]
async fn the_readme_names_every_event_with_its_status_on_an_empty_directory() {
    let readme = fs::read_to_string(root().join("events/README.md")).unwrap();
    let told: Vec<(String, String)> = readme
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("| `")?.split_once(".json` | ")?;
            let (_, status) = rest.strip_suffix(" |")?.rsplit_once(" | ")?;
            Some((name.to_owned(), status.to_owned()))
        })
        .collect();
    let mut found = Vec::new();
    for event in all() {
        let mut directory = Directory::empty(&event).await;
        let answer = directory.replay(&event).await;
        directory.stack.audit().await;
        found.push((event.name, answer.summary()));
    }
    assert_eq!(told, found);
}

#[test]
fn every_route_of_the_template_has_an_event() {
    let template = Template::embedded().unwrap();
    let key = |event: &Event| {
        let key = event.content["routeKey"].as_str().unwrap().to_owned();
        key.replace(&format!(" /{}", event.base_path()), " ")
    };
    let known: BTreeSet<String> = all().iter().map(key).collect();
    let mut routes: BTreeSet<String> = template
        .routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.suffix))
        .collect();
    routes.insert("$default".to_owned());
    assert_eq!(known, routes);
}

/// A user and a group around her in one request, as the SCIM playground shows
/// it: the reference became the user's id.
#[tokio::test(start_paused = true)]
async fn the_playgrounds_group_contains_its_user() {
    let event = named("bulk-playground-user-and-group");
    let mut directory = Directory::prepared(&event).await;
    let answer = directory.replay(&event).await;
    assert_eq!(answer.rows(), ["201", "201"]);
    let id = |row: usize| id_of(&answer.body["Operations"][row]);
    let mut get = named("groups-get").content;
    let path = format!("/scim/v2/Groups/{}", id(1));
    get["rawPath"] = json!(path);
    get["requestContext"]["http"]["path"] = json!(path);
    get["pathParameters"]["id"] = json!(id(1));
    let group = directory
        .call(Function::Groups, serde_json::from_value(get).unwrap(), 0)
        .await
        .body;
    assert_eq!(group["members"][0]["value"], json!(id(0)));
    assert_eq!(group["members"].as_array().unwrap().len(), 1);
    directory.stack.audit().await;
}

/// Three users without a bulkId, the last of whom may exist.
#[tokio::test(start_paused = true)]
async fn janssens_third_user_conflicts_only_when_she_exists() {
    let event = named("bulk-janssen-three-users");
    let mut directory = Directory::prepared(&event).await;
    assert_eq!(directory.replay(&event).await.rows(), ["201", "201", "201"]);
    directory.stack.audit().await;
    let mut directory = Directory::prepared(&event).await;
    directory.create("/Users", &user("Becca")).await;
    assert_eq!(directory.replay(&event).await.rows(), ["201", "201", "409"]);
    directory.stack.audit().await;
}

/// Two users, a group with an unknown member, a DELETE of an unknown user.
#[tokio::test(start_paused = true)]
async fn ibms_four_rows_fail_one_by_one() {
    let event = named("bulk-ibm-group-with-unknown-member");
    let mut directory = Directory::prepared(&event).await;
    assert_eq!(
        directory.replay(&event).await.rows(),
        ["201", "201", "400", "404"]
    );
    directory.stack.audit().await;
}

/// Request and reply as text: the request line, its body and what of the
/// headers the function reads, then the answer.
async fn show(directory: &mut Directory, event: &Event) -> String {
    let content = &event.content;
    let query = content["rawQueryString"].as_str().unwrap();
    let path = content["rawPath"].as_str().unwrap();
    let mut sent = vec![match query.is_empty() {
        true => format!("{} {path}", event.method()),
        false => format!("{} {path}?{query}", event.method()),
    }];
    for name in ["content-type", "if-match", "if-none-match"] {
        if let Some(value) = content["headers"][name].as_str() {
            sent.push(format!("{name}: {value}"));
        }
    }
    if let Some(body) = event.body() {
        let body = String::from_utf8(body).unwrap();
        let cut: String = body.chars().take(2_000).collect();
        let rest = if cut.len() < body.len() { "…" } else { "" };
        sent.extend([String::new(), format!("{cut}{rest}")]);
    }
    let answer = directory.replay(event).await;
    let mut answered = vec![answer.status.to_string()];
    for (name, value) in &answer.headers {
        answered.push(format!("{name}: {value}"));
    }
    if !answer.body.is_null() {
        let body = serde_json::to_string_pretty(&short(answer.body)).unwrap();
        answered.extend([String::new(), body]);
    }
    directory.named(event, &sent.join("\n"), &answered.join("\n"))
}

/// A list of schemas is told by their ids.
fn short(mut body: Value) -> Value {
    let resources = body.get_mut("Resources").and_then(Value::as_array_mut);
    for resource in resources.into_iter().flatten() {
        if resource.get("attributes").is_some() {
            *resource = resource["id"].take();
        }
    }
    body
}

/// With the members of every object in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.into_iter();
            members
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect()
        }
        other => other.clone(),
    }
}
