//! Where a resource may name another resource.
//!
//! Two forms, both read from the schemas and never guessed from text: the
//! `value` of a complex attribute that has a `$ref` to a resource type
//! (`members`, `manager`), and an attribute of type reference whose
//! `referenceTypes` name a resource type. A bulkId is resolved in these places
//! and in no other, so a display name of `bulkId:u1` stays a display name.
//!
//! This module must not know what a reference resolves to.

use serde_json::Value;

use super::{
    Attributes, ResourceType, ScimError,
    schema::{Attribute, Type, catalogue},
};

/// What a visitor does with each reference.
pub type Visitor<'f> = &'f mut dyn FnMut(&mut String) -> Result<(), ScimError>;

/// Whether the attribute is complex and its `value` names a resource: it has a
/// `$ref` sub-attribute that points to a resource type of this service.
pub fn carries_references(attribute: &Attribute) -> bool {
    attribute.kind == Type::Complex
        && attribute
            .sub("value")
            .is_some_and(|value| value.kind == Type::String)
        && attribute.sub("$ref").is_some_and(names_resources)
}

/// Visits every reference of a resource, extensions included, and stops at the
/// first error of the visitor.
///
/// # Errors
///
/// Those of the visitor.
pub fn visit(
    resource_type: &'static ResourceType,
    attributes: &mut Attributes,
    f: Visitor<'_>,
) -> Result<(), ScimError> {
    for attribute in &resource_type.schema.attributes {
        if let Some(value) = attributes.get_mut(&attribute.name) {
            visit_value(attribute, value, f)?;
        }
    }
    for extension in &resource_type.extensions {
        let Some(Value::Object(members)) = attributes.get_mut(&extension.schema.id) else {
            continue;
        };
        for attribute in &extension.schema.attributes {
            if let Some(value) = members.get_mut(&attribute.name) {
                visit_value(attribute, value, f)?;
            }
        }
    }
    Ok(())
}

/// Visits every reference in a value of one attribute: an element or a list of
/// them, each a string or an object with canonical names. The `value`
/// sub-attribute by itself is no reference to this function: pass the complex
/// attribute that it belongs to.
///
/// # Errors
///
/// Those of the visitor.
pub fn visit_value(
    attribute: &'static Attribute,
    value: &mut Value,
    f: Visitor<'_>,
) -> Result<(), ScimError> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .try_for_each(|element| visit_element(attribute, element, f)),
        element => visit_element(attribute, element, f),
    }
}

fn visit_element(
    attribute: &'static Attribute,
    element: &mut Value,
    f: Visitor<'_>,
) -> Result<(), ScimError> {
    let carries = carries_references(attribute);
    match element {
        Value::String(text) if carries || names_resources(attribute) => f(text),
        Value::Object(members) => {
            if carries && let Some(Value::String(text)) = members.get_mut("value") {
                f(text)?;
            }
            let links = attribute.sub_attributes.iter();
            for sub in links.filter(|sub| sub.name != "$ref" && names_resources(sub)) {
                match members.get_mut(&sub.name) {
                    Some(Value::String(text)) => f(text)?,
                    Some(Value::Array(elements)) => {
                        for element in elements {
                            if let Value::String(text) = element {
                                f(text)?;
                            }
                        }
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn names_resources(attribute: &Attribute) -> bool {
    let mut types = attribute.reference_types.iter();
    attribute.kind == Type::Reference && types.any(|name| catalogue().by_name(name).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource_type(name: &str) -> &'static ResourceType {
        catalogue().by_name(name).unwrap()
    }

    fn references(name: &str, attributes: Value) -> (Vec<String>, Value) {
        let Value::Object(mut attributes) = attributes else {
            panic!("an object")
        };
        let mut seen = Vec::new();
        visit(resource_type(name), &mut attributes, &mut |text| {
            seen.push(text.clone());
            text.insert(0, '!');
            Ok(())
        })
        .unwrap();
        (seen, Value::Object(attributes))
    }

    #[test]
    fn members_and_the_manager_are_references_and_free_text_is_not() {
        let (seen, _) = references(
            "Group",
            json!({
                "displayName": "bulkId:a",
                "members": [{"value": "bulkId:b", "type": "User", "display": "bulkId:c"}, {"value": "d"}],
            }),
        );
        assert_eq!(seen, ["bulkId:b", "d"]);

        let enterprise = crate::scim::urn::ENTERPRISE_USER;
        let (seen, after) = references(
            "User",
            json!({
                "userName": "bulkId:a",
                "emails": [{"value": "bulkId:b"}],
                "profileUrl": "bulkId:c",
                "roles": [{"value": "bulkId:d"}],
                enterprise: {"department": "bulkId:e", "manager": {"value": "bulkId:f"}},
            }),
        );
        assert_eq!(seen, ["bulkId:f"]);
        assert_eq!(after[enterprise]["manager"]["value"], "!bulkId:f");
    }

    #[test]
    fn a_value_may_be_a_string_an_object_or_a_list() {
        let members = resource_type("Group").attribute("members").unwrap();
        for mut value in [
            json!("a"),
            json!({"value": "a"}),
            json!(["a"]),
            json!([{"value": "a"}]),
        ] {
            let mut seen = Vec::new();
            visit_value(members, &mut value, &mut |text| {
                seen.push(text.clone());
                Ok(())
            })
            .unwrap();
            assert_eq!(seen, ["a"]);
        }
    }

    #[test]
    fn an_attribute_of_type_reference_to_a_resource_type_is_one() {
        let mut attribute = resource_type("User").attribute("photos").unwrap().clone();
        for sub in attribute
            .sub_attributes
            .iter_mut()
            .filter(|sub| sub.name == "value")
        {
            sub.reference_types = vec!["User".to_owned()];
        }
        let attribute = Box::leak(Box::new(attribute));
        let mut value = json!([{"value": "bulkId:a", "display": "bulkId:b"}]);
        visit_value(attribute, &mut value, &mut |text| {
            text.push('!');
            Ok(())
        })
        .unwrap();
        assert_eq!(
            value,
            json!([{"value": "bulkId:a!", "display": "bulkId:b"}])
        );
    }

    #[test]
    fn the_first_error_of_the_visitor_ends_the_visit() {
        let members = resource_type("Group").attribute("members").unwrap();
        let mut calls = 0;
        let result = visit_value(members, &mut json!(["a", "b"]), &mut |_| {
            calls += 1;
            Err(ScimError::invalid_value("no"))
        });
        assert!(result.is_err());
        assert_eq!(calls, 1);
    }

    #[test]
    fn what_carries_references_is_read_from_the_schema() {
        let user = resource_type("User");
        let carries = |name| carries_references(user.attribute(name).unwrap());
        assert!(carries("groups"));
        for name in [
            "emails",
            "roles",
            "userName",
            "profileUrl",
            "photos",
            "meta",
        ] {
            assert!(!carries(name), "{name}");
        }
    }
}
