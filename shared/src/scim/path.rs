//! Attribute paths: a name in a filter, a PATCH path, `sortBy`, made into the
//! attribute that it means (RFC 7644 §3.10).
//!
//! Names and URNs are read in any letter case. A URN is split off at the
//! longest schema that the resource type knows, since URNs hold colons and
//! dots themselves. A name without URN that the core schema lacks is looked
//! for in the extensions, as Entra ID sends `manager`.
//!
//! A path knows nothing of the value filter in brackets: `emails[…].value` is
//! taken apart by the filter and by PATCH.
//!
//! ```text
//! urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value
//! └ extension ───────────────────────────────────────────────┘└ attribute ┘└ sub
//! ```

use std::fmt;

use serde_json::Value;

use super::schema::{Attribute, ResourceType, Schema, catalogue};
use super::{Attributes, ScimError};

/// One attribute or sub-attribute of a resource type.
#[derive(Debug, Clone, Copy)]
pub struct AttributePath {
    /// The extension that it belongs to; none for core and common attributes.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute, where one is named.
    pub sub: Option<&'static Attribute>,
}

/// What a name may stand for where a whole schema can be named too.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    /// The core schema's URN alone.
    Core,
    /// An extension's URN alone.
    Extension(&'static Schema),
    /// An attribute or sub-attribute.
    Attribute(AttributePath),
}

/// Why a name means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It breaks the grammar.
    Malformed(String),
    /// It keeps the grammar, and no schema has it.
    Unknown(String),
}

impl Fault {
    pub(super) fn into_message(self) -> String {
        match self {
            Self::Malformed(message) | Self::Unknown(message) => message,
        }
    }
}

impl AttributePath {
    /// Reads `[URN:]name[.sub]` (RFC 7644 figure 1, `attrPath`).
    ///
    /// # Errors
    ///
    /// 400 `invalidPath` when the text is malformed, names a schema alone, or
    /// names nothing that the resource type has.
    pub fn parse(text: &str, resource_type: &'static ResourceType) -> Result<Self, ScimError> {
        attribute(text, resolve(text, resource_type))
    }

    /// Reads a path where resources of several types are asked about at once
    /// (RFC 7644 §3.4.2.1). What only another type has is named too, and has no
    /// value in resources of this type.
    ///
    /// # Errors
    ///
    /// As [`AttributePath::parse`], for what no resource type has.
    pub fn parse_among_all(
        text: &str,
        resource_type: &'static ResourceType,
    ) -> Result<Self, ScimError> {
        attribute(text, resolve_among_all(text, resource_type))
    }

    /// Whether resources of a type can have no value here, because another type
    /// has the attribute.
    pub fn is_foreign(&self, resource_type: &ResourceType) -> bool {
        self.extension
            .is_some_and(|schema| resource_type.extension(&schema.id).is_none())
    }

    /// The sub-attribute, or else the attribute: what the value at the end of
    /// the path is governed by.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The whole value of the attribute in a resource, whatever `sub` says.
    pub fn find<'a>(&self, resource: &'a Attributes) -> Option<&'a Value> {
        match self.extension {
            Some(schema) => resource.get(&schema.id)?.get(&self.attribute.name),
            None => resource.get(&self.attribute.name),
        }
    }
}

/// The attributes are leaked once per build, so the same place is the same
/// attribute.
impl PartialEq for AttributePath {
    fn eq(&self, other: &Self) -> bool {
        let address = |attribute: Option<&'static Attribute>| attribute.map(std::ptr::from_ref);
        let schema = |schema: Option<&'static Schema>| schema.map(std::ptr::from_ref);
        schema(self.extension) == schema(other.extension)
            && std::ptr::eq(self.attribute, other.attribute)
            && address(self.sub) == address(other.sub)
    }
}

impl Eq for AttributePath {}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = self.extension {
            write!(f, "{}:", schema.id)?;
        }
        write!(f, "{}", self.attribute.name)?;
        match self.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

