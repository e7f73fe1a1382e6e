//! From files to the code of the catalogue: read, checked, written.
//!
//! Shared by the build script, which stops at the first mistake, and the tests
//! of `scim::schema`, which make mistakes on purpose. It reads no file and
//! knows nothing of the crate that it builds but `urn.rs`, which whoever includes
//! it must have at hand.
//!
//! Characteristics that a file leaves out have the defaults of RFC 7643 §2.2.

mod check;
mod file;
mod write;

use serde::de::DeserializeOwned;

use super::urn;
use file::{ResourceType, Schema};

/// The file whose attributes every resource has and no listed schema shows.
const COMMON: &str = "common";

/// A mistake, with the file and the place where it is.
type Fault = String;

/// A file as read, with its path.
struct Read<T> {
    path: String,
    content: T,
}

impl<T> Read<T> {
    /// The name of the file without folder and extension.
    fn stem(&self) -> &str {
        let name = self.path.rsplit(['/', '\\']).next().unwrap_or_default();
        name.strip_suffix(".json").unwrap_or(name)
    }

    fn fault(&self, place: &str, what: impl std::fmt::Display) -> Fault {
        format!("{}: `{place}`: {what}", self.path)
    }
}

/// The Rust expression of a catalogue from the paths and texts of its files.
///
/// # Errors
///
/// The first mistake, with the file and the place where it is.
pub(crate) fn code(
    schemas: &[(String, String)],
    resource_types: &[(String, String)],
) -> Result<String, Fault> {
    let schemas: Vec<Read<Schema>> = parse(schemas)?;
    let resource_types: Vec<Read<ResourceType>> = parse(resource_types)?;
    check::resource_types(&resource_types)?;
    check::schemas(&schemas, &resource_types)?;
    for resource_type in &resource_types {
        check::used(resource_type, &schemas)?;
    }
    write::catalogue(&schemas, &resource_types)
}

fn parse<T: DeserializeOwned>(files: &[(String, String)]) -> Result<Vec<Read<T>>, Fault> {
    let read = |(path, text): &(String, String)| match serde_json::from_str(text) {
        Ok(content) => Ok(Read {
            path: path.clone(),
            content,
        }),
        Err(error) => Err(format!("{path}: {error}")),
    };
    files.iter().map(read).collect()
}

/// The schema with a URN, and its place among all.
fn find<'a>(schemas: &'a [Read<Schema>], urn: &str) -> Option<(usize, &'a Schema)> {
    let mut schemas = schemas.iter().map(|read| &read.content).enumerate();
    schemas.find(|(_, schema)| schema.id == urn)
}
