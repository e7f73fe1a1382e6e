//! Schemas of the messages (RFC 7644 §3.4, §3.5.2, §3.7, §3.12), and what the
//! gateway says by itself.

use serde_json::{Map, Value, json};
use shared::plan::operation::MAX_BULK_ID;
use shared::scim::filter::MAX_LENGTH;
use shared::scim::schema::catalogue;
use shared::scim::{ScimType, urn};

use super::operation::created;
use super::{plan, reference};

/// Every component schema that is no resource.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = Map::new();
    let mut add = |name: &str, schema: Value| schemas.insert(name.to_owned(), schema);
    let types = || catalogue().resource_types.iter();
    for known in types() {
        let name = &known.name;
        add(&format!("{name}List"), list(&reference("schemas", name)));
    }
    let shown: Vec<Value> = types()
        .map(|known| reference("schemas", &known.name))
        .collect();
    add("ResourceList", list(&json!({"anyOf": shown})));
    for name in ["Schema", "ResourceType"] {
        add(&format!("{name}List"), list(&reference("schemas", name)));
    }
    add("SearchRequest", search_request());
    add("PatchOp", patch());
    add("BulkRequest", bulk_request());
    add("BulkResponse", bulk_response());
    add("Plan", plan::plan());
    add("Error", error());
    add("ValidationError", validation_error());
    add("GatewayMessage", gateway_message());
    schemas
}

/// The error with a status, which the body repeats as a string.
pub(super) fn error_of(status: u16) -> Value {
    let mut rest = json!({"status": {"const": status.to_string()}});
    let keyword = |all: &[ScimType]| {
        let words: Vec<&str> = all.iter().map(|known| known.as_str()).collect();
        json!({"enum": words})
    };
    rest["scimType"] = match status {
        409 => keyword(&[ScimType::Uniqueness]),
        400 => {
            let known = ScimType::ALL.into_iter();
            let known: Vec<_> = known.filter(|one| *one != ScimType::Uniqueness).collect();
            keyword(&known)
        }
        _ => json!(false),
    };
    json!({"allOf": [reference("schemas", "Error"), {"properties": rest}]})
}

fn named(urn: &str) -> Value {
    json!({
        "type": "array",
        "items": {"const": urn},
        "minItems": 1,
        "maxItems": 1,
    })
}

/// `schemas` of a request, which may be missing.
fn optional(urn: &str) -> Value {
    json!({"type": ["array", "null"], "items": {"const": urn}})
}

fn list(resource: &Value) -> Value {
    json!({
        "description": "A page of results.",
        "type": "object",
        "required": ["schemas", "itemsPerPage", "Resources"],
        "properties": {
            "schemas": named(urn::LIST_RESPONSE),
            "totalResults": {
                "description": "How many results there are in all. Left out where paging by cursor would have to count them.",
                "type": "integer",
                "minimum": 0,
            },
            "startIndex": {
                "description": "The index of the first result, where paging by index.",
                "type": "integer",
                "minimum": 1,
            },
            "itemsPerPage": {
                "description": "How many results this page holds.",
                "type": "integer",
                "minimum": 0,
            },
            "nextCursor": {
                "description": "What to send as `cursor` for the next page; left out on the last one.",
                "type": "string",
            },
            "Resources": {"type": "array", "items": resource},
        },
        "additionalProperties": false,
    })
}

fn search_request() -> Value {
    let names = || json!({"type": ["array", "null"], "items": {"type": "string"}});
    json!({
        "description": "The parameters of a list as a body. `cursor` excludes `startIndex` and `sortBy`, `attributes` excludes `excludedAttributes`.",
        "type": "object",
        "properties": {
            "schemas": optional(urn::SEARCH_REQUEST),
            "filter": {"type": ["string", "null"], "maxLength": MAX_LENGTH},
            "attributes": names(),
            "excludedAttributes": names(),
            "sortBy": {"type": ["string", "null"]},
            "sortOrder": {"enum": ["ascending", "descending", null]},
            "startIndex": {"type": ["integer", "null"]},
            "cursor": {"type": ["string", "null"]},
            "count": {"type": ["integer", "null"]},
        },
        "allOf": [
            {"anyOf": [without(&["cursor"]), without(&["startIndex", "sortBy"])]},
            {"anyOf": [without(&["attributes"]), without(&["excludedAttributes"])]},
        ],
        "examples": [{
            "schemas": [urn::SEARCH_REQUEST],
            "filter": "meta.lastModified gt \"2026-01-01T00:00:00Z\"",
            "attributes": ["meta"],
            "count": 10,
        }],
    })
}

/// That these members are absent, or mean it: null, or no names.
fn without(names: &[&str]) -> Value {
    let blank = json!({"type": "array", "items": {"pattern": r"^\s*$"}});
    let absent = json!({"anyOf": [{"type": "null"}, blank]});
    let absent = names
        .iter()
        .map(|name| ((*name).to_owned(), absent.clone()));
    json!({"properties": absent.collect::<Map<_, _>>()})
}

