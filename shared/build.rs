//! Turns `schemas/*.json` and `resource-types/*.json` into the Rust expression
//! that builds the catalogue of `scim::schema`.
//!
//! A file that is not well formed stops the build and names itself, so that
//! the running service reads no JSON at its start and cannot fail there.
//! Characteristics that a file leaves out have the defaults of RFC 7643 §2.2.

use std::{
    collections::HashSet,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

/// The file whose attributes every resource has and no listed schema shows.
const COMMON: &str = "common";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Schema {
    #[serde(default, rename = "schemas")]
    _schemas: Vec<String>,
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    description: String,
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Attribute {
    name: String,
    #[serde(default, rename = "type")]
    kind: Type,
    #[serde(default)]
    multi_valued: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    case_exact: bool,
    #[serde(default)]
    mutability: Mutability,
    #[serde(default)]
    returned: Returned,
    #[serde(default)]
    uniqueness: Uniqueness,
    #[serde(default)]
    canonical_values: Vec<String>,
    #[serde(default)]
    reference_types: Vec<String>,
    #[serde(default)]
    sub_attributes: Vec<Attribute>,
}

// The variants are named as those of `scim::schema`: Debug prints the code.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Type {
    #[default]
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Mutability {
    ReadOnly,
    #[default]
    ReadWrite,
    Immutable,
    WriteOnly,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Returned {
    Always,
    Never,
    #[default]
    Default,
    Request,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Uniqueness {
    #[default]
    None,
    Server,
    Global,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceType {
    #[serde(default, rename = "schemas")]
    _schemas: Vec<String>,
    id: String,
    name: String,
    endpoint: String,
    #[serde(default)]
    description: String,
    schema: String,
    #[serde(default)]
    schema_extensions: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    schema: String,
    required: bool,
}

type Fault = Box<dyn Error>;

#[expect(
    clippy::disallowed_methods,
    reason = "how cargo tells a build script where to write"
)]
fn main() -> Result<(), Fault> {
    let schemas: Vec<(PathBuf, Schema)> = read("schemas")?;
    let resource_types: Vec<(PathBuf, ResourceType)> = read("resource-types")?;
    let code = catalogue(&schemas, &resource_types)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("catalogue.rs"), code)?;
    Ok(())
}

/// Every JSON file of a folder, in the order of the names.
fn read<T: DeserializeOwned>(folder: &str) -> Result<Vec<(PathBuf, T)>, Fault> {
    println!("cargo::rerun-if-changed={folder}");
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    paths.sort();
    let mut read = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let document = serde_json::from_str(&text).map_err(|error| within(&path, error))?;
        read.push((path, document));
    }
    Ok(read)
}

fn catalogue(
    schemas: &[(PathBuf, Schema)],
    resource_types: &[(PathBuf, ResourceType)],
) -> Result<String, Fault> {
    let mut code = String::from("{\n");
    let mut listed = Vec::new();
    let mut common = None;
    let mut urns = HashSet::new();
    for (index, (path, schema)) in schemas.iter().enumerate() {
        check_schema(schema).map_err(|fault| within(path, fault))?;
        if path.file_stem().is_some_and(|stem| stem == COMMON) {
            common = Some(index);
        } else {
            if schema.id.is_empty() || !urns.insert(schema.id.to_ascii_lowercase()) {
                return Err(within(path, "`id` is missing or another schema has it"));
            }
            listed.push(format!("schema_{index}"));
        }
        writeln!(
            code,
            "let schema_{index}: &'static Schema = Box::leak(Box::new("
        )?;
        write_schema(&mut code, schema)?;
        code.push_str("));\n");
    }
    let common = common.ok_or_else(|| format!("schemas/{COMMON}.json is missing"))?;

    let mut types = String::new();
    let mut taken = HashSet::new();
    for (path, resource_type) in resource_types {
        check_resource_type(resource_type).map_err(|fault| within(path, fault))?;
        if !taken.insert(&resource_type.name) || !taken.insert(&resource_type.endpoint) {
            return Err(within(
                path,
                "another resource type has this name or endpoint",
            ));
        }
        write_resource_type(&mut types, resource_type, schemas)
            .map_err(|fault| within(path, fault))?;
    }
    writeln!(
        code,
        "Catalogue {{ schemas: vec![{}], resource_types: vec![{types}], common: schema_{common} }}\n}}",
        listed.join(", ")
    )?;
    Ok(code)
}

fn within(path: &Path, fault: impl std::fmt::Display) -> Fault {
    format!("{}: {fault}", path.display()).into()
}

fn check_schema(schema: &Schema) -> Result<(), Fault> {
    check_names(&schema.attributes)?;
    schema.attributes.iter().try_for_each(check_attribute)
}

fn check_names(attributes: &[Attribute]) -> Result<(), Fault> {
    let mut names = HashSet::new();
    for Attribute { name, .. } in attributes {
        let mut bytes = name.bytes();
        let begins = bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'$');
        if !begins || !bytes.all(|byte| byte.is_ascii_alphanumeric() || b"$-_".contains(&byte)) {
            return Err(format!("`{name}` is no attribute name (RFC 7643 §2.1)").into());
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(format!("the attribute `{name}` occurs twice").into());
        }
    }
    Ok(())
}

