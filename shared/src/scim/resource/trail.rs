//! Where in a body something stands, written out only when it is at fault.

use std::fmt;

use serde_json::{Value, json};

use crate::scim::{Place, ScimError};

/// A place: `emails[2].value`, or `urn:…:User:manager.value` in an extension.
#[derive(Clone, Copy)]
pub(super) enum Trail<'a> {
    /// The place where the caller began; may be empty.
    Root(&'a str),
    /// A member of an object.
    Member(&'a Trail<'a>, &'a str),
    /// An element of an array.
    Element(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    /// 400 `invalidValue` at this place. `kind` is a keyword for programs.
    pub(super) fn invalid(&self, kind: &'static str, msg: impl Into<String>) -> ScimError {
        let msg = msg.into();
        ScimError::invalid_value(self.describe(&msg)).at(self.place(kind, msg))
    }

    /// 400 `invalidSyntax` at this place.
    pub(super) fn malformed(&self, kind: &'static str, msg: impl Into<String>) -> ScimError {
        let msg = msg.into();
        ScimError::invalid_syntax(self.describe(&msg)).at(self.place(kind, msg))
    }

    fn describe(&self, msg: &str) -> String {
        match self.to_string() {
            place if place.is_empty() => msg.to_owned(),
            place => format!("`{place}`: {msg}"),
        }
    }

    fn place(&self, kind: &'static str, msg: String) -> Place {
        let mut loc = Vec::new();
        self.steps(&mut loc);
        Place { loc, msg, kind }
    }

    // As deep as a schema, so four steps at most.
    fn steps(&self, loc: &mut Vec<Value>) {
        match self {
            Self::Root("") => {}
            Self::Root(place) => loc.push(json!(place)),
            Self::Member(parent, name) => {
                parent.steps(loc);
                loc.push(json!(name));
            }
            Self::Element(parent, index) => {
                parent.steps(loc);
                loc.push(json!(index));
            }
        }
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(place) => f.write_str(place),
            Self::Member(Trail::Root(""), name) => f.write_str(name),
            Self::Member(parent @ Trail::Member(_, urn), name) if urn.contains(':') => {
                write!(f, "{parent}:{name}")
            }
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