fn patch() -> Value {
    json!({
        "description": "Changes, carried out in order, all or none.",
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": {"type": "array", "items": {"type": "string"}, "contains": {"const": urn::PATCH_OP}},
            "Operations": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["op"],
                    "properties": {
                        "op": {
                            "description": "In any letter case.",
                            "enum": ["add", "replace", "remove", "Add", "Replace", "Remove"],
                        },
                        "path": {
                            "description": "What is changed: an attribute, elements of it that a filter selects, an extension. Without it, `value` names the attributes.",
                            "type": ["string", "null"],
                            "maxLength": MAX_LENGTH,
                            "examples": ["displayName", "emails[type eq \"work\"].value"],
                        },
                        "value": {
                            "description": "Whatever the path takes; with `remove`, the values to remove.",
                        },
                    },
                    "if": {"properties": {"op": {"enum": ["remove", "Remove"]}}},
                    "then": {"required": ["path"]},
                    "else": {"required": ["value"]},
                },
            },
        },
        "examples": [{
            "schemas": [urn::PATCH_OP],
            "Operations": [{"op": "replace", "path": "displayName", "value": "Babs"}],
        }],
    })
}

/// A row for each method of each type, so that `data` can be told.
fn bulk_request() -> Value {
    let mut rows = Vec::new();
    let patch = reference("schemas", "PatchOp");
    for known in &catalogue().resource_types {
        let (name, endpoint) = (&known.name, &known.endpoint);
        let one = json!({"type": "string", "pattern": format!("^/?{}/[^/?#]+$", endpoint.trim_start_matches('/'))});
        let sent = reference("schemas", &format!("{name}Request"));
        let created = reference("schemas", &created(known));
        let kinds = [
            (
                "POST",
                "Creates",
                json!({"enum": [endpoint]}),
                Some(&created),
            ),
            ("PUT", "Replaces", one.clone(), Some(&sent)),
            ("PATCH", "Changes", one.clone(), Some(&patch)),
            ("DELETE", "Deletes", one, None),
        ]
        .map(|(method, verb, path, data)| {
            let mut row = json!({
                "title": format!("{verb} a {name}"),
                "type": "object",
                "required": ["method", "path"],
                "properties": {
                    "method": {"const": method},
                    "path": path,
                    "bulkId": {"type": ["string", "null"], "minLength": 1, "maxLength": MAX_BULK_ID},
                    "version": {"type": ["string", "null"]},
                },
            });
            if let Some(data) = data {
                row["properties"]["data"] = data.clone();
                row["required"] = json!(["method", "path", "data"]);
            }
            row
        });
        rows.extend(kinds);
    }
    json!({
        "description": "Operations in any order; `bulkId:` and the bulkId of a POST stand for the id that it will have.",
        "type": "object",
        "required": ["Operations"],
        "properties": {
            "schemas": optional(urn::BULK_REQUEST),
            "failOnErrors": {
                "description": "Stop once so many operations have failed; 0 means never.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
            "Operations": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": rows},
            },
        },
    })
}

fn bulk_response() -> Value {
    json!({
        "description": "A row for each operation that was processed, in the order of the request.",
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": named(urn::BULK_RESPONSE),
            "Operations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["status"],
                    "properties": {
                        "location": {"type": "string", "format": "uri"},
                        "method": {
                            "description": "As sent, also where it is none.",
                            "type": "string",
                        },
                        "bulkId": {"type": "string"},
                        "version": version(),
                        "status": {
                            "description": "What a request of its own would have been answered.",
                            "type": "string",
                            "pattern": "^[245][0-9]{2}$",
                        },
                        "response": reference("schemas", "Error"),
                    },
                    "additionalProperties": false,
                    "if": {"properties": {"status": {"pattern": "^2"}}},
                    "then": {"properties": {"response": false}},
                    "else": {"required": ["response"], "properties": {"version": false}},
                },
            },
            "plan": reference("schemas", "Plan"),
        },
        "additionalProperties": false,
    })
}

/// A weak entity-tag.
pub(super) fn version() -> Value {
    json!({"type": "string", "pattern": "^W/\"[0-9]+\"$"})
}

fn error() -> Value {
    let keywords: Vec<&str> = ScimType::ALL.iter().map(|known| known.as_str()).collect();
    json!({
        "description": "Why a request or an operation failed (RFC 7644 §3.12).",
        "type": "object",
        "required": ["schemas", "status", "detail"],
        "properties": {
            "schemas": named(urn::ERROR),
            "status": {
                "description": "The HTTP status.",
                "type": "string",
                "pattern": "^[45][0-9]{2}$",
            },
            "scimType": {
                "description": "Which fault it is, where the standard has a word.",
                "enum": keywords,
            },
            "detail": {"description": "For a person.", "type": "string"},
            "errors": {
                "description": "The faulty places, where the message has the wrong shape.",
                "type": "array",
                "minItems": 1,
                "items": places(),
            },
        },
        "additionalProperties": false,
    })
}

fn places() -> Value {
    json!({
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": {
            "loc": {
                "description": "Member names and indexes from the root of the body.",
                "type": "array",
                "items": {"type": ["string", "integer"]},
            },
            "msg": {"type": "string"},
            "type": {
                "description": "A keyword such as `missing` or `type_error`.",
                "type": "string",
            },
        },
        "additionalProperties": false,
    })
}

fn validation_error() -> Value {
    json!({
        "description": "The form of a shape error where the deployment has `VALIDATION_ERRORS=422`.",
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"type": "array", "minItems": 1, "items": places()}},
        "additionalProperties": false,
    })
}

fn gateway_message() -> Value {
    json!({
        "description": "What API Gateway answers by itself.",
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}},
    })
}
