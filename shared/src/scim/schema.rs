//! Schemas and resource types as data (RFC 7643 §6 and §7).
//!
//! Each JSON file in `shared/schemas` is a schema, each in
//! `shared/resource-types` a resource type; nothing else in the code knows an
//! attribute by name unless it reasons about it (userName, members …). A new
//! file needs no Rust (`docs/schemas.md`). The build script checks the files and
//! turns them into code, so there is nothing to read, or to fail at, when a
//! function starts.
//!
//! ```text
//! catalogue().by_endpoint("/Users")?.attribute("USERNAME")?.uniqueness  → Server
//! ```

use std::sync::LazyLock;

#[cfg(test)]
mod broken;
mod render;

/// The data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Unicode text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An xsd:dateTime.
    DateTime,
    /// Base64.
    Binary,
    /// A URI, or the id of a resource; see [`Attribute::reference_types`].
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may write an attribute, and when (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Set by the service provider; ignored when sent.
    ReadOnly,
    /// May be written at any time.
    ReadWrite,
    /// May be written once.
    Immutable,
    /// May be written and never read.
    WriteOnly,
}

/// When an attribute is shown (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// In every answer.
    Always,
    /// In no answer.
    Never,
    /// Unless excluded or others were asked for.
    Default,
    /// Only when asked for.
    Request,
}

/// The scope in which a value is unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// No uniqueness.
    None,
    /// Unique among the resources of one type in one tenant.
    Server,
    /// Unique everywhere.
    Global,
}

/// One attribute with its characteristics.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Name in the schema's spelling.
    pub name: String,
    /// Data type.
    pub kind: Type,
    /// Whether it holds a list.
    pub multi_valued: bool,
    /// For people.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether letter case matters in comparisons.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is shown.
    pub returned: Returned,
    /// Whether its value is unique.
    pub uniqueness: Uniqueness,
    /// Suggested values.
    pub canonical_values: Vec<String>,
    /// Whether the suggested values are the only ones. RFC 7643 has no
    /// characteristic for it, so no answer shows it.
    pub closed: bool,
    /// Resource type names, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// Of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// Whether no client may learn anything of its value: neither what it is,
    /// nor whether there is one, nor which of two comes first.
    pub fn is_secret(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }

    /// A sub-attribute by name, in any letter case.
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes
            .iter()
            .find(|sub| sub.name.eq_ignore_ascii_case(name))
    }
}

/// A schema: a URN and its attributes.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The URN.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Top-level attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// An attribute by name, in any letter case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}

/// An extension of a resource type.
#[derive(Debug, Clone)]
pub struct Extension {
    /// The extension's schema.
    pub schema: &'static Schema,
    /// Whether every resource must carry it.
    pub required: bool,
}

/// A resource type: an endpoint, a core schema, its extensions.
#[derive(Debug, Clone)]
pub struct ResourceType {
    /// Name and id, such as `User`.
    pub name: String,
    /// With the leading slash, such as `/Users`.
    pub endpoint: String,
    /// For people.
    pub description: String,
    /// The core schema.
    pub schema: &'static Schema,
    /// The extensions that its resources may carry.
    pub extensions: Vec<Extension>,
    /// Attributes by whose value resources are found without a walk, besides
    /// the unique ones. No answer shows them.
    pub lookups: Vec<LookupPath>,
}

/// A path to the text by which resources are found.
#[derive(Debug, Clone)]
pub struct LookupPath {
    /// The extension that has the attribute, else core or common schema.
    pub extension: Option<&'static Schema>,
    /// The attribute, in the schema's spelling.
    pub attribute: String,
    /// The sub-attribute of a complex one.
    pub sub: Option<String>,
}

/// All schemas and resource types of this service.
#[derive(Debug)]
pub struct Catalogue {
    /// Every schema that `/Schemas` lists.
    pub schemas: Vec<&'static Schema>,
    /// Every resource type.
    pub resource_types: Vec<ResourceType>,
    /// `id`, `externalId`, `meta` and `schemas`: part of every resource and of
    /// no listed schema (RFC 7643 §3.1).
    pub common: &'static Schema,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(load);

/// The catalogue of this build.
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl ResourceType {
    /// The schema of an extension by its URN, in any letter case.
    pub fn extension(&self, urn: &str) -> Option<&'static Schema> {
        let mut schemas = self.extensions.iter().map(|extension| extension.schema);
        schemas.find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// An attribute that every resource has (`id`, `externalId`, `meta`,
    /// `schemas`) or one of the core schema, by name, in any letter case.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        catalogue()
            .common
            .attribute(name)
            .or_else(|| self.schema.attribute(name))
    }
}

