//! Every fault at every call: whatever befalls a request on its way to the
//! table, what was answered is what happened.
//!
//! Each request is first carried out in fair weather to count its calls; then
//! once for each call and each fault, alone, and lasting from every third call on.
//! Afterwards the table must be sound, and the answer true: what was acknowledged
//! is there, what was refused is not, and only "outcome unknown" may be either.

use std::time::Duration;

use harness::weather::Fault;
use harness::{Client, Reply, Stack, group, id_of, patch, post, user};
use serde_json::{Value, json};
use tokio::time::Instant;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const FAULTS: [Fault; 10] = [
    Fault::Conflict,
    Fault::Throttle,
    Fault::Lost { applied: false },
    Fault::Lost { applied: true },
    Fault::Silent { applied: false },
    Fault::Silent { applied: true },
    Fault::Internal { applied: false },
    Fault::Internal { applied: true },
    Fault::Kill { applied: false },
    Fault::Kill { applied: true },
];

/// What the platform leaves a function beyond its own deadline.
const MARGIN: Duration = Duration::from_secs(2);

/// What a request may use of the stack's time, which is shorter here than in
/// production so that lasting faults end sooner.
const REMAINING: Duration = Duration::from_secs(6);

/// More calls than any request of these makes before its deadline.
const LASTING: u64 = 400;

/// A request and what it is to change.
#[derive(Debug, Clone, Copy)]
enum Subject {
    CreateUser,
    AddThreeMembers,
    DeleteUserInTwoGroups,
    Bulk,
}

/// What became of one operation, as its status tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Done,
    Refused,
    Unknown,
    /// No fault of these, however long it lasts, is a defect of the service.
    Defect,
}

fn claim(status: &str, error: &Value) -> Claim {
    let detail = error["detail"].as_str().unwrap_or_default();
    match status {
        _ if status.starts_with('2') => Claim::Done,
        "500" if detail.starts_with("outcome unknown") => Claim::Unknown,
        "500" => Claim::Defect,
        _ => Claim::Refused,
    }
}

/// The ids of what exists before the request.
#[derive(Debug, Default)]
struct Given {
    users: Vec<String>,
    groups: Vec<String>,
}

impl Subject {
    async fn prepare(self, client: &Client) -> Given {
        let mut given = Given::default();
        let users: &[&str] = match self {
            Self::CreateUser => &["manager"],
            Self::AddThreeMembers => &["u0", "u1", "u2"],
            Self::DeleteUserInTwoGroups => &["leaver"],
            Self::Bulk => &["patched", "deleted", "replaced", "taken"],
        };
        for name in users {
            given.users.push(client.create("/Users", user(name)).await);
        }
        let groups: &[(&str, &[usize])] = match self {
            Self::CreateUser => &[],
            Self::AddThreeMembers => &[("Crew", &[])],
            Self::DeleteUserInTwoGroups => &[("One", &[0]), ("Two", &[0])],
            Self::Bulk => &[("Joined", &[1])],
        };
        for (name, members) in groups {
            let members: Vec<&str> = members
                .iter()
                .map(|member| given.users[*member].as_str())
                .collect();
            given
                .groups
                .push(client.create("/Groups", group(name, &members)).await);
        }
        given
    }

    async fn send(self, client: &Client, given: &Given) -> Reply {
        let (users, groups) = (&given.users, &given.groups);
        match self {
            // With a manager, so that its answer needs a read of its own.
            Self::CreateUser => client.post("/Users", managed("created", &users[0])).await,
            Self::AddThreeMembers => {
                let members: Vec<Value> = users.iter().map(|id| json!({"value": id})).collect();
                let body = patch(&[json!({"op": "add", "path": "members", "value": members})]);
                client.patch(&format!("/Groups/{}", groups[0]), body).await
            }
            Self::DeleteUserInTwoGroups => client.delete(&format!("/Users/{}", users[0])).await,
            Self::Bulk => client.bulk(&rows(given)).await,
        }
    }

    /// How many operations the request has.
    fn operations(self) -> usize {
        match self {
            Self::Bulk => 12,
            _ => 1,
        }
    }

    /// What the answer says of each operation. An operation that has no row is
    /// refused, and none may be without.
    fn claims(self, reply: &Reply) -> Vec<Claim> {
        let Self::Bulk = self else {
            return vec![claim(&reply.status.to_string(), &reply.body)];
        };
        assert_eq!(reply.status, 200, "{}", reply.body);
        let rows = reply.rows();
        assert_eq!(rows.len(), self.operations(), "{}", reply.body);
        rows.iter()
            .map(|row| claim(row["status"].as_str().unwrap(), &row["response"]))
            .collect()
    }

