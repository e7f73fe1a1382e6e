//! The files as they stand: RFC 7643 §6 and §7 without `meta`, and two members
//! of our own that no answer shows, `closed` of an attribute and `lookups` of a
//! resource type.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Schema {
    #[serde(default)]
    pub(super) schemas: Vec<String>,
    #[serde(default)]
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Attribute {
    pub(super) name: String,
    #[serde(default, rename = "type")]
    pub(super) kind: Type,
    #[serde(default)]
    pub(super) multi_valued: bool,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) case_exact: Option<bool>,
    #[serde(default)]
    pub(super) mutability: Mutability,
    #[serde(default)]
    pub(super) returned: Returned,
    pub(super) uniqueness: Option<Uniqueness>,
    #[serde(default)]
    pub(super) canonical_values: Vec<String>,
    /// No value but the canonical ones is accepted.
    #[serde(default)]
    pub(super) closed: bool,
    #[serde(default)]
    pub(super) reference_types: Vec<String>,
    #[serde(default)]
    pub(super) sub_attributes: Vec<Attribute>,
}

// The variants are named as those of `scim::schema`: Debug prints the code.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Type {
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
pub(super) enum Mutability {
    ReadOnly,
    #[default]
    ReadWrite,
    Immutable,
    WriteOnly,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Returned {
    Always,
    Never,
    #[default]
    Default,
    Request,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Uniqueness {
    #[default]
    None,
    Server,
    Global,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResourceType {
    #[serde(default)]
    pub(super) schemas: Vec<String>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) endpoint: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) schema: String,
    #[serde(default)]
    pub(super) schema_extensions: Vec<Extension>,
    /// Paths of attributes by whose value resources are found without a walk.
    #[serde(default)]
    pub(super) lookups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extension {
    pub(super) schema: String,
    pub(super) required: bool,
}
