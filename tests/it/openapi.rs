//! `docs/openapi.json`: an OpenAPI 3.1 description of the API, and that the
//! service is as described.
//!
//! The document is rendered here, from the catalogue, the scopes and the
//! defaults of the settings, so that the schema files stay the only truth.
//! `WRITE_OPENAPI=1 cargo test --workspace --test it openapi` writes it anew.
//! Whether it is an OpenAPI document at all is for `scripts/lint-openapi.sh`,
//! and what a stranger's requests lead to for `scripts/schemathesis.sh`.

mod document;
mod message;
mod operation;
mod plan;
mod resource;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use harness::client::ALL_SCOPES;
use harness::event::{Request, event};
use jsonschema::Validator;
use local::gateway::route::Routes;
use local::settings::Settings;
use local::template::{Function, Template};
use serde_json::{Map, Value, json};
use shared::scim::urn;

use crate::events::{Answer, Directory, Event, all, named, root};

/// The file below the root of the workspace.
const FILE: &str = "docs/openapi.json";
/// The base path that the document describes.
const BASE_PATH: &str = "scim/v2";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let settings = Settings::overridden(&Template::embedded().unwrap(), |_| None);
    document::document(&settings.config().unwrap())
});

/// Schemas of the document by their places, each made when it is first needed.
#[derive(Default)]
struct Schemas(BTreeMap<String, Validator>);

impl Schemas {
    fn at(&mut self, pointer: &str) -> &Validator {
        let known = self.0.entry(pointer.to_owned());
        known.or_insert_with(|| validator(pointer))
    }
}

/// `{"$ref": "#/components/…"}`.
fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

#[test]
fn the_committed_document_is_the_rendered_one() {
    let rendered = serde_json::to_string_pretty(&*DOCUMENT).unwrap() + "\n";
    let path = root().join(FILE);
    if std::env::var_os("WRITE_OPENAPI").is_some() {
        fs::write(&path, &rendered).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == rendered,
        "{FILE} is out of date: WRITE_OPENAPI=1 cargo test --workspace --test it openapi"
    );
}

#[test]
fn every_component_is_referred_to_and_every_reference_leads_somewhere() {
    let mut referred = BTreeSet::new();
    references(&DOCUMENT, &mut referred);
    let mut defined = BTreeSet::new();
    for (kind, components) in DOCUMENT["components"].as_object().unwrap() {
        if kind != "securitySchemes" {
            let names = components.as_object().unwrap().keys();
            defined.extend(names.map(|name| format!("#/components/{kind}/{name}")));
        }
    }
    assert_eq!(referred, defined);
}

/// A schema that could not be understood would accept nothing or everything.
#[test]
fn every_schema_is_one() {
    for name in DOCUMENT["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        validator(&format!("/components/schemas/{name}"));
    }
}

/// Paths, methods and where a token is asked for, both ways.
#[test]
fn the_operations_are_the_routes_of_the_template() {
    let routes = Template::embedded().unwrap().routes.into_iter();
    let routes: BTreeMap<String, bool> = routes
        .map(|route| {
            let key = format!("{} /{BASE_PATH}{}", route.method, route.suffix);
            (key, route.target.authorized)
        })
        .collect();
    let described: BTreeMap<String, bool> = operations()
        .map(|(method, path, operation)| {
            let authorized = !operation["security"].as_array().unwrap().is_empty();
            (format!("{method} {path}"), authorized)
        })
        .collect();
    assert_eq!(described, routes);
}

/// Any one of the scopes named lets a token in, and all others together do not.
#[tokio::test(start_paused = true)]
async fn the_scopes_are_those_that_the_functions_demand() {
    // Where tokens name users, `/Me` asks for a scope as well.
    let mut directory = Directory::prepared(&named("users-list")).await;
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let scopes: Vec<&str> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["token"][0].as_str().unwrap())
            .collect();
        if scopes.is_empty() {
            let status = asked(&mut directory, method, path, None).await;
            assert_eq!(status, 200, "{what}");
            continue;
        }
        for scope in &scopes {
            let status = asked(&mut directory, method, path, Some(scope)).await;
            assert!(
                ![401, 403].contains(&status),
                "{what} with {scope}: {status}"
            );
        }
        let others: Vec<&str> = ALL_SCOPES
            .iter()
            .map(String::as_str)
            .filter(|scope| !scopes.contains(scope))
            .collect();
        let status = asked(&mut directory, method, path, Some(&others.join(" "))).await;
        assert_eq!(status, 403, "{what} without {scopes:?}");
    }
}

