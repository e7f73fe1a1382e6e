//! The operations: what each route takes and every status that it can answer.

use serde_json::{Map, Value, json};
use shared::plan::operation::holds_members;
use shared::plan::{Access, Rights, rights};
use shared::scim::ResourceType;
use shared::scim::schema::catalogue;

use super::{reference, resource};

/// The media types that a body may have (RFC 7644 §3.1).
pub(super) const MEDIA_TYPES: [&str; 2] = ["application/scim+json", "application/json"];

/// What a list takes (RFC 7644 §3.4.2, RFC 9865).
const PAGE: [&str; 8] = [
    "filter",
    "sortBy",
    "sortOrder",
    "startIndex",
    "count",
    "cursor",
    "attributes",
    "excludedAttributes",
];
/// What any answer with a resource takes (RFC 7644 §3.9).
const PROJECTION: [&str; 2] = ["attributes", "excludedAttributes"];

/// What every request may be answered: by the gateway, or because of a fault.
const ANYWHERE: [u16; 3] = [429, 500, 503];
/// Besides, whatever asks for a token: 400 for the parameters, 404 for a path
/// with the name of another tenant.
const AUTHORIZED: [u16; 4] = [400, 401, 403, 404];
/// Besides, whatever has a body.
const WITH_BODY: [u16; 3] = [413, 415, 422];

/// One operation while it is put together.
struct Operation {
    method: &'static str,
    id: String,
    tag: String,
    summary: String,
    description: Vec<&'static str>,
    /// Whether it is about the user whom the token's subject names.
    is_alias: bool,
    /// Any one of these scopes; none for an operation without a token.
    scopes: Vec<String>,
    parameters: Vec<&'static str>,
    /// The component of the body, and an example of it.
    body: Option<(String, Option<Value>)>,
    /// Successes: status and component of the answer's body.
    answers: Vec<(u16, Option<String>)>,
    failures: Vec<u16>,
}

/// Every path below the base path with its operations.
pub(super) fn paths(base_path: &str) -> Map<String, Value> {
    let mut paths: Vec<(String, Vec<Operation>)> = vec![
        (String::new(), vec![list_all()]),
        ("/.search".to_owned(), vec![search_all()]),
        ("/Bulk".to_owned(), vec![bulk()]),
    ];
    for known in &catalogue().resource_types {
        let endpoint = &known.endpoint;
        paths.push((endpoint.clone(), vec![list(known), create(known)]));
        paths.push((format!("{endpoint}/.search"), vec![search(known)]));
        let one = vec![get(known), replace(known), patch(known), delete(known)];
        paths.push((format!("{endpoint}/{{id}}"), one));
    }
    if let Some(user) = catalogue().by_name("User") {
        let one = [get(user), replace(user), patch(user), delete(user)];
        paths.push(("/Me".to_owned(), one.map(Operation::alias).into()));
    }
    paths.push((
        "/ServiceProviderConfig".to_owned(),
        vec![discover(
            "getServiceProviderConfig",
            "What this deployment supports and its limits",
            "ServiceProviderConfig",
        )],
    ));
    for (name, what) in [("Schema", "schema"), ("ResourceType", "resource type")] {
        let all = discover(
            &format!("list{name}s"),
            &format!("Every {what}"),
            &format!("{name}List"),
        );
        let one = discover(&format!("get{name}"), &format!("One {what}"), name);
        paths.push((format!("/{name}s"), vec![all]));
        paths.push((format!("/{name}s/{{id}}"), vec![one]));
    }
    let described = paths.into_iter().map(|(path, operations)| {
        let mut item = Map::new();
        if path.ends_with("{id}") {
            let parameter = match path.as_str() {
                "/Schemas/{id}" => "urn",
                "/ResourceTypes/{id}" => "name",
                _ => "id",
            };
            item.insert(
                "parameters".to_owned(),
                json!([reference("parameters", parameter)]),
            );
        }
        for operation in operations {
            item.insert(operation.method.to_owned(), operation.render());
        }
        (format!("/{base_path}{path}"), Value::Object(item))
    });
    described.collect()
}

impl Operation {
    fn new(method: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self {
            method,
            id: id.to_owned(),
            tag: tag.to_owned(),
            summary: summary.to_owned(),
            description: Vec::new(),
            is_alias: false,
            scopes: Vec::new(),
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            failures: ANYWHERE.to_vec(),
        }
    }

