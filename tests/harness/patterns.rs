//! The access patterns of the service, and what each costs on a directory of
//! any size.
//!
//! Costs are counts, not times: the same on every machine. `cargo bench --bench
//! access_patterns` prints them for 10,000 users, `docs/table.md` shows them,
//! and `it/patterns.rs` compares the ones that do not grow with the directory.
//!
//! ```ignore
//! let stack = patterns::stack().await;
//! let directory = Directory::seed(&stack, 10_000).await;
//! for pattern in directory.patterns() {
//!     println!("{}", pattern.measure(&stack).await);
//! }
//! ```

mod request;
mod seed;

use std::fmt;

use serde_json::{Value, json};

use crate::{Stack, encode, patch};
use request::{PAGE, Request, delete, get, post, send, walk_by_cursor, walk_by_index};
use seed::{carried_out, creation, crew, person};

/// How many users a bulk request of the seeding creates.
const CHUNK: usize = 1_000;

/// A directory that patterns can be tried on.
#[derive(Debug)]
pub struct Directory {
    /// By number: the name of user `n` is `un`.
    users: Vec<String>,
    /// How many members, and the id of the group.
    crews: Vec<(usize, String)>,
}

/// One way to use the service.
#[derive(Debug)]
pub struct Pattern {
    /// What the table calls it.
    pub name: String,
    /// Whether it costs the same in a directory of any size.
    pub constant: bool,
    before: Option<Request>,
    work: Work,
}

/// What a pattern costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The pattern's name.
    pub name: String,
    /// Requests to the database.
    pub calls: u64,
    /// The longest chain of calls of which each waited for another.
    pub depth: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units.
    pub write_units: f64,
}

#[derive(Debug)]
enum Work {
    Once(Request),
    WalkByIndex,
    WalkByCursor,
}

/// The table's head, to stand above rows.
pub const HEAD: &str = "\
| Access pattern | Calls | Depth | Read units | Write units |
|---|---|---|---|---|";

/// A service whose tokens name users by `userName`, so that there is a `/Me`.
pub async fn stack() -> Stack {
    let builder = Stack::builder().variable("SUBJECT_ATTRIBUTE", "userName");
    builder.start().await
}

impl Directory {
    /// So many users, each with an externalId and an e-mail address, every
    /// hundredth a `Chief`; groups of 0 members and, where there are enough
    /// users, of 100 and 1,000; the last user but two in 20 groups, the last but
    /// one in one, the last in none.
    ///
    /// # Panics
    /// When the service refuses it.
    pub async fn seed(stack: &Stack, users: usize) -> Self {
        let client = stack.client();
        let mut directory = Self {
            users: Vec::new(),
            crews: Vec::new(),
        };
        let numbers: Vec<usize> = (0..users).collect();
        for some in numbers.chunks(CHUNK) {
            let rows: Vec<Value> = some.iter().map(|n| creation(*n)).collect();
            directory.users.extend(carried_out(&client, &rows).await);
        }
        for size in [0, 100, 1_000] {
            if size + 3 <= users {
                let members = directory.users.get(..size).unwrap_or_default();
                let crew = crew(&client, &format!("Crew of {size}"), members).await;
                directory.crews.push((size, crew));
            }
        }
        for n in 0..20 {
            let name = format!("Team {n}");
            crew(&client, &name, &[directory.last(2).to_owned()]).await;
        }
        crew(&client, "Lone", &[directory.last(1).to_owned()]).await;
        directory
    }

