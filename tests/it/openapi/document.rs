//! The whole document: everything that is said once and referred to.

use serde_json::{Map, Value, json};
use shared::api::idempotency::MAX_KEY;
use shared::config::Config;
use shared::plan::Atomicity;
use shared::scim::schema::catalogue;

use super::operation::{MEDIA_TYPES, paths};
use super::{message, reference, resource};

/// The description of the API under a base path such as `scim/v2`.
pub(super) fn document(config: &Config) -> Value {
    let limits = format!(
        "At most {} operations in a bulk request and {} bytes in a body, unless the deployment has chosen otherwise; `ServiceProviderConfig` tells.",
        config.max_operations, config.max_payload_size
    );
    let mut tags: Vec<Value> = catalogue()
        .resource_types
        .iter()
        .map(|known| json!({"name": known.name, "description": known.description}))
        .collect();
    tags.extend([
        json!({"name": "Everything", "description": "Resources of all types"}),
        json!({"name": "Bulk", "description": "Many operations in one request"}),
        json!({"name": "Discovery", "description": "What the service says about itself"}),
    ]);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "SCIM bulk function set",
            "summary": "A SCIM 2.0 service provider (RFC 7643, RFC 7644, RFC 9865)",
            "description": format!(
                "Generated from the schemas and resource types of the service; `/Schemas` and `/ResourceTypes` of a deployment say the same.\n\n\
                 {limits}\n\n\
                 The paths begin with the base path, `{}` by default. \
                 A path of no endpoint is answered 404, one of an endpoint with another method 405 with `Allow`; `POST /Me` is 501. \
                 A client that accepts `application/json` alone is answered in that.",
                config.base_path
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [
            {"url": "https://{host}", "description": "A deployment", "variables": {"host": {"default": "api.example.com"}}},
            {"url": "http://127.0.0.1:3000", "description": "`cargo run`"},
        ],
        "tags": tags,
        "paths": paths(&config.base_path),
        "components": {
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token of the issuer that the deployment trusts. The names at an operation are scopes, any one of which it needs.",
            }},
            "parameters": parameters(config),
            "headers": headers(),
            "responses": responses(),
            "schemas": schemas(),
        },
    })
}

fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for known in &catalogue().resource_types {
        schemas.insert(known.name.clone(), resource::shown(known));
        schemas.insert(format!("{}Request", known.name), resource::sent(known));
        if let Some(created) = resource::created(known) {
            schemas.insert(format!("{}Creation", known.name), created);
        }
    }
    // A schema of no resource type describes what discovery answers.
    let types = &catalogue().resource_types;
    for schema in &catalogue().schemas {
        let of_a_type = types
            .iter()
            .any(|known| known.schema.id == schema.id || known.extension(&schema.id).is_some());
        if !of_a_type {
            schemas.insert(schema.name.clone(), resource::told(schema));
        }
    }
    // The schema of schemas has the one attribute that is deeper than it says
    // itself: sub-attributes of sub-attributes (RFC 7643 §8.7.2).
    if let Some(schema) = schemas.get_mut("Schema") {
        let within = reference("schemas", "SchemaAttribute");
        let items = &mut schema["properties"]["attributes"]["items"];
        let mut attribute = std::mem::replace(items, within.clone());
        attribute["properties"]["subAttributes"]["items"] = within;
        schemas.insert("SchemaAttribute".to_owned(), attribute);
    }
    schemas.extend(message::all());
    schemas
}

