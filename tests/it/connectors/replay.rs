//! Plays a file through the gateway of `local`: routes from the template, a
//! token that the authorizer verifies, events, functions, and the harness's
//! database behind them.
//!
//! ```text
//! okta-wizard (none): step 4 `Rename`: /userName is "ada", expected "ada.king"
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use harness::Stack;
use harness::stack::TENANT;
use harness::weather::{Fault, Settings};
use http::Request as HttpRequest;
use local::authorizer::key::Key;
use local::authorizer::{AUDIENCE, Authorizer, ISSUER};
use local::gateway::Gateway;
use local::host::Host;
use local::template::{AuthorizerSettings, Template};
use serde_json::{Value, json};

use super::fixture::{BASE, Compatibility, Fixture, Step, placeholders};
use super::place;

/// All that a connector needs, and no bulk.
const SCOPES: &str = "scim.users.read scim.users.write scim.groups.read scim.groups.write";
/// 2100-01-01T00:00:00Z: after every run of this test.
const LATER: i64 = 4_102_444_800;
const DOMAIN: &str = "api.example.com";
const BASE_PATH: &str = "scim/v2";

/// Trusts one key, which every connector's token is signed with.
static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(|| {
    let settings = AuthorizerSettings {
        issuer: None,
        audience: Vec::new(),
    };
    Authorizer::new(Key::generate().unwrap(), &settings)
});

/// A connector with its token, before the gateway.
#[derive(Clone)]
struct Connector {
    gateway: Gateway,
    /// Of every request.
    headers: BTreeMap<String, String>,
    content_type: String,
}

/// What it received.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    /// Null for none.
    body: Value,
}

/// Replays a file under a setting; what was not as expected, with connector,
/// step and place. It ends at the first step that fails: what follows would
/// start from somewhere else.
pub(super) async fn replay(
    fixture: &Fixture,
    compatibility: Compatibility,
    weather: &Settings,
) -> Vec<String> {
    let setting = match compatibility {
        Compatibility::None => "none",
        Compatibility::Entra => "entra",
    };
    let stack = Stack::builder()
        .weather(weather.clone())
        .variable("COMPATIBILITY", setting)
        .start()
        .await;
    if weather.rates.conflict > 0 {
        // Chance may spare a file of few writes.
        stack
            .weather()
            .inject("TransactWriteItems", 2, Fault::Conflict);
    }
    let connector = Connector::before(&stack, fixture);
    let base = format!("https://{DOMAIN}/{BASE_PATH}");
    let mut captured = BTreeMap::from([(BASE.to_owned(), base)]);
    let steps: Vec<&Step> = fixture.under(compatibility).collect();
    let together = |one: &&Step, other: &&Step| one.parallel && other.parallel;
    let mut number = 0;
    for steps in steps.chunk_by(together) {
        let mut running = Vec::new();
        for step in steps {
            let (connector, step) = (connector.clone(), step.with(&captured));
            running.push(tokio::spawn(async move {
                let answer = connector.send(&step).await;
                (step, answer)
            }));
        }
        let mut complaints = Vec::new();
        for request in running {
            let (step, answer) = request.await.unwrap();
            number += 1;
            let found = step.judge(&answer, &mut captured);
            let place = format!(
                "{} ({setting}): step {number} `{}`",
                fixture.name, step.name
            );
            complaints.extend(
                found
                    .iter()
                    .map(|complaint| format!("{place}: {complaint}")),
            );
        }
        if !complaints.is_empty() {
            stack.abandon();
            return complaints;
        }
    }
    stack.audit().await;
    let calm = weather.rates.conflict > 0 && stack.weather().report().conflicts == 0;
    calm.then(|| format!("{} ({setting}): no conflict befell it", fixture.name))
        .into_iter()
        .collect()
}

impl Connector {
    fn before(stack: &Stack, fixture: &Fixture) -> Self {
        let template = Template::embedded().unwrap();
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": fixture.name,
            "client_id": fixture.name, "exp": LATER, "scope": SCOPES, "tenant": TENANT});
        let token = AUTHORIZER.sign_claims(claims.as_object().unwrap()).unwrap();
        let host = Host::new(stack.provider().clone(), Duration::from_secs(29));
        let mut headers = fixture.headers.clone();
        headers.insert("authorization".to_owned(), format!("Bearer {token}"));
        Self {
            gateway: Gateway::new(&template, BASE_PATH, AUTHORIZER.clone(), host, DOMAIN),
            headers,
            content_type: fixture.content_type.clone(),
        }
    }

    async fn send(&self, step: &Step) -> Answer {
        let sent = &step.request;
        let mut headers = self.headers.clone();
        if sent.body.is_some() {
            headers.insert("content-type".to_owned(), self.content_type.clone());
        }
        headers.extend(sent.headers.clone());
        let mut request = HttpRequest::builder()
            .method(sent.method.as_str())
            .uri(format!("/{BASE_PATH}{}", sent.target));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = sent.body.as_ref().map(Value::to_string).unwrap_or_default();
        let request = request.body(body.into_bytes().into()).unwrap();
        let response = self.gateway.answer(request, [192, 0, 2, 1].into()).await;
        let headers = response.headers().iter();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: match response.body().as_ref() {
                [] => Value::Null,
                body => serde_json::from_slice(body).unwrap(),
            },
        }
    }
}

impl Step {
    /// With what has been captured in place of the placeholders of its request.
    fn with(&self, captured: &BTreeMap<String, String>) -> Self {
        let mut step = self.clone();
        step.request.target = filled(&step.request.target, captured);
        if let Some(body) = &mut step.request.body {
            fill(body, captured);
        }
        step
    }

