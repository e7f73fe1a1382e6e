//! Operations that are one where that is the same, and the limit of the others.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::path::AttributePath;
use crate::scim::schema::Mutability;

/// What one looks at costs little to send and much to look at again.
const LONG: usize = 300_000;

fn with_phones(phones: &Value) -> Value {
    json!({"userName": "babs", "phoneNumbers": phones})
}

/// The outcome of a thousand operations, which `operation` makes.
fn thousand(before: &Value, operation: impl Fn(usize) -> Value) -> String {
    let operations: Vec<Value> = (0..1000).map(operation).collect();
    match apply(before, &json!(operations), Dialect::default()) {
        Ok(after) => {
            let lengths = after.iter().filter_map(|(name, value)| {
                let length = value.as_array()?.len();
                Some(format!("{length} {name}"))
            });
            lengths.collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_thousand_operations_look_at_a_long_list_as_often_as_they_must() {
    let phone = |n: usize| json!({"value": format!("+{n}")});
    let user = with_phones(&json!([{"value": "+0", "display": "x".repeat(LONG)}]));
    let add = |n| json!({"op": "add", "path": "phoneNumbers", "value": phone(n)});
    let remove = |n| json!({"op": "remove", "path": "phoneNumbers", "value": phone(n)});
    let named: Vec<_> = (0..1001)
        .map(|n| json!({"value": format!("m{n}")}))
        .collect();
    let group = json!({"displayName": "g", "members": named});
    let lines = [
        thousand(&user, add),
        thousand(&user, |n| remove(n + 1)),
        thousand(&user, |n| match n % 2 {
            0 => add(n),
            _ => remove(n),
        }),
        thousand(&user, |n| match n % 2 {
            0 => add(n),
            _ => json!({"op": "add", "path": "emails", "value": phone(n)}),
        }),
        thousand(
            &user,
            |n| json!({"op": "remove", "path": format!("phoneNumbers[type eq \"{n}\"]")}),
        ),
        thousand(
            &user,
            |n| json!({"op": "replace", "path": "phoneNumbers", "value": [phone(n)]}),
        ),
        thousand(
            &user,
            |n| json!({"op": "replace", "path": "title", "value": format!("{n}")}),
        ),
        thousand(
            &group,
            |n| json!({"op": "remove", "path": format!("members[value eq \"m{n}\"]")}),
        ),
    ];
    insta::assert_snapshot!(lines.join("\n"), @"
    1000 phoneNumbers
    1 phoneNumbers
    413: Operations[331]: with this one the operations look at 100147245 bytes, the limit is 100000000 bytes
    413: Operations[652]: with this one the operations look at 100212985 bytes, the limit is 100000000 bytes
    413: Operations[333]: with this one the operations look at 100212248 bytes, the limit is 100000000 bytes
    1 phoneNumbers
    1 phoneNumbers
    1 members
    ");
}

#[test]
fn a_filter_costs_what_its_terms_and_operands_cost() {
    let outcome = |elements: usize, text: usize, terms: usize| {
        let element = |n| json!({"value": format!("+{n}"), "display": "x".repeat(text)});
        let phones: Vec<_> = (0..elements).map(element).collect();
        let term = format!("type eq \"{}\"", "y".repeat(30));
        let filter = vec![term; terms].join(" or ");
        let operation = json!({"op": "remove", "path": format!("phoneNumbers[{filter}]")});
        match apply(
            &with_phones(&json!(phones)),
            &json!([operation]),
            Dialect::default(),
        ) {
            Ok(_) => "applied".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let lines = [
        outcome(1, LONG, 1),
        outcome(1, LONG, 320),
        outcome(1, LONG, 340),
        outcome(4_000, 1, 340),
        outcome(8_000, 1, 340),
    ];
    insta::assert_snapshot!(lines.join("\n"), @"
    applied
    applied
    413: Operations[0]: with this one the operations look at 102021760 bytes, the limit is 100000000 bytes
    applied
    413: Operations[0]: with this one the operations look at 162825320 bytes, the limit is 100000000 bytes
    ");
}

#[test]
fn one_text_is_not_written_to_so_many_elements_that_they_fill_the_memory() {
    let phones: Vec<_> = (0..1000)
        .map(|n| json!({"value": format!("{n}")}))
        .collect();
    let outcome = |path: &str, value: Value| {
        let operation = json!({"op": "replace", "path": path, "value": value});
        match apply(
            &with_phones(&json!(phones)),
            &json!([operation]),
            Dialect::default(),
        ) {
            Ok(after) => after["phoneNumbers"].to_string().len().to_string(),
            Err(error) => error.to_string(),
        }
    };
    let text = |length| json!("x".repeat(length));
    let lines = [
        outcome("phoneNumbers.display", text(900)),
        outcome("phoneNumbers.display", text(1_000)),
        outcome("phoneNumbers[value pr].display", text(LONG)),
        outcome("phoneNumbers[value pr]", json!({"display": text(LONG)})),
        outcome("phoneNumbers[value eq \"7\"].display", text(LONG)),
    ];
    insta::assert_snapshot!(lines.join("\n"), @"
    928891
    413: Operations[0]: 1008000 bytes would be written to 1000 elements of `phoneNumbers`, the limit is 1000000 bytes
    413: Operations[0]: 300008000 bytes would be written to 1000 elements of `phoneNumbers`, the limit is 1000000 bytes
    413: Operations[0]: 300008000 bytes would be written to 1000 elements of `phoneNumbers`, the limit is 1000000 bytes
    315904
    ");
}

/// Elements that are often the same, or nearly.
fn any_element() -> impl Strategy<Value = Value> {
    let maybe =
        |values: &'static [&'static str]| prop::option::weighted(0.7, prop::sample::select(values));
    let primary = prop::option::of(any::<bool>());
    (
        maybe(&["a@x", "A@X", "b@x"]),
        maybe(&["work", "WORK", "home"]),
        maybe(&["d", "D", "e"]),
        primary,
    )
        .prop_map(|(value, kind, display, primary)| {
            let mut element = Map::new();
            let texts = [("value", value), ("type", kind), ("display", display)];
            for (name, text) in texts {
                element.extend(text.map(|text| (name.to_owned(), json!(text))));
            }
            element.extend(primary.map(|primary| ("primary".to_owned(), json!(primary))));
            Value::Object(element)
        })
}

fn any_list() -> impl Strategy<Value = Value> {
    let primary = |element: &Value| element["primary"] == json!(true);
    prop::collection::vec(any_element(), 0..3).prop_map(move |mut elements| {
        // Two that are primary are refused in one value.
        if elements.iter().filter(|element| primary(element)).count() > 1 {
            elements.truncate(1);
        }
        json!(elements)
    })
}

fn any_change() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(&["add", "add", "add", "remove", "remove", "replace"][..]);
    let path = prop::sample::select(
        &[
            "emails",
            "emails",
            "emails",
            "ims",
            "emails[type eq \"work\"]",
        ][..],
    );
    (op, path, any_list()).prop_map(|(op, path, value)| {
        let value = if path.ends_with(']') {
            value[0].clone()
        } else {
            value
        };
        json!({"op": op, "path": path, "value": value})
    })
}

proptest! {
    #[test]
    fn operations_together_are_the_same_operations_one_after_the_other(
        stored in any_list(),
        operations in prop::collection::vec(any_change(), 1..12),
    ) {
        let mut before = user();
        // No list that is stored is empty.
        match stored.as_array().is_some_and(Vec::is_empty) {
            true => drop(before.as_object_mut().unwrap().remove("emails")),
            false => before["emails"] = stored,
        }
        let together = apply(&before, &json!(operations), Dialect::default());
        let mut one_by_one = before;
        let mut fault = None;
        for operation in operations {
            match apply(&one_by_one, &json!([operation]), Dialect::default()) {
                Ok(after) => one_by_one = Value::Object(after),
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        match (together, fault) {
            // Also the order of the elements, and of what they have.
            (Ok(after), None) => prop_assert_eq!(Value::Object(after).to_string(), one_by_one.to_string()),
            (Err(error), Some(fault)) => prop_assert_eq!(error.status(), fault.status()),
            (together, fault) => prop_assert!(false, "{together:?} {fault:?}"),
        }
    }
}

#[test]
fn an_element_that_lost_the_mark_is_known_to_the_next_operation() {
    let add = |value: Value| json!({"op": "add", "path": "ims", "value": value});
    let operations = json!([
        add(json!({"display": "d", "primary": true})),
        add(json!({"type": "xmpp", "primary": true})),
        add(json!({"display": "d"})),
    ]);
    let after = apply(&user(), &operations, Dialect::default()).unwrap();
    let expected = json!([
        {"display": "d", "primary": false},
        {"type": "xmpp", "primary": true},
    ]);
    assert_eq!(after["ims"], expected);
}

#[test]
fn what_is_required_or_immutable_is_changed_by_one_operation_at_a_time() {
    let step = |path: &'static Attribute, elements: &[Value]| Step {
        operation: 0,
        action: Action::Change(Change {
            verb: Verb::Add,
            path: AttributePath {
                extension: None,
                attribute: path,
                sub: None,
            },
            filter: None,
            content: Content::List(elements.to_vec()),
        }),
    };
    let emails = catalogue()
        .by_name("User")
        .unwrap()
        .attribute("emails")
        .unwrap();
    let continues = |change: fn(&mut Attribute)| {
        let mut attribute = emails.clone();
        change(&mut attribute);
        let attribute: &'static Attribute = Box::leak(Box::new(attribute));
        let element = json!({"value": "a@x"});
        step(attribute, &[]).continues_in(&step(attribute, &[element]))
    };
    assert!(continues(|_| {}));
    assert!(!continues(|attribute| attribute.required = true));
    assert!(!continues(
        |attribute| attribute.mutability = Mutability::Immutable
    ));
}
