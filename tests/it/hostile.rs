//! What nobody should send, and what is answered: a status, a keyword, and in
//! every case but a success the body of a SCIM Error (RFC 7644 §3.12).

mod bodies;
mod bulk;
mod envelope;
mod patches;
mod requests;

use harness::{Client, Reply};
use serde_json::json;

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const SCIM: &str = "application/scim+json";
const ABSENT: &str = "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11";

/// A request and what is answered: status, and `scimType` or nothing.
struct Case {
    name: &'static str,
    method: &'static str,
    target: String,
    body: Vec<u8>,
    expected: (u16, &'static str),
}

fn case(
    name: &'static str,
    method: &'static str,
    target: impl Into<String>,
    body: impl Into<Vec<u8>>,
    expected: (u16, &'static str),
) -> Case {
    Case {
        name,
        method,
        target: target.into(),
        body: body.into(),
        expected,
    }
}

/// What is wrong with a reply, if anything: every failure is a SCIM Error.
fn fault(reply: &Reply, expected: (u16, &str)) -> Option<String> {
    let found = (
        reply.status,
        reply.body["scimType"].as_str().unwrap_or_default(),
    );
    if found != expected {
        let body: String = reply.body.to_string().chars().take(300).collect();
        return Some(format!("{found:?} instead of {expected:?}: {body}"));
    }
    if reply.status < 300 {
        return None;
    }
    let is_error = reply.header("content-type") == Some(SCIM)
        && reply.body["schemas"] == json!([ERROR])
        && reply.body["status"].as_str() == Some(reply.status.to_string().as_str())
        && reply.body["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty());
    (!is_error).then(|| format!("no SCIM Error: {:?} {}", reply.headers, reply.body))
}

async fn check(client: &Client, cases: Vec<Case>) {
    let mut faults = Vec::new();
    for case in cases {
        let reply = client.send(case.method, &case.target, case.body).await;
        if let Some(fault) = fault(&reply, case.expected) {
            faults.push(format!("{}: {fault}", case.name));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A body whose `§` stands for the schemas of a user.
fn typed(body: &str) -> String {
    body.replace(
        '§',
        r#""schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]"#,
    )
}

/// JSON that is nested so deep.
fn deep(depth: usize) -> String {
    format!(
        r#"{{§,"userName":"deep","x":{}{}}}"#,
        "[".repeat(depth),
        "]".repeat(depth)
    )
}