    /// Every pattern that this directory is large enough for; those that change
    /// it come last.
    pub fn patterns(&self) -> Vec<Pattern> {
        let last = self.users.len() - 1;
        let page = format!("count={PAGE}&attributes=userName");
        let deep = self.users.len() * 9 / 10 + 1;
        let found = |filter: String| get(format!("/Users?filter={}", encode(&filter)));
        let groups = |filter: String| {
            let filter = encode(&filter);
            get(format!("/Groups?filter={filter}&attributes=displayName"))
        };
        let mut patterns = vec![
            constant("GET of a user in no group", get(self.user(0))),
            constant("GET of a user in 1 group", get(self.user(1))),
            constant("GET of a user in 20 groups", get(self.user(2))),
            constant(
                "GET of an id that does not exist",
                get("/Users/3f0c9a52-1d2e-4f3a-8b4c-5d6e7f809112").answered(404),
            ),
            constant(
                "GET of `/Me` by `userName`",
                get("/Me").of(self.name_of_last()),
            ),
            constant("`id eq`", found(format!("id eq \"{}\"", self.last(0)))),
            constant("`userName eq`", found(format!("userName eq \"U{last}\""))),
            constant(
                "`userName eq`, no match",
                found("userName eq \"nobody\"".into()),
            ),
            constant(
                "`externalId eq`",
                found(format!("externalId eq \"e{last}\"")),
            ),
            constant(
                "`externalId eq`, no match",
                found("externalId eq \"none\"".into()),
            ),
            constant(
                "`emails.value eq`",
                found(format!("emails.value eq \"u{last}@example.com\"")),
            ),
            constant(
                "`emails[type eq \"work\"].value eq`",
                found(format!(
                    "emails[type eq \"work\"].value eq \"u{last}@example.com\""
                )),
            ),
            constant(
                "`title pr and userName eq`",
                found(format!("title pr and userName eq \"u{last}\"")),
            ),
            constant(
                "group `displayName eq`",
                groups("displayName eq \"Lone\"".into()),
            ),
            constant(
                "group `displayName eq`, no match",
                groups("displayName eq \"None\"".into()),
            ),
            constant(
                "group `members.value eq`, in 1 group",
                groups(format!("members.value eq \"{}\"", self.last(1))),
            ),
            constant(
                "group `members.value eq`, in 20 groups",
                groups(format!("members.value eq \"{}\"", self.last(2))),
            ),
            constant(
                "`/Users/.search` by `userName eq`",
                post(
                    "/Users/.search",
                    json!({"filter": format!("userName eq \"u{last}\"")}),
                )
                .answered(200),
            ),
            constant(
                "`/.search` by `userName eq`",
                post(
                    "/.search",
                    json!({"filter": format!("userName eq \"u{last}\"")}),
                )
                .answered(200),
            ),
            grows(
                "`/.search` without a filter, the first page",
                post("/.search", json!({"count": PAGE, "attributes": ["meta"]})).answered(200),
            ),
            grows("`totalResults` alone", get("/Users?count=0")),
            grows("first page of a list", get(format!("/Users?{page}"))),
            grows(
                "deep page by `startIndex` without a hint",
                get(format!("/Users?startIndex={deep}&{page}")).of("stranger"),
            ),
            grows(
                "deep page by `startIndex` with a hint",
                get(format!("/Users?startIndex={deep}&{page}")),
            )
            .after(get(format!(
                "/Users?startIndex={}&{page}",
                deep - PAGE.min(deep - 1)
            ))),
            grows("a page by `cursor`", get(format!("/Users?cursor&{page}")))
                .after(get("/Users?cursor&count=1")),
            walk("the whole list by `startIndex`", Work::WalkByIndex),
            walk("the whole list by `cursor`", Work::WalkByCursor),
            grows(
                "sorted list, one page",
                get(format!("/Users?sortBy=userName&{page}")),
            ),
            grows(
                "a filter without a lookup, one page",
                get(format!(
                    "/Users?filter={}&{page}",
                    encode("title eq \"Chief\"")
                )),
            ),
        ];
        for (size, crew) in &self.crews {
            let path = format!("/Groups/{crew}");
            patterns.push(constant(
                &format!("GET of a group of {size} members"),
                get(path.clone()),
            ));
            patterns.push(constant(
                &format!("the same with `excludedAttributes=members`, {size} members"),
                get(format!("{path}?excludedAttributes=members")),
            ));
        }
        patterns.extend(self.changes());
        patterns
    }

    fn changes(&self) -> Vec<Pattern> {
        let set = |path: &str, value: &str| {
            patch(&[json!({"op": "replace", "path": path, "value": value})])
        };
        let newcomer = json!([{"value": self.last(0)}]);
        let add = patch(&[json!({"op": "add", "path": "members", "value": newcomer})]);
        let remove = patch(&[json!({"op": "remove", "path": "members", "value": newcomer})]);
        let mut changes = vec![
            constant("POST of a user", post("/Users", person(self.users.len()))),
            constant(
                "PUT of a user",
                send("PUT", self.user(0), {
                    let mut body = person(self.users.len() - 1);
                    body["title"] = json!("Head");
                    body
                }),
            ),
            constant(
                "PATCH of an attribute",
                send("PATCH", self.user(0), set("title", "Lead")),
            ),
            constant(
                "PATCH of the `userName`",
                send("PATCH", self.user(0), set("userName", "renamed")),
            ),
        ];
        for (size, crew) in &self.crews {
            let path = format!("/Groups/{crew}");
            changes.push(constant(
                &format!("PATCH that adds a member to a group of {size}"),
                send("PATCH", path.clone(), add.clone()).answered(204),
            ));
            changes.push(constant(
                &format!("PATCH that removes a member of a group of {size}"),
                send("PATCH", path, remove.clone()).answered(204),
            ));
        }
        changes.extend([
            constant(
                "DELETE of a user in no group",
                delete(self.user(3)).answered(204),
            ),
            constant(
                "DELETE of a user in 20 groups",
                delete(self.user(2)).answered(204),
            ),
        ]);
        changes
    }

    /// The id of the last user but so many.
    fn last(&self, but: usize) -> &str {
        let id = self.users.iter().rev().nth(but);
        id.expect("a directory has a handful of users")
    }

    fn user(&self, but: usize) -> String {
        format!("/Users/{}", self.last(but))
    }

    fn name_of_last(&self) -> String {
        format!("u{}", self.users.len() - 1)
    }
}

impl Pattern {
    /// Carries the pattern out.
    ///
    /// # Panics
    /// When a request has another status than expected.
    pub async fn measure(&self, stack: &Stack) -> Row {
        let client = stack.client();
        if let Some(before) = &self.before {
            before.send(&client).await;
        }
        stack.weather().reset();
        match &self.work {
            Work::Once(request) => {
                request.send(&client).await;
            }
            Work::WalkByIndex => walk_by_index(&client).await,
            Work::WalkByCursor => walk_by_cursor(&client).await,
        }
        stack.weather().quiet().await;
        let report = stack.weather().report();
        Row {
            name: self.name.clone(),
            calls: report.total_calls(),
            depth: report.depth,
            read_units: report.read_units,
            write_units: report.write_units,
        }
    }

    fn after(mut self, before: Request) -> Self {
        self.before = Some(before);
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            calls,
            depth,
            read_units,
            write_units,
        } = self;
        write!(
            f,
            "| {name} | {calls} | {depth} | {read_units} | {write_units} |"
        )
    }
}

fn constant(name: &str, request: Request) -> Pattern {
    Pattern {
        constant: true,
        ..grows(name, request)
    }
}

fn grows(name: &str, request: Request) -> Pattern {
    walk(name, Work::Once(request))
}

fn walk(name: &str, work: Work) -> Pattern {
    Pattern {
        name: name.to_owned(),
        constant: false,
        before: None,
        work,
    }
}
