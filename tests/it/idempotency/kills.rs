//! A run that dies at any of its calls, and the repetition that finds what it
//! has left; a run that was only thought dead.

use std::num::NonZeroUsize;
use std::time::Duration;

use harness::weather::Fault;
use harness::{Client, Reply, Stack, group, id_of, post, user};
use serde_json::{Value, json};
use shared::ambient::Moment;
use shared::plan::{Outcome, Rights, Rules, Terms, operation};
use shared::provider::{Begun, Caller, Intention};
use shared::scim::Timestamp;
use shared::scim::patch::Dialect;
use shared::table::{RequestKey, Tenant};
use tokio::time::Instant;

use super::{keyed, title};

/// Longer than any lease.
const LATER: Duration = Duration::from_secs(60);

/// The ids of what is there before the request.
struct Given {
    users: Vec<String>,
    group: String,
}

async fn prepare(client: &Client) -> Given {
    let mut users = Vec::new();
    for n in 0..4 {
        users.push(client.create("/Users", user(&format!("old{n}"))).await);
    }
    let members = [users[3].as_str()];
    let group = client.create("/Groups", group("Old", &members)).await;
    Given { users, group }
}

/// Creates, references forward and backward, a ring, changes one after another
/// on one resource, a delete, and rows that fail.
fn request(given: &Given) -> Value {
    let mut rows = Vec::new();
    for n in 0..4 {
        let members: Vec<String> = (0..5).map(|m| format!("bulkId:u{}", n * 5 + m)).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        rows.push(post(
            &format!("g{n}"),
            "/Groups",
            group(&format!("G{n}"), &members),
        ));
    }
    rows.push(post("ra", "/Groups", group("Ring A", &["bulkId:rb"])));
    rows.push(post("rb", "/Groups", group("Ring B", &["bulkId:ra"])));
    for n in 0..150 {
        rows.push(post(&format!("u{n}"), "/Users", user(&format!("user{n}"))));
    }
    for n in 0..30 {
        let path = format!("/Users/{}", given.users[n % 3]);
        rows.push(json!({"method": "PATCH", "path": path, "data": title(&format!("title {n}"))}));
    }
    for n in 0..10 {
        let add =
            json!({"op": "add", "path": "members", "value": [{"value": format!("bulkId:u{n}")}]});
        let path = format!("/Groups/{}", given.group);
        rows.push(json!({"method": "PATCH", "path": path, "data": harness::patch(&[add])}));
    }
    rows.push(json!({"method": "DELETE", "path": format!("/Users/{}", given.users[3])}));
    rows.push(post("taken", "/Users", user("OLD0")));
    rows.push(post(
        "broken",
        "/Groups",
        group("Broken", &["bulkId:taken"]),
    ));
    rows.push(json!({"method": "PATCH", "path": "/Users/nobody", "data": title("x")}));
    assert_eq!(rows.len(), 200);
    json!({"Operations": rows})
}

/// Everything but the two users that somebody else has changed meanwhile, and
/// versions, which only the rows of the answer show.
async fn directory(client: &Client, besides: &[String]) -> Vec<Value> {
    let mut found = Vec::new();
    for endpoint in ["/Users", "/Groups"] {
        let list = client.get(&format!("{endpoint}?count=200")).await.body;
        let resources = list["Resources"].as_array().unwrap().clone();
        assert_eq!(list["totalResults"], resources.len());
        let theirs = |resource: &Value| besides.iter().any(|id| resource["id"] == **id);
        found.extend(resources.into_iter().filter(|resource| !theirs(resource)));
    }
    for resource in &mut found {
        for instant in ["created", "lastModified"] {
            resource["meta"].as_object_mut().unwrap().remove(instant);
        }
    }
    found
}

