//! Schemas and resource types as discovery shows them (RFC 7643 §6 and §7).

use serde_json::{Map, Value, json};

use super::{Attribute, Mutability, ResourceType, Returned, Schema, Type, Uniqueness};
use crate::scim::urn;

impl Type {
    /// The keyword of RFC 7643 §2.3.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

impl Mutability {
    /// The keyword of RFC 7643 §7.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

impl Returned {
    /// The keyword of RFC 7643 §7.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

impl Uniqueness {
    /// The keyword of RFC 7643 §7.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}

impl Schema {
    /// The schema as a resource. `meta` holds the resource type; `location`,
    /// which needs the base URL, is the caller's to add.
    pub fn to_json(&self) -> Value {
        json!({
            "schemas": [urn::SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": attributes(&self.attributes),
            "meta": {"resourceType": "Schema"},
        })
    }
}

impl ResourceType {
    /// The resource type as a resource. `meta` holds its own resource type;
    /// `location`, which needs the base URL, is the caller's to add.
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([urn::RESOURCE_TYPE]));
        body.insert("id".to_owned(), json!(self.name));
        body.insert("name".to_owned(), json!(self.name));
        body.insert("endpoint".to_owned(), json!(self.endpoint));
        body.insert("description".to_owned(), json!(self.description));
        body.insert("schema".to_owned(), json!(self.schema.id));
        let extensions = self.extensions.iter().map(
            |extension| json!({"schema": extension.schema.id, "required": extension.required}),
        );
        insert_list(&mut body, "schemaExtensions", extensions.collect());
        body.insert("meta".to_owned(), json!({"resourceType": "ResourceType"}));
        Value::Object(body)
    }
}

fn attributes(attributes: &[Attribute]) -> Vec<Value> {
    attributes.iter().map(attribute).collect()
}

// As deep as the schemas of this build. Complex attributes have neither
// caseExact nor uniqueness (RFC 7643, erratum 6004); empty lists are left out.
fn attribute(attribute: &Attribute) -> Value {
    let simple = attribute.kind != Type::Complex;
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(attribute.name));
    body.insert("type".to_owned(), json!(attribute.kind.as_str()));
    body.insert("multiValued".to_owned(), json!(attribute.multi_valued));
    body.insert("description".to_owned(), json!(attribute.description));
    body.insert("required".to_owned(), json!(attribute.required));
    if simple {
        body.insert("caseExact".to_owned(), json!(attribute.case_exact));
    }
    body.insert(
        "mutability".to_owned(),
        json!(attribute.mutability.as_str()),
    );
    body.insert("returned".to_owned(), json!(attribute.returned.as_str()));
    if simple {
        body.insert(
            "uniqueness".to_owned(),
            json!(attribute.uniqueness.as_str()),
        );
    }
    insert_list(
        &mut body,
        "canonicalValues",
        json_strings(&attribute.canonical_values),
    );
    insert_list(
        &mut body,
        "referenceTypes",
        json_strings(&attribute.reference_types),
    );
    insert_list(
        &mut body,
        "subAttributes",
        attributes(&attribute.sub_attributes),
    );
    Value::Object(body)
}

fn json_strings(strings: &[String]) -> Vec<Value> {
    strings.iter().map(|string| json!(string)).collect()
}

fn insert_list(body: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        body.insert(name.to_owned(), Value::Array(list));
    }
}
