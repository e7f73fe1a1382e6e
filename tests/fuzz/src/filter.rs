//! A filter as text (RFC 7644 §3.4.2.2).
//!
//! What is accepted keeps the limits and means the same once it is written out
//! again; what is refused is refused as `invalidFilter`, at a character that
//! the text has.

use shared::scim::filter::{Filter, MAX_DEPTH, MAX_LENGTH, MAX_TERMS};
use shared::scim::schema::catalogue;
use shared::scim::{ResourceType, ScimError};

use crate::{directory, refused};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for resource_type in &catalogue().resource_types {
        match Filter::parse(text, resource_type) {
            Ok(filter) => accepted(text, &filter, resource_type),
            Err(error) => {
                refused(&error, &["invalidFilter"]);
                points_into(&error, text);
            }
        }
    }
}

fn accepted(text: &str, filter: &Filter, resource_type: &'static ResourceType) {
    assert!(text.len() <= MAX_LENGTH, "{} bytes", text.len());
    let (depth, terms) = size(filter);
    assert!(terms <= MAX_TERMS, "{terms} terms");
    // Between two parentheses a conjunction can stand in a disjunction.
    assert!(depth <= 3 * (MAX_DEPTH + 1), "{depth} deep");

    let among_all = Filter::parse_among_all(text, resource_type);
    assert_eq!(among_all.as_ref(), Ok(filter), "among all types");
    let rendered = filter.to_string();
    let again = Filter::parse(&rendered, resource_type);
    if again.as_ref().is_err_and(over_a_limit) {
        return;
    }
    assert_eq!(again.as_ref(), Ok(filter), "{rendered}");

    let negated = Filter::parse(&format!("not ({text})"), resource_type);
    if negated.as_ref().is_err_and(over_a_limit) {
        return;
    }
    let negated = negated.expect("what is a filter is one in parentheses");
    for resource in directory(resource_type) {
        assert_ne!(
            filter.matches(resource),
            negated.matches(resource),
            "{rendered}"
        );
    }
}

/// How deep it is, and how many comparisons it holds. An extension's URN with
/// `pr` stands for as many `pr` as the extension has attributes, so these do
/// not count.
fn size(filter: &Filter) -> (usize, usize) {
    match filter {
        Filter::And(terms) | Filter::Or(terms) => {
            let sizes = terms.iter().map(size);
            let (depth, count) = sizes.fold((0, 0), |sum, one| (sum.0.max(one.0), sum.1 + one.1));
            (depth + 1, count)
        }
        Filter::Not(inner) | Filter::Value { filter: inner, .. } => {
            let (depth, count) = size(inner);
            (depth + 1, count)
        }
        Filter::Compare { .. } => (1, 1),
        Filter::Present(_) => (1, 0),
    }
}

/// Written out, a filter has parentheses and URNs that it lacked.
pub(crate) fn over_a_limit(error: &ScimError) -> bool {
    let limits = ["nested deeper than", "bytes, more than", "terms"];
    limits.iter().any(|limit| error.detail().contains(limit))
}

/// The character that an error names is one of the text, or the end of it.
pub(crate) fn points_into(error: &ScimError, text: &str) {
    let place = error.detail().rsplit_once(" at character ");
    if let Some(place) = place.and_then(|(_, place)| place.parse::<usize>().ok()) {
        let characters = text.chars().count();
        assert!(
            (1..=characters + 1).contains(&place),
            "{error} of {characters}"
        );
    }
}
