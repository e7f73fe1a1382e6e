//! The rows that are measured.

use serde_json::{Value, json};
use shared::scim::urn;

use crate::{Client, group, id_of, patch, post, user};

/// A kind of bulk request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Users with nothing but a userName.
    Users,
    /// Users with externalId and one e-mail.
    RichUsers,
    /// Groups of ten members, listed before the users that they contain.
    GroupsFirst,
    /// Rows that each add one existing user to one group.
    OneGroup,
    /// Rows that each change one user.
    OneUser,
    /// Everything at once, one row in ten of them a failure.
    Mixed,
}

/// The directory that rows find: resources by their ids.
#[derive(Debug, Clone, Default)]
pub struct Existing {
    /// Users.
    pub users: Vec<String>,
    /// A group without members.
    pub group: String,
}

impl Workload {
    /// In the order of the tables.
    pub const ALL: [Self; 6] = [
        Self::Users,
        Self::RichUsers,
        Self::GroupsFirst,
        Self::OneGroup,
        Self::OneUser,
        Self::Mixed,
    ];

    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "minimal users",
            Self::RichUsers => "users with externalId and e-mail",
            Self::GroupsFirst => "groups before their users",
            Self::OneGroup => "members into one group",
            Self::OneUser => "changes of one user",
            Self::Mixed => "a mixture",
        }
    }

    /// Makes what the rows find in the directory, and the rows.
    pub async fn prepare(self, client: &Client, rows: usize) -> Vec<Value> {
        let mut existing = Existing {
            users: Vec::new(),
            group: client.create("/Groups", group("Existing", &[])).await,
        };
        let numbers: Vec<usize> = (0..self.users(rows)).collect();
        for chunk in numbers.chunks(1_000) {
            let creates: Vec<Value> = chunk
                .iter()
                .map(|n| post(&format!("x{n}"), "/Users", user(&format!("existing{n}"))))
                .collect();
            let reply = client.bulk(&creates).await;
            let ids = reply.rows().iter().map(id_of);
            existing.users.extend(ids.map(str::to_owned));
        }
        self.operations(rows, &existing)
    }

    /// How many users the rows find.
    pub fn users(self, rows: usize) -> usize {
        match self {
            Self::Users | Self::RichUsers | Self::GroupsFirst => 0,
            Self::OneGroup => rows,
            Self::OneUser => 1,
            Self::Mixed => rows.div_ceil(10) * 3,
        }
    }

    /// The rows, on a directory of as many users as they need.
    pub fn operations(self, rows: usize, existing: &Existing) -> Vec<Value> {
        let users = &existing.users;
        let on_group = |operation: Value| {
            let path = format!("/Groups/{}", existing.group);
            json!({"method": "PATCH", "path": path, "data": patch(&[operation])})
        };
        match self {
            Self::Users => (0..rows)
                .map(|n| post(&n.to_string(), "/Users", user(&format!("user{n}"))))
                .collect(),
            Self::RichUsers => (0..rows)
                .map(|n| post(&n.to_string(), "/Users", rich(n)))
                .collect(),
            Self::GroupsFirst => {
                let groups = rows.div_ceil(11);
                let users = rows - groups;
                let members = |g: usize| (g * 10..users.min(g * 10 + 10)).collect::<Vec<_>>();
                let groups = (0..groups).map(|g| create_group(g, &members(g)));
                let users =
                    (0..users).map(|n| post(&n.to_string(), "/Users", user(&format!("user{n}"))));
                groups.chain(users).collect()
            }
            Self::OneGroup => users
                .iter()
                .take(rows)
                .map(|id| on_group(add(id)))
                .collect(),
            Self::OneUser => (0..rows)
                .map(|n| rename(&users[0], &format!("Name {n}")))
                .collect(),
            Self::Mixed => (0..rows)
                .map(|n| {
                    let block = n / 10;
                    let found = |which: usize| users[block * 3 + which].as_str();
                    let name = |which: usize| format!("user{block}-{which}");
                    let id = |which: usize| format!("{}", block * 10 + which);
                    let create = |which: usize, data| post(&id(which), "/Users", data);
                    match n % 10 {
                        0 => create_group(n, &[block * 10 + 1, block * 10 + 2]),
                        1 => create(1, user(&name(1))),
                        2 => create(2, rich(n)),
                        3 => create(3, managed(&name(3), &id(1))),
                        4 => rename(found(0), "Changed"),
                        5 => {
                            let path = format!("/Users/{}", found(1));
                            json!({"method": "PUT", "path": path, "data": user(&name(5))})
                        }
                        6 => json!({"method": "DELETE", "path": format!("/Users/{}", found(2))}),
                        7 => on_group(add(&format!("bulkId:{}", id(3)))),
                        8 => create(8, user(&name(1))),
                        _ => rename(found(0), "Changed again"),
                    }
                })
                .collect(),
        }
    }
}

/// A user with externalId and one e-mail.
fn rich(n: usize) -> Value {
    let mut user = user(&format!("rich{n}"));
    user["externalId"] = json!(n.to_string());
    user["emails"] = json!([{"value": format!("rich{n}@example.com")}]);
    user
}

/// A user whose manager the request creates.
fn managed(name: &str, manager: &str) -> Value {
    let mut user = user(name);
    user["schemas"] = json!([urn::USER, urn::ENTERPRISE_USER]);
    user[urn::ENTERPRISE_USER] = json!({"manager": {"value": format!("bulkId:{manager}")}});
    user
}

fn create_group(g: usize, members: &[usize]) -> Value {
    let members: Vec<String> = members.iter().map(|n| format!("bulkId:{n}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    post(
        &format!("g{g}"),
        "/Groups",
        group(&format!("Group {g}"), &members),
    )
}

fn add(member: &str) -> Value {
    json!({"op": "add", "path": "members", "value": [{"value": member}]})
}

fn rename(id: &str, name: &str) -> Value {
    let replace = json!({"op": "replace", "path": "displayName", "value": name});
    json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": patch(&[replace])})
}
