//! Values that are no objects: one check per data type (RFC 7643 §2.3).

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use super::trail::Trail;
use crate::scim::{
    ScimError,
    schema::{Attribute, Type},
};

// Padding may be missing (RFC 7643 §2.3.6), and either alphabet is base64 (RFC 4648).
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const FOR_URLS: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// One value of a simple attribute. It is kept as it was written, except that
/// a boolean written as a string becomes a boolean.
pub(super) fn simple(
    attribute: &Attribute,
    value: &Value,
    trail: &Trail<'_>,
) -> Result<Value, ScimError> {
    let (expected, checked) = match attribute.kind {
        Type::String => ("a string", value.is_string().then(|| value.clone())),
        Type::Boolean => ("true or false", boolean(value).map(Value::Bool)),
        Type::Decimal => ("a number", value.is_number().then(|| value.clone())),
        Type::Integer => {
            let whole = value.is_i64() || value.is_u64();
            ("a whole number", whole.then(|| value.clone()))
        }
        Type::DateTime => ("a date with a time", text(value, is_date_time)),
        Type::Binary => ("base64", text(value, is_base64)),
        Type::Reference => ("a URI", text(value, is_reference)),
        Type::Complex => ("an object", None),
    };
    checked.ok_or_else(|| {
        let found = match value {
            Value::String(_) if attribute.kind != Type::Complex => "another string",
            other => kind(other),
        };
        trail.invalid("type_error", format!("expected {expected}, found {found}"))
    })
}

/// What a value is, for a person.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn text(value: &Value, legal: fn(&str) -> bool) -> Option<Value> {
    value.as_str().is_some_and(legal).then(|| value.clone())
}

/// Entra sends `"True"` and `"False"`.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn is_base64(text: &str) -> bool {
    PLAIN.decode(text).is_ok() || FOR_URLS.decode(text).is_ok()
}

/// A URI reference as far as its characters go: relative ones are legal (RFC
/// 7643 §2.3.7), and letters beyond ASCII are common in practice.
fn is_reference(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
}

/// An xsd:dateTime with a year of four digits: `2026-01-31T23:59:59.5+01:00`,
/// the fraction and the zone optional.
fn is_date_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('T') else {
        return false;
    };
    let (time, zone) = match rest.find(['Z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    is_date(date) && is_time(time) && is_zone(zone)
}

fn is_date(text: &str) -> bool {
    let mut parts = text
        .split('-')
        .zip([4, 2, 2])
        .map(|(part, length)| digits(part, length));
    let date = (
        parts.next().flatten(),
        parts.next().flatten(),
        parts.next().flatten(),
    );
    let (Some(year), Some(month), Some(day)) = date else {
        return false;
    };
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else {
        return false;
    };
    text.len() == 10 && jiff::civil::Date::new(year, month, day).is_ok()
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let whole = clock
        .split(':')
        .zip([24, 60, 60])
        .filter_map(|(part, limit)| digits(part, 2).filter(|number| *number < limit));
    clock.len() == 8
        && whole.count() == 3
        && fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return text.is_empty() || text == "Z";
    };
    let Some((hours, minutes)) = offset.split_once(':') else {
        return false;
    };
    digits(hours, 2).is_some_and(|hours| hours <= 14)
        && digits(minutes, 2).is_some_and(|minutes| minutes < 60)
}

fn digits(text: &str, length: usize) -> Option<i16> {
    let legal = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    legal.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_needs_a_date_and_a_time() {
        for text in [
            "2026-01-31T23:59:59Z",
            "2026-01-31T23:59:59",
            "2024-02-29T00:00:00.123456789012+14:00",
            "0001-01-01T00:00:00-05:30",
        ] {
            assert!(is_date_time(text), "{text}");
        }
        for text in [
            "",
            "2026-01-31",
            "T23:59:59Z",
            "2026-01-31T",
            "2026-01-31 23:59:59Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T23:59Z",
            "2026-01-31T23:59:59.Z",
            "2026-01-31T23:59:59z",
            "2026-01-31T23:59:59ZZ",
            "2026-01-31T23:59:59+0100",
            "2026-01-31T23:59:59+01:60",
            "2026-1-31T23:59:59Z",
            "2026-01-31-01T23:59:59Z",
            "2026-01-31T23:59:59:00Z",
            "２０２６-01-31T23:59:59Z",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }

    #[test]
    fn base64_may_lack_its_padding_and_use_either_alphabet() {
        for text in ["", "TQ==", "TQ", "TWE=", "TWE", "+/+/", "-_-_"] {
            assert!(is_base64(text), "{text}");
        }
        for text in ["T", "not base64", "TWE=\n", "+_+_", "€"] {
            assert!(!is_base64(text), "{text}");
        }
    }

    #[test]
    fn a_reference_has_no_white_space() {
        for text in [
            "https://example.com/a?b#c",
            "/Users/1",
            "../Users/1",
            "urn:a:b",
            "bulkId:u1",
        ] {
            assert!(is_reference(text), "{text}");
        }
        for text in ["a b", "a\nb", "<script>", "a\u{0}"] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
