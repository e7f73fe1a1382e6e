//! What stands in the logs: never what belongs to people. At the level of
//! debug, where plans are written out, and for requests that succeed and fail.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use harness::weather::Fault;
use harness::{Stack, encode, group, patch, post};
use serde_json::{Value, json};
use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};
use tracing_subscriber::EnvFilter;

/// Takes what is logged.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&lines).into_owned()
    }

    /// Forgets what was logged so far.
    pub(super) fn clear(&self) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clear();
    }

    /// Listens to this thread, at every level of our own crates, until what it
    /// gives is dropped.
    pub(super) fn listen(&self) -> (DefaultGuard, Dispatch) {
        let writer = self.clone();
        let own = "warn,shared=trace,users=trace,groups=trace,bulk=trace,discovery=trace";
        let subscriber = || {
            let writer = writer.clone();
            let format = tracing_subscriber::fmt().with_ansi(false);
            let format = format.with_env_filter(EnvFilter::new(own));
            Dispatch::new(format.with_writer(move || writer.clone()).finish())
        };
        // Of a lone subscriber, `tracing` asks the thread that meets a log line
        // first whether anyone listens; that may be another test's.
        let second = subscriber();
        (set_default(&subscriber()), second)
    }
}

/// Everything that tells of people begins so, and nothing else contains it.
const PERSONAL: &str = "zyx";

fn person(name: &str) -> Value {
    json!({
        "schemas": [shared::scim::urn::USER],
        "userName": format!("zyx.{name}"),
        "externalId": format!("zyx-{name}"),
        "password": "zyxSecret",
        "title": "zyxTitle",
        "name": {"familyName": "zyxFamily"},
        "emails": [{"value": format!("zyx-{name}@example.com")}],
    })
}

#[tokio::test(start_paused = true)]
async fn nothing_of_people_is_logged() {
    let lines = Lines::default();
    let logged = lines.listen();
    let named = Stack::builder().variable("SUBJECT_ATTRIBUTE", "userName");
    let stack = named.start().await;
    let client = stack
        .client()
        .with_header("authorization", "Bearer zyxToken")
        .with_claim("sub", json!("zyxSubject"));
    let id = client.create("/Users", person("one")).await;
    let path = format!("/Users/{id}");
    client.post("/Users", person("ONE")).await;
    client.put(&path, person("one")).await;
    for (path, value) in [("title", "zyxNew"), ("zyx", "zyx"), ("userName", "zyx.two")] {
        let operation = json!({"op": "replace", "path": path, "value": value});
        client
            .patch(&format!("/Users/{id}"), patch(&[operation]))
            .await;
    }
    let filter = encode("userName eq \"zyx.two\" or emails.value sw \"zyx\"");
    client
        .get(&format!("/Users?filter={filter}&attributes=zyx&sortBy=zyx"))
        .await;
    client.get("/Users?filter=zyx").await;
    client.get("/Users/zyx").await;
    assert_eq!(client.get("/Me").await.status, 404);
    let me = client.with_claim("sub", json!("zyx.two"));
    assert_eq!(me.get("/Me").await.status, 200);
    client.send("POST", "/Users", b"{\"zyx".to_vec()).await;
    client.send("POST", "/zyx/zyx", b"{}".to_vec()).await;
    let rows = [
        post("zyx1", "/Users", person("three")),
        post("zyx2", "/Users", person("THREE")),
        post("zyx3", "/Groups", group("zyx", &["bulkId:zyx2"])),
        post("zyx4", "/Groups", group("zyx", &["bulkId:zyx1"])),
        json!({"method": "zyx", "path": "/Users"}),
        json!({"method": "DELETE", "path": "/Users/zyx"}),
        json!({"method": "PATCH", "path": path, "version": "zyx", "data": {}}),
        json!({"method": "PUT", "path": path, "data": person("two")}),
    ];
    client.bulk(&rows).await;
    // Where the store fails, its errors are logged too.
    for operation in ["TransactWriteItems", "BatchGetItem", "GetItem", "Query"] {
        for call in 1..=100 {
            let internal = Fault::Internal { applied: false };
            stack.weather().inject(operation, call, internal);
        }
    }
    client.bulk(&rows).await;
    client.get(&path).await;
    client.get("/Users").await;
    me.get("/Me").await;
    client.put(&path, person("four")).await;
    stack.weather().calm();
    stack.audit().await;
    drop(logged);
    let text = lines.text();
    for expected in ["plan:", "bulk request of 8 operations", "could not be"] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }
    let personal: Vec<&str> = text
        .lines()
        .filter(|line| line.to_lowercase().contains(PERSONAL))
        .collect();
    assert!(personal.is_empty(), "{}", personal.join("\n"));
}
