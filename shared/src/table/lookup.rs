//! Lookups: the items that find a resource by a value.
//!
//! Each is written in the transaction that writes its resource, so a miss can
//! be trusted, which no index of DynamoDB offers. A lookup of a unique
//! attribute is at the same time the reservation of its value. Which attributes
//! have one follows from the schemas, plus a short list here. The value is the
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
use crate::scim::schema::{Attribute, Schema, Type, Uniqueness, catalogue};
use crate::scim::{Attributes, ResourceType};

/// Lookups besides those of unique attributes: type (`None` for all),
/// attribute, sub-attribute. Connectors filter by these with `eq`.
const FURTHER: [(Option<&str>, &str, Option<&str>); 3] = [
    (None, "externalId", None),
    (Some("User"), "emails", Some("value")),
    (Some("Group"), "displayName", None),
];

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
    for (only, name, sub) in FURTHER {
        let Some(attribute) = further(resource_type, only, name) else {
            continue;
        };
        let Some(value) = attributes.get(name) else {
            continue;
        };
        let elements = match value {
            Value::Array(elements) => elements.as_slice(),
            other => std::slice::from_ref(other),
        };
        for element in elements {
            let text = match sub {
                Some(sub) => element.get(sub).and_then(Value::as_str),
                None => element.as_str(),
            };
            let lookup = text.and_then(|text| lookup_of(resource_type, None, attribute, sub, text));
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
    let listed = extension.is_none()
        && FURTHER.into_iter().any(|(only, name, inner)| {
            name == attribute.name
                && inner == sub.map(|_| compared.name.as_str())
                && further(resource_type, only, name).is_some()
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

/// Only text is looked up: `id` is the key itself, and the schemas declare no
/// number or date unique.
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

fn further(
    resource_type: &'static ResourceType,
    only: Option<&str>,
    name: &str,
) -> Option<&'static Attribute> {
    if only.is_some_and(|only| only != resource_type.name) {
        return None;
    }
    let own = resource_type.schema.attribute(name);
    own.or_else(|| catalogue().common.attribute(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
