//! No read outlasts its request: what cannot be read in time is refused in
//! time, so that the client has an answer of ours and not of the gateway.

use std::time::Duration;

use harness::{Client, Stack, encode, group, user};
use serde_json::{Value, json};
use tokio::time::Instant;

/// What a request may take, and the pace of the last call and the hint.
const TIME: Duration = Duration::from_secs(28);

/// A user below so many groups, each in the next.
async fn chain(client: &Client, groups: usize) -> String {
    let id = client.create("/Users", user("deep")).await;
    let mut below = id.clone();
    for n in 0..groups {
        below = client
            .create("/Groups", group(&format!("g{n}"), &[&below]))
            .await;
    }
    id
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_presented_in_time_is_refused_in_time() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let id = chain(&client, 40).await;
    let pause = Duration::from_millis(1_200);
    stack
        .weather()
        .change(|settings| settings.call = pause..=pause);
    let filter = encode("userName eq \"deep\"");
    let search = json!({"filter": "userName eq \"deep\""});
    let too_many = json!("tooMany");
    for (method, target, body, status, kind) in [
        (
            "GET",
            format!("/Users?filter={filter}"),
            None,
            400,
            &too_many,
        ),
        (
            "GET",
            format!("/Users?filter={filter}&cursor"),
            None,
            400,
            &too_many,
        ),
        ("POST", "/.search".to_owned(), Some(&search), 400, &too_many),
        ("GET", format!("/Users/{id}"), None, 503, &Value::Null),
    ] {
        let began = Instant::now();
        let body = body.map(|body| body.to_string().into_bytes());
        let reply = client.send(method, &target, body.unwrap_or_default()).await;
        assert_eq!(reply.status, status, "{target}: {}", reply.body);
        assert_eq!(&reply.body["scimType"], kind, "{target}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains("`excludedAttributes`"), "{detail}");
        assert!(began.elapsed() < TIME, "{target}: {:?}", began.elapsed());
        // As it says, less can be had.
        let join = if target.contains('?') { '&' } else { '?' };
        if method == "GET" {
            let less = format!("{target}{join}excludedAttributes=groups");
            assert_eq!(client.get(&less).await.status, 200, "{less}");
        }
    }
    stack.audit().await;
}
