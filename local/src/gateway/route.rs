//! Which route a request takes.
//!
//! API Gateway prefers a route that matches method and path in full over one
//! with a path variable, and takes `$default` when none matches. It knows no
//! 405: a known path with another method is `$default` as well.

use crate::template::{Target, Template};

/// The routes of one deployment, base path included.
#[derive(Debug, Clone)]
pub struct Routes {
    patterns: Vec<Pattern>,
    default: Target,
}

/// The route taken, with the values of its path variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// `GET /scim/v2/Users/{id}` or `$default`.
    pub key: String,
    /// Percent-decoded, in the order of the path.
    pub parameters: Vec<(String, String)>,
    /// Who answers.
    pub target: Target,
}

#[derive(Debug, Clone)]
struct Pattern {
    method: String,
    path: String,
    target: Target,
}

impl Routes {
    /// The routes of a template under a base path such as `scim/v2`.
    pub fn new(template: &Template, base_path: &str) -> Self {
        let base_path = base_path.trim_matches('/');
        let mut patterns: Vec<_> = template
            .routes
            .iter()
            .map(|route| Pattern {
                method: route.method.clone(),
                path: format!("/{base_path}{}", route.suffix),
                target: route.target,
            })
            .collect();
        // Fewer variables first, so that the first match is the fullest.
        patterns.sort_by_key(|pattern| pattern.path.matches('{').count());
        Self {
            patterns,
            default: template.default_route,
        }
    }

    /// The route for a method and a path as sent, percent-encoding included.
    pub fn find(&self, method: &str, path: &str) -> Matched {
        self.patterns
            .iter()
            .filter(|pattern| pattern.method == method)
            .find_map(|pattern| {
                Some(Matched {
                    key: format!("{method} {}", pattern.path),
                    parameters: variables(&pattern.path, path)?,
                    target: pattern.target,
                })
            })
            .unwrap_or_else(|| Matched {
                key: "$default".into(),
                parameters: Vec::new(),
                target: self.default,
            })
    }
}

/// Percent-decoding as the gateway does it before a function sees a path.
/// What is no valid escape stays; what is no UTF-8 becomes U+FFFD.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = after.first_chunk::<2>().filter(|_| first == b'%');
        match escape.and_then(|&[high, low]| Some(hex(high)? * 16 + hex(low)?)) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// The values of a pattern's variables in a path; none when it does not match.
/// A variable takes one whole segment that is not empty.
fn variables(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut values = Vec::new();
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = decode(segments.next()?);
        let name = expected
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if !segment.is_empty() => values.push((name.into(), segment)),
            None if segment == expected => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base_path: &str, method: &str, path: &str) -> String {
        let routes = Routes::new(&Template::embedded().unwrap(), base_path);
        let matched = routes.find(method, path);
        format!(
            "{} {:?} {}",
            matched.key, matched.parameters, matched.target.function
        )
    }

    #[test]
    fn a_full_match_goes_before_a_variable_and_all_before_default() {
        let cases = [
            (
                "POST",
                "/scim/v2/Users/.search",
                r#"POST /scim/v2/Users/.search [] users"#,
            ),
            (
                "GET",
                "/scim/v2/Users/.search",
                r#"GET /scim/v2/Users/{id} [("id", ".search")] users"#,
            ),
            (
                "GET",
                "/scim/v2/Groups/a%2Fb%20c",
                r#"GET /scim/v2/Groups/{id} [("id", "a/b c")] groups"#,
            ),
            ("GET", "/scim/v2/Users/", "$default [] discovery"),
            ("GET", "/scim/v2/Users/1/2", "$default [] discovery"),
            ("PATCH", "/scim/v2/Users", "$default [] discovery"),
            ("GET", "/scim/v2/users", "$default [] discovery"),
            ("GET", "/Users", "$default [] discovery"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(check("scim/v2", method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_base_path_may_hold_a_variable() {
        assert_eq!(
            check("t/{tenant_id}/scim", "DELETE", "/t/acme/scim/Users/1"),
            r#"DELETE /t/{tenant_id}/scim/Users/{id} [("tenant_id", "acme"), ("id", "1")] users"#
        );
    }

    #[test]
    fn decoding_leaves_what_is_no_escape() {
        let cases = [
            ("%C3%A9", "é"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%+1", "%+1"),
            ("%ff", "\u{fffd}"),
            ("a+b", "a+b"),
        ];
        for (encoded, decoded) in cases {
            assert_eq!(decode(encoded), decoded, "{encoded}");
        }
    }
}