impl Catalogue {
    /// A resource type by name, exactly (RFC 7643 §6: case exact).
    pub fn by_name(&self, name: &str) -> Option<&ResourceType> {
        self.resource_types
            .iter()
            .find(|resource_type| resource_type.name == name)
    }

    /// A resource type by its endpoint, with or without the leading slash.
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&ResourceType> {
        let name = endpoint.strip_prefix('/').unwrap_or(endpoint);
        self.resource_types
            .iter()
            .find(|resource_type| resource_type.endpoint.strip_prefix('/') == Some(name))
    }
}

// The files were checked when this was built: nothing can fail here.
fn load() -> Catalogue {
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::Path};

    use serde_json::Value;

    use super::*;
    use crate::scim::urn;

    fn files(folder: &str) -> Vec<(String, Value)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                (
                    name,
                    serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
                )
            })
            .collect();
        files.sort_by(|one, other| one.0.cmp(&other.0));
        files
    }

    fn without_meta(mut document: Value) -> Value {
        document
            .as_object_mut()
            .unwrap()
            .shift_remove("meta")
            .unwrap();
        document
    }

    /// A file without what is for this service alone.
    fn for_the_wire(mut file: Value) -> Value {
        let members = file.as_object_mut().unwrap();
        members.shift_remove("lookups");
        let attributes = members.get_mut("attributes").and_then(Value::as_array_mut);
        for attribute in attributes.into_iter().flatten() {
            attribute.as_object_mut().unwrap().shift_remove("closed");
        }
        file
    }

    #[test]
    fn a_schema_is_shown_as_it_stands_in_its_file() {
        let files = files("schemas");
        assert_eq!(files.len(), catalogue().schemas.len() + 1);
        for (name, file) in files {
            if name == "common" {
                assert_eq!(
                    catalogue().common.to_json()["attributes"],
                    file["attributes"]
                );
                continue;
            }
            let mut schemas = catalogue().schemas.iter();
            let schema = schemas.find(|schema| schema.id == file["id"]).unwrap();
            assert_eq!(
                without_meta(schema.to_json()).to_string(),
                for_the_wire(file).to_string(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_resource_type_is_shown_as_it_stands_in_its_file() {
        for (name, file) in files("resource-types") {
            let resource_type = catalogue().by_name(&name).unwrap();
            assert_eq!(
                without_meta(resource_type.to_json()).to_string(),
                for_the_wire(file).to_string()
            );
        }
    }

    #[test]
    fn the_urns_that_the_code_knows_are_schemas() {
        let listed: HashSet<&str> = catalogue()
            .schemas
            .iter()
            .map(|schema| schema.id.as_str())
            .collect();
        for urn in [
            urn::USER,
            urn::GROUP,
            urn::ENTERPRISE_USER,
            urn::SERVICE_PROVIDER_CONFIG,
            urn::RESOURCE_TYPE,
            urn::SCHEMA,
        ] {
            assert!(listed.contains(urn), "{urn}");
        }
    }

    #[test]
    fn no_schema_of_a_resource_type_defines_a_common_attribute() {
        for resource_type in &catalogue().resource_types {
            for attribute in &catalogue().common.attributes {
                assert!(resource_type.schema.attribute(&attribute.name).is_none());
            }
        }
    }

    #[test]
    fn names_are_found_in_any_letter_case() {
        let user = catalogue().by_endpoint("Users").unwrap();
        assert_eq!(user.attribute("USERNAME").unwrap().name, "userName");
        assert_eq!(
            user.attribute("Meta")
                .unwrap()
                .sub("LASTMODIFIED")
                .unwrap()
                .name,
            "lastModified"
        );
        assert!(
            user.extension(&urn::ENTERPRISE_USER.to_uppercase())
                .is_some()
        );
        assert!(user.extension(urn::GROUP).is_none());
        assert!(user.attribute("department").is_none());
        assert!(catalogue().by_name("user").is_none());
    }
}
