//! Raw entries to legal operations.
//!
//! Each entry of a bulk request becomes an [`Operation`] that is legal by
//! itself, or a [`Rejection`] with the status that its row will have; one never
//! disturbs the other. Every create receives its permanent id here, so that a
//! bulkId resolves by substitution of the whole value before anything is
//! written (RFC 7644 §3.7.2), also in rings, in PATCH values, in the filters of
//! PATCH paths and in `path` itself.
//!
//! This file must not know what is stored: whatever depends on that is decided
//! in `simulate`.

mod envelope;
mod members;
mod names;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::rights::{Access, Rights};
use super::target::Target;
use crate::scim::patch::{Dialect, Patch};
use crate::scim::{
    Attributes, Precondition, ResourceId, ResourceType, ScimError, reference, resource,
};
use crate::table::lookup;
use envelope::Envelope;
use names::Names;

pub use envelope::MAX_BULK_ID;
pub(super) use members::no_such_member;
pub use members::{MemberRef, holds_members, take_members};

/// What to do with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// POST.
    Create,
    /// PUT.
    Replace,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// From the HTTP method, in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Replace, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
    }

    /// The HTTP method.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "POST",
            Self::Replace => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What an operation wants its resource to become.
#[derive(Debug, Clone)]
pub enum Intent {
    /// A new resource.
    Create {
        /// As checked, without `members`.
        attributes: Attributes,
        /// Of a group.
        members: Vec<MemberRef>,
    },
    /// The whole resource anew.
    Replace {
        /// As checked, without `members`.
        attributes: Attributes,
        /// Of a group.
        members: Vec<MemberRef>,
    },
    /// A PATCH.
    Patch(Patch),
    /// Nothing any more.
    Delete,
}

/// One entry, legal by itself.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Position in the request.
    pub index: usize,
    /// What to do.
    pub method: Method,
    /// Echoed in the row.
    pub bulk_id: Option<String>,
    /// Of the target.
    pub resource_type: &'static ResourceType,
    /// Of the target; of a create, the id it will have.
    pub id: ResourceId,
    /// `If-Match`, or the row's `version`; ignored on a create.
    pub precondition: Option<Precondition>,
    /// `If-None-Match` (RFC 9110 §13.1.2); a row of a bulk request has none.
    pub unless: Option<Precondition>,
    /// What it wants.
    pub intent: Intent,
    /// The operations whose bulkId it names.
    pub needs: BTreeSet<usize>,
    /// The ids in its data that may name resources, existing or to be.
    pub mentions: BTreeSet<ResourceId>,
}

impl Operation {
    /// The target as the response names it.
    pub fn target(&self) -> Target {
        Target {
            resource_type: self.resource_type,
            id: self.id.to_string(),
        }
    }

    /// The unique values that it says it wants, prepared: for keeping the
    /// client's order between operations that contend for one.
    pub(super) fn unique_values(&self) -> BTreeSet<String> {
        let set;
        let attributes = match &self.intent {
            Intent::Create { attributes, .. } | Intent::Replace { attributes, .. } => attributes,
            // What a PATCH leaves can be known only once it is applied; what
            // it sets can be seen.
            Intent::Patch(patch) => {
                set = patch.simple_values();
                &set
            }
            Intent::Delete => return BTreeSet::new(),
        };
        lookup::lookups(self.resource_type, attributes)
            .into_iter()
            .filter(|lookup| lookup.unique)
            .map(|lookup| lookup.value)
            .collect()
    }
}

/// Why an entry never became an operation.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// Position in the request.
    pub index: usize,
    /// The method, as far as there is one.
    pub method: String,
    /// Echoed in the row.
    pub bulk_id: Option<String>,
    /// For `location`: set when the path names a resource and the method is
    /// not POST.
    pub target: Option<Target>,
    /// What the row says.
    pub error: ScimError,
}

/// What entries are checked against.
pub struct Rules<'a> {
    /// What the caller may do; each entry is held against it (RFC 7644 §3.7).
    pub rights: &'a Rights,
    /// How PATCH is read.
    pub dialect: Dialect,
    /// Refuse a POST without bulkId.
    pub strict_bulk_id: bool,
    /// The id for the create at this position.
    pub mint: &'a (dyn Fn(usize) -> ResourceId + Sync),
}

