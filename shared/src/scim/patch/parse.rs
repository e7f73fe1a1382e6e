//! A PatchOp message to steps: its shape, and what its paths select.

use serde_json::{Map, Value};

use super::content::{content, is_derived};
use super::{Action, Change, Step, Verb, located};
use crate::scim::filter::{self, Filter};
use crate::scim::path::{self, AttributePath, Fault, Name};
use crate::scim::schema::{Mutability, ResourceType, Schema, Type};
use crate::scim::{ScimError, urn};

/// Reads the message.
pub(super) fn message(
    resource_type: &'static ResourceType,
    data: &Value,
) -> Result<Vec<Step>, ScimError> {
    let operations = operations(data)?;
    let mut steps = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let mut reader = Reader {
            resource_type,
            operation: index,
            steps: &mut steps,
        };
        reader
            .operation(operation)
            .map_err(|error| located(error, index))?;
    }
    Ok(steps)
}

fn operations(data: &Value) -> Result<&Vec<Value>, ScimError> {
    let operations = match data {
        Value::Array(operations) => operations,
        Value::Object(message) => {
            check_schemas(member(message, "schemas")?)?;
            match member(message, "Operations")? {
                Some(Value::Array(operations)) => operations,
                Some(_) => return Err(ScimError::invalid_syntax("`Operations` must be an array")),
                None => return Err(ScimError::invalid_syntax("`Operations` is missing")),
            }
        }
        _ => {
            return Err(ScimError::invalid_syntax(
                "a PATCH message must be an object",
            ));
        }
    };
    if operations.is_empty() {
        return Err(ScimError::invalid_syntax("`Operations` is empty"));
    }
    Ok(operations)
}

fn check_schemas(schemas: Option<&Value>) -> Result<(), ScimError> {
    let named = match schemas {
        Some(Value::Array(schemas)) => {
            let mut texts = schemas.iter().filter_map(Value::as_str);
            texts.any(|text| text.eq_ignore_ascii_case(urn::PATCH_OP))
        }
        _ => false,
    };
    if named {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!(
            "`schemas` must hold `{}`",
            urn::PATCH_OP
        )))
    }
}

/// A member by name, in any letter case (RFC 7643 §2.1). Two spellings of one
/// name are two stories, and neither is believed.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Value>, ScimError> {
    let mut found = object
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(ScimError::invalid_syntax(format!(
            "`{name}` occurs twice, in different letter case"
        ))),
        (first, _) => Ok(first.map(|(_, value)| value)),
    }
}

/// What a path selects.
enum Target {
    /// The resource: no path, or the core schema's URN.
    Resource,
    /// All attributes of an extension.
    Extension(&'static Schema),
    /// An attribute, or the elements of it that a filter selects.
    Attribute(AttributePath, Option<Filter>),
}

/// Whether a target was named by a path or by a member of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByPath,
    ByMember,
}

struct Reader<'a> {
    resource_type: &'static ResourceType,
    operation: usize,
    steps: &'a mut Vec<Step>,
}

