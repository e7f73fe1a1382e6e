//! Sends one case, and looks at the answer and at what it left behind.

use std::collections::BTreeSet;

use harness::{Client, Reply, Stack, encode, group, user};
use serde_json::{Map, Value, json};
use shared::scim::schema::catalogue;
use shared::scim::urn;

use super::case::{Answer, Case, Row};
use super::piece::{Names, named};
use crate::logs::Lines;

const SCIM: &str = "application/scim+json";
/// What a whole answer may have, in bytes, besides its rows.
const MAX_ANSWER: usize = 20_000;
/// What an error, or a failed row, may have, in bytes: a detail of 1,000 twice,
/// as `detail` and as `errors`, some of it escaped.
const MAX_ERROR: usize = 6_000;

/// A service with a small directory, whose requests are listened to.
pub(super) struct Town {
    stack: Stack,
    client: Client,
    names: Names,
    lines: Lines,
    good: Reply,
}

impl Town {
    pub(super) async fn found(case: &Case, lines: &Lines) -> Self {
        let mut builder = Stack::builder();
        for (name, value) in &case.deployment {
            builder = builder.variable(name, value);
        }
        let stack = builder.start().await;
        let client = stack.client();
        let mut names = Names::new();
        let mut there = user("there");
        there["emails"] = json!([{"value": "there@example.com", "type": "work"}]);
        there["name"] = json!({"givenName": "Barbara"});
        let user_id = client.create("/Users", there).await;
        let second = client.create("/Users", user("second")).await;
        let crew = client.create("/Groups", group("Crew", &[&user_id])).await;
        let other = client.tenant("other");
        let stranger = other.create("/Users", user("stranger")).await;
        other.create("/Users", user("neighbour")).await;
        let page = |client: Client, target| async move {
            let reply = client.get(target).await;
            reply.body["nextCursor"].as_str().unwrap().to_owned()
        };
        let cursor = page(client.clone(), "/Users?cursor&count=1").await;
        let foreign = page(other, "/Users?cursor&count=1").await;
        let good = client.get(&format!("/Users/{user_id}")).await;
        assert_eq!(good.status, 200);
        names.insert("compact id", user_id.replace('-', ""));
        names.insert("upper id", user_id.to_uppercase());
        names.insert("cut cursor", cursor[..cursor.len() - 1].to_owned());
        names.insert("user", user_id);
        names.insert("second", second);
        names.insert("group", crew);
        names.insert("stranger", stranger);
        names.insert("cursor", cursor);
        names.insert("foreign cursor", foreign);
        names.insert("absent", "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11".to_owned());
        Self {
            stack,
            client,
            names,
            lines: lines.clone(),
            good,
        }
    }

    /// What the table holds for good: a list leaves a hint for its next page.
    fn kept(&self) -> Vec<Map<String, Value>> {
        let mut items = self.stack.items();
        items.retain(|item| !item["pk"].to_string().contains("#hint#"));
        items
    }

    /// What is wrong with what the case does.
    pub(super) async fn replay(&self, case: &Case) -> Vec<String> {
        let before = self.kept();
        self.lines.clear();
        let (reply, sent) = self.send(case).await;
        let logged = self.lines.text();
        let mut faults = judged(&case.answer, &reply, &self.names);
        self.stack.weather().quiet().await;
        let written = self.kept() != before;
        if written != case.answer.writes {
            faults.push(format!("written: {written}"));
        }
        for word in private(&sent) {
            if logged.contains(word) {
                faults.push(format!("`{word}` is logged"));
            }
        }
        let path = format!("/Users/{}", self.names["user"]);
        if !case.answer.writes && self.client.get(&path).await != self.good {
            faults.push("a good request is answered otherwise".to_owned());
        }
        faults
    }

    pub(super) async fn audit(&self) {
        self.stack.audit().await;
    }

    /// Sends the request; besides the answer, all that the client wrote.
    async fn send(&self, case: &Case) -> (Reply, String) {
        let send = &case.send;
        let mut client = self.client.with_event(send.event.clone());
        for (name, value) in &send.claims {
            client = client.with_claim(name, value.clone());
        }
        if send.anonymous {
            client = client.anonymous();
        }
        let mut sent = String::new();
        for (name, value) in &send.headers {
            let value = value.text(&self.names);
            client = client.with_header(name, &value);
            sent.push_str(&format!(" {value}"));
        }
        let mut target = send.path.text(&self.names);
        let parameters = send.parameters.iter().map(|(name, value)| {
            let value = value.text(&self.names);
            sent.push_str(&format!(" {value}"));
            format!("{}={}", encode(name), encode(&value))
        });
        let parameters: Vec<String> = parameters.collect();
        let query = match &send.query {
            Some(query) => query.text(&self.names),
            None => parameters.join("&"),
        };
        if !query.is_empty() {
            target = format!("{target}?{query}");
        }
        let body = match (&send.body, &send.json) {
            (Some(body), _) => body.bytes(&self.names),
            (None, Some(json)) => named(&json.to_string(), &self.names, None).into_bytes(),
            (None, None) => Vec::new(),
        };
        sent.push_str(&format!(" {target} {}", String::from_utf8_lossy(&body)));
        (client.send(&send.method, &target, body).await, sent)
    }
}

