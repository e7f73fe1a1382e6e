//! What is there before, and what several clients then ask for at once.

use std::time::Duration;

use serde_json::{Value, json};
use shared::scim::urn;

/// The header of an idempotent request.
pub(super) const KEY: &str = "idempotency-key";

/// One request. In its target and body `{u0}` stands for the id of what
/// [`Scenario::given`] made under that name.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
    /// How long the client waits before.
    pub(super) pause: Duration,
    /// Whether what it is told of a user's groups counts.
    pub(super) groups: bool,
    /// Whether every page of a list is asked for.
    pub(super) walks: bool,
}

/// Clients that each send their requests one after another, all at once.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(super) name: String,
    pub(super) given: Vec<(String, &'static str, Value)>,
    pub(super) clients: Vec<Vec<Ask>>,
}

impl Ask {
    /// A request of any method; `null` is no body.
    pub fn new(method: &'static str, target: &str, body: Value) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body,
            pause: Duration::ZERO,
            groups: false,
            walks: false,
        }
    }

    /// GET.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target, Value::Null)
    }

    /// POST.
    pub fn post(target: &str, body: Value) -> Self {
        Self::new("POST", target, body)
    }

    /// PUT.
    pub fn put(target: &str, body: Value) -> Self {
        Self::new("PUT", target, body)
    }

    /// PATCH.
    pub fn patch(target: &str, body: Value) -> Self {
        Self::new("PATCH", target, body)
    }

    /// DELETE.
    pub fn delete(target: &str) -> Self {
        Self::new("DELETE", target, Value::Null)
    }

    /// POST to `/Bulk`. A row without a `bulkId` gets its place as one.
    pub fn bulk(rows: &[Value]) -> Self {
        Self::bulk_until(0, rows)
    }

    /// The same with `failOnErrors`.
    pub fn bulk_until(limit: usize, rows: &[Value]) -> Self {
        let named = |(index, row): (usize, &Value)| {
            let mut row = row.clone();
            if row.get("bulkId").is_none() {
                row["bulkId"] = json!(index.to_string());
            }
            row
        };
        let rows: Vec<Value> = rows.iter().enumerate().map(named).collect();
        let body =
            json!({"schemas": [urn::BULK_REQUEST], "failOnErrors": limit, "Operations": rows});
        Self::post("/Bulk", body)
    }

    /// The same under `?atomicity=…`.
    pub fn bulk_as(atomicity: &str, rows: &[Value]) -> Self {
        let target = format!("/Bulk?atomicity={atomicity}");
        Self {
            target,
            ..Self::bulk(rows)
        }
    }

    /// Every page of a list, one after the other: by cursor, where the target
    /// ends with `cursor=`, else by index.
    pub fn walk(target: &str) -> Self {
        Self {
            walks: true,
            ..Self::get(target)
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an `Idempotency-Key`. Whoever else sends one with this key sends the
    /// same request again, and what comes of all of them is what comes of one.
    #[must_use]
    pub fn keyed(self, key: &str) -> Self {
        self.header(KEY, key)
    }

    /// The key that it has.
    pub(super) fn key(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, key) = headers.find(|(name, _)| name == KEY)?;
        Some(key)
    }

    /// So long after the client's last answer.
    #[must_use]
    pub fn after(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// A GET whose `groups` are of one state as well: true where they are only of
    /// one group, and nobody changes the user.
    #[must_use]
    pub fn of_groups(mut self) -> Self {
        self.groups = true;
        self
    }
}

impl Scenario {
    /// Nothing there, nobody asking.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            given: Vec::new(),
            clients: Vec::new(),
        }
    }

    /// By which a schedule names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// With a resource, made before anybody asks.
    #[must_use]
    pub fn given(mut self, name: &str, endpoint: &'static str, body: Value) -> Self {
        self.given.push((name.to_owned(), endpoint, body));
        self
    }

    /// With another client and its requests.
    #[must_use]
    pub fn client(mut self, asks: impl IntoIterator<Item = Ask>) -> Self {
        self.clients.push(asks.into_iter().collect());
        self
    }
}
