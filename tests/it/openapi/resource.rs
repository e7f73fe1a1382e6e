//! Schemas of resources, from the catalogue.
//!
//! A request and an answer differ: a client cannot send what is read-only and
//! never gets what is never returned; what it sends may be null and may name
//! what no schema knows, what it gets holds what the schemas name and no more.

use serde_json::{Map, Value, json};
use shared::scim::ResourceType;
use shared::scim::schema::{Attribute, Mutability, Returned, Schema, Type, catalogue};

use super::reference;

/// The characters that a URI reference may not have; letters beyond ASCII are
/// legal (RFC 3987).
const REFERENCE: &str = r#"^[^\s\u0000-\u001f\u007f-\u009f<>"]*$"#;
/// Either alphabet, with or without padding (RFC 4648).
const BASE64: &str = r"^(([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?|([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2}(==)?|[A-Za-z0-9_-]{3}=?)?)$";

/// Whose message an attribute stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// A client's.
    Sent,
    /// The service's, where the client chooses what is shown.
    Shown,
    /// The service's about itself, which is always whole.
    Told,
}

/// What a PUT carries, and a POST where [`created`] asks for no more.
pub(super) fn sent(resource_type: &ResourceType) -> Value {
    let title = format!("{} as a client sends it", resource_type.name);
    let description = "Names are taken in any letter case, null is the same as absent, and \
                       what is read-only or of no schema is dropped.";
    titled(&title, description, whole(resource_type, Side::Sent))
}

/// What a POST carries besides: what no client can read and every resource of
/// the type must have. A PUT that leaves it out keeps it.
pub(super) fn created(resource_type: &ResourceType) -> Option<Value> {
    let name = &resource_type.name;
    let mut schema = secrets(&resource_type.schema.attributes);
    let mut properties = Map::new();
    for extension in &resource_type.extensions {
        if let Some(members) = secrets(&extension.schema.attributes) {
            properties.insert(extension.schema.id.clone(), members);
        }
    }
    if !properties.is_empty() {
        let schema = schema.get_or_insert_with(|| json!({"properties": {}}));
        if let Some(Value::Object(known)) = schema.get_mut("properties") {
            known.extend(properties);
        }
    }
    let sent = reference("schemas", &format!("{name}Request"));
    let title = format!("{name} as a client creates it");
    let description = "What cannot be read must be there from the beginning.";
    schema.map(|schema| titled(&title, description, json!({"allOf": [sent, schema]})))
}

/// That the required attributes that cannot be read have values.
fn secrets(attributes: &[Attribute]) -> Option<Value> {
    let names: Vec<&str> = attributes
        .iter()
        .filter(|one| one.required && one.mutability == Mutability::WriteOnly)
        .map(|one| one.name.as_str())
        .collect();
    let given = |name: &&str| ((*name).to_owned(), json!({"not": {"type": "null"}}));
    let properties: Map<String, Value> = names.iter().map(given).collect();
    (!names.is_empty()).then(|| json!({"required": names, "properties": properties}))
}

/// What is answered for a resource.
pub(super) fn shown(resource_type: &ResourceType) -> Value {
    let title = format!("{} as the service shows it", resource_type.name);
    let description = "`attributes` and `excludedAttributes` choose what is shown; `schemas` \
                       and `id` always are.";
    titled(&title, description, whole(resource_type, Side::Shown))
}

/// What discovery answers for a schema such as `ServiceProviderConfig`.
pub(super) fn told(core: &Schema) -> Value {
    let common = &catalogue().common.attributes;
    let own = |name: &str| core.attribute(name).is_some();
    let common = common
        .iter()
        .filter(|attribute| !own(&attribute.name) && attribute.name != "externalId");
    let mut schema = object(common.chain(&core.attributes), Side::Told);
    schema["properties"]["schemas"] = schemas(&core.id, &[], Side::Told);
    // One there is, without a name (RFC 7643 §5).
    if core.name == "ServiceProviderConfig"
        && let Some(properties) = schema["properties"].as_object_mut()
    {
        properties.remove("id");
    }
    require(&mut schema, "meta");
    titled(&core.name, &core.description, schema)
}

fn whole(resource_type: &ResourceType, side: Side) -> Value {
    let common = &catalogue().common.attributes;
    let core = &resource_type.schema.attributes;
    let mut schema = object(common.iter().chain(core), side);
    let urns: Vec<&str> = resource_type
        .extensions
        .iter()
        .map(|extension| extension.schema.id.as_str())
        .collect();
    schema["properties"]["schemas"] = schemas(&resource_type.schema.id, &urns, side);
    for extension in &resource_type.extensions {
        let mut members = object(extension.schema.attributes.iter(), side);
        members["description"] = json!(extension.schema.description);
        if side == Side::Sent && !extension.required {
            members["type"] = json!(["object", "null"]);
        }
        schema["properties"][&extension.schema.id] = members;
        if extension.required && side == Side::Sent {
            require(&mut schema, &extension.schema.id);
        }
    }
    schema
}

fn schemas(core: &str, extensions: &[&str], side: Side) -> Value {
    let mut schema = json!({
        "description": "The URNs of the schemas that the resource uses.",
        "type": "array",
        "contains": {"const": core},
        "items": {"type": "string"},
    });
    if side != Side::Sent {
        let all: Vec<&str> = [core].iter().chain(extensions).copied().collect();
        schema["items"] = json!({"enum": all});
        schema["uniqueItems"] = json!(true);
    } else {
        schema["examples"] = json!([[core]]);
    }
    schema
}

