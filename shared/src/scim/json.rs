//! Bytes to JSON, strictly: what the standard library of JSON lets pass but a
//! directory must not guess about is refused here, before any shape is looked
//! at.
//!
//! Refused are member names that occur twice in one object (which of the two
//! values would hold?), nesting deeper than 128, numbers that no 64-bit number
//! can hold, text that is not UTF-8, and escapes that are no character. Every
//! refusal is a 400 `invalidSyntax` that names line, column and, as far as it
//! was read, the member.
//!
//! ```ignore
//! let error = parse(br#"{"Operations": [{"data": {"a": 1, "a": 2}}]}"#).unwrap_err();
//! assert!(error.detail().contains("Operations[0].data"));
//! ```

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{Place, ScimError};

/// The longest piece of a client's text that a message repeats, in characters.
const EXCERPT: usize = 60;

/// Reads a whole body as one JSON value.
///
/// # Errors
///
/// 400 `invalidSyntax`, with one place.
pub fn parse(bytes: &[u8]) -> Result<Value, ScimError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(refusal("the body is empty, expected JSON", &[]));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(refusal(
            "the body begins with a byte order mark, expected plain UTF-8",
            &[],
        ));
    }
    let mut at = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = Node { at: &mut at }.deserialize(&mut reader);
    match parsed.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(refusal(&error.to_string(), &at)),
    }
}

/// A client's text as far as a message repeats it.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn refusal(problem: &str, at: &[Step]) -> ScimError {
    let mut path = String::new();
    let mut loc = Vec::with_capacity(at.len());
    for step in at {
        match step {
            Step::Member(name) => {
                let name = excerpt(name);
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
                loc.push(Value::String(name));
            }
            Step::Index(index) => {
                path.push_str(&format!("[{index}]"));
                loc.push(Value::from(*index));
            }
        }
    }
    let detail = match path.is_empty() {
        true => format!("not valid JSON: {problem}"),
        false => format!("not valid JSON, in `{path}`: {problem}"),
    };
    ScimError::invalid_syntax(detail).at(Place {
        loc,
        msg: problem.to_owned(),
        kind: "json_invalid",
    })
}

enum Step {
    Member(String),
    Index(usize),
}

/// Builds one value. `at` holds the steps from the root to it, and keeps them
/// when reading fails.
struct Node<'a> {
    at: &'a mut Vec<Step>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        self.at.push(Step::Index(0));
        while let Some(element) = elements.next_element_seed(Node { at: &mut *self.at })? {
            array.push(element);
            if let Some(Step::Index(index)) = self.at.last_mut() {
                *index = array.len();
            }
        }
        self.at.pop();
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let twice = format!("the member `{}` occurs twice", excerpt(&name));
                return Err(A::Error::custom(twice));
            }
            self.at.push(Step::Member(name));
            let value = members.next_value_seed(Node { at: &mut *self.at })?;
            if let Some(Step::Member(name)) = self.at.pop() {
                object.insert(name, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn detail(bytes: impl AsRef<[u8]>) -> String {
        let error = parse(bytes.as_ref()).unwrap_err();
        assert_eq!((error.status(), error.places().len()), (400, 1));
        error.detail().to_owned()
    }

    #[test]
    fn a_member_that_occurs_twice_is_named_with_its_place() {
        assert_snapshot!(detail(r#"{"schemas": [], "schemas": []}"#), @"not valid JSON: the member `schemas` occurs twice at line 1 column 25");
        assert_snapshot!(detail(r#"{"Operations": [{}, {"data": {"a": 1, "\u0061": 2}}]}"#), @"not valid JSON, in `Operations[1].data`: the member `a` occurs twice at line 1 column 46");
        assert_snapshot!(detail(format!(r#"{{"{0}": 1, "{0}": 2}}"#, "x".repeat(1000))), @"not valid JSON: the member `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` occurs twice at line 1 column 2010");
    }

    #[test]
    fn names_that_differ_in_case_or_object_are_distinct() {
        let value = parse(br#"{"a": {"a": 1}, "A": [{"a": 1}, {"a": 2}]}"#).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": {"a": 1}, "A": [{"a": 1}, {"a": 2}]})
        );
    }

    #[test]
    fn every_fault_says_what_and_where() {
        assert_snapshot!(detail(""), @"not valid JSON: the body is empty, expected JSON");
        assert_snapshot!(detail(" \r\n\t"), @"not valid JSON: the body is empty, expected JSON");
        assert_snapshot!(detail(b"\xef\xbb\xbf{}"), @"not valid JSON: the body begins with a byte order mark, expected plain UTF-8");
        assert_snapshot!(detail("{} {}"), @"not valid JSON: trailing characters at line 1 column 4");
        assert_snapshot!(detail("{\n  \"a\": [1, 2,\n}"), @"not valid JSON, in `a[2]`: expected value at line 3 column 1");
        assert_snapshot!(detail(b"{\"a\": \"\xff\"}"), @"not valid JSON, in `a`: invalid unicode code point at line 1 column 8");
        assert_snapshot!(detail(r#"{"a": "\ud800"}"#), @"not valid JSON, in `a`: unexpected end of hex escape at line 1 column 14");
        assert_snapshot!(detail(r#"{"a": "\ud800\u0041"}"#), @"not valid JSON, in `a`: lone leading surrogate in hex escape at line 1 column 19");
        assert_snapshot!(detail(r#"{"n": 1e400}"#), @"not valid JSON, in `n`: number out of range at line 1 column 11");
        assert_snapshot!(detail(r#"{"n": NaN}"#), @"not valid JSON, in `n`: expected value at line 1 column 7");
        assert_snapshot!(detail("nope"), @"not valid JSON: expected ident at line 1 column 2");
    }

    #[test]
    fn nesting_ends_at_the_limit_however_deep_it_goes() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(parse(&nested(127)).is_ok());
        assert!(detail(nested(128)).contains("recursion limit"));
        assert!(detail(vec![b'['; 1_000_000]).contains("recursion limit"));
        assert!(detail(br#"{"a":"#.repeat(200_000)).contains("recursion limit"));
    }

    #[test]
    fn whole_numbers_stay_whole_and_large_ones_stay_exact() {
        let value = parse(b"[1, -1, 18446744073709551615, 1.0]").unwrap();
        assert_eq!(value.to_string(), "[1,-1,18446744073709551615,1.0]");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_it_accepts_is_what_was_written(text in r#"(\{"[a-d]":|\[|[0-9]{1,3},?|\]|\}|"[a-zé]*",?|null,?){1,12}"#) {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