fn parameters(config: &Config) -> Value {
    let query = |name: &str, description: &str, schema: Value| {
        let parameter =
            json!({"name": name, "in": "query", "description": description, "schema": schema});
        (name.to_owned(), parameter)
    };
    let names = |name: &str, description: &str| {
        let mut parameter = query(
            name,
            description,
            json!({"type": "array", "items": {"type": "string"}}),
        );
        parameter.1["style"] = json!("form");
        parameter.1["explode"] = json!(false);
        parameter
    };
    let header = |component: &str, name: &str, description: &str| {
        let schema = json!({"type": "string", "examples": ["*", "W/\"1\""]});
        let parameter =
            json!({"name": name, "in": "header", "description": description, "schema": schema});
        (component.to_owned(), parameter)
    };
    let path = |name: &str, description: &str, schema: Value| {
        let parameter = json!({"name": "id", "in": "path", "required": true, "description": description, "schema": schema});
        (name.to_owned(), parameter)
    };
    let urns: Vec<&str> = catalogue()
        .schemas
        .iter()
        .map(|schema| schema.id.as_str())
        .collect();
    let types: Vec<&str> = catalogue()
        .resource_types
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    let all = vec![
        path(
            "id",
            "The id of the resource.",
            json!({"type": "string", "minLength": 1}),
        ),
        path(
            "urn",
            "The URN of the schema, in any letter case.",
            json!({"type": "string", "minLength": 1, "examples": urns}),
        ),
        path(
            "name",
            "The name of the resource type.",
            json!({"type": "string", "minLength": 1, "examples": types}),
        ),
        query(
            "filter",
            "Which resources (RFC 7644 §3.4.2.2). The gateway takes 10,240 bytes of request line and headers together; `.search` takes longer filters.",
            json!({"type": "string", "examples": ["externalId eq \"701984\"", "userName eq \"bjensen@example.com\""]}),
        ),
        query(
            "sortBy",
            "The attribute to sort by; not with `cursor`.",
            json!({"type": "string"}),
        ),
        query(
            "sortOrder",
            "In any letter case.",
            json!({"enum": ["ascending", "descending"], "default": "ascending"}),
        ),
        query(
            "startIndex",
            "The index of the first result; below 1 counts as 1. Not with `cursor`.",
            json!({"type": "integer", "default": 1}),
        ),
        query(
            "count",
            "How many results at most; below 0 counts as 0. Paging by index, more than there may be on a page is as many as may be.",
            json!({"type": "integer", "default": config.default_page}),
        ),
        query(
            "cursor",
            "Where to go on (RFC 9865): empty for the first page, then `nextCursor`.",
            json!({"type": "string"}),
        ),
        names(
            "attributes",
            "The attributes to show; not with `excludedAttributes`.",
        ),
        names(
            "excludedAttributes",
            "The attributes to leave out; not with `attributes`.",
        ),
        query(
            "atomicity",
            "How much is carried out all or not at all: each operation, what references connect, or everything.",
            json!({"enum": Atomicity::ALL.map(Atomicity::as_str), "default": Atomicity::default().as_str()}),
        ),
        query(
            "dryRun",
            "Say what would happen and write nothing. Any other write with this parameter is 400.",
            json!({"type": "boolean", "default": false}),
        ),
        header(
            "If-Match",
            "If-Match",
            "Refuse with 412 unless the resource has one of these versions.",
        ),
        (
            "Idempotency-Key".to_owned(),
            json!({
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Carry the request out once, however often it is sent with this key in a day.",
                "schema": {
                    "type": "string",
                    "pattern": "^[!-~]([ -~]*[!-~])?$",
                    "maxLength": MAX_KEY,
                    "not": {"const": "\"\""},
                },
            }),
        ),
        header(
            "Unless-Match",
            "If-None-Match",
            "Refuse with 412 if the resource has one of these versions.",
        ),
        header(
            "If-None-Match",
            "If-None-Match",
            "Answer 304 if the resource has one of these versions.",
        ),
    ];
    Value::Object(all.into_iter().collect())
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({"description": description, "required": true, "schema": schema});
    json!({
        "ETag": header("The version, as in `meta.version`.", message::version()),
        "Location": header("Where the resource is found, as in `meta.location`.", json!({"type": "string", "format": "uri"})),
        "Content-Location": header("The same, of what the body shows.", json!({"type": "string", "format": "uri"})),
        "Allow": header("The methods that the path has.", json!({"type": "string"})),
        "WWW-Authenticate": header("How to authenticate.", json!({"type": "string", "pattern": "^Bearer"})),
        "Retry-After": json!({
            "description": "Seconds after which to ask again, where that may help.",
            "schema": {"type": "integer"},
        }),
    })
}

/// The failures. Those that the gateway may answer have its body besides.
fn responses() -> Map<String, Value> {
    let known: [(u16, &str, bool, Option<&str>); 14] = [
        (
            400,
            "A parameter or the body is wrong; `scimType` says how.",
            false,
            None,
        ),
        (
            401,
            "No token, or not a valid one.",
            true,
            Some("WWW-Authenticate"),
        ),
        (403, "The token lacks the scope or the tenant.", true, None),
        (
            404,
            "No such resource, or a path of another tenant.",
            false,
            None,
        ),
        (
            405,
            "The path does not have the method: `.search` takes POST alone.",
            false,
            Some("Allow"),
        ),
        (
            409,
            "A unique value is taken; a request with the same Idempotency-Key is still running; or the subject of the token is several users.",
            false,
            Some("Retry-After"),
        ),
        (412, "The resource has another version.", false, None),
        (
            413,
            "The body, the resource or the operation is too large.",
            true,
            None,
        ),
        (415, "Neither of the media types.", false, None),
        (
            422,
            "An Idempotency-Key came with another request before; or the shape of the body is wrong, where the deployment has `VALIDATION_ERRORS=422`.",
            false,
            None,
        ),
        (429, "Too many requests for the API.", true, None),
        (
            500,
            "A fault of the service; whether anything was written is unknown.",
            true,
            None,
        ),
        (501, "Not in this deployment.", false, None),
        (
            503,
            "Not attempted: no time was left, or no capacity.",
            true,
            Some("Retry-After"),
        ),
    ];
    let described = known
        .into_iter()
        .map(|(status, description, gateway, header)| {
            let mut content = Map::new();
            let mut plain = Vec::new();
            // These never come from a function.
            if ![401, 429].contains(&status) {
                let error = message::error_of(status);
                content.insert(MEDIA_TYPES[0].to_owned(), json!({"schema": error}));
                plain.push(error);
            }
            if status == 422 {
                plain.push(reference("schemas", "ValidationError"));
            }
            if gateway {
                plain.push(reference("schemas", "GatewayMessage"));
            }
            content.insert(
                MEDIA_TYPES[1].to_owned(),
                json!({"schema": {"anyOf": plain}}),
            );
            let mut response = json!({"description": description});
            if let Some(header) = header {
                response["headers"] = json!({header: reference("headers", header)});
            }
            response["content"] = Value::Object(content);
            (status.to_string(), response)
        });
    described.collect()
}