fn id_by(answer: &Reply, bulk_id: &str) -> String {
    let mut rows = answer.rows().iter();
    let row = rows.find(|row| row["bulkId"] == bulk_id).unwrap();
    id_of(row).to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_bulk_request_killed_at_any_call_is_finished_by_its_repetition() {
    let fair = Stack::seeded(1).await;
    let client = fair.client();
    let given = prepare(&client).await;
    fair.weather().reset();
    let undisturbed = keyed(&client, "k").post("/Bulk", request(&given)).await;
    assert_eq!(undisturbed.status, 200);
    let calls = fair.weather().report().calls;
    assert!(calls["TransactWriteItems"] >= 4, "{calls:?}");
    // Nobody refers to these two, and no later row changes them.
    let victims = ["u148", "u149"].map(|bulk_id| id_by(&undisturbed, bulk_id));
    let expected = directory(&client, &victims).await;
    fair.audit().await;
    let mut cases = 0;
    for (operation, count) in calls {
        for nth in 1..=count {
            for applied in [false, true] {
                let case = format!("{operation} {nth}, applied: {applied}");
                let fault = Fault::Kill { applied };
                let stack = Stack::seeded(1).await;
                let given = prepare(&stack.client()).await;
                let client = keyed(&stack.client(), "k");
                stack.weather().inject(&operation, nth, fault);
                let died = tokio::select! {
                    biased;
                    () = stack.weather().killed() => true,
                    _ = client.post("/Bulk", request(&given)) => false,
                };
                assert!(died, "{case}");
                cases += 1;
                let stack = stack.successor();
                stack.weather().quiet().await;
                if operation == "PutItem" && nth == 1 && !applied {
                    // Nothing is known of that run, so the next has its own ids.
                    let client = keyed(&stack.client(), "k");
                    let first = client.post("/Bulk", request(&given)).await;
                    assert_eq!(told(&first), told(&undisturbed), "{case}");
                    stack.audit().await;
                    continue;
                }
                Box::pin(repeat(
                    &stack,
                    &case,
                    &given,
                    &victims,
                    &undisturbed,
                    &expected,
                ))
                .await;
            }
        }
    }
    assert!(cases >= 20, "{cases}");
}

fn told(reply: &Reply) -> Vec<(&Value, &Value)> {
    let rows = reply.rows().iter();
    rows.map(|row| (&row["status"], &row["version"])).collect()
}

/// Somebody else changes one resource and deletes another, where these are
/// there; then the request is sent again.
async fn repeat(
    stack: &Stack,
    case: &str,
    given: &Given,
    victims: &[String; 2],
    undisturbed: &Reply,
    expected: &[Value],
) {
    let client = stack.client();
    let [patched, deleted] = victims.each_ref().map(|id| format!("/Users/{id}"));
    let changed = client.patch(&patched, title("foreign")).await.status;
    let gone = client.delete(&deleted).await.status;
    assert!(
        [200, 404].contains(&changed) && [204, 404].contains(&gone),
        "{case}"
    );
    tokio::time::sleep(LATER).await;
    let client = keyed(&client, "k");
    let again = client.post("/Bulk", request(given)).await;
    assert_eq!(again.body, undisturbed.body, "{case}");
    let after = client.get(&patched).await;
    let title = if changed == 200 {
        json!("foreign")
    } else {
        Value::Null
    };
    assert_eq!(
        after.body["title"], title,
        "{case}: the change of another stays"
    );
    let after = client.get(&deleted).await;
    assert_eq!(
        after.status,
        if gone == 204 { 404 } else { 200 },
        "{case}: deleted for good"
    );
    assert_eq!(directory(&client, victims).await, expected, "{case}");
    stack.weather().reset();
    assert_eq!(
        client.post("/Bulk", request(given)).await.body,
        undisturbed.body,
        "{case}"
    );
    assert_eq!(stack.weather().report().transactions, 0, "{case}");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_single_write_killed_at_any_call_is_finished_by_its_repetition() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let send = async |client: &Client, id: &str| {
            let path = format!("/Users/{id}");
            let client = keyed(client, "k");
            match method {
                "POST" => client.post("/Users", user("new")).await,
                "PUT" => client.put(&path, user("renamed")).await,
                "PATCH" => client.patch(&path, title("new")).await,
                _ => client.delete(&path).await,
            }
        };
        let fair = Stack::seeded(2).await;
        let client = fair.client();
        let id = client.create("/Users", user("old")).await;
        fair.weather().reset();
        let undisturbed = send(&client, &id).await;
        let calls = fair.weather().report().calls;
        fair.audit().await;
        for (operation, count) in calls {
            for (nth, applied) in (1..=count).flat_map(|nth| [(nth, false), (nth, true)]) {
                let case = format!("{method}, {operation} {nth}, applied: {applied}");
                let stack = Stack::seeded(2).await;
                let client = stack.client();
                let id = client.create("/Users", user("old")).await;
                stack
                    .weather()
                    .inject(&operation, nth, Fault::Kill { applied });
                let died = tokio::select! {
                    biased;
                    () = stack.weather().killed() => true,
                    _ = send(&client, &id) => false,
                };
                assert!(died, "{case}");
                let stack = stack.successor();
                stack.weather().quiet().await;
                let waits = send(&stack.client(), &id).await;
                let unknown = operation == "PutItem" && nth == 1 && !applied;
                let answered = operation == "PutItem" && nth == 2 && applied;
                if !unknown && !answered {
                    assert_eq!(waits.status, 409, "{case}: its lease lasts");
                    tokio::time::sleep(LATER).await;
                }
                let mut again = send(&stack.client(), &id).await;
                let mut expected = undisturbed.clone();
                for reply in [&mut again, &mut expected] {
                    reply.text.clear();
                    if let Some(meta) = reply.body["meta"].as_object_mut() {
                        // By the clock of the run that wrote it.
                        meta.remove("created");
                        meta.remove("lastModified");
                    }
                }
                if unknown {
                    // The first run was never heard of, so this one has ids of its own.
                    assert_eq!(again.status, expected.status, "{case}");
                } else {
                    assert_eq!(again, expected, "{case}");
                }
                stack.audit().await;
            }
        }
    }
}