    /// One that touches resources of a type.
    fn of(method: &'static str, verb: &str, known: &ResourceType, access: Access) -> Self {
        let name = &known.name;
        let id = format!("{}{name}", verb.to_ascii_lowercase());
        Self::new(method, &id, name, &format!("{verb} a {name}"))
            .scoped([Rights::scope(known, access)])
    }

    fn scoped(mut self, scopes: impl IntoIterator<Item = String>) -> Self {
        self.scopes = scopes.into_iter().collect();
        self.fails(&AUTHORIZED)
    }

    fn told(mut self, description: &'static str) -> Self {
        self.description.push(description);
        self
    }

    /// The same of the user whom the token's subject names (RFC 7644 §3.11).
    fn alias(mut self) -> Self {
        self.is_alias = true;
        self.id = self.id.replace("User", "Me");
        self.summary = self.summary.replace("a User", "the caller's own User");
        self.parameters.retain(|name| *name != "Idempotency-Key");
        // The path has every method that leads here.
        self.failures.retain(|status| ![405, 409].contains(status));
        self.told("Whom the token's subject names is for the deployment to say. Every answer about that user has the permanent URL as `Location`; a write with an `Idempotency-Key` belongs there and is 400 here.")
            .fails(&[409, 501])
    }

    fn takes(mut self, parameters: &[&'static str]) -> Self {
        self.parameters.extend(parameters);
        self
    }

    fn carries(mut self, body: impl Into<String>) -> Self {
        self.body = Some((body.into(), None));
        self.fails(&WITH_BODY)
    }

    fn answers(mut self, status: u16, body: impl Into<String>) -> Self {
        self.answers.push((status, Some(body.into())));
        self
    }

    fn answers_bare(mut self, status: u16) -> Self {
        self.answers.push((status, None));
        self
    }

    fn fails(mut self, statuses: &[u16]) -> Self {
        self.failures.extend(statuses);
        self
    }

    fn render(self) -> Value {
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
        });
        if !self.description.is_empty() {
            operation["description"] = json!(self.description.join(" "));
        }
        operation["security"] = self
            .scopes
            .iter()
            .map(|scope| json!({"token": [scope]}))
            .collect();
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter();
            operation["parameters"] = parameters
                .map(|name| reference("parameters", name))
                .collect();
        }
        if let Some((body, example)) = &self.body {
            let mut media = json!({"schema": reference("schemas", body)});
            if let Some(example) = example {
                media["example"] = example.clone();
            }
            operation["requestBody"] = json!({"required": true, "content": typed(&media)});
        }
        let mut responses: Vec<(u16, Value)> = self
            .answers
            .iter()
            .map(|(status, body)| (*status, self.success(*status, body.as_deref())))
            .collect();
        responses.extend(
            self.failures
                .iter()
                .map(|status| (*status, reference("responses", &status.to_string()))),
        );
        responses.sort_by_key(|(status, _)| *status);
        let responses = responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response));
        operation["responses"] = Value::Object(responses.collect());
        operation
    }

    fn success(&self, status: u16, body: Option<&str>) -> Value {
        let mut response = json!({"description": match status {
            200 => "As asked.",
            201 => "Created.",
            304 => "Unchanged since the version that the client knows.",
            _ => "Done, with nothing to show.",
        }});
        let tagged = catalogue().by_name(&self.tag).is_some()
            && !matches!(body, Some(body) if body.ends_with("List"));
        let mut headers = Map::new();
        let mut shows = |name: &str| headers.insert(name.to_owned(), reference("headers", name));
        if tagged && self.method != "delete" {
            shows("ETag");
        }
        if self.is_alias || tagged && matches!(status, 200 | 201) {
            shows("Location");
        }
        if self.is_alias && status == 200 {
            shows("Content-Location");
        }
        if !headers.is_empty() {
            response["headers"] = Value::Object(headers);
        }
        if let Some(body) = body {
            response["content"] = typed(&json!({"schema": reference("schemas", body)}));
        }
        if status == 201 {
            let links = ["get", "replace", "patch", "delete"].map(|verb| {
                let id = format!("{verb}{}", self.tag);
                let link = json!({"operationId": id, "parameters": {"id": "$response.body#/id"}});
                (id, link)
            });
            response["links"] = Value::Object(links.into_iter().collect());
        }
        response
    }
}

