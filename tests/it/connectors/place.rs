//! Places in an answer: JSON pointers (RFC 6901) in which `*` stands for every
//! element of a list. A place with `*` names values whose order means nothing.

use serde_json::Value;

/// What is wrong with the value at a place; none when it is as expected.
pub(super) fn complaint(body: &Value, place: &str, expected: &Value) -> Option<String> {
    let Some(found) = find(body, place) else {
        return Some(format!("{place} is missing, expected {expected}"));
    };
    let same = match place.contains('*') {
        true => sorted(&found) == sorted(expected),
        false => found == *expected,
    };
    (!same).then(|| format!("{place} is {found}, expected {expected}"))
}

/// What is missing at a place with `*`; none when all that is wanted is there.
pub(super) fn lack(body: &Value, place: &str, wanted: &[Value]) -> Option<String> {
    let found = find(body, place).unwrap_or_default();
    let there = sorted(&found);
    let missing = wanted
        .iter()
        .find(|value| !there.contains(&value.to_string()));
    missing.map(|value| format!("{place} is {found}, expected {value} among others"))
}

/// The value at a place; for one with `*` the list of all values.
pub(super) fn find(body: &Value, place: &str) -> Option<Value> {
    let Some((list, rest)) = place.split_once("/*") else {
        return body.pointer(place).cloned();
    };
    let elements = body.pointer(list)?.as_array()?;
    let mut found = Vec::new();
    for element in elements {
        match find(element, rest)? {
            Value::Array(values) if rest.contains('*') => found.extend(values),
            value => found.push(value),
        }
    }
    Some(Value::Array(found))
}

fn sorted(values: &Value) -> Vec<String> {
    let values = values.as_array().into_iter().flatten();
    let mut texts: Vec<String> = values.map(Value::to_string).collect();
    texts.sort();
    texts
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_complaint_names_the_place_and_both_values() {
        let body = json!({"active": true, "members": [{"value": "a"}, {"value": "b"}],
            "Resources": [{"emails": [{"value": "x"}]}, {"emails": [{"value": "y"}]}]});
        let cases = [
            ("/active", json!(true)),
            ("/active", json!("true")),
            ("/members/0/value", json!("b")),
            ("/members/*/value", json!(["b", "a"])),
            ("/members/*/value", json!(["a"])),
            ("/members/*/value", json!(["a", "a", "b"])),
            ("/members/*/display", json!([])),
            ("/Resources/*/emails/*/value", json!(["y", "x"])),
            ("/groups/*/value", json!([])),
            ("/groups", json!(null)),
        ];
        let said = |found: Option<String>| found.unwrap_or_else(|| "as expected".to_owned());
        let mut told: Vec<String> = cases
            .iter()
            .map(|(place, expected)| said(complaint(&body, place, expected)))
            .collect();
        for (place, wanted) in [
            ("/members/*/value", json!("b")),
            ("/members/*/value", json!("c")),
            ("/groups/*/value", json!("a")),
        ] {
            told.push(said(lack(&body, place, &[wanted])));
        }
        assert_snapshot!(told.join("\n"), @r#"
        as expected
        /active is true, expected "true"
        /members/0/value is "a", expected "b"
        as expected
        /members/*/value is ["a","b"], expected ["a"]
        /members/*/value is ["a","b"], expected ["a","a","b"]
        /members/*/display is missing, expected []
        as expected
        /groups/*/value is missing, expected []
        /groups is missing, expected null
        as expected
        /members/*/value is ["a","b"], expected "c" among others
        /groups/*/value is null, expected "a" among others
        "#);
    }
}