    /// Which operations have had their effect.
    async fn effects(self, client: &Client, given: &Given) -> Vec<bool> {
        let (users, groups) = (&given.users, &given.groups);
        match self {
            Self::CreateUser => vec![!named(client, "Users", "created").await.is_empty()],
            Self::AddThreeMembers => {
                let present = members(client, &groups[0]).await.len();
                assert!([0, 3].contains(&present), "{present} of three members");
                vec![present == 3]
            }
            Self::DeleteUserInTwoGroups => {
                let status = client.get(&format!("/Users/{}", users[0])).await.status;
                let gone = status == 404;
                for group in groups {
                    assert_eq!(members(client, group).await.is_empty(), gone);
                }
                vec![gone]
            }
            Self::Bulk => bulk_effects(client, given).await,
        }
    }

    /// What the operations come to in fair weather.
    fn expected(self) -> Vec<bool> {
        let refused = [8, 9];
        (0..self.operations())
            .map(|index| !refused.contains(&index))
            .collect()
    }
}

fn managed(name: &str, manager: &str) -> Value {
    let mut body = user(name);
    body[ENTERPRISE] = json!({"manager": {"value": manager}});
    body
}

/// References forward and backward, a ring, every method, and two rows that
/// must fail.
fn rows(given: &Given) -> Vec<Value> {
    let (users, joined) = (&given.users, &given.groups[0]);
    let mut replacement = user("replaced");
    replacement["title"] = json!("new");
    let set =
        |path: &str, value: Value| patch(&[json!({"op": "replace", "path": path, "value": value})]);
    let join = patch(&[json!({"op": "add", "path": "members", "value": [{"value": "bulkId:b0"}]})]);
    vec![
        post("b0", "/Users", user("b0")),
        post("b1", "/Users", user("b1")),
        post(
            "ga",
            "/Groups",
            group("Ring A", &["bulkId:gb", "bulkId:b0"]),
        ),
        post("gb", "/Groups", group("Ring B", &["bulkId:ga"])),
        post("m", "/Users", managed("managed", "bulkId:b1")),
        json!({"method": "PATCH", "path": format!("/Users/{}", users[0]), "data": set("title", json!("new"))}),
        json!({"method": "PATCH", "path": format!("/Groups/{joined}"), "data": join}),
        json!({"method": "DELETE", "path": format!("/Users/{}", users[1])}),
        post("t", "/Users", user("TAKEN")),
        post("gt", "/Groups", group("Of the taken", &["bulkId:t"])),
        json!({"method": "PUT", "path": format!("/Users/{}", users[2]), "data": replacement}),
        json!({"method": "PATCH", "path": "/Users/bulkId:b1", "data": set("active", json!(false))}),
    ]
}

async fn bulk_effects(client: &Client, given: &Given) -> Vec<bool> {
    let (b0, b1) = (
        named(client, "Users", "b0").await,
        named(client, "Users", "b1").await,
    );
    let ring = [
        named(client, "Groups", "Ring A").await,
        named(client, "Groups", "Ring B").await,
    ];
    let managed = named(client, "Users", "managed").await;
    let user = async |index: usize| client.get(&format!("/Users/{}", given.users[index])).await;
    let joined = members(client, &given.groups[0]).await;
    let first = |found: &[Value]| found.first().map(|found| found["id"].clone());
    let inactive = b1.first().is_some_and(|user| user["active"] == false);
    let deleted = user(1).await.status == 404;
    assert_eq!(
        joined.contains(&json!(given.users[1])),
        !deleted,
        "the deleted user has left its group"
    );
    vec![
        !b0.is_empty(),
        !b1.is_empty(),
        !ring[0].is_empty(),
        !ring[1].is_empty(),
        !managed.is_empty(),
        user(0).await.body["title"] == "new",
        first(&b0).is_some_and(|id| joined.contains(&id)),
        deleted,
        named(client, "Users", "taken").await.len() != 1,
        !named(client, "Groups", "Of the taken").await.is_empty(),
        user(2).await.body["title"] == "new",
        inactive,
    ]
}

