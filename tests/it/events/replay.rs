//! The sample events, replayed through the function that their route names.
//!
//! Ids are minted at random, so an event cannot know the id of anything that
//! exists. Four ids in the files stand for the four resources of
//! [`Directory::prepared`]; they are replaced by the real ones, in path and
//! decoded body alike, before the event is replayed. On an empty directory they
//! stay and name nothing.
//!
//! A deployment's base path is read off the event, and a base path with a
//! tenant brings its claim along, as `local invoke` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::event::{Request, event};
use harness::{Stack, group};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::encodings::Body;
use local::settings::Settings;
use local::template::way;
use local::template::{Function, Template};
use serde_json::{Value, json};
use shared::ambient::Moment;
use shared::scim::schema::catalogue;
use shared::scim::{Timestamp, urn};

/// Stands for the id of the user `alice@example.com`.
const USER: &str = "00000000-0000-4000-8000-000000000001";
/// Stands for the id of the group `Staff`, whose member she is.
const GROUP: &str = "00000000-0000-4000-8000-000000000002";
/// Stands for the id of the device `Pump`, which is in the group, too.
const DEVICE: &str = "00000000-0000-4000-8000-000000000003";
/// Stands for the id of the application `Control`, which controls the device.
const APPLICATION: &str = "00000000-0000-4000-8000-000000000004";
/// The names of the four in snapshots.
const NAMES: [&str; 4] = ["[alice]", "[staff]", "[pump]", "[control]"];
/// The tenant in the paths of the events that have one.
const TENANT: &str = "acme";
/// 2026-01-01T00:00:00Z, when the directory is prepared.
const PREPARED: i64 = 1_767_225_600_000;
/// A day later, when the event arrives.
const NOW: i64 = PREPARED + 86_400_000;

/// A file of `events/`.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The file's name without `.json`.
    pub(crate) name: String,
    /// Its content.
    pub(crate) content: Value,
}

/// What a function answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: i64,
    /// Name and value, in the order of the names.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; null for none.
    pub(crate) body: Value,
}

/// A service with the settings of an event's deployment.
pub(crate) struct Directory {
    pub(crate) stack: Stack,
    base_path: String,
    /// The placeholders with the ids that they stand for; none when empty.
    ids: Vec<(&'static str, String)>,
    requests: u64,
}

pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_path_buf()
}

/// Every sample event, in the order of the names.
pub(crate) fn all() -> Vec<Event> {
    let entries = fs::read_dir(root().join("events")).unwrap();
    let mut events: Vec<Event> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "json"))
        .map(|path| Event {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            content: serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(),
        })
        .collect();
    events.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(!events.is_empty());
    events
}

/// The event of a name.
pub(crate) fn named(name: &str) -> Event {
    let mut events = all().into_iter();
    events.find(|event| event.name == name).unwrap()
}

impl Event {
    pub(crate) fn function(&self) -> Function {
        self.way().function
    }

    /// The base path of the deployment that the event is of.
    pub(crate) fn base_path(&self) -> String {
        self.way().base_path.unwrap_or_else(|| "scim/v2".to_owned())
    }

    pub(crate) fn method(&self) -> &str {
        self.content["requestContext"]["http"]["method"]
            .as_str()
            .unwrap()
    }

    /// The body as it was sent; none when there is none or it is not base64.
    pub(crate) fn body(&self) -> Option<Vec<u8>> {
        let body = self.content.get("body")?.as_str()?;
        match self.content["isBase64Encoded"].as_bool()? {
            true => STANDARD.decode(body).ok(),
            false => Some(body.as_bytes().to_vec()),
        }
    }

    fn way(&self) -> way::Way {
        let template = Template::embedded().unwrap();
        way::way(&template, "scim/v2", &self.content).unwrap()
    }