/// Checks the entries of a bulk request, in request order.
pub fn check(entries: &[Value], rules: &Rules<'_>) -> Vec<Result<Operation, Rejection>> {
    let envelopes: Vec<Envelope<'_>> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| Envelope::read(index, entry))
        .collect();
    let mut first: HashMap<&str, &Envelope<'_>> = HashMap::new();
    for envelope in &envelopes {
        if let Some(bulk_id) = envelope.bulk_id {
            first.entry(bulk_id).or_insert(envelope);
        }
    }
    let defined: HashMap<&str, usize> = first
        .iter()
        .filter(|(_, envelope)| envelope.method == Some(Method::Create))
        .map(|(bulk_id, envelope)| (*bulk_id, envelope.index))
        .collect();
    envelopes
        .iter()
        .map(|envelope| {
            let duplicate = envelope
                .bulk_id
                .and_then(|bulk_id| first.get(bulk_id))
                .is_some_and(|other| other.index != envelope.index);
            let names = Names {
                defined: &defined,
                mint: rules.mint,
            };
            envelope
                .check(rules, &names, duplicate)
                .map_err(|error| envelope.reject(&names, error))
        })
        .collect()
}

/// The one operation of a single request. `id` is the raw path parameter, none
/// on POST; `version` the value of `If-Match`.
///
/// # Errors
/// As a row of a bulk request would fail.
pub fn single(
    rules: &Rules<'_>,
    method: Method,
    resource_type: &'static ResourceType,
    id: Option<&str>,
    version: Option<&str>,
    data: Option<&Value>,
) -> Result<Operation, Rejection> {
    let names = Names {
        defined: &HashMap::new(),
        mint: rules.mint,
    };
    let reject = |error| Rejection {
        index: 0,
        method: method.as_str().to_owned(),
        bulk_id: None,
        target: id.map(|id| Target {
            resource_type,
            id: id.to_owned(),
        }),
        error,
    };
    let mut operation = Operation {
        index: 0,
        method,
        bulk_id: None,
        resource_type,
        id: (rules.mint)(0),
        precondition: version.map(Precondition::parse),
        unless: None,
        intent: Intent::Delete,
        needs: BTreeSet::new(),
        mentions: BTreeSet::new(),
    };
    let permitted = rules.rights.require(resource_type, Access::Write);
    permitted.map_err(reject)?;
    if let Some(id) = id {
        operation.id = ResourceId::parse(id)
            .ok_or_else(|| reject(ScimError::not_found(&resource_type.name, id)))?;
    }
    operation
        .read_intent(data, rules.dialect, &names)
        .map_err(reject)?;
    Ok(operation)
}

impl Operation {
    /// Reads `data` as the method demands and resolves the bulkIds in it.
    fn read_intent(
        &mut self,
        data: Option<&Value>,
        dialect: Dialect,
        names: &Names<'_>,
    ) -> Result<(), ScimError> {
        let absent = Value::Null;
        let data = data.unwrap_or(&absent);
        let (mut needs, mut mentions) = (BTreeSet::new(), BTreeSet::new());
        let mut visit = |text: &mut String| {
            *text = names.resolve(text, &mut needs)?;
            mentions.extend(ResourceId::parse(text));
            Ok(())
        };
        self.intent = match self.method {
            Method::Delete => Intent::Delete,
            Method::Patch => {
                let mut patch = Patch::parse(self.resource_type, data, dialect)?;
                patch.visit_references(&mut visit)?;
                Intent::Patch(patch)
            }
            Method::Create | Method::Replace => {
                let mut attributes = resource::check(self.resource_type, data)?;
                if self.method == Method::Create {
                    resource::check_secrets(self.resource_type, &attributes)?;
                }
                reference::visit(self.resource_type, &mut attributes, &mut visit)?;
                let members = take_members(self.resource_type, &mut attributes)?;
                match self.method {
                    Method::Create => Intent::Create {
                        attributes,
                        members,
                    },
                    _ => Intent::Replace {
                        attributes,
                        members,
                    },
                }
            }
        };
        self.needs.append(&mut needs);
        self.mentions.append(&mut mentions);
        Ok(())
    }
}
