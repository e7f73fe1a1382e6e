//! Lookups: the items that find a resource by a value.
//!
//! Each is written in the transaction that writes its resource, so a miss can
//! be trusted, which no index of DynamoDB offers. A lookup of a unique
//! attribute is at the same time the reservation of its value. Which attributes
//! have one follows from the schemas, plus the list in the resource type's file:
//! what connectors filter by with `eq`. The value is the
//! prepared one, the form in which a filter compares it; it reaches the table
//! only as a hash. This file must not know what a filter looks like.
//!
//! ```text
//! {"userName": "Bjensen", "emails": [{"value": "B@example.com"}]}
//!   → userName of User `bjensen`, unique; emails.value of User `b@example.com`
//! ```

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scim::path::AttributePath;
use crate::scim::prepare::prepare;
use crate::scim::schema::{Attribute, LookupPath, Schema, Type, Uniqueness};
use crate::scim::{Attributes, ResourceType};

/// One value by which resources of one type are found. It has no `Display`:
/// the value is personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// The resource type's name.
    pub resource_type: &'static str,
    /// The attribute, such as `userName` or `emails.value`; an extension's is
    /// preceded by its URN and a colon.
    pub attribute: String,
    /// The prepared value.
    pub value: String,
    /// Whether at most one resource may own it.
    pub unique: bool,
}

/// Every lookup that a resource with these attributes has.
pub fn lookups(resource_type: &'static ResourceType, attributes: &Attributes) -> BTreeSet<Lookup> {
    let mut found = BTreeSet::new();
    collect_unique(
        resource_type,
        None,
        resource_type.schema,
        attributes,
        &mut found,
    );
    for extension in &resource_type.extensions {
        if let Some(Value::Object(inner)) = attributes.get(&extension.schema.id) {
            let schema = extension.schema;
            collect_unique(resource_type, Some(schema), schema, inner, &mut found);
        }
    }
    for listed in &resource_type.lookups {
        let within = match listed.extension {
            Some(schema) => attributes.get(&schema.id).and_then(Value::as_object),
            None => Some(attributes),
        };
        let Some(value) = within.and_then(|within| within.get(&listed.attribute)) else {
            continue;
        };
        let Some(attribute) = declared(resource_type, listed) else {
            continue;
        };
        let elements = match value {
            Value::Array(elements) => elements.as_slice(),
            other => std::slice::from_ref(other),
        };
        let sub = listed.sub.as_deref();
        for element in elements {
            let text = match sub {
                Some(sub) => element.get(sub).and_then(Value::as_str),
                None => element.as_str(),
            };
            let extension = listed.extension;
            let lookup =
                text.and_then(|text| lookup_of(resource_type, extension, attribute, sub, text));
            found.extend(lookup);
        }
    }
    found
}

/// The lookup that an `eq` filter on this path can use, where one is kept.
pub fn lookup_for(
    path: &AttributePath,
    operand: &str,
    resource_type: &'static ResourceType,
) -> Option<Lookup> {
    let sub = path.sub.map(|sub| sub.name.as_str());
    lookup_of(resource_type, path.extension, path.attribute, sub, operand)
}

/// The lookup that finds the resources whose attribute equals `text`, where one
/// is kept. `sub` of a complex multi-valued attribute defaults to `value`
/// (RFC 7644 §3.4.2.2).
pub fn lookup_of(
    resource_type: &'static ResourceType,
    extension: Option<&Schema>,
    attribute: &Attribute,
    sub: Option<&str>,
    text: &str,
) -> Option<Lookup> {
    let complex = attribute.kind == Type::Complex;
    let sub = sub.or((complex && attribute.multi_valued).then_some("value"));
    let compared = match sub {
        Some(name) => attribute.sub(name)?,
        None => attribute,
    };
    let unique = sub.is_none() && is_unique(attribute);
    let inner = sub.map(|_| compared.name.as_str());
    let listed = resource_type.lookups.iter().any(|listed| {
        listed.attribute == attribute.name
            && listed.sub.as_deref() == inner
            && listed.extension.map(|schema| &schema.id) == extension.map(|schema| &schema.id)
    });
    if !unique && !listed {
        return None;
    }
    let mut name = extension
        .map(|schema| format!("{}:", schema.id))
        .unwrap_or_default();
    name.push_str(&attribute.name);
    if sub.is_some() {
        name.push('.');
        name.push_str(&compared.name);
    }
    Some(Lookup {
        resource_type: &resource_type.name,
        attribute: name,
        value: prepare(compared, text),
        unique,
    })
}