    /// With other ids in the path and in the decoded body.
    fn with(&self, ids: &[(&str, String)]) -> Value {
        let replaced = |text: &str| {
            let mut text = text.to_owned();
            for (placeholder, id) in ids {
                text = text.replace(placeholder, id);
            }
            text
        };
        let body = self.body().and_then(|body| String::from_utf8(body).ok());
        let mut content: Value =
            serde_json::from_str(&replaced(&self.content.to_string())).unwrap();
        if let Some(body) = body
            && content["isBase64Encoded"] == true
        {
            content["body"] = json!(STANDARD.encode(replaced(&body)));
        }
        content
    }
}

impl Answer {
    /// The statuses of the rows of a bulk response.
    pub(crate) fn rows(&self) -> Vec<&str> {
        let rows = self.body["Operations"].as_array();
        let rows = rows.into_iter().flatten();
        rows.map(|row| row["status"].as_str().unwrap()).collect()
    }

    /// `201`, or `200: 201, 409` for a bulk response.
    pub(crate) fn summary(&self) -> String {
        let rows = self.rows();
        match self.body.get("Operations").is_none() {
            true => self.status.to_string(),
            false => format!("{}: {}", self.status, rows.join(", ")),
        }
    }
}

impl Directory {
    /// Without any resource, with the settings of the template.
    pub(crate) async fn empty(event: &Event) -> Self {
        Self::with(event, "").await
    }

    async fn with(event: &Event, subject_attribute: &str) -> Self {
        let base_path = event.base_path();
        let template = Template::embedded().unwrap();
        let settings = Settings::overridden(&template, |_| None)
            .with_base_path(&base_path)
            .with_tenant_claim();
        let stack = Stack::builder()
            .variable("BASE_PATH", settings.base_path())
            .variable("TENANT_CLAIM", settings.tenant_claim())
            .variable("SUBJECT_ATTRIBUTE", subject_attribute)
            .start()
            .await;
        Self {
            stack,
            base_path: base_path.replace("{tenant_id}", TENANT),
            ids: Vec::new(),
            requests: 0,
        }
    }

    /// With the user `alice@example.com`, the device `Pump`, the application
    /// `Control` that controls it, and the group `Staff` of user and device, all
    /// at their first version. Tokens name users by `userName`.
    pub(crate) async fn prepared(event: &Event) -> Self {
        let mut directory = Self::with(event, "userName").await;
        let alice = json!({
            "schemas": [urn::USER],
            "userName": "alice@example.com",
            "displayName": "Alice",
            "emails": [{"value": "alice@example.com", "type": "work"}],
        });
        let alice = directory.create("/Users", &alice).await;
        let control = json!({
            "schemas": [core("EndpointApp")],
            "applicationType": "deviceControl",
            "applicationName": "Control",
        });
        let control = directory.create("/EndpointApps", &control).await;
        let pump = json!({
            "schemas": [core("Device")],
            "displayName": "Pump",
            "active": true,
            extension("bleExtension"): {
                "versionSupport": ["5.4"],
                "deviceMacAddress": "2C:54:91:88:C9:E2",
                "pairingMethods": [extension("pairingNull")],
            },
            extension("dppExtension"): {"dppVersion": 2, "bootstrapKey": "c2VjcmV0"},
            extension("endpointAppsExt"): {"applications": [{"value": control}]},
        });
        let pump = directory.create("/Devices", &pump).await;
        let staff = directory
            .create("/Groups", &group("Staff", &[&alice, &pump]))
            .await;
        directory.ids = vec![
            (USER, alice),
            (GROUP, staff),
            (DEVICE, pump),
            (APPLICATION, control),
        ];
        directory
    }