/// What is wrong with an answer.
fn judged(expected: &Answer, reply: &Reply, names: &Names) -> Vec<String> {
    let mut faults = Vec::new();
    if reply.status != expected.status {
        faults.push(format!("status {}", reply.status));
    }
    let length = reply.body.to_string().len();
    if expected.status >= 400 {
        let detail = expected
            .detail
            .as_ref()
            .map(|part| named(part, names, None));
        let scim_type = expected.scim_type.as_deref();
        faults.extend(failed(
            expected.status,
            scim_type,
            detail.as_deref(),
            &reply.body,
        ));
        if reply.header("content-type") != Some(SCIM) {
            faults.push(format!("headers {:?}", reply.headers));
        }
    }
    let rows = reply.body["Operations"].as_array().map(Vec::as_slice);
    let bound = match (expected.status, rows) {
        (400.., _) => MAX_ERROR,
        (_, Some(rows)) => MAX_ANSWER + rows.len() * MAX_ERROR,
        _ => MAX_ANSWER,
    };
    if length > bound {
        faults.push(format!("{length} bytes"));
    }
    if let Some(expected) = &expected.rows {
        faults.extend(compared(expected, rows.unwrap_or_default(), names));
    }
    for (pointer, value) in &expected.body {
        let found = reply.body.pointer(pointer).unwrap_or(&Value::Null);
        let value = match value {
            Value::String(text) => Value::from(named(text, names, None)),
            other => other.clone(),
        };
        if *found != value {
            faults.push(format!("{pointer} is {}", shortened(found)));
        }
    }
    if !faults.is_empty() {
        faults.push(shortened(&reply.body));
    }
    faults
}

/// What is wrong with a SCIM Error (RFC 7644 §3.12).
fn failed(
    status: u16,
    scim_type: Option<&str>,
    detail: Option<&str>,
    error: &Value,
) -> Vec<String> {
    let mut faults = Vec::new();
    if error["scimType"].as_str() != scim_type {
        faults.push(format!("scimType {}", error["scimType"]));
    }
    if error["schemas"] != json!([urn::ERROR]) || error["status"] != json!(status.to_string()) {
        faults.push("no SCIM Error".to_owned());
    }
    let found = error["detail"].as_str().unwrap_or_default();
    if detail.is_some_and(|part| !found.contains(part)) {
        faults.push(format!("detail `{found:.300}`"));
    }
    faults
}

fn compared(expected: &[Row], found: &[Value], names: &Names) -> Vec<String> {
    let all = expected
        .iter()
        .flat_map(|row| std::iter::repeat_n(row, row.times));
    let all: Vec<&Row> = all.collect();
    if all.len() != found.len() {
        return vec![format!("{} rows", found.len())];
    }
    let mut faults = Vec::new();
    for (index, (row, found)) in all.into_iter().zip(found).enumerate() {
        if found["status"] != json!(row.status.to_string()) {
            faults.push(format!("row {index}: status {}", found["status"]));
        }
        if row.status >= 400 {
            let detail = row.detail.as_ref().map(|part| named(part, names, None));
            let scim_type = row.scim_type.as_deref();
            let wrong = failed(row.status, scim_type, detail.as_deref(), &found["response"]);
            faults.extend(
                wrong
                    .into_iter()
                    .map(|fault| format!("row {index}: {fault}")),
            );
        }
    }
    faults
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(600).collect()
}

/// The words of a request that are nobody's business: not those of the
/// protocol and of the schemas, and no ids.
fn private(sent: &str) -> BTreeSet<&str> {
    let words = sent.split(|c: char| !c.is_alphanumeric() && !"-._".contains(c));
    let words: BTreeSet<&str> = words.filter(|word| word.len() >= 6).collect();
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let mut known: BTreeSet<&str> = ["DELETE", "Operations", "operations", "Groups"].into();
    let common = std::iter::once(&catalogue().common);
    for schema in catalogue().schemas.iter().chain(common) {
        known.extend(schema.attributes.iter().map(|attribute| &*attribute.name));
    }
    let strange = |word: &&str| !is_id(word) && !known.contains(word);
    words.into_iter().filter(strange).collect()
}

/// What is wrong with an answer of this status and body; for the test of this
/// test.
pub(super) fn judged_for_test(answer: Value, status: u16, body: Value) -> Vec<String> {
    let answer: Answer = serde_json::from_value(answer).unwrap();
    let headers = [("content-type".to_owned(), SCIM.to_owned())].into();
    let reply = Reply {
        status,
        headers,
        text: body.to_string(),
        body,
    };
    judged(&answer, &reply, &Names::new())
}