fn collect_unique(
    resource_type: &'static ResourceType,
    extension: Option<&'static Schema>,
    schema: &Schema,
    attributes: &Attributes,
    found: &mut BTreeSet<Lookup>,
) {
    for attribute in schema
        .attributes
        .iter()
        .filter(|attribute| is_unique(attribute))
    {
        if let Some(text) = attributes.get(&attribute.name).and_then(Value::as_str) {
            found.extend(lookup_of(resource_type, extension, attribute, None, text));
        }
    }
}

/// Only text is looked up: `id` is the key itself, and the build refuses a
/// schema that declares a number or a date unique.
fn is_unique(attribute: &Attribute) -> bool {
    let text = matches!(
        attribute.kind,
        Type::String | Type::Reference | Type::Binary
    );
    let scoped = matches!(
        attribute.uniqueness,
        Uniqueness::Server | Uniqueness::Global
    );
    text && scoped && !attribute.multi_valued && attribute.name != "id"
}

fn declared(
    resource_type: &'static ResourceType,
    listed: &LookupPath,
) -> Option<&'static Attribute> {
    match listed.extension {
        Some(schema) => schema.attribute(&listed.attribute),
        None => resource_type.attribute(&listed.attribute),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::catalogue;

    fn found(name: &str, attributes: Value) -> String {
        let resource_type = catalogue().by_name(name).unwrap();
        let lookups = lookups(resource_type, attributes.as_object().unwrap());
        let lines = lookups.iter().map(|lookup| {
            let unique = if lookup.unique { " unique" } else { "" };
            format!("{} = {}{unique}", lookup.attribute, lookup.value)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_resource_is_found_by_its_name_and_by_what_connectors_filter_by() {
        let user = json!({
            "userName": "BJensen",
            "externalId": "Abc",
            "displayName": "Barbara",
            "emails": [{"value": "B@Example.com"}, {"value": "b@example.com"}, {"type": "work"}],
        });
        insta::assert_snapshot!(found("User", user), @"
        emails.value = b@example.com
        externalId = Abc
        userName = bjensen unique
        ");
        let group = json!({"displayName": "Sales", "externalId": "g1"});
        insta::assert_snapshot!(found("Group", group), @"
        displayName = sales
        externalId = g1
        ");
    }

    #[test]
    fn what_an_extension_declares_unique_or_a_type_lists_has_a_lookup() {
        let urn = |name: &str| {
            let device = catalogue().by_name("Device").unwrap();
            let mut extensions = device.extensions.iter().map(|known| known.schema);
            let found = extensions.find(|schema| schema.name == name);
            found.unwrap().id.clone()
        };
        let device = json!({
            "displayName": "Pump",
            urn("bleExtension"): {"deviceMacAddress": "2C:54:91:88:C9:E2", "irk": "secret"},
            urn("ethernetMabExtension"): {"deviceMacAddress": "2C:54:91:88:C9:E3"},
        });
        insta::assert_snapshot!(found("Device", device), @"
        displayName = pump
        urn:ietf:params:scim:schemas:extension:ble:2.0:Device:deviceMacAddress = 2c:54:91:88:c9:e2 unique
        urn:ietf:params:scim:schemas:extension:ethernet-mab:2.0:Device:deviceMacAddress = 2c:54:91:88:c9:e3
        ");
    }

    #[test]
    fn a_filter_uses_the_lookup_that_the_resource_has() {
        let user = catalogue().by_name("User").unwrap();
        let attributes = json!({"userName": "BJensen", "emails": [{"value": "B@example.com"}]});
        let kept = lookups(user, attributes.as_object().unwrap());
        for (path, operand) in [
            ("username", "bjensen"),
            ("emails.value", "b@EXAMPLE.com"),
            ("emails", "b@example.com"),
        ] {
            let path = AttributePath::parse(path, user).unwrap();
            let lookup = lookup_for(&path, operand, user).unwrap();
            assert!(kept.contains(&lookup), "{path}");
        }
        for path in ["displayName", "emails.type", "id", "name.familyName"] {
            let path = AttributePath::parse(path, user).unwrap();
            assert_eq!(lookup_for(&path, "x", user), None, "{path}");
        }
    }
}
