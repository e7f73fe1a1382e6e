//! What is there before, and what several clients then ask for at once.

use serde_json::{Value, json};
use shared::scim::urn;

/// One request. In its target and body `{u0}` stands for the id of what
/// [`Scenario::given`] made under that name.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) whole: bool,
}

/// Clients that each send their requests one after another, all at once.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(super) name: String,
    pub(super) given: Vec<(String, &'static str, Value)>,
    pub(super) clients: Vec<Vec<Ask>>,
    pub(super) torn: bool,
}

impl Ask {
    /// A request of any method; `null` is no body.
    pub fn new(method: &'static str, target: &str, body: Value) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body,
            whole: false,
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

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A bulk request that stands or falls as one, such as one with
    /// `?atomicity=request`. Any other consists of its operations.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
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
            torn: false,
        }
    }

    /// By which a schedule names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// With slow transactions of which readers see some items before and some
    /// after.
    #[must_use]
    pub fn torn(mut self) -> Self {
        self.torn = true;
        self
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