/// Finds what a name means for a resource type.
pub(super) fn resolve(text: &str, resource_type: &'static ResourceType) -> Result<Name, Fault> {
    let core = (None, resource_type.schema);
    let extensions = resource_type
        .extensions
        .iter()
        .map(|extension| (Some(extension.schema), extension.schema));
    let qualified = std::iter::once(core)
        .chain(extensions)
        .filter_map(|(extension, schema)| Some((extension, schema, after_urn(text, &schema.id)?)))
        .max_by_key(|(_, schema, _)| schema.id.len());

    let (extension, schema, rest) = match qualified {
        Some((None, _, "")) => return Ok(Name::Core),
        Some((Some(schema), _, "")) => return Ok(Name::Extension(schema)),
        Some((extension, schema, rest)) => (extension, Some(schema), rest),
        None if text.contains(':') => {
            return Err(Fault::Unknown(format!(
                "`{text}` names no schema of {}",
                resource_type.name
            )));
        }
        None => (None, None, text),
    };
    let (name, sub) = split(rest)?;
    let found = match (extension, schema) {
        (Some(schema), _) => schema
            .attribute(name)
            .map(|attribute| (Some(schema), attribute)),
        (None, Some(_)) => resource_type
            .attribute(name)
            .map(|attribute| (None, attribute)),
        (None, None) => unqualified(name, resource_type),
    };
    let Some((extension, attribute)) = found else {
        let schema = extension.map_or(resource_type.name.as_str(), |schema| schema.id.as_str());
        return Err(Fault::Unknown(format!(
            "{schema} has no attribute `{name}`"
        )));
    };
    let sub = sub.map(|sub| sub_attribute(attribute, sub)).transpose()?;
    Ok(Name::Attribute(AttributePath {
        extension,
        attribute,
        sub,
    }))
}

/// Finds what a name means for a resource type, or else for any other one. The
/// core schema of another type then stands as an extension, which no resource
/// of this type has: `displayName` of users is not that of groups.
pub(super) fn resolve_among_all(
    text: &str,
    resource_type: &'static ResourceType,
) -> Result<Name, Fault> {
    let own = resolve(text, resource_type);
    let Err(Fault::Unknown(_)) = own else {
        return own;
    };
    let mut types = catalogue().resource_types.iter();
    let foreign = types.find_map(|other| match resolve(text, other).ok()? {
        Name::Attribute(path) => Some(Name::Attribute(AttributePath {
            extension: path.extension.or(Some(other.schema)),
            ..path
        })),
        name => Some(name),
    });
    foreign.ok_or_else(|| Fault::Unknown(format!("no resource type has `{text}`")))
}

/// Finds a sub-attribute by name, in any letter case.
pub(super) fn sub_attribute(
    attribute: &'static Attribute,
    name: &str,
) -> Result<&'static Attribute, Fault> {
    check_name(name)?;
    attribute.sub(name).ok_or_else(|| {
        Fault::Unknown(format!(
            "`{}` has no sub-attribute `{name}`",
            attribute.name
        ))
    })
}

fn attribute(text: &str, found: Result<Name, Fault>) -> Result<AttributePath, ScimError> {
    match found {
        Ok(Name::Attribute(path)) => Ok(path),
        Ok(Name::Core | Name::Extension(_)) => Err(ScimError::invalid_path(format!(
            "`{text}` is a schema, not an attribute"
        ))),
        Err(fault) => Err(ScimError::invalid_path(fault.into_message())),
    }
}

fn unqualified(
    name: &str,
    resource_type: &'static ResourceType,
) -> Option<(Option<&'static Schema>, &'static Attribute)> {
    if let Some(attribute) = resource_type.attribute(name) {
        return Some((None, attribute));
    }
    resource_type
        .extensions
        .iter()
        .find_map(|extension| Some((Some(extension.schema), extension.schema.attribute(name)?)))
}

/// What follows `urn` and a separator; a dot is one too, as Entra ID once sent
/// it before the attribute of an extension.
fn after_urn<'a>(text: &'a str, urn: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(urn.len())?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    if rest.is_empty() {
        Some(rest)
    } else {
        // Nothing after the separator is no name, and not the schema either.
        rest.strip_prefix([':', '.'])
            .filter(|rest| !rest.is_empty())
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), Fault> {
    let (name, sub) = match text.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (text, None),
    };
    check_name(name)?;
    sub.map_or(Ok(()), check_name)?;
    Ok((name, sub))
}

