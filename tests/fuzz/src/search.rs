//! What to search for, as the body of `/.search` and as a query string
//! (RFC 7644 §3.4.2 and §3.4.3).
//!
//! Both ways of asking have one meaning: what the body of a search says in
//! strings and numbers, a query string that says the same asks for too.

use serde_json::Value;
use shared::scim::json;
use shared::scim::message::SearchRequest;

use crate::refused;

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(body) = json::parse(input) else {
        return from_text(input);
    };
    match SearchRequest::parse(body.clone()) {
        Ok(request) => {
            is_sound(&request);
            let lists = [&request.attributes, &request.excluded_attributes];
            if lists
                .into_iter()
                .flatten()
                .flatten()
                .all(|name| is_plain(name))
            {
                let parameters = parameters(&body);
                let again = SearchRequest::from_query(&parameters);
                assert_eq!(again.as_ref(), Ok(&request), "{parameters:?}");
            }
        }
        Err(error) => refused(&error, &["invalidSyntax", "invalidValue"]),
    }
}

/// Lines of `name=value`, already decoded.
fn from_text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let pairs = text
        .lines()
        .map(|line| line.split_once('=').unwrap_or((line, "")));
    let pairs: Vec<(String, String)> = pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match SearchRequest::from_query(&pairs) {
        Ok(request) => is_sound(&request),
        Err(error) => refused(&error, &["invalidValue"]),
    }
}

fn is_sound(request: &SearchRequest) {
    assert!(request.start_index >= 1);
    assert!(request.cursor.is_none() || request.start_index == 1);
}

/// A list in a query string has no commas and no blanks in its names.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(',') && name.trim() == name
}

/// The members of a body as parameters. A list is joined by commas.
fn parameters(body: &Value) -> Vec<(String, String)> {
    let members = body.as_object().into_iter().flatten();
    let parameters = members.filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(names) if !names.is_empty() => {
                let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
                names?.join(",")
            }
            _ => return None,
        };
        Some((name.clone(), text))
    });
    parameters.collect()
}
