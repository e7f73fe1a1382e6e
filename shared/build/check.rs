//! What is wrong with a file, before any code is made of it.
//!
//! Besides the form that RFC 7643 §7 gives to schemas, this holds the files to
//! what the service does: it enforces what a schema says, so a schema may not
//! say what nothing enforces, such as a unique attribute that has no single
//! text as its value.
//!
//! ```text
//! schemas/Robot.json: `attributes[2].subAttributes[0].name`: `Value` occurs twice
//! ```

use std::collections::HashSet;

use super::file::{Attribute, Mutability, ResourceType, Returned, Schema, Type, Uniqueness};
use super::{COMMON, Fault, Read, find, urn};

/// What is wrong with an attribute, and where below it: empty for itself.
type Wrong = (String, String);

/// Endpoints that the protocol has (RFC 7644 §3.2).
const RESERVED: [&str; 5] = [
    "bulk",
    "me",
    "resourcetypes",
    "schemas",
    "serviceproviderconfig",
];

/// Checks every schema by itself, and that their URNs can be told apart.
pub(super) fn schemas(
    schemas: &[Read<Schema>],
    resource_types: &[Read<ResourceType>],
) -> Result<(), Fault> {
    if !schemas.iter().any(|read| read.stem() == COMMON) {
        return Err(format!("schemas/{COMMON}.json is missing"));
    }
    let mut targets: HashSet<&str> = ["external", "uri"].into();
    targets.extend(resource_types.iter().map(|read| &*read.content.name));
    let mut urns: Vec<String> = Vec::new();
    for read in schemas {
        let Schema { id, attributes, .. } = &read.content;
        if read.stem() != COMMON {
            check_schemas(read, &read.content.schemas, urn::SCHEMA)?;
            check_urn(id).map_err(|what| read.fault("id", what))?;
            let urn = id.to_ascii_lowercase();
            for other in &urns {
                // `urn:a:b` could be the attribute `b` of `urn:a` as well.
                let (short, long) = if other.len() < urn.len() {
                    (other, &urn)
                } else {
                    (&urn, other)
                };
                let rest = long.strip_prefix(short.as_str());
                if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':')) {
                    let what = format!("`{id}` is the URN of another schema, or begins with it");
                    return Err(read.fault("id", what));
                }
            }
            urns.push(urn);
        }
        check_attributes(attributes, "attributes", &targets)
            .map_err(|(place, what)| read.fault(&place, what))?;
    }
    Ok(())
}

/// Checks every resource type by itself, and that they can be told apart.
pub(super) fn resource_types(resource_types: &[Read<ResourceType>]) -> Result<(), Fault> {
    let (mut names, mut endpoints) = (HashSet::new(), HashSet::new());
    for read in resource_types {
        let ResourceType {
            id, name, endpoint, ..
        } = &read.content;
        check_schemas(read, &read.content.schemas, urn::RESOURCE_TYPE)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(read.fault("name", "expected letters and digits"));
        }
        if id != name {
            return Err(read.fault("id", format!("expected the name, `{name}`")));
        }
        if read.stem() != name {
            return Err(read.fault("name", format!("expected `{}`, as the file", read.stem())));
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(read.fault("name", "another resource type has it"));
        }
        let path = endpoint.strip_prefix('/').unwrap_or_default();
        if path.is_empty() || !path.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(read.fault("endpoint", "expected a slash and one word"));
        }
        // Scopes are named after it in lower case.
        let path = path.to_ascii_lowercase();
        if RESERVED.contains(&&*path) {
            return Err(read.fault("endpoint", "the protocol has an endpoint of this name"));
        }
        if !endpoints.insert(path) {
            return Err(read.fault("endpoint", "another resource type has it"));
        }
    }
    Ok(())
}