/// The same in either media type.
pub(super) fn typed(media: &Value) -> Value {
    let content = MEDIA_TYPES.map(|name| (name.to_owned(), media.clone()));
    Value::Object(content.into_iter().collect())
}

/// The component that a POST of a type carries.
pub(super) fn created(known: &ResourceType) -> String {
    let kind = match resource::created(known) {
        Some(_) => "Creation",
        None => "Request",
    };
    format!("{}{kind}", known.name)
}

fn list(known: &ResourceType) -> Operation {
    let name = &known.name;
    let mut operation = Operation::of("get", "List", known, Access::Read);
    operation.id = format!("list{name}s");
    operation.summary = format!("List {name}s");
    operation.takes(&PAGE).answers(200, format!("{name}List"))
}

fn search(known: &ResourceType) -> Operation {
    let name = &known.name;
    let mut operation = Operation::of("post", "Search", known, Access::Read);
    operation.id = format!("search{name}s");
    operation.summary = format!("List {name}s, with the parameters in the body");
    operation
        .carries("SearchRequest")
        .answers(200, format!("{name}List"))
}

fn create(known: &ResourceType) -> Operation {
    let name = &known.name;
    Operation::of("post", "Create", known, Access::Write)
        .takes(&PROJECTION)
        .takes(&["Idempotency-Key"])
        .carries(created(known))
        .answers(201, name)
        .fails(&[409])
}

fn get(known: &ResourceType) -> Operation {
    Operation::of("get", "Get", known, Access::Read)
        .takes(&PROJECTION)
        .takes(&["If-Match", "If-None-Match"])
        .answers(200, &known.name)
        .answers_bare(304)
        .fails(&[405, 412])
}

fn replace(known: &ResourceType) -> Operation {
    let name = &known.name;
    Operation::of("put", "Replace", known, Access::Write)
        .told("What is left out is cleared, but for a password. An answer that is too large to be sent is 204.")
        .takes(&PROJECTION)
        .takes(&["If-Match", "Unless-Match", "Idempotency-Key"])
        .carries(format!("{name}Request"))
        .answers(200, name)
        .answers_bare(204)
        .fails(&[405, 409, 412])
}

fn patch(known: &ResourceType) -> Operation {
    let told = match holds_members(known) {
        true => "204 unless attributes are asked for: there may be tens of thousands of members.",
        false => "An answer that is too large to be sent is 204.",
    };
    Operation::of("patch", "Patch", known, Access::Write)
        .told(told)
        .takes(&PROJECTION)
        .takes(&["If-Match", "Unless-Match", "Idempotency-Key"])
        .carries("PatchOp")
        .answers(200, &known.name)
        .answers_bare(204)
        .fails(&[405, 409, 412])
}

fn delete(known: &ResourceType) -> Operation {
    Operation::of("delete", "Delete", known, Access::Write)
        .takes(&["If-Match", "Unless-Match", "Idempotency-Key"])
        .answers_bare(204)
        .fails(&[405, 409, 412, 413, 422])
}

fn list_all() -> Operation {
    readable(Operation::new(
        "get",
        "listAll",
        "Everything",
        "List resources of all types",
    ))
    .takes(&PAGE)
    .answers(200, "ResourceList")
}

fn search_all() -> Operation {
    readable(Operation::new(
        "post",
        "searchAll",
        "Everything",
        "List resources of all types, with the parameters in the body",
    ))
    .carries("SearchRequest")
    .answers(200, "ResourceList")
}

fn readable(operation: Operation) -> Operation {
    let types = catalogue().resource_types.iter();
    operation
        .told("Types that the token may not read are left out.")
        .scoped(types.map(|known| Rights::scope(known, Access::Read)))
}

fn bulk() -> Operation {
    Operation::new("post", "bulk", "Bulk", "Carry out many operations")
        .told("The answer is 200 whatever became of the operations; each needs the scope that it would need by itself.")
        .scoped([rights::BULK.to_owned()])
        .takes(&["atomicity", "dryRun", "Idempotency-Key"])
        .carries("BulkRequest")
        .answers(200, "BulkResponse")
        .fails(&[409])
}

fn discover(id: &str, summary: &str, body: &str) -> Operation {
    Operation::new("get", id, "Discovery", summary)
        .told("Without a token. A `filter` is answered 403 (RFC 7644 §4).")
        .answers(200, body)
        .fails(&[403, 404])
}