    /// Creates one more resource; its id.
    pub(crate) async fn create(&mut self, endpoint: &str, body: &Value) -> String {
        let request = Request {
            method: "POST".to_owned(),
            target: endpoint.to_owned(),
            headers: [(
                "content-type".to_owned(),
                "application/scim+json".to_owned(),
            )]
            .into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let claims = json!({"scope": harness::client::ALL_SCOPES.join(" "), "tenant_id": TENANT});
        let event = event(&request, &self.base_path, claims.as_object(), 1, PREPARED);
        let function = match endpoint {
            "/Users" => Function::Users,
            "/Groups" => Function::Groups,
            _ => Function::Resources,
        };
        let answer = self.call(function, event, PREPARED).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// The answer to an event.
    pub(crate) async fn replay(&mut self, event: &Event) -> Answer {
        let content = serde_json::from_value(event.with(&self.ids)).unwrap();
        self.call(event.function(), content, NOW).await
    }

    /// Request and answer as one text, with names in place of what differs from
    /// run to run or says nothing to a reader: `[alice]` and the like, other
    /// minted ids as `[id 1]` and so on by first appearance, `[prepared]` and
    /// `[now]` for the two instants.
    pub(crate) fn named(&self, event: &Event, sent: &str, answered: &str) -> String {
        let mut sent = sent.to_owned();
        for (placeholder, name) in [USER, GROUP, DEVICE, APPLICATION].into_iter().zip(NAMES) {
            sent = sent.replace(placeholder, name);
        }
        let mut answered = answered
            .replace(&instant(PREPARED), "[prepared]")
            .replace(&instant(NOW), "[now]");
        for ((_, id), name) in self.ids.iter().zip(NAMES) {
            answered = answered.replace(id, name);
        }
        let body = event.body().unwrap_or_default();
        let known = format!("{}{}", event.content, String::from_utf8_lossy(&body));
        let mut number = 0;
        while let Some(id) = minted(&answered, &known) {
            number += 1;
            answered = answered.replace(&id, &format!("[id {number}]"));
        }
        format!("{sent}\n\n{answered}")
    }

    /// The answer of a function at an instant in milliseconds since 1970.
    pub(crate) async fn call(
        &mut self,
        function: Function,
        event: ApiGatewayV2httpRequest,
        now: i64,
    ) -> Answer {
        self.requests += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.requests.to_be_bytes());
        let moment = Moment {
            now: Timestamp(now),
            seed,
            deadline: tokio::time::Instant::now() + Duration::from_secs(27),
        };
        let provider = self.stack.provider();
        let response = match function {
            Function::Users => users::handle(provider, event, moment).await,
            Function::Groups => groups::handle(provider, event, moment).await,
            Function::Resources => resources::handle(provider, event, moment).await,
            Function::Bulk => bulk::handle(provider, event, moment).await,
            Function::Discovery => discovery::handle(&provider.config, event, moment).await,
        };
        answer(response)
    }
}

/// The URN of a resource type's core schema.
fn core(name: &str) -> String {
    let known = catalogue().by_name(name).unwrap();
    known.schema.id.clone()
}

/// The URN of the schema of this name.
fn extension(name: &str) -> String {
    let mut schemas = catalogue().schemas.iter();
    schemas
        .find(|schema| schema.name == name)
        .unwrap()
        .id
        .clone()
}

fn answer(response: ApiGatewayV2httpResponse) -> Answer {
    let headers = response.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap().to_owned();
        (name.as_str().to_owned(), value)
    });
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    let body = match response.body {
        Some(Body::Text(text)) => serde_json::from_str(&text).unwrap(),
        Some(Body::Binary(bytes)) => serde_json::from_slice(&bytes).unwrap(),
        _ => Value::Null,
    };
    Answer {
        status: response.status_code,
        headers,
        body,
    }
}

fn instant(milliseconds: i64) -> String {
    Timestamp(milliseconds).to_string()
}

/// The first id in a text that the client did not send.
fn minted(text: &str, sent: &str) -> Option<String> {
    let form = |byte: u8, place: usize| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.as_bytes()
        .windows(36)
        .filter(|window| {
            let mut bytes = window.iter().enumerate();
            bytes.all(|(place, byte)| form(*byte, place))
        })
        .filter_map(|window| std::str::from_utf8(window).ok())
        .find(|id| !sent.contains(id))
        .map(str::to_owned)
}
