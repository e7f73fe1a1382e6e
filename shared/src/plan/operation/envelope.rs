//! The members of a bulk entry (RFC 7644 §3.7): read as far as they can be,
//! then checked in a fixed order, so that a row names its first fault.
//!
//! An entry that is no object, or has no legal method or path, is a row like any
//! other: it still echoes what could be read.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::names::{Names, REFERENCE_PREFIX};
use super::{Intent, Method, Operation, Rejection, Rules};
use crate::plan::rights::Access;
use crate::plan::target::Target;
use crate::scim::json::excerpt;
use crate::scim::schema::catalogue;
use crate::scim::{Place, Precondition, ResourceId, ResourceType, ScimError};

/// The longest bulkId, in bytes. The RFC sets none; with this one a thousand
/// rows that echo theirs fit into an answer, whatever the letters.
pub const MAX_BULK_ID: usize = 256;

/// The longest id, in bytes, that is repeated in the `location` of a row whose
/// path names nothing.
const MAX_ECHOED_ID: usize = 256;

/// The members of a bulk entry, as far as they can be read at all.
pub(super) struct Envelope<'a> {
    pub(super) index: usize,
    sent_method: &'a str,
    pub(super) method: Option<Method>,
    pub(super) bulk_id: Option<&'a str>,
    /// The resource type that the path begins with, and what follows it.
    path: Option<Result<(&'static ResourceType, Option<&'a str>), ScimError>>,
    data: Option<&'a Value>,
    version: Option<&'a Value>,
    faults: Vec<ScimError>,
}

impl<'a> Envelope<'a> {
    pub(super) fn read(index: usize, entry: &'a Value) -> Self {
        let mut envelope = Self {
            index,
            sent_method: "",
            method: None,
            bulk_id: None,
            path: None,
            data: None,
            version: None,
            faults: Vec::new(),
        };
        let Value::Object(entry) = entry else {
            envelope.fault("", "must be an object", "type_error");
            return envelope;
        };
        let mut seen: HashMap<String, &Value> = HashMap::new();
        for (name, value) in entry {
            // Explicit null is the same as absent, everywhere.
            if !value.is_null() && seen.insert(name.to_ascii_lowercase(), value).is_some() {
                envelope.fault(
                    name,
                    "is given twice, in different letter case",
                    "value_error",
                );
            }
        }
        let text = |name: &str| seen.get(&name.to_ascii_lowercase()).copied();
        match text("method") {
            Some(Value::String(method)) => {
                envelope.sent_method = method;
                envelope.method = Method::parse(method);
                if envelope.method.is_none() {
                    envelope.fault(
                        "method",
                        "must be POST, PUT, PATCH or DELETE",
                        "value_error",
                    );
                }
            }
            Some(_) => envelope.fault("method", "must be a string", "type_error"),
            None => envelope.fault("method", "is required", "missing"),
        }
        match text("bulkId") {
            Some(Value::String(bulk_id)) if bulk_id.is_empty() || bulk_id.len() > MAX_BULK_ID => {
                let message = format!("must have 1 to {MAX_BULK_ID} bytes");
                envelope.faults.push(value_fault(index, "bulkId", &message));
            }
            Some(Value::String(bulk_id)) => envelope.bulk_id = Some(bulk_id),
            Some(_) => envelope
                .faults
                .push(value_fault(index, "bulkId", "must be a string")),
            None => {}
        }
        match text("path") {
            Some(Value::String(path)) => envelope.path = Some(read_path(index, path)),
            Some(_) => envelope.fault("path", "must be a string", "type_error"),
            None => envelope.fault("path", "is required", "missing"),
        }
        envelope.data = text("data");
        envelope.version = text("version");
        envelope
    }

    fn fault(&mut self, member: &str, message: &str, kind: &'static str) {
        self.faults
            .push(syntax_fault(self.index, member, message, kind));
    }

