//! A filter as text again: parsing what is rendered gives the same filter.

use std::fmt;

use super::{Filter, Operand};
use crate::scim::path::AttributePath;

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        render(self, Scope::Resource, f)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::Number(number) => write!(f, "{number}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Where a filter stands: names in brackets lack the attribute's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Resource,
    Brackets,
}

fn render(filter: &Filter, scope: Scope, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match filter {
        Filter::And(terms) => joined(terms, " and ", scope, f),
        Filter::Or(terms) => joined(terms, " or ", scope, f),
        Filter::Not(term) => {
            f.write_str("not (")?;
            render(term, scope, f)?;
            f.write_str(")")
        }
        Filter::Compare {
            path,
            operator,
            operand,
        } => {
            name(path, scope, f)?;
            write!(f, " {} {operand}", operator.as_str())
        }
        Filter::Present(path) => {
            name(path, scope, f)?;
            f.write_str(" pr")
        }
        Filter::Value { path, filter } => {
            write!(f, "{path}[")?;
            render(filter, Scope::Brackets, f)?;
            f.write_str("]")
        }
    }
}

fn joined(
    terms: &[Filter],
    separator: &str,
    scope: Scope,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        if matches!(term, Filter::And(_) | Filter::Or(_)) {
            f.write_str("(")?;
            render(term, scope, f)?;
            f.write_str(")")?;
        } else {
            render(term, scope, f)?;
        }
    }
    Ok(())
}

fn name(path: &AttributePath, scope: Scope, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (scope, path.sub) {
        (Scope::Brackets, Some(sub)) => f.write_str(&sub.name),
        _ => write!(f, "{path}"),
    }
}