    /// What is not as expected, with the place. What this step captures may
    /// stand in its expectation.
    fn judge(&self, answer: &Answer, captured: &mut BTreeMap<String, String>) -> Vec<String> {
        let expect = &self.expect;
        let (status, expected) = (answer.status, expect.status);
        if status != expected {
            // No place in such an answer means what it would have meant.
            let body = &answer.body;
            return vec![format!("status is {status}, expected {expected}: {body}")];
        }
        let mut complaints = Vec::new();
        for (name, at) in &self.capture {
            match answer.body.pointer(at).and_then(Value::as_str) {
                Some(text) => {
                    captured.insert(name.clone(), text.to_owned());
                }
                None => complaints.push(format!("{at} is no text to capture")),
            }
        }
        if status == 204 && !answer.body.is_null() {
            complaints.push(format!("a 204 came with {}", answer.body));
        }
        for (name, expected) in &expect.headers {
            let (found, expected) = (answer.headers.get(name), filled(expected, captured));
            if found != Some(&expected) {
                complaints.push(format!("header {name} is {found:?}, expected `{expected}`"));
            }
        }
        for (at, expected) in &expect.body {
            let mut expected = expected.clone();
            fill(&mut expected, captured);
            complaints.extend(place::complaint(&answer.body, at, &expected));
        }
        for (at, wanted) in &expect.among {
            complaints.extend(place::lack(&answer.body, at, wanted));
        }
        for absent in &expect.absent {
            if let Some(found) = place::find(&answer.body, absent) {
                complaints.push(format!("{absent} is {found}, expected nothing"));
            }
        }
        complaints
    }
}

fn filled(text: &str, captured: &BTreeMap<String, String>) -> String {
    let mut filled = text.to_owned();
    for name in placeholders(text) {
        if let Some(value) = captured.get(name) {
            filled = filled.replace(&format!("{{{{{name}}}}}"), value);
        }
    }
    filled
}

fn fill(value: &mut Value, captured: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => *text = filled(text, captured),
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, captured)),
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(_, value)| fill(value, captured)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::Map;

    use super::*;

    /// A file that expects what the service does not do, at every kind of place.
    #[tokio::test(start_paused = true)]
    async fn a_failure_names_connector_step_and_place() {
        let mut told = Vec::new();
        let cases: [(&str, Value); 7] = [
            ("/status", json!(200)),
            ("/among", json!({"/schemas/*": ["urn:none"]})),
            (
                "/headers",
                json!({"content-type": "text/json", "x-none": "1"}),
            ),
            (
                "/body",
                json!({"/userName": "ada", "/active": false, "/name/*/x": []}),
            ),
            ("/absent", json!(["/userName", "/emails"])),
            ("/capture", json!({"name": "/meta"})),
            ("/body", json!({"/userName": "Ada"})),
        ];
        for (member, value) in cases {
            let mut create = json!({"name": "Create", "source": 0,
                "request": {"method": "POST", "target": "/Users",
                    "body": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Ada"}},
                "expect": {"status": 201, "body": {"/userName": "Ada"}}});
            match member {
                "/capture" => create["capture"] = value,
                member => create["expect"][&member[1..]] = value,
            }
            let end = json!({"name": "End", "source": 0,
                "request": {"method": "GET", "target": "/Users"},
                "expect": {"status": 200, "body": {"/totalResults": 1}}});
            let file = json!({"connector": "Acme", "flavour": "", "page": "acme",
                "content_type": "application/json", "sources": [{"title": "", "url": "", "date": ""}], "steps": [create], "end": [end]});
            let fixture = Fixture::parse("acme", &file.to_string()).unwrap();
            let failures = replay(&fixture, Compatibility::None, &Settings::default()).await;
            told.push(match failures.is_empty() {
                true => "as expected".to_owned(),
                false => shortened(&failures.join("\n")),
            });
        }
        assert_snapshot!(told.join("\n"), @r#"
        acme (none): step 1 `Create`: status is 201, expected 200
        acme (none): step 1 `Create`: /schemas/* is ["urn:ietf:params:scim:schemas:core:2.0:User"], expected "urn:none" among others
        acme (none): step 1 `Create`: header content-type is Some("application/scim+json"), expected `text/json`
        acme (none): step 1 `Create`: header x-none is None, expected `1`
        acme (none): step 1 `Create`: /active is missing, expected false
        acme (none): step 1 `Create`: /name/*/x is missing, expected []
        acme (none): step 1 `Create`: /userName is "Ada", expected "ada"
        acme (none): step 1 `Create`: /userName is "Ada", expected nothing
        acme (none): step 1 `Create`: /meta is no text to capture
        as expected
        "#);
    }

    /// Without the bodies, in which ids and times are other ones every time.
    fn shortened(text: &str) -> String {
        let lines = text.lines();
        let lines = lines.map(|line| line.split(": {").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn placeholders_are_filled_wherever_text_stands() {
        let captured = BTreeMap::from([("ada".to_owned(), "7".to_owned())]);
        let mut value: Map<String, Value> = Map::new();
        value.insert("path".to_owned(), json!("members[value eq \"{{ada}}\"]"));
        value.insert(
            "value".to_owned(),
            json!([{"value": "{{ada}}"}, 7, "{{bob}}"]),
        );
        let mut value = Value::Object(value);
        fill(&mut value, &captured);
        let expected =
            json!({"path": "members[value eq \"7\"]", "value": [{"value": "7"}, 7, "{{bob}}"]});
        assert_eq!(value, expected);
    }
}
