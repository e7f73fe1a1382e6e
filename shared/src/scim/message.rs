//! The messages of the protocol (RFC 7644 §3.4.2, §3.4.3, §3.7), as sent.
//!
//! Checked here is the envelope alone. What an operation of a bulk request
//! says is its own row's matter and stays a raw value; filters and attribute
//! names stay text, since they mean nothing without a resource type. Member
//! names are taken in any letter case (RFC 7643 §2.1), null and an empty array
//! mean absent (RFC 7643 §2.5), unknown members are ignored.
//!
//! ```ignore
//! let request = BulkRequest::parse(json::parse(body)?, 1000)?;
//! let entries = request.operations.len();
//! ```

use std::num::NonZeroUsize;

use serde_json::Value;

use super::error::{Place, ScimError};
use super::json::excerpt;
use super::urn;

/// A bulk request (RFC 7644 §3.7).
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// Stop once so many operations have failed. None: never.
    pub fail_on_errors: Option<NonZeroUsize>,
    /// The entries as sent; each is checked on its own.
    pub operations: Vec<Value>,
}

impl BulkRequest {
    /// Checks the envelope. `schemas` may be missing; `failOnErrors` of 0
    /// means no limit.
    ///
    /// # Errors
    ///
    /// 413 when there are more than `max_operations` (RFC 7644 §3.7.4), 400
    /// `invalidValue` for `failOnErrors`, else 400 `invalidSyntax`.
    pub fn parse(body: Value, max_operations: usize) -> Result<Self, ScimError> {
        let [schemas, operations, fail_on_errors] =
            members(body, ["schemas", "Operations", "failOnErrors"])?;
        check_schemas(schemas.as_ref(), urn::BULK_REQUEST)?;
        let operations = match operations {
            Some(Value::Array(operations)) => operations,
            Some(_) => {
                let detail = "`Operations` is not an array";
                return Err(ScimError::invalid_syntax(detail).at(place(
                    "Operations",
                    "not an array",
                    "type_error",
                )));
            }
            None => {
                let detail = "`Operations` is missing or empty";
                return Err(ScimError::invalid_syntax(detail).at(place(
                    "Operations",
                    "missing or empty",
                    "missing",
                )));
            }
        };
        if operations.len() > max_operations {
            let count = operations.len();
            let detail = format!(
                "the request has {count} operations, over maxOperations ({max_operations})"
            );
            return Err(ScimError::new(413, detail));
        }
        Ok(Self {
            fail_on_errors: limit_of_errors(fail_on_errors)?,
            operations,
        })
    }
}

/// What to search for: the parameters of a list (RFC 7644 §3.4.2) or the body
/// of a search (RFC 7644 §3.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// The filter as text; empty text is a filter that cannot be parsed.
    pub filter: Option<String>,
    /// Names of the attributes to show.
    pub attributes: Option<Vec<String>>,
    /// Names of the attributes to leave out.
    pub excluded_attributes: Option<Vec<String>>,
    /// One-based index of the first result; at least 1.
    pub start_index: usize,
    /// Where to go on (RFC 9865); empty for the first page, none for paging by
    /// index.
    pub cursor: Option<String>,
    /// How many results at most; a negative number was asked for as 0.
    pub count: Option<usize>,
    /// The attribute to sort by, as text.
    pub sort_by: Option<String>,
    /// Whether `sortOrder` is descending.
    pub descending: bool,
}

impl Default for SearchRequest {
    /// Everything, from the first.
    fn default() -> Self {
        Self {
            filter: None,
            attributes: None,
            excluded_attributes: None,
            start_index: 1,
            cursor: None,
            count: None,
            sort_by: None,
            descending: false,
        }
    }
}

impl SearchRequest {
    /// Reads the body of `/.search`, where attribute lists are arrays.
    ///
    /// # Errors
    ///
    /// 400 `invalidSyntax` for the envelope, 400 `invalidValue` for a member
    /// of the wrong type or both ways of paging.
    pub fn parse(body: Value) -> Result<Self, ScimError> {
        let names = [
            "schemas",
            "filter",
            "attributes",
            "excludedAttributes",
            "startIndex",
            "cursor",
            "count",
            "sortBy",
            "sortOrder",
        ];
        let [
            schemas,
            filter,
            attributes,
            excluded,
            start_index,
            cursor,
            count,
            sort_by,
            sort_order,
        ] = members(body, names)?;
        check_schemas(schemas.as_ref(), urn::SEARCH_REQUEST)?;
        let start_index = start_index
            .map(|value| whole("startIndex", &value))
            .transpose()?;
        let cursor = text("cursor", cursor)?;
        check_paging(start_index, cursor.as_deref())?;
        let count = count.map(|value| whole("count", &value)).transpose()?;
        Ok(Self {
            filter: text("filter", filter)?,
            attributes: names_of("attributes", attributes)?,
            excluded_attributes: names_of("excludedAttributes", excluded)?,
            start_index: start_index.unwrap_or(1).max(1),
            cursor,
            count,
            sort_by: text("sortBy", sort_by)?,
            descending: descending(text("sortOrder", sort_order)?.as_deref())?,
        })
    }

    /// Reads the parameters of a query string, already decoded. Unknown ones
    /// are ignored; attribute lists are separated by commas.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` for a parameter that occurs twice or is no number
    /// where one is due.
    pub fn from_query(parameters: &[(String, String)]) -> Result<Self, ScimError> {
        let start_index = parameter(parameters, "startIndex")?;
        let count = parameter(parameters, "count")?;
        let start_index = start_index
            .map(|text| decimal("startIndex", text))
            .transpose()?;
        let cursor = parameter(parameters, "cursor")?;
        check_paging(start_index, cursor)?;
        Ok(Self {
            filter: parameter(parameters, "filter")?.map(str::to_owned),
            attributes: list(parameters, "attributes"),
            excluded_attributes: list(parameters, "excludedAttributes"),
            start_index: start_index.unwrap_or(1).max(1),
            cursor: cursor.map(str::to_owned),
            count: count.map(|text| decimal("count", text)).transpose()?,
            sort_by: parameter(parameters, "sortBy")?.map(str::to_owned),
            descending: descending(parameter(parameters, "sortOrder")?)?,
        })
    }
}

