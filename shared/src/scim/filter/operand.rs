//! What stands right of an operator, and which types it can be compared with.

use super::evaluate::instant;
use super::{Operand, Operator};
use crate::scim::schema::Type;

/// Whether an operator can be applied to a type (RFC 7644 table 3).
pub(super) fn applies(operator: Operator, kind: Type) -> bool {
    match operator {
        Operator::Eq | Operator::Ne => true,
        Operator::Co | Operator::Sw | Operator::Ew => {
            matches!(kind, Type::String | Type::Reference)
        }
        Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            !matches!(kind, Type::Boolean | Type::Binary)
        }
    }
}

/// Reads an operand that is no string, in any letter case.
pub(super) fn literal(word: &str) -> Option<Operand> {
    if word.eq_ignore_ascii_case("true") {
        Some(Operand::Boolean(true))
    } else if word.eq_ignore_ascii_case("false") {
        Some(Operand::Boolean(false))
    } else if word.eq_ignore_ascii_case("null") {
        Some(Operand::Null)
    } else {
        serde_json::from_str(word).ok().map(Operand::Number)
    }
}

/// The operand as the type has it, or what the type wants.
pub(super) fn fit(operand: Operand, kind: Type) -> Result<Operand, &'static str> {
    match (kind, operand) {
        (Type::String | Type::Reference | Type::Binary, operand @ Operand::String(_)) => {
            Ok(operand)
        }
        (Type::Boolean, operand @ Operand::Boolean(_)) => Ok(operand),
        (Type::Boolean, Operand::String(text)) => match literal(&text) {
            Some(operand @ Operand::Boolean(_)) => Ok(operand),
            _ => Err("`true` or `false`"),
        },
        (Type::Integer | Type::Decimal, operand @ Operand::Number(_)) => Ok(operand),
        (Type::DateTime, Operand::String(text)) if instant(&text).is_some() => {
            Ok(Operand::String(text))
        }
        (Type::Boolean, _) => Err("`true` or `false`"),
        (Type::Integer | Type::Decimal, _) => Err("a number"),
        (Type::DateTime, _) => Err("an instant such as \"2011-05-13T04:42:34Z\""),
        _ => Err("a quoted string"),
    }
}