/// What was written and has moved on since is told without what it was.
#[tokio::test(start_paused = true)]
async fn a_write_whose_resource_has_moved_on_is_told_without_it() {
    for gone in [false, true] {
        let stack = Stack::seeded(3).await;
        let client = stack.client();
        stack
            .weather()
            .inject("TransactWriteItems", 1, Fault::Kill { applied: true });
        let keyed_client = keyed(&client, "k");
        tokio::select! {
            biased;
            () = stack.weather().killed() => {}
            _ = keyed_client.post("/Users", user("ada")) => {}
        }
        let stack = stack.successor();
        stack.weather().quiet().await;
        let client = stack.client();
        let found = client.get("/Users").await;
        let path = format!(
            "/Users/{}",
            found.body["Resources"][0]["id"].as_str().unwrap()
        );
        let other = if gone {
            client.delete(&path).await
        } else {
            client.patch(&path, title("x")).await
        };
        assert!(other.status < 300);
        tokio::time::sleep(LATER).await;
        let again = keyed(&client, "k").post("/Users", user("ada")).await;
        assert_eq!((again.status, again.header("etag")), (201, Some("W/\"1\"")));
        assert!(again.header("location").unwrap().ends_with(&path));
        assert_eq!(again.body, Value::Null);
        stack.audit().await;
    }
}

fn rows(count: usize) -> Vec<Value> {
    let row = |n: usize| post(&n.to_string(), "/Users", user(&format!("u{n}")));
    (0..count).map(row).collect()
}

/// A run that was taken for dead and wakes: whatever it sends then is refused,
/// though its clock gives it all the time in the world.
#[tokio::test(start_paused = true)]
async fn a_run_that_was_taken_over_commits_nothing_any_more() {
    let stack = Stack::seeded(4).await;
    let caller = Caller {
        tenant: Tenant::parse("acme").unwrap(),
        rights: Rights::new(["scim.users.write", "scim.bulk"]),
        identity: String::new(),
        subject: None,
        issuer: String::new(),
        client: String::new(),
        base_url: String::new(),
    };
    let moment = |seed: u8, now: i64| Moment {
        now: Timestamp(now),
        seed: [seed; 32],
        deadline: Instant::now() + Duration::from_secs(27),
    };
    let intention = || Intention {
        request: RequestKey::new("issuer", "client", "key"),
        fingerprint: [0; 32],
        types: ["User".to_owned()].into(),
        lanes: 32,
    };
    let provider = stack.provider();
    let run = |begun| match begun {
        Begun::Run(run) => run,
        other => panic!("{other:?}"),
    };
    let sleeper = run(provider
        .begin(&caller, &moment(1, 0), intention())
        .await
        .unwrap());
    let heir = run(provider
        .begin(&caller, &moment(2, 100_000), intention())
        .await
        .unwrap());
    assert!(heir.is_repetition());
    let carry_out = async |moment: &Moment, run, count| {
        let mint = |position| moment.id(position);
        let rules = Rules {
            rights: &caller.rights,
            dialect: Dialect { entra: false },
            strict_bulk_id: false,
            mint: &mint,
        };
        let entries = operation::check(&rows(count), &rules);
        let terms = Terms {
            fail_on_errors: NonZeroUsize::new(0),
            ..Terms::default()
        };
        let outcomes = provider
            .apply(&caller, moment, &entries, terms, Some(run))
            .await;
        outcomes.iter().map(Outcome::status).collect::<Vec<_>>()
    };
    assert_eq!(
        carry_out(&sleeper.moment, &*sleeper, 100).await,
        vec![503; 100]
    );
    assert!(
        stack.items().iter().all(|item| !item.contains_key("doc")),
        "nothing was written"
    );
    assert_eq!(carry_out(&heir.moment, &*heir, 100).await, vec![201; 100]);
    assert_eq!(
        carry_out(&sleeper.moment, &*sleeper, 100).await,
        vec![503; 100]
    );
    assert_eq!(
        heir.moment.seed, [1; 32],
        "the same ids, whoever carries it out"
    );
    let users = stack.client().get("/Users?count=0").await;
    assert_eq!(users.body["totalResults"], 100);
    stack.audit().await;
}