/// The comma-separated names of a parameter, over all its occurrences. None
/// when it does not occur.
pub fn list(parameters: &[(String, String)], name: &str) -> Option<Vec<String>> {
    let mut values = parameters
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .peekable();
    values.peek()?;
    let names = values.flat_map(|(_, value)| value.split(','));
    Some(
        names
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn check_paging(start_index: Option<usize>, cursor: Option<&str>) -> Result<(), ScimError> {
    match (start_index, cursor) {
        (Some(_), Some(_)) => Err(ScimError::invalid_value(
            "`startIndex` and `cursor` exclude each other",
        )),
        _ => Ok(()),
    }
}

/// The value of a parameter of a query string, whatever its letter case. None
/// when it does not occur.
///
/// # Errors
///
/// 400 `invalidValue` when it occurs twice.
pub fn parameter<'a>(
    parameters: &'a [(String, String)],
    name: &str,
) -> Result<Option<&'a str>, ScimError> {
    let mut values = parameters
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(ScimError::invalid_value(format!(
            "the parameter `{name}` occurs twice"
        ))),
        (first, _) => Ok(first.map(|(_, value)| value.as_str())),
    }
}

/// Takes the named members out of an object, whatever their letter case; null
/// and an empty array are absent.
fn members<const N: usize>(
    body: Value,
    names: [&'static str; N],
) -> Result<[Option<Value>; N], ScimError> {
    let Value::Object(object) = body else {
        let place = Place {
            loc: Vec::new(),
            msg: "not an object".to_owned(),
            kind: "type_error",
        };
        return Err(ScimError::invalid_syntax("the body is not a JSON object").at(place));
    };
    let mut found = [const { None }; N];
    for (name, value) in object {
        let slots = names.iter().zip(&mut found);
        match slots
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            Some((known, Some(_))) => {
                let detail = format!("`{known}` occurs twice, in different letter case");
                let place = place(known, "occurs twice", "value_error");
                return Err(ScimError::invalid_syntax(detail).at(place));
            }
            Some((_, slot)) => *slot = Some(value),
            None => {}
        }
    }
    let assigned =
        |value: &Value| !value.is_null() && value.as_array().is_none_or(|all| !all.is_empty());
    Ok(found.map(|value| value.filter(assigned)))
}

fn check_schemas(schemas: Option<&Value>, urn: &str) -> Result<(), ScimError> {
    let right = |schema: &Value| {
        schema
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case(urn))
    };
    let accepted = match schemas {
        None => true,
        Some(Value::Array(schemas)) => schemas.iter().all(right),
        Some(_) => false,
    };
    if accepted {
        return Ok(());
    }
    let msg = format!("expected [\"{urn}\"]");
    Err(
        ScimError::invalid_syntax(format!("`schemas`: {msg}")).at(place(
            "schemas",
            &msg,
            "value_error",
        )),
    )
}

fn limit_of_errors(value: Option<Value>) -> Result<Option<NonZeroUsize>, ScimError> {
    let Some(value) = value else { return Ok(None) };
    let limit = value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    match limit {
        Some(limit) => Ok(NonZeroUsize::new(limit)),
        None => Err(wrong_value(
            "failOnErrors",
            "expected a whole number, 0 or more",
        )),
    }
}

fn whole(name: &'static str, value: &Value) -> Result<usize, ScimError> {
    if value.as_i64().is_some_and(i64::is_negative) {
        return Ok(0);
    }
    match value.as_u64() {
        Some(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
        None => Err(wrong_value(name, "expected a whole number")),
    }
}

/// Any whole number, of any length; below 0 it counts as 0.
fn decimal(name: &str, text: &str) -> Result<usize, ScimError> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail = format!("`{name}` is `{}`, expected a whole number", excerpt(text));
        return Err(ScimError::invalid_value(detail));
    }
    Ok(if trimmed.starts_with('-') {
        0
    } else {
        digits.parse().unwrap_or(usize::MAX)
    })
}

fn text(name: &'static str, value: Option<Value>) -> Result<Option<String>, ScimError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_value(name, "expected a string")),
    }
}

fn names_of(name: &'static str, value: Option<Value>) -> Result<Option<Vec<String>>, ScimError> {
    let wrong = || wrong_value(name, "expected an array of strings");
    match value {
        None => Ok(None),
        Some(Value::Array(names)) => {
            let names = names.into_iter().map(|value| match value {
                Value::String(name) => Ok(name),
                _ => Err(wrong()),
            });
            names.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}

fn descending(order: Option<&str>) -> Result<bool, ScimError> {
    match order {
        None => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("ascending") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("descending") => Ok(true),
        Some(_) => Err(wrong_value(
            "sortOrder",
            "expected `ascending` or `descending`",
        )),
    }
}

fn wrong_value(name: &'static str, msg: &str) -> ScimError {
    ScimError::invalid_value(format!("`{name}`: {msg}")).at(place(name, msg, "type_error"))
}

fn place(name: &str, msg: &str, kind: &'static str) -> Place {
    Place {
        loc: vec![Value::from(name)],
        msg: msg.to_owned(),
        kind,
    }
}

#[cfg(test)]
mod tests;