fn check_attribute(attribute: &Attribute) -> Result<(), Fault> {
    let name = &attribute.name;
    if (attribute.kind == Type::Complex) == attribute.sub_attributes.is_empty() {
        return Err(format!("`{name}`: sub-attributes belong to complex attributes").into());
    }
    if (attribute.kind == Type::Reference) == attribute.reference_types.is_empty() {
        return Err(format!("`{name}`: reference types belong to references").into());
    }
    if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
        return Err(format!("`{name}`: what is write-only is never returned").into());
    }
    check_names(&attribute.sub_attributes)?;
    attribute
        .sub_attributes
        .iter()
        .try_for_each(check_attribute)
}

fn check_resource_type(resource_type: &ResourceType) -> Result<(), Fault> {
    let ResourceType {
        id, name, endpoint, ..
    } = resource_type;
    if id != name || name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("`id` and `name` must be the same letters and digits".into());
    }
    let path = endpoint.strip_prefix('/').unwrap_or_default();
    if path.is_empty() || !path.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("`endpoint` must be a slash and one word".into());
    }
    Ok(())
}

fn write_schema(code: &mut String, schema: &Schema) -> Result<(), Fault> {
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

fn write_attributes(code: &mut String, attributes: &[Attribute]) -> Result<(), Fault> {
    code.push_str("vec![");
    for attribute in attributes {
        let Attribute {
            name,
            kind,
            multi_valued,
            description,
            required,
            case_exact,
            ..
        } = attribute;
        let Attribute {
            mutability,
            returned,
            uniqueness,
            ..
        } = attribute;
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
        code.push_str(", reference_types: ");
        write_strings(code, &attribute.reference_types)?;
        code.push_str(", sub_attributes: ");
        write_attributes(code, &attribute.sub_attributes)?;
        code.push_str(" },\n");
    }
    code.push(']');
    Ok(())
}

fn write_strings(code: &mut String, strings: &[String]) -> Result<(), Fault> {
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
    schemas: &[(PathBuf, Schema)],
) -> Result<(), Fault> {
    let ResourceType {
        name,
        endpoint,
        description,
        schema,
        schema_extensions,
        ..
    } = resource_type;
    let index = find(schemas, schema)?;
    write!(
        code,
        "ResourceType {{ name: {name:?}.into(), endpoint: {endpoint:?}.into(), "
    )?;
    write!(
        code,
        "description: {description:?}.into(), schema: schema_{index}, extensions: vec!["
    )?;
    for Extension { schema, required } in schema_extensions {
        let index = find(schemas, schema)?;
        write!(
            code,
            "Extension {{ schema: schema_{index}, required: {required} }}, "
        )?;
    }
    code.push_str("] },\n");
    Ok(())
}

/// The schema that a resource type names. Its resources are handled two levels
/// deep, so no complex attribute may hold another (RFC 7643 §2.3.8).
fn find(schemas: &[(PathBuf, Schema)], urn: &str) -> Result<usize, Fault> {
    let found = schemas
        .iter()
        .enumerate()
        .find(|(_, (_, schema))| schema.id == urn);
    let (index, (_, schema)) = found.ok_or_else(|| format!("no schema has the id `{urn}`"))?;
    let nested = schema.attributes.iter().find(|attribute| {
        attribute
            .sub_attributes
            .iter()
            .any(|sub| sub.kind == Type::Complex)
    });
    match nested {
        Some(attribute) => Err(format!(
            "`{}` of `{urn}` has a complex sub-attribute",
            attribute.name
        )
        .into()),
        None => Ok(index),
    }
}