/// A resource type against its schemas: they exist, and all that they say of
/// its resources is enforced.
pub(super) fn used(read: &Read<ResourceType>, schemas: &[Read<Schema>]) -> Result<(), Fault> {
    let resource_type = &read.content;
    let unknown = |place: &str, urn: &str| read.fault(place, format!("no schema is `{urn}`"));
    let (_, core) = find(schemas, &resource_type.schema)
        .ok_or_else(|| unknown("schema", &resource_type.schema))?;
    check_enforced(core, schemas)?;
    let common = schemas.iter().find(|read| read.stem() == COMMON);
    let common = common.map_or(&[][..], |read| &read.content.attributes);
    let clash = core
        .attributes
        .iter()
        .find(|attribute| named(common, &attribute.name).is_some());
    if let Some(Attribute { name, .. }) = clash {
        let what = format!("its attribute `{name}` is one that every resource has");
        return Err(read.fault("schema", what));
    }
    // The groups that a resource is in are shown under this name.
    let groups = named(&core.attributes, "groups");
    if groups.is_some_and(|groups| groups.mutability != Mutability::ReadOnly) {
        return Err(read.fault("schema", "its attribute `groups` must be read-only"));
    }
    let mut urns: HashSet<&str> = [core.id.as_str()].into();
    for (index, extension) in resource_type.schema_extensions.iter().enumerate() {
        let place = format!("schemaExtensions[{index}].schema");
        let urn = &extension.schema;
        let (_, schema) = find(schemas, urn).ok_or_else(|| unknown(&place, urn))?;
        if !urns.insert(urn) {
            return Err(read.fault(&place, "it is named twice"));
        }
        check_enforced(schema, schemas)?;
    }
    let mut paths = HashSet::new();
    for (index, path) in resource_type.lookups.iter().enumerate() {
        let (urn, attribute, sub) = divide(path);
        let extended = urn.map(|urn| {
            let mut extensions = resource_type.schema_extensions.iter();
            let listed = extensions.any(|extension| extension.schema == urn);
            find(schemas, urn).filter(|_| listed)
        });
        let among = match extended {
            None => [&core.attributes, common],
            Some(Some((_, schema))) => [&schema.attributes[..], &[]],
            Some(None) => [&[][..], &[]],
        };
        let found = among
            .into_iter()
            .find_map(|attributes| exactly(attributes, attribute));
        check_lookup(found, sub)
            .and_then(|()| match paths.insert(path) {
                true => Ok(()),
                false => Err("it is named twice"),
            })
            .map_err(|what| {
                read.fault(&format!("lookups[{index}]"), format!("`{path}`: {what}"))
            })?;
    }
    Ok(())
}

/// The URN of an extension, the attribute and the sub-attribute of a path.
pub(super) fn divide(path: &str) -> (Option<&str>, &str, Option<&str>) {
    let (urn, rest) = match path.rsplit_once(':') {
        Some((urn, rest)) => (Some(urn), rest),
        None => (None, path),
    };
    match rest.split_once('.') {
        Some((attribute, sub)) => (urn, attribute, Some(sub)),
        None => (urn, rest, None),
    }
}

fn check_schemas<T>(read: &Read<T>, schemas: &[String], expected: &str) -> Result<(), Fault> {
    if schemas == [expected] {
        return Ok(());
    }
    Err(read.fault("schemas", format!("expected `{expected}` and nothing else")))
}

/// Letters, digits and what RFC 8141 allows besides; never a colon at the end.
fn check_urn(urn: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b":._-".contains(&byte);
    if urn.starts_with("urn:") && !urn.ends_with(':') && urn.bytes().all(legal) {
        return Ok(());
    }
    Err(format!("`{urn}` is no URN"))
}

fn check_attributes(
    attributes: &[Attribute],
    list: &str,
    targets: &HashSet<&str>,
) -> Result<(), Wrong> {
    let mut names = HashSet::new();
    for (index, attribute) in attributes.iter().enumerate() {
        let place = format!("{list}[{index}]");
        let name = &attribute.name;
        let wrong = |member: &str, what: String| (format!("{place}.{member}"), what);
        if !is_name(name) {
            let what = format!("`{name}` is no attribute name (RFC 7643 §2.1)");
            return Err(wrong("name", what));
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(wrong("name", format!("`{name}` occurs twice")));
        }
        check_attribute(attribute, targets).map_err(|(member, what)| wrong(member, what))?;
        let below = format!("{place}.subAttributes");
        check_attributes(&attribute.sub_attributes, &below, targets)?;
    }
    Ok(())
}

/// RFC 7643 §2.1; `$ref` is one, too.
fn is_name(name: &str) -> bool {
    let bytes = name.strip_prefix('$').unwrap_or(name).as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}