/// The resources with this name.
async fn named(client: &Client, endpoint: &str, name: &str) -> Vec<Value> {
    let attribute = if endpoint == "Users" {
        "userName"
    } else {
        "displayName"
    };
    let name = name.replace(' ', "%20");
    let target = format!("/{endpoint}?filter={attribute}%20eq%20%22{name}%22");
    let reply = client.get(&target).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let found = reply.body["Resources"].as_array();
    found.cloned().unwrap_or_default()
}

async fn members(client: &Client, group: &str) -> Vec<Value> {
    let reply = client.get(&format!("/Groups/{group}")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let members = reply.body["members"].as_array().into_iter().flatten();
    members.map(|member| member["value"].clone()).collect()
}

/// Carries the request out once for each of its calls, with the fault at that
/// call and, if `lasting`, at all later calls of the same operation; then every
/// third call will do.
async fn at_every_call(subject: Subject, lasting: bool) {
    let fair = Stack::builder().remaining(REMAINING).start().await;
    let client = fair.client();
    let given = subject.prepare(&client).await;
    fair.weather().reset();
    let reply = subject.send(&client, &given).await;
    let calls = fair.weather().report().calls;
    let done: Vec<bool> = subject
        .claims(&reply)
        .iter()
        .map(|claim| *claim == Claim::Done)
        .collect();
    assert_eq!(done, subject.expected(), "{}", reply.body);
    assert_eq!(subject.effects(&client, &given).await, done);
    fair.audit().await;
    for (operation, count) in calls {
        for nth in (1..=count).step_by(if lasting { 3 } else { 1 }) {
            for fault in FAULTS {
                Box::pin(with_fault(subject, &operation, nth, fault, lasting)).await;
            }
        }
    }
}

async fn with_fault(subject: Subject, operation: &str, nth: u64, fault: Fault, lasting: bool) {
    let case = format!("{subject:?}, {operation} {nth}, {fault:?}, lasting: {lasting}");
    let stack = Stack::builder().remaining(REMAINING).start().await;
    let client = stack.client();
    let given = subject.prepare(&client).await;
    let last = if lasting { nth + LASTING } else { nth };
    for call in nth..=last {
        stack.weather().inject(operation, call, fault);
    }
    let began = Instant::now();
    let reply = tokio::select! {
        biased;
        () = stack.weather().killed() => None,
        reply = subject.send(&client, &given) => Some(reply),
    };
    let took = began.elapsed();
    assert!(
        took <= REMAINING + MARGIN,
        "{case}: answered after {took:?}"
    );
    let struck = stack.weather().report().faults;
    let expected = match (fault, operation) {
        // Reads never meet a transaction of someone else.
        (Fault::Conflict, "GetItem" | "BatchGetItem" | "Query") => 0..=0,
        _ if lasting => 1..=LASTING + 1,
        _ => 1..=1,
    };
    assert!(expected.contains(&struck), "{case}: befell {struck} calls");
    stack.weather().calm();
    // Who died is not heard of again; the next environment finds the table.
    let stack = stack.successor();
    stack.audit().await;
    let client = stack.client();
    let effects = subject.effects(&client, &given).await;
    if let Subject::Bulk = subject {
        let [b0, b1, ring_a, ring_b] = [0, 1, 2, 3].map(|row| effects[row]);
        let [managed, joined, inactive] = [4, 6, 11].map(|row| effects[row]);
        assert_eq!(ring_a, ring_b, "{case}: a ring appears as one");
        assert!(b0 || !(ring_a || joined), "{case}: members exist");
        assert!(b1 || !(managed || inactive), "{case}: managers exist");
        assert!(!effects[8] && !effects[9], "{case}: a name stays taken");
    }
    let Some(reply) = reply else { return };
    let claims = subject.claims(&reply);
    for (index, (claim, effect)) in claims.iter().zip(&effects).enumerate() {
        let truth = match claim {
            Claim::Done => *effect,
            Claim::Refused => !*effect,
            Claim::Unknown => lasting,
            Claim::Defect => false,
        };
        assert!(
            truth,
            "{case}: operation {index} is {claim:?}, its effect: {effect}\n{}",
            reply.body
        );
    }
    if !lasting {
        assert_eq!(
            effects,
            subject.expected(),
            "{case}: one fault is overcome\n{}",
            reply.body
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_any_call_of_a_create_is_overcome() {
    at_every_call(Subject::CreateUser, false).await;
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_any_call_of_an_add_is_overcome() {
    at_every_call(Subject::AddThreeMembers, false).await;
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_any_call_of_a_delete_is_overcome() {
    at_every_call(Subject::DeleteUserInTwoGroups, false).await;
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_any_call_of_a_bulk_request_is_overcome() {
    at_every_call(Subject::Bulk, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_never_makes_a_single_answer_untrue() {
    at_every_call(Subject::CreateUser, true).await;
    at_every_call(Subject::AddThreeMembers, true).await;
    at_every_call(Subject::DeleteUserInTwoGroups, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_never_makes_a_bulk_answer_untrue() {
    at_every_call(Subject::Bulk, true).await;
}

/// A row that repeats a failure is not settled before that failure is: here the
/// name that the second row misses becomes free again, because the first row
/// turns out to be stale.
#[tokio::test(start_paused = true)]
async fn a_failure_that_does_not_come_true_fails_nobody() {
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("renamed")).await;
    let path = format!("/Users/{id}");
    let set =
        |name: &str, value: &str| patch(&[json!({"op": "replace", "path": name, "value": value})]);
    let rows = [
        json!({"method": "PATCH", "path": path, "version": "W/\"1\"", "data": set("userName", "wanted")}),
        post("u", "/Users", user("wanted")),
        post("g", "/Groups", group("G", &["bulkId:u"])),
    ];
    stack.weather().reset();
    let silence = Fault::Silent { applied: false };
    stack.weather().inject("TransactWriteItems", 1, silence);
    let meanwhile = async {
        stack.weather().begun("TransactWriteItems").await;
        client.patch(&path, set("title", "other")).await
    };
    let (reply, other) = tokio::join!(client.bulk(&rows), meanwhile);
    assert_eq!(other.status, 200, "{}", other.body);
    assert_eq!(reply.statuses(), ["412", "201", "201"], "{}", reply.body);
    stack.audit().await;
}

/// RFC 7644 §3.7: `failOnErrors` bounds the failures, those for want of time
/// included.
#[tokio::test(start_paused = true)]
async fn no_more_failures_than_allowed_when_time_runs_out() {
    let stack = Stack::builder().remaining(REMAINING).start().await;
    let client = stack.client();
    for call in 1..=LASTING {
        let silence = Fault::Silent { applied: false };
        stack.weather().inject("BatchGetItem", call, silence);
    }
    let row = |n: usize| post(&n.to_string(), "/Users", user(&format!("u{n}")));
    let operations: Vec<Value> = (0..5).map(row).collect();
    let body = json!({"schemas": [shared::scim::urn::BULK_REQUEST], "failOnErrors": 2, "Operations": operations});
    let reply = client.post("/Bulk", body).await;
    assert_eq!(reply.statuses(), ["503", "503"], "{}", reply.body);
    stack.audit().await;
}

/// The reads of a request do not grow with the depth of its references.
#[tokio::test(start_paused = true)]
async fn a_chain_of_groups_with_members_is_read_at_once() {
    let stack = Stack::start().await;
    let client = stack.client();
    let mut users = Vec::new();
    for n in 0..20 {
        users.push(client.create("/Users", user(&format!("u{n}"))).await);
    }
    let rows: Vec<Value> = (0..20)
        .map(|n: usize| {
            let above = format!("bulkId:{}", n.saturating_sub(1));
            let member = users[n].as_str();
            let members: &[&str] = if n == 0 { &[member] } else { &[&above, member] };
            post(&n.to_string(), "/Groups", group(&format!("G{n}"), members))
        })
        .collect();
    stack.weather().reset();
    let reply = client.bulk(&rows).await;
    assert_eq!(reply.statuses(), ["201"; 20], "{}", reply.body);
    let reads = stack.weather().report().calls["BatchGetItem"];
    assert!(reads <= 2, "{reads} reads");
    stack.audit().await;
}

/// A Lambda may have 1,024 files open, and each call under way is one.
#[tokio::test(start_paused = true)]
async fn many_large_reads_are_not_made_all_at_once() {
    let stack = Stack::start().await;
    let client = stack.client();
    let rows: Vec<Value> = (0..300)
        .map(|n| post(&n.to_string(), "/Groups", group(&format!("G{n}"), &[])))
        .collect();
    let reply = client.bulk(&rows).await;
    let delete = |row| json!({"method": "DELETE", "path": format!("/Groups/{}", id_of(row))});
    let rows: Vec<Value> = reply.rows().iter().map(delete).collect();
    stack.weather().reset();
    let reply = client.bulk(&rows).await;
    assert_eq!(reply.statuses(), ["204"; 300], "{}", reply.body);
    let width = stack.weather().report().width;
    assert!(width <= 64, "{width} calls at once");
    stack.audit().await;
}