    pub(super) fn check(
        &self,
        rules: &Rules<'_>,
        names: &Names<'_>,
        duplicate: bool,
    ) -> Result<Operation, ScimError> {
        if let Some(fault) = self.faults.first() {
            return Err(fault.clone());
        }
        let (Some(method), Some(path)) = (self.method, &self.path) else {
            return Err(syntax_fault(
                self.index,
                "",
                "has no method or path",
                "missing",
            ));
        };
        let (resource_type, raw_id) = path.as_ref().map_err(Clone::clone)?;
        rules.rights.require(resource_type, Access::Write)?;
        if duplicate {
            let bulk_id = self.bulk_id.unwrap_or_default();
            let message = format!("`{bulk_id}` is used by an earlier operation");
            return Err(value_fault(self.index, "bulkId", &message));
        }
        if method == Method::Create && self.bulk_id.is_none() && rules.strict_bulk_id {
            return Err(syntax_fault(
                self.index,
                "bulkId",
                "is required for POST",
                "missing",
            ));
        }
        let mut operation = Operation {
            index: self.index,
            method,
            bulk_id: self.bulk_id.map(str::to_owned),
            resource_type,
            id: (rules.mint)(self.index),
            precondition: None,
            unless: None,
            intent: Intent::Delete,
            needs: BTreeSet::new(),
            mentions: BTreeSet::new(),
        };
        match (method, raw_id) {
            (Method::Create, None) => {}
            (Method::Create, Some(_)) => {
                let message = format!("must be `{}` for POST", resource_type.endpoint);
                return Err(value_fault(self.index, "path", &message));
            }
            (_, None) => {
                let message = format!(
                    "must name one resource, `{}/{{id}}`",
                    resource_type.endpoint
                );
                return Err(value_fault(self.index, "path", &message));
            }
            (_, Some(raw)) => {
                let id = names.resolve(raw, &mut operation.needs)?;
                operation.id = ResourceId::parse(&id)
                    .ok_or_else(|| ScimError::not_found(&resource_type.name, &id))?;
            }
        }
        if method != Method::Create {
            operation.precondition = match self.version {
                None => None,
                Some(Value::String(version)) => Some(Precondition::parse(version)),
                Some(_) => return Err(value_fault(self.index, "version", "must be a string")),
            };
        }
        let data = self.data;
        if data.is_none() && method != Method::Delete {
            let message = format!("is required for {}", method.as_str());
            return Err(syntax_fault(self.index, "data", &message, "missing"));
        }
        operation.read_intent(data, rules.dialect, names)?;
        Ok(operation)
    }

    pub(super) fn reject(&self, names: &Names<'_>, error: ScimError) -> Rejection {
        let target = match (&self.path, self.method) {
            (Some(Ok((resource_type, Some(id)))), Some(method)) if method != Method::Create => {
                // A reference that nothing defines names no resource: no location.
                let id = names.resolve(id, &mut BTreeSet::new()).ok();
                let id = id.filter(|id| can_end_a_url(id));
                id.map(|id| Target { resource_type, id })
            }
            _ => None,
        };
        Rejection {
            index: self.index,
            method: match self.method {
                Some(method) => method.as_str().to_owned(),
                None => excerpt(self.sent_method),
            },
            bulk_id: self.bulk_id.map(str::to_owned),
            target,
            error,
        }
    }
}

/// The resource type and what follows it. The path is relative to the service
/// root (RFC 7644 §3.7); a missing leading slash is tolerated.
fn read_path(index: usize, path: &str) -> Result<(&'static ResourceType, Option<&str>), ScimError> {
    if path.contains("://") || path.contains(['?', '#']) {
        let message = "must be relative to the service root, without a query";
        return Err(value_fault(index, "path", message));
    }
    let mut segments = path.strip_prefix('/').unwrap_or(path).splitn(2, '/');
    let endpoint = segments.next().unwrap_or_default();
    const NOT_FOR_WRITES: [&str; 6] = [
        "Bulk",
        "Me",
        "Schemas",
        "ServiceProviderConfig",
        "ResourceTypes",
        ".search",
    ];
    if NOT_FOR_WRITES.contains(&endpoint) {
        let message = format!("`/{endpoint}` is not the endpoint of a resource type");
        return Err(value_fault(index, "path", &message));
    }
    let resource_type = catalogue().by_endpoint(endpoint).ok_or_else(|| {
        ScimError::new(
            404,
            format!("Operations[{index}].path: no endpoint `/{endpoint}`"),
        )
    })?;
    match segments.next() {
        None | Some("") => Ok((resource_type, None)),
        Some(id) if id.contains('/') && !id.starts_with(REFERENCE_PREFIX) => Err(value_fault(
            index,
            "path",
            "has more than an endpoint and an id",
        )),
        Some(id) => Ok((resource_type, Some(id))),
    }
}

fn place(index: usize, member: &str, message: &str, kind: &'static str) -> Place {
    let mut loc = vec![json!("Operations"), json!(index)];
    if !member.is_empty() {
        loc.push(json!(excerpt(member)));
    }
    Place {
        loc,
        msg: message.to_owned(),
        kind,
    }
}

/// Whether an id as sent can stand in a `location`: it is short, and a path
/// segment of RFC 3986 as it is.
fn can_end_a_url(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    id.len() <= MAX_ECHOED_ID && id.bytes().all(allowed)
}

fn name(index: usize, member: &str) -> String {
    match member {
        "" => format!("`Operations[{index}]`"),
        _ => format!("`Operations[{index}].{member}`"),
    }
}

fn syntax_fault(index: usize, member: &str, message: &str, kind: &'static str) -> ScimError {
    ScimError::invalid_syntax(format!("{} {message}", name(index, member)))
        .at(place(index, member, message, kind))
}

fn value_fault(index: usize, member: &str, message: &str) -> ScimError {
    ScimError::invalid_value(format!("{} {message}", name(index, member))).at(place(
        index,
        member,
        message,
        "value_error",
    ))
}