/// The characteristics of one attribute, against each other.
fn check_attribute(
    attribute: &Attribute,
    targets: &HashSet<&str>,
) -> Result<(), (&'static str, String)> {
    let Attribute {
        kind,
        canonical_values,
        reference_types,
        sub_attributes,
        ..
    } = attribute;
    let complex = *kind == Type::Complex;
    let wrong = |member, what: &str| Err((member, what.to_owned()));
    if complex && sub_attributes.is_empty() {
        return wrong("subAttributes", "a complex attribute has some");
    }
    if !complex && !sub_attributes.is_empty() {
        return wrong("subAttributes", "only a complex attribute has some");
    }
    if complex && attribute.uniqueness.is_some() {
        return wrong("uniqueness", "a complex attribute has none");
    }
    if complex && attribute.case_exact.is_some() {
        return wrong("caseExact", "a complex attribute has none");
    }
    if *kind == Type::Reference && reference_types.is_empty() {
        return wrong("referenceTypes", "a reference has some");
    }
    if *kind != Type::Reference && !reference_types.is_empty() {
        return wrong("referenceTypes", "only a reference has some");
    }
    let mut types = reference_types.iter();
    if let Some(unknown) = types.find(|name| !targets.contains(name.as_str())) {
        let what = format!("`{unknown}` is no resource type, `external` or `uri`");
        return Err(("referenceTypes", what));
    }
    if *kind != Type::String && !canonical_values.is_empty() {
        return wrong("canonicalValues", "only a string has some");
    }
    let mut known = HashSet::new();
    let exact = attribute.case_exact.unwrap_or_default();
    let form = |value: &String| match exact {
        true => value.clone(),
        false => value.to_lowercase(),
    };
    if let Some(again) = canonical_values
        .iter()
        .find(|value| !known.insert(form(value)))
    {
        return Err(("canonicalValues", format!("`{again}` occurs twice")));
    }
    if attribute.closed && canonical_values.is_empty() {
        return wrong("closed", "there are no canonical values to choose from");
    }
    if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
        return wrong("returned", "what is write-only is never returned");
    }
    Ok(())
}

/// A lookup is kept for each text that an attribute holds.
fn check_lookup(attribute: Option<&Attribute>, sub: Option<&str>) -> Result<(), &'static str> {
    const UNKNOWN: &str = "no schema of this resource type has it";
    let attribute = attribute.ok_or(UNKNOWN)?;
    let leaf = match sub {
        Some(sub) => exactly(&attribute.sub_attributes, sub).ok_or(UNKNOWN)?,
        None => attribute,
    };
    if !is_text(leaf.kind) || (sub.is_some() && leaf.multi_valued) {
        return Err("it holds no text");
    }
    if is_unique(leaf) {
        return Err("what is unique has a lookup already");
    }
    if attribute.mutability == Mutability::ReadOnly || leaf.returned == Returned::Never {
        return Err("what is read-only or secret has no lookup");
    }
    Ok(())
}

/// Resources are handled two levels deep, so no complex attribute holds another
/// (RFC 7643 §2.3.8), and a unique value is one text of the resource itself.
fn check_enforced(schema: &Schema, schemas: &[Read<Schema>]) -> Result<(), Fault> {
    let fault = |place: String, what: &str| {
        let mut files = schemas.iter();
        let file = files.find(|read| read.content.id == schema.id);
        match file {
            Some(read) => read.fault(&place, what),
            None => format!("`{place}`: {what}"),
        }
    };
    for (index, attribute) in schema.attributes.iter().enumerate() {
        let place = format!("attributes[{index}]");
        let text = is_text(attribute.kind) && !attribute.multi_valued;
        if is_unique(attribute) && (!text || attribute.returned == Returned::Never) {
            let what = "only an attribute with one readable text as its value can be unique";
            return Err(fault(format!("{place}.uniqueness"), what));
        }
        for (index, sub) in attribute.sub_attributes.iter().enumerate() {
            let place = format!("{place}.subAttributes[{index}]");
            if sub.kind == Type::Complex {
                let what = "a complex attribute holds no other (RFC 7643 §2.3.8)";
                return Err(fault(format!("{place}.type"), what));
            }
            if is_unique(sub) {
                let what = "a sub-attribute cannot be unique";
                return Err(fault(format!("{place}.uniqueness"), what));
            }
        }
    }
    Ok(())
}

fn is_text(kind: Type) -> bool {
    matches!(kind, Type::String | Type::Reference | Type::Binary)
}

fn is_unique(attribute: &Attribute) -> bool {
    let uniqueness = attribute.uniqueness.unwrap_or_default();
    uniqueness != Uniqueness::None
}

/// An attribute by name, in any letter case.
fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    let mut attributes = attributes.iter();
    attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

fn exactly<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name == name)
}