/// `ATTRNAME` of RFC 7643 §2.1, with the `$` that `$ref` needs.
fn check_name(name: &str) -> Result<(), Fault> {
    let bare = name.strip_prefix('$').unwrap_or(name);
    let letter_first = bare.starts_with(|first: char| first.is_ascii_alphabetic());
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '$';
    if letter_first && bare.chars().all(known) {
        Ok(())
    } else {
        Err(Fault::Malformed(format!("`{name}` is no attribute name")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        let user = catalogue().by_name("User").unwrap();
        match AttributePath::parse(text, user) {
            Ok(path) => path.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_are_found_in_any_letter_case_and_with_their_urn() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let core = "urn:ietf:params:scim:schemas:core:2.0:User";
        for (text, expected) in [
            ("USERNAME".to_owned(), "userName".to_owned()),
            ("name.familyname".into(), "name.familyName".into()),
            ("meta.lastModified".into(), "meta.lastModified".into()),
            ("id".into(), "id".into()),
            ("groups.$ref".into(), "groups.$ref".into()),
            (format!("{core}:name.givenName"), "name.givenName".into()),
            (
                format!("{}:externalid", core.to_uppercase()),
                "externalId".into(),
            ),
            (
                format!("{enterprise}:manager.value"),
                format!("{enterprise}:manager.value"),
            ),
            (
                format!("{enterprise}.department"),
                format!("{enterprise}:department"),
            ),
            (
                "employeeNumber".into(),
                format!("{enterprise}:employeeNumber"),
            ),
            (
                "manager.value".into(),
                format!("{enterprise}:manager.value"),
            ),
        ] {
            assert_eq!(parse(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_names_nothing_is_an_invalid_path() {
        let report: Vec<String> = [
            "",
            "emails.",
            ".value",
            "name.givenName.first",
            "9lives",
            "shoeSize",
            "name.shoe",
            "userName.value",
            "urn:other:schema:x",
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:core:2.0:User:",
            "urn:ietf:params:scim:schemas:core:2.0:Userish:name",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName",
        ]
        .map(parse)
        .into();
        insta::assert_snapshot!(report.join("\n"), @r##"
        400 invalidPath: `` is no attribute name
        400 invalidPath: `` is no attribute name
        400 invalidPath: `` is no attribute name
        400 invalidPath: `givenName.first` is no attribute name
        400 invalidPath: `9lives` is no attribute name
        400 invalidPath: User has no attribute `shoeSize`
        400 invalidPath: `name` has no sub-attribute `shoe`
        400 invalidPath: `userName` has no sub-attribute `value`
        400 invalidPath: `urn:other:schema:x` names no schema of User
        400 invalidPath: `urn:ietf:params:scim:schemas:core:2.0:User` is a schema, not an attribute
        400 invalidPath: `urn:ietf:params:scim:schemas:core:2.0:User:` names no schema of User
        400 invalidPath: `urn:ietf:params:scim:schemas:core:2.0:Userish:name` names no schema of User
        400 invalidPath: urn:ietf:params:scim:schemas:extension:enterprise:2.0:User has no attribute `userName`
        "##);
    }

    #[test]
    fn what_another_type_has_is_foreign_and_has_no_value() {
        let group = catalogue().by_name("Group").unwrap();
        let resource = serde_json::json!({"displayName": "Tour Guides"});
        let users = "urn:ietf:params:scim:schemas:core:2.0:User";
        for (text, foreign, valued) in [
            ("displayName".to_owned(), false, true),
            ("meta.resourceType".into(), false, false),
            ("userName".into(), true, false),
            (format!("{users}:displayName"), true, false),
            ("manager.value".into(), true, false),
        ] {
            let path = AttributePath::parse_among_all(&text, group).unwrap();
            assert_eq!(path.is_foreign(group), foreign, "{text}");
            let found = path.find(resource.as_object().unwrap());
            assert_eq!(found.is_some(), valued, "{text}");
        }
        let unknown = AttributePath::parse_among_all("shoeSize", group).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "400 invalidPath: no resource type has `shoeSize`"
        );
    }
}