/// An object of attributes, without those that this side never has.
fn object<'a>(attributes: impl Iterator<Item = &'a Attribute>, side: Side) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for attribute in attributes.filter(|attribute| stands_in(attribute, side)) {
        properties.insert(attribute.name.clone(), property(attribute, side));
        if is_required(attribute, side) {
            required.push(attribute.name.clone());
        }
    }
    let mut schema = json!({"type": "object"});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["properties"] = Value::Object(properties);
    if side != Side::Sent {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

fn stands_in(attribute: &Attribute, side: Side) -> bool {
    match side {
        Side::Sent => attribute.mutability != Mutability::ReadOnly,
        Side::Shown | Side::Told => attribute.returned != Returned::Never,
    }
}

fn is_required(attribute: &Attribute, side: Side) -> bool {
    match side {
        // A PUT that leaves out what cannot be read keeps it.
        Side::Sent => attribute.required && attribute.mutability != Mutability::WriteOnly,
        Side::Told => attribute.required,
        Side::Shown => attribute.returned == Returned::Always,
    }
}

fn titled(title: &str, description: &str, schema: Value) -> Value {
    let mut titled = json!({"title": title, "description": description});
    if let (Value::Object(titled), Value::Object(schema)) = (&mut titled, schema) {
        titled.extend(schema);
    }
    titled
}

fn require(schema: &mut Value, name: &str) {
    match schema.get_mut("required").and_then(Value::as_array_mut) {
        Some(required) if required.contains(&json!(name)) => {}
        Some(required) => required.push(json!(name)),
        None => schema["required"] = json!([name]),
    }
}

fn property(attribute: &Attribute, side: Side) -> Value {
    let mut schema = match attribute.multi_valued {
        true => list(attribute, side),
        false => value(attribute, side),
    };
    if side == Side::Sent && !is_required(attribute, side) {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(Value::Array(known)) = schema.get_mut("enum") {
            known.push(Value::Null);
        }
    }
    if attribute.mutability == Mutability::WriteOnly {
        schema["writeOnly"] = json!(true);
    }
    if side != Side::Sent && attribute.mutability == Mutability::ReadOnly {
        schema["readOnly"] = json!(true);
    }
    let mut described = Map::new();
    described.insert("description".to_owned(), json!(attribute.description));
    described.extend(schema.as_object().cloned().unwrap_or_default());
    Value::Object(described)
}

fn list(attribute: &Attribute, side: Side) -> Value {
    let mut items = value(attribute, side);
    if side == Side::Sent {
        // A reference without the id of anything refers to nothing.
        if refers(attribute) {
            // `$ref` is made from it.
            items["required"] = json!(["value"]);
            items["properties"]["value"]["type"] = json!("string");
        }
        items["type"] = json!([items["type"], "null"]);
    }
    let mut schema = json!({"type": "array", "items": items});
    if attribute.sub("primary").is_some() {
        schema["contains"] = json!({
            "type": "object",
            "required": ["primary"],
            "properties": {"primary": {"const": true}},
        });
        schema["minContains"] = json!(0);
        schema["maxContains"] = json!(1);
    }
    // Without values it is absent, but for a schema that says of itself that it
    // has no attributes.
    if side == Side::Shown || side == Side::Told && !attribute.required {
        schema["minItems"] = json!(1);
    }
    schema
}

/// One value.
fn value(attribute: &Attribute, side: Side) -> Value {
    let mut schema = match attribute.kind {
        Type::Complex => return object(attribute.sub_attributes.iter(), side),
        Type::Boolean => json!({"type": "boolean"}),
        Type::Decimal => json!({"type": "number"}),
        Type::Integer => json!({"type": "integer"}),
        Type::String if attribute.required => json!({"type": "string", "pattern": r"\S"}),
        Type::String => json!({"type": "string"}),
        Type::Binary => json!({"type": "string", "contentEncoding": "base64", "pattern": BASE64}),
        Type::DateTime => json!({"type": "string", "format": "date-time"}),
        // What the service itself makes.
        Type::Reference
            if side != Side::Sent && ["$ref", "location"].contains(&attribute.name.as_str()) =>
        {
            json!({"type": "string", "format": "uri"})
        }
        Type::Reference => json!({"type": "string", "pattern": REFERENCE}),
    };
    if !attribute.canonical_values.is_empty() {
        let word = match is_closed(attribute, side) {
            true => "enum",
            false => "examples",
        };
        schema[word] = json!(attribute.canonical_values);
    }
    schema
}

/// Whether the canonical values are all values: where the schema says so, where
/// the service chooses, and where they are names of resource types.
fn is_closed(attribute: &Attribute, side: Side) -> bool {
    let mut values = attribute.canonical_values.iter();
    let types = values.all(|name| catalogue().by_name(name).is_some());
    types || attribute.closed || side != Side::Sent && attribute.mutability == Mutability::ReadOnly
}

/// Whether an attribute's values name resources.
fn refers(attribute: &Attribute) -> bool {
    let target = attribute.sub("$ref");
    target.is_some_and(|target| {
        let mut types = target.reference_types.iter();
        types.any(|name| catalogue().by_name(name).is_some())
    })
}
