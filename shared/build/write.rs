//! The code of a catalogue whose files were checked.

use std::fmt::Write as _;

use super::file::{Attribute, Extension, ResourceType, Schema};
use super::{COMMON, Fault, Read, check, find};

/// The expression that builds the catalogue.
pub(super) fn catalogue(
    schemas: &[Read<Schema>],
    resource_types: &[Read<ResourceType>],
) -> Result<String, Fault> {
    // Only a lack of memory could stop it.
    written(schemas, resource_types).map_err(|error| error.to_string())
}

fn written(
    schemas: &[Read<Schema>],
    resource_types: &[Read<ResourceType>],
) -> Result<String, std::fmt::Error> {
    let mut code = String::from("{\n");
    let mut listed = Vec::new();
    let mut common = 0;
    for (index, read) in schemas.iter().enumerate() {
        if read.stem() == COMMON {
            common = index;
        } else {
            listed.push(format!("schema_{index}"));
        }
        writeln!(
            code,
            "let schema_{index}: &'static Schema = Box::leak(Box::new("
        )?;
        write_schema(&mut code, &read.content)?;
        code.push_str("));\n");
    }
    let mut types = String::new();
    for read in resource_types {
        write_resource_type(&mut types, &read.content, schemas)?;
    }
    writeln!(
        code,
        "Catalogue {{ schemas: vec![{}], resource_types: vec![{types}], common: schema_{common} }}\n}}",
        listed.join(", ")
    )?;
    Ok(code)
}

fn write_schema(code: &mut String, schema: &Schema) -> std::fmt::Result {
    let Schema {
        id,
        name,
        description,
        attributes,
        ..
    } = schema;
    write!(code, "Schema {{ id: {id:?}.into(), name: {name:?}.into(), ")?;
    write!(code, "description: {description:?}.into(), attributes: ")?;
    write_attributes(code, attributes)?;
    code.push_str(" }");
    Ok(())
}

fn write_attributes(code: &mut String, attributes: &[Attribute]) -> std::fmt::Result {
    code.push_str("vec![");
    for attribute in attributes {
        let Attribute {
            name,
            kind,
            multi_valued,
            description,
            required,
            ..
        } = attribute;
        let Attribute {
            mutability,
            returned,
            closed,
            ..
        } = attribute;
        let case_exact = attribute.case_exact.unwrap_or_default();
        let uniqueness = attribute.uniqueness.unwrap_or_default();
        write!(
            code,
            "Attribute {{ name: {name:?}.into(), kind: Type::{kind:?}, "
        )?;
        write!(
            code,
            "multi_valued: {multi_valued}, description: {description:?}.into(), "
        )?;
        write!(code, "required: {required}, case_exact: {case_exact}, ")?;
        write!(
            code,
            "mutability: Mutability::{mutability:?}, returned: Returned::{returned:?}, "
        )?;
        write!(
            code,
            "uniqueness: Uniqueness::{uniqueness:?}, canonical_values: "
        )?;
        write_strings(code, &attribute.canonical_values)?;
        write!(code, ", closed: {closed}, reference_types: ")?;
        write_strings(code, &attribute.reference_types)?;
        code.push_str(", sub_attributes: ");
        write_attributes(code, &attribute.sub_attributes)?;
        code.push_str(" },\n");
    }
    code.push(']');
    Ok(())
}

fn write_strings(code: &mut String, strings: &[String]) -> std::fmt::Result {
    code.push_str("vec![");
    for string in strings {
        write!(code, "{string:?}.into(), ")?;
    }
    code.push(']');
    Ok(())
}

fn write_resource_type(
    code: &mut String,
    resource_type: &ResourceType,
    schemas: &[Read<Schema>],
) -> std::fmt::Result {
    let ResourceType {
        name,
        endpoint,
        description,
        schema,
        schema_extensions,
        lookups,
        ..
    } = resource_type;
    let index = index(schemas, schema)?;
    write!(
        code,
        "ResourceType {{ name: {name:?}.into(), endpoint: {endpoint:?}.into(), "
    )?;
    write!(
        code,
        "description: {description:?}.into(), schema: schema_{index}, extensions: vec!["
    )?;
    for Extension { schema, required } in schema_extensions {
        let index = self::index(schemas, schema)?;
        write!(
            code,
            "Extension {{ schema: schema_{index}, required: {required} }}, "
        )?;
    }
    code.push_str("], lookups: vec![");
    for path in lookups {
        let (urn, attribute, sub) = check::divide(path);
        let extension = match urn {
            Some(urn) => format!("Some(schema_{})", self::index(schemas, urn)?),
            None => "None".to_owned(),
        };
        let sub = sub.map(|sub| format!("{sub:?}.into()"));
        write!(
            code,
            "LookupPath {{ extension: {extension}, attribute: {attribute:?}.into(), sub: {} }}, ",
            sub.map_or("None".to_owned(), |sub| format!("Some({sub})"))
        )?;
    }
    code.push_str("] },\n");
    Ok(())
}

fn index(schemas: &[Read<Schema>], urn: &str) -> Result<usize, std::fmt::Error> {
    find(schemas, urn)
        .map(|(index, _)| index)
        .ok_or(std::fmt::Error)
}