impl Reader<'_> {
    fn operation(&mut self, operation: &Value) -> Result<(), ScimError> {
        let Value::Object(operation) = operation else {
            return Err(ScimError::invalid_syntax("an operation must be an object"));
        };
        let verb = verb(member(operation, "op")?)?;
        let target = match member(operation, "path")? {
            None | Some(Value::Null) => Target::Resource,
            Some(Value::String(path)) if path.trim().is_empty() => Target::Resource,
            Some(Value::String(path)) => self.target(path.trim()).map_err(|fault| match fault {
                Refusal::Fault(fault) => ScimError::invalid_path(fault.into_message()),
                Refusal::Filter(error) => error,
            })?,
            Some(_) => return Err(ScimError::invalid_path("`path` must be a string")),
        };
        let value = member(operation, "value")?;
        if verb != Verb::Remove && value.is_none() {
            return Err(ScimError::invalid_value("`value` is missing"));
        }
        self.write(verb, target, value, Named::ByPath)
    }

    fn write(
        &mut self,
        verb: Verb,
        target: Target,
        value: Option<&Value>,
        named: Named,
    ) -> Result<(), ScimError> {
        match target {
            Target::Resource if verb == Verb::Remove => {
                Err(ScimError::no_target("`remove` needs a path"))
            }
            Target::Resource => match value {
                Some(Value::Object(members)) => self.members(verb, members, ""),
                _ => Err(ScimError::invalid_value(
                    "without a path, `value` must be an object",
                )),
            },
            Target::Extension(schema) => match value {
                Some(Value::Object(members)) if verb == Verb::Add || !members.is_empty() => {
                    if verb == Verb::Remove {
                        self.push(Action::Clear(schema));
                        return Ok(());
                    }
                    self.members(verb, members, &schema.id)
                }
                None | Some(Value::Null | Value::Object(_)) => {
                    self.push(Action::Clear(schema));
                    Ok(())
                }
                Some(_) if verb == Verb::Remove => {
                    self.push(Action::Clear(schema));
                    Ok(())
                }
                Some(_) => {
                    let id = &schema.id;
                    Err(ScimError::invalid_value(format!(
                        "the value of `{id}` must be an object"
                    )))
                }
            },
            Target::Attribute(path, filter) => self.attribute(verb, path, filter, value, named),
        }
    }

    /// The members of a value without path, or of an extension's value: each is
    /// a path of its own. Those that no schema knows are passed over, as in any
    /// body.
    fn members(
        &mut self,
        verb: Verb,
        members: &Map<String, Value>,
        urn: &str,
    ) -> Result<(), ScimError> {
        for (key, value) in members {
            let found = if urn.is_empty() || key.contains(':') {
                self.target(key)
            } else {
                self.target(&format!("{urn}:{key}"))
            };
            let target = match found {
                Ok(target) => target,
                Err(Refusal::Fault(Fault::Unknown(_))) => continue,
                Err(Refusal::Fault(Fault::Malformed(message))) => {
                    return Err(ScimError::invalid_path(message));
                }
                Err(Refusal::Filter(error)) => return Err(error),
            };
            // A URN as a member holds an object, and one such object may stand
            // in another (RFC 9944 §7.1); JSON ends how deep.
            if matches!(target, Target::Resource) {
                continue;
            }
            self.write(verb, target, Some(value), Named::ByMember)?;
        }
        Ok(())
    }

    fn target(&self, text: &str) -> Result<Target, Refusal> {
        if text.len() > filter::MAX_LENGTH {
            let message = format!(
                "a path has {} bytes, more than {}",
                text.len(),
                filter::MAX_LENGTH
            );
            return Err(Refusal::Fault(Fault::Malformed(message)));
        }
        let head = text.split(['[', ' ']).next().unwrap_or(text);
        let rest = text.get(head.len()..).unwrap_or_default();
        let name = path::resolve(head, self.resource_type).map_err(Refusal::Fault)?;
        let path = match name {
            Name::Core if rest.is_empty() => return Ok(Target::Resource),
            Name::Extension(schema) if rest.is_empty() => return Ok(Target::Extension(schema)),
            Name::Attribute(path) => path,
            Name::Core | Name::Extension(_) => return Err(malformed(text)),
        };
        if rest.is_empty() {
            return Ok(Target::Attribute(path, None));
        }
        if !rest.starts_with('[') {
            return self.bare_comparison(text, path);
        }
        let plural = path.attribute.multi_valued && path.attribute.kind == Type::Complex;
        if !plural || path.sub.is_some() {
            let message = format!("`{path}` has no elements to filter");
            return Err(Refusal::Filter(ScimError::invalid_filter(message)));
        }
        let (filter, end) =
            filter::bracketed(text, head.len() + 1, path).map_err(Refusal::Filter)?;
        let sub = match text.get(end..).unwrap_or_default() {
            "" => None,
            tail => {
                let name = tail.strip_prefix('.').ok_or_else(|| malformed(text))?;
                Some(path::sub_attribute(path.attribute, name).map_err(Refusal::Fault)?)
            }
        };
        Ok(Target::Attribute(
            AttributePath { sub, ..path },
            Some(filter),
        ))
    }

    /// RFC 7644 erratum 7122: elements that are no objects are selected by a
    /// comparison without brackets.
    fn bare_comparison(&self, text: &str, path: AttributePath) -> Result<Target, Refusal> {
        if !path.attribute.multi_valued || path.attribute.kind == Type::Complex {
            return Err(malformed(text));
        }
        let filter = Filter::parse(text, self.resource_type).map_err(Refusal::Filter)?;
        match filter {
            Filter::Compare { .. } => Ok(Target::Attribute(path, Some(filter))),
            _ => Err(malformed(text)),
        }
    }

    fn attribute(
        &mut self,
        verb: Verb,
        path: AttributePath,
        filter: Option<Filter>,
        value: Option<&Value>,
        named: Named,
    ) -> Result<(), ScimError> {
        let attribute = path.attribute;
        // `schemas` follows from the extensions that are present.
        if path.extension.is_none() && attribute.name == "schemas" {
            return match verb {
                Verb::Remove => Err(ScimError::mutability("`schemas` cannot be removed")),
                Verb::Add | Verb::Replace => Ok(()),
            };
        }
        if attribute.mutability == Mutability::ReadOnly {
            return match value {
                Some(value) if named == Named::ByMember && is_empty(value) => Ok(()),
                Some(value) if named == Named::ByMember && attribute.name == "id" => {
                    self.push(Action::SameId(value.clone()));
                    Ok(())
                }
                _ => Err(ScimError::mutability(format!("`{path}` is read-only"))),
            };
        }
        if let Some(sub) = path.sub {
            if is_derived(attribute, sub) {
                return Ok(());
            }
            if sub.mutability == Mutability::ReadOnly {
                return Err(ScimError::mutability(format!("`{path}` is read-only")));
            }
        }
        let content = content(verb, &path, filter.is_some(), value)?;
        self.push(Action::Change(Change {
            verb,
            path,
            filter,
            content,
        }));
        Ok(())
    }

    fn push(&mut self, action: Action) {
        self.steps.push(Step {
            operation: self.operation,
            action,
        });
    }
}

/// Why a path selects nothing.
enum Refusal {
    Fault(Fault),
    Filter(ScimError),
}

fn malformed(text: &str) -> Refusal {
    Refusal::Fault(Fault::Malformed(format!("`{text}` is no path")))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn verb(op: Option<&Value>) -> Result<Verb, ScimError> {
    let op = match op {
        Some(Value::String(op)) => op,
        Some(_) => return Err(ScimError::invalid_syntax("`op` must be a string")),
        None => return Err(ScimError::invalid_syntax("`op` is missing")),
    };
    match op.to_ascii_lowercase().as_str() {
        "add" => Ok(Verb::Add),
        "replace" => Ok(Verb::Replace),
        "remove" => Ok(Verb::Remove),
        _ => {
            let op: String = op.chars().take(20).collect();
            let message = format!("`op` is `{op}`, not `add`, `replace` or `remove`");
            Err(ScimError::invalid_syntax(message))
        }
    }
}
