//! A resource as JSON, before a projection leaves parts of it out.
//!
//! It puts back what is not kept with the attributes: `schemas`, `id` and
//! `meta`. The order is that of the RFC's examples: `schemas`, `id`, the
//! attributes in schema order, the extensions, `meta` last. What is never
//! returned, and what no schema of the type knows, does not get out here,
//! whatever the projection asks for.
//!
//! It must not know where derived attributes (`groups`, `members` and their
//! `$ref` and `display`) come from: they are in `attributes` if they are to be
//! shown.

use serde_json::{Map, Value, json};

use super::{
    Attributes, ResourceId, ResourceType, Timestamp, Version,
    schema::{Attribute, Returned, catalogue},
};

/// All that a representation consists of.
#[derive(Debug, Clone)]
pub struct Representation<'a> {
    /// The resource's type.
    pub resource_type: &'static ResourceType,
    /// Its permanent id.
    pub id: ResourceId,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Its version, which is also the ETag.
    pub version: Version,
    /// Its absolute URL.
    pub location: String,
    /// Its attributes with canonical names, those to be shown of the derived
    /// ones included.
    pub attributes: &'a Attributes,
}

impl Representation<'_> {
    /// The JSON object.
    pub fn render(self) -> Value {
        let Self {
            resource_type,
            attributes,
            ..
        } = self;
        let mut schemas = vec![Value::from(resource_type.schema.id.as_str())];
        let mut body = Map::new();
        body.insert("schemas".to_owned(), Value::Null);
        body.insert("id".to_owned(), json!(self.id.to_string()));
        copy(&catalogue().common.attributes, attributes, &mut body);
        copy(&resource_type.schema.attributes, attributes, &mut body);
        for extension in &resource_type.extensions {
            let urn = &extension.schema.id;
            let Some(Value::Object(members)) = attributes.get(urn) else {
                continue;
            };
            let mut shown = Map::new();
            copy(&extension.schema.attributes, members, &mut shown);
            if !shown.is_empty() {
                schemas.push(Value::from(urn.as_str()));
                body.insert(urn.clone(), Value::Object(shown));
            }
        }
        body.insert("schemas".to_owned(), Value::Array(schemas));
        body.insert(
            "meta".to_owned(),
            json!({
                "resourceType": resource_type.name,
                "created": self.created.to_string(),
                "lastModified": self.modified.to_string(),
                "location": self.location,
                "version": self.version.to_string(),
            }),
        );
        Value::Object(body)
    }
}

fn copy(schema: &[Attribute], from: &Map<String, Value>, to: &mut Map<String, Value>) {
    for attribute in schema
        .iter()
        .filter(|attribute| attribute.returned != Returned::Never)
    {
        if let Some(value) = from
            .get(&attribute.name)
            .and_then(|value| shown(attribute, value))
        {
            to.insert(attribute.name.clone(), value);
        }
    }
}

fn shown(attribute: &Attribute, value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            let mut parts = Map::new();
            copy(&attribute.sub_attributes, members, &mut parts);
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
        Value::Array(values) => {
            let values: Vec<Value> = values
                .iter()
                .filter(|value| !value.is_array())
                .filter_map(|value| shown(attribute, value))
                .collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
        simple => Some(simple.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::urn;

    fn rendered(attributes: Value) -> Value {
        let Value::Object(attributes) = attributes else {
            panic!("an object")
        };
        Representation {
            resource_type: catalogue().by_name("User").unwrap(),
            id: ResourceId::from_bytes([1; 16]),
            created: Timestamp(0),
            modified: Timestamp(1_700_000_000_000),
            version: Version(7),
            location: "https://example.com/scim/v2/Users/x".to_owned(),
            attributes: &attributes,
        }
        .render()
    }

    #[test]
    fn the_parts_stand_in_the_order_of_the_rfc() {
        let body = rendered(json!({
            urn::ENTERPRISE_USER: {"manager": {"displayName": "Boss", "value": "9"}, "department": "d"},
            "emails": [{"type": "work", "value": "a@example.com"}],
            "name": {"givenName": "B", "familyName": "J"},
            "userName": "bjensen",
            "externalId": "e",
        }));
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
        {
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
          ],
          "id": "01010101-0101-0101-0101-010101010101",
          "externalId": "e",
          "userName": "bjensen",
          "name": {
            "familyName": "J",
            "givenName": "B"
          },
          "emails": [
            {
              "value": "a@example.com",
              "type": "work"
            }
          ],
          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "d",
            "manager": {
              "value": "9",
              "displayName": "Boss"
            }
          },
          "meta": {
            "resourceType": "User",
            "created": "1970-01-01T00:00:00.000Z",
            "lastModified": "2023-11-14T22:13:20.000Z",
            "location": "https://example.com/scim/v2/Users/x",
            "version": "W/\"7\""
          }
        }
        "#);
    }

    #[test]
    fn what_is_never_returned_or_unknown_stays_inside() {
        let body = rendered(json!({
            "userName": "bjensen",
            "password": {"phc": "$argon2id$secret"},
            "secret": "x",
            "name": {"secret": "x"},
            "emails": [],
            "title": null,
            urn::ENTERPRISE_USER: {"secret": "x"},
        }));
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["schemas", "id", "userName", "meta"]);
        assert_eq!(body["schemas"], json!([urn::USER]));
    }
}