/// The answer to every sample event has a status, headers and a body as
/// described. What is carried out was sent as described, and what is refused
/// because of its shape was not.
#[tokio::test(start_paused = true)]
async fn events_and_their_answers_are_as_described() {
    let mut schemas = Schemas::default();
    let mut statuses = BTreeSet::new();
    for event in all() {
        let Some((key, operation)) = described(&event) else {
            continue;
        };
        let answer = Directory::prepared(&event).await.replay(&event).await;
        check_answer(&mut schemas, &event, key, operation, &answer);
        statuses.insert(answer.status);
        let Some(body) = event.body() else { continue };
        let schema = format!("/paths/{key}/requestBody/content/application~1scim+json/schema");
        let body: Option<Value> = serde_json::from_slice(&body).ok();
        let valid = body.is_some_and(|body| schemas.at(&schema).is_valid(&body));
        // Refused because of its shape: not as described. Carried out: as described.
        let refused = answer.body.get("errors").is_some();
        let carried_out = answer.status < 300 && !answer.rows().contains(&"400");
        let name = &event.name;
        assert!(
            !(valid && refused || !valid && carried_out),
            "{name}: the request"
        );
    }
    assert!(statuses.is_superset(&[200, 201, 204, 304, 400, 403, 404, 409, 412, 413, 415].into()));
}

fn check_answer(
    schemas: &mut Schemas,
    event: &Event,
    key: &str,
    operation: &Value,
    answer: &Answer,
) {
    let name = &event.name;
    let status = answer.status.to_string();
    let response = operation["responses"].get(&status);
    assert!(response.is_some(), "{name}: {status} is not described");
    let response = response.unwrap();
    let (place, response) = match response["$ref"].as_str() {
        Some(target) => (target.trim_start_matches('#').to_owned(), at(target)),
        None => (format!("/paths/{key}/responses/{status}"), response),
    };
    for (header, described) in response["headers"].as_object().into_iter().flatten() {
        let described = at(described["$ref"].as_str().unwrap());
        let header = header.to_ascii_lowercase();
        let value = answer.headers.iter().find(|(known, _)| *known == header);
        let required = described["required"] == true;
        assert!(value.is_some() || !required, "{name}: {header} is missing");
    }
    let media_type = answer
        .headers
        .iter()
        .find(|(name, _)| name == "content-type");
    let Some((_, media_type)) = media_type else {
        assert_eq!(response.get("content"), None, "{name}: no body");
        return;
    };
    assert!(
        response["content"].get(media_type).is_some(),
        "{name}: {media_type}"
    );
    let schema = format!("{place}/content/{}/schema", media_type.replace('/', "~1"));
    let faults: Vec<String> = schemas
        .at(&schema)
        .iter_errors(&answer.body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {status}: {faults:#?}");
}

/// The operation of an event as a JSON pointer below `/paths`, and what is said
/// of it; none where no route of its own takes it.
fn described(event: &Event) -> Option<(&'static str, &'static Value)> {
    let template = Template::embedded().unwrap();
    let path = event.content["rawPath"].as_str().unwrap();
    let matched = Routes::new(&template, &event.base_path()).find(event.method(), path);
    let (method, path) = matched.key.split_once(' ')?;
    let path = path.replacen(&event.base_path(), BASE_PATH, 1);
    let method = method.to_ascii_lowercase();
    let operation = DOCUMENT["paths"].get(&path)?.get(&method)?;
    let key = format!("{}/{method}", path.replace('/', "~1"));
    Some((Box::leak(key.into_boxed_str()), operation))
}

/// Method, path and description of every operation.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        ["GET", "POST", "PUT", "PATCH", "DELETE"]
            .into_iter()
            .filter_map(move |method| {
                Some((
                    method,
                    path.as_str(),
                    item.get(method.to_ascii_lowercase())?,
                ))
            })
    })
}

/// The status that a request without a body is answered.
async fn asked(directory: &mut Directory, method: &str, path: &str, scope: Option<&str>) -> i64 {
    let id = match path {
        "/scim/v2/Schemas/{id}" => urn::USER,
        "/scim/v2/ResourceTypes/{id}" => "User",
        _ => "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11",
    };
    let target = path.trim_start_matches("/scim/v2").replace("{id}", id);
    let route = Routes::new(&Template::embedded().unwrap(), BASE_PATH).find(method, path);
    let request = Request {
        method: method.to_owned(),
        target,
        ..Request::default()
    };
    let claims: Option<Map<String, Value>> =
        scope.map(|scope| Map::from_iter([("scope".to_owned(), json!(scope))]));
    let event = event(&request, BASE_PATH, claims.as_ref(), 1, 0);
    let function: Function = route.target.function;
    directory.call(function, event, 0).await.status
}

/// What a reference or a pointer leads to.
fn at(reference: &str) -> &'static Value {
    let pointer = reference.trim_start_matches('#');
    DOCUMENT.pointer(pointer).expect(reference)
}

/// The schema at a place of the document.
fn validator(pointer: &str) -> Validator {
    let schema = json!({"components": DOCUMENT["components"], "allOf": [at(pointer)]});
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    let options = options.should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(target) if name == "$ref" => {
                        found.insert(target.clone());
                    }
                    value => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
