//! Our parser of filters beside a public one. What that accepts and the schema
//! allows, ours accepts and understands alike; what only ours accepts has a
//! form that `docs/filters.md` lists.
//!
//! Trees are compared as text: prefix notation, chains of `and` and of `or`
//! flat, names as the schema spells them. The public parser knows no schema, so
//! its tree is held against ours here, by RFC 7644 table 3 and not by our code.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use scim_v2::filter::{self as public, AttrExp, CompValue, ValFilter};
use serde_json::json;
use shared::scim::filter::Operand;
use shared::scim::schema::{Returned, Type, catalogue};
use shared::scim::{AttributePath, Filter, ResourceType};

const INSTANT: &str = "2026-01-01T00:00:00Z";

/// What a tree of the public parser means for a user.
#[derive(Debug, PartialEq)]
enum Meaning {
    Shape(String),
    /// The schema forbids it.
    Nothing,
    /// It rests on a rule that is not repeated here.
    Unsure,
}

use Meaning::{Nothing, Shape, Unsure};

fn user() -> &'static ResourceType {
    catalogue().by_name("User").unwrap()
}

fn node(name: &str, parts: &[String]) -> String {
    format!("({name} {})", parts.join(" "))
}

/// The name of an attribute; within brackets that of the sub-attribute.
fn name(path: &AttributePath, inside: bool) -> String {
    match path.sub {
        Some(sub) if inside => sub.name.clone(),
        _ => path.to_string(),
    }
}

fn ours(filter: &Filter, inside: bool) -> String {
    let chain = |word: &str, terms: &[Filter]| {
        let parts: Vec<String> = terms.iter().map(|term| ours(term, inside)).collect();
        node(word, &parts)
    };
    match filter {
        Filter::And(terms) => chain("and", terms),
        Filter::Or(terms) => chain("or", terms),
        Filter::Not(term) => node("not", &[ours(term, inside)]),
        Filter::Present(path) => node("pr", &[name(path, inside)]),
        Filter::Value { path, filter } => node("of", &[path.to_string(), ours(filter, true)]),
        Filter::Compare {
            path,
            operator,
            operand,
        } => {
            let operand = match operand {
                Operand::String(text) => json!(text).to_string(),
                Operand::Number(number) => number.to_string(),
                Operand::Boolean(value) => value.to_string(),
                Operand::Null => "null".to_owned(),
            };
            node(operator.as_str(), &[name(path, inside), operand])
        }
    }
}

fn theirs(filter: &public::Filter) -> Meaning {
    match filter {
        public::Filter::Attr(expression) => term(expression, None),
        public::Filter::Not(inner) => joined("not", [theirs(inner)]),
        public::Filter::And(terms) => joined("and", terms.iter().map(theirs)),
        public::Filter::Or(terms) => joined("or", terms.iter().map(theirs)),
        public::Filter::ValuePath(found) => {
            match AttributePath::parse(&found.attr.to_string(), user()) {
                Ok(of) if of.sub.is_none() && of.attribute.kind == Type::Complex => {
                    joined(&format!("of {of}"), [within(&found.filter, &of)])
                }
                _ => Nothing,
            }
        }
    }
}

fn within(filter: &ValFilter, of: &AttributePath) -> Meaning {
    match filter {
        ValFilter::Attr(expression) => term(expression, Some(of)),
        ValFilter::Not(inner) => joined("not", [within(inner, of)]),
        ValFilter::And(terms) => joined("and", terms.iter().map(|term| within(term, of))),
        ValFilter::Or(terms) => joined("or", terms.iter().map(|term| within(term, of))),
    }
}

fn joined(word: &str, parts: impl IntoIterator<Item = Meaning>) -> Meaning {
    let (mut shapes, mut unsure) = (Vec::new(), false);
    for part in parts {
        match part {
            Shape(shape) => shapes.push(shape),
            Nothing => return Nothing,
            Unsure => unsure = true,
        }
    }
    if unsure {
        return Unsure;
    }
    Shape(node(word, &shapes))
}

/// One comparison, held against the schema (RFC 7644 tables 3 and 9).
fn term(expression: &AttrExp, of: Option<&AttributePath>) -> Meaning {
    let (AttrExp::Present(attribute) | AttrExp::Comparison(attribute, ..)) = expression;
    let path = match of {
        None => AttributePath::parse(&attribute.to_string(), user()).ok(),
        Some(_) if attribute.uri.is_some() || attribute.sub_attr.is_some() => None,
        Some(of) => of.attribute.sub(&attribute.name).map(|sub| AttributePath {
            sub: Some(sub),
            ..*of
        }),
    };
    let Some(mut path) = path else {
        let text = attribute.to_string();
        let schemas = &user().extensions;
        let whole = |urn: &str| urn.eq_ignore_ascii_case(&text);
        let urn = schemas.iter().any(|extension| whole(&extension.schema.id));
        // A whole extension may be asked for with `pr`.
        return if urn && matches!(expression, AttrExp::Present(_)) {
            Unsure
        } else {
            Nothing
        };
    };
    if path.attribute.returned == Returned::Never {
        return Nothing;
    }
    let AttrExp::Comparison(_, operator, operand) = expression else {
        return Shape(node("pr", &[name(&path, of.is_some())]));
    };
    let operator = operator.to_string();
    let equality = ["eq", "ne"].contains(&operator.as_str());
    if *operand == CompValue::Null {
        let shape = node(&operator, &[name(&path, of.is_some()), "null".to_owned()]);
        return if equality { Shape(shape) } else { Nothing };
    }
    if path.sub.unwrap_or(path.attribute).kind == Type::Complex {
        path.sub = path.attribute.sub("value");
        if path.sub.is_none() {
            return Nothing;
        }
    }
    let kind = path.sub.unwrap_or(path.attribute).kind;
    let textual = ["co", "sw", "ew"].contains(&operator.as_str());
    let legal = match kind {
        Type::String | Type::Reference => true,
        Type::Boolean | Type::Binary => equality,
        _ => !textual,
    };
    let operand = match (kind, operand) {
        (Type::String | Type::Reference | Type::Binary, CompValue::Str(text)) => {
            json!(text).to_string()
        }
        (Type::Boolean, CompValue::True) => "true".to_owned(),
        (Type::Boolean, CompValue::False) => "false".to_owned(),
        (Type::Boolean, CompValue::Str(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => "true".to_owned(),
            "false" => "false".to_owned(),
            _ => return Nothing,
        },
        (Type::DateTime, CompValue::Str(text)) if text == INSTANT => json!(text).to_string(),
        // Whether other text is an instant is not decided here.
        (Type::DateTime, CompValue::Str(_)) if legal => return Unsure,
        _ => return Nothing,
    };
    match legal {
        true => Shape(node(&operator, &[name(&path, of.is_some()), operand])),
        false => Nothing,
    }
}

/// Whether a text has one of the listed forms that the public parser refuses.
fn has_a_listed_form(text: &str) -> bool {
    let bare = without_strings(text);
    let lower = bare.to_ascii_lowercase();
    let mut words = bare.split(|c: char| !c.is_alphanumeric());
    let literal = |word: &str| {
        let lower = word.to_ascii_lowercase();
        ["true", "false", "null"].contains(&lower.as_str()) && word != lower
    };
    let letters: Vec<char> = bare.chars().collect();
    let unparted = letters.windows(2).any(|pair| match pair {
        ['"' | ')' | ']', after] => after.is_alphanumeric(),
        [before, '"' | '('] => before.is_alphanumeric(),
        _ => false,
    });
    bare.contains("].")
        || bare.contains('$')
        || words.any(literal)
        || lower.contains("not(")
        || unparted
}

/// The text with every string in it emptied.
fn without_strings(text: &str) -> String {
    let (mut bare, mut inside, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => {
                inside = !inside;
                bare.push('"');
            }
            _ if inside => {
                escaped = c == '\\' && !escaped;
                continue;
            }
            c => bare.push(c),
        }
        escaped = false;
    }
    bare
}

/// What is wrong about how the two read a text.
fn difference(text: &str) -> Option<String> {
    let other = text.parse::<public::Filter>();
    let own = Filter::parse(text, user());
    let shown = own.as_ref().map(|filter| ours(filter, false));
    match (&other, &shown) {
        (Ok(other), shown) => match (theirs(other), shown) {
            (Shape(expected), Ok(shown)) if expected == *shown => {}
            (Nothing, Err(_)) | (Unsure, _) => {}
            (expected, shown) => return Some(format!("expected {expected:?}, found {shown:?}")),
        },
        (Err(error), Ok(shown)) if !has_a_listed_form(text) => {
            return Some(format!("{shown} is accepted in no listed form: {error}"));
        }
        _ => {}
    }
    let (Ok(own), Ok(shown)) = (&own, shown) else {
        return None;
    };
    // What we write is the grammar's, whatever was read.
    let rendered = own.to_string();
    match rendered.parse::<public::Filter>() {
        Ok(again) if [Shape(shown), Unsure].contains(&theirs(&again)) => None,
        Err(_) if rendered.contains("$ref") => None,
        again => Some(format!("written as {rendered}, which is {again:?}")),
    }
}

fn operators() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "Ge",
        ][..],
    )
}

/// A comparison that the schema mostly allows.
fn comparison(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let strings = (select(names), operators(), any::<String>())
        .prop_map(|(name, operator, text)| format!("{name} {operator} {}", json!(text)));
    let any_operand = select(&["true", "false", "null", "5", "-1.5e3", "\"True\"", "\"x\""][..]);
    let odd = (select(names), operators(), any_operand)
        .prop_map(|(name, operator, operand)| format!("{name} {operator} {operand}"));
    let present = (select(names), select(&["pr", "PR"][..]))
        .prop_map(|(name, operator)| format!("{name} {operator}"));
    prop_oneof![4 => strings, 1 => odd, 2 => present]
}

fn nested(leaf: BoxedStrategy<String>) -> BoxedStrategy<String> {
    leaf.prop_recursive(4, 16, 3, |inner| {
        let word = select(&[" and ", " or ", " AND ", "  Or "][..]);
        prop_oneof![
            (prop::collection::vec(inner.clone(), 2..4), word)
                .prop_map(|(terms, word)| terms.join(word)),
            inner.clone().prop_map(|term| format!("({term})")),
            inner.prop_map(|term| format!("not ({term})")),
        ]
    })
    .boxed()
}

/// Filters of RFC 7644 figure 1 about users.
fn grammatical() -> BoxedStrategy<String> {
    let plain = comparison(&[
        "userName",
        "TITLE",
        "name.familyName",
        "emails",
        "emails.type",
        "manager",
        "manager.displayName",
        "profileUrl",
        "externalId",
        "schemas",
        "active",
        "x509Certificates",
        "shoeSize",
        "password",
        "urn:ietf:params:scim:schemas:core:2.0:User:nickName",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:manager.value",
    ]);
    let time = (
        select(&["meta.created", "meta.lastModified"][..]),
        operators(),
    )
        .prop_map(|(name, operator)| format!("{name} {operator} \"{INSTANT}\""));
    let flag = (select(&["active", "emails.primary"][..]), any::<bool>())
        .prop_map(|(name, value)| format!("{name} eq {value}"));
    let inside = nested(comparison(&["value", "TYPE", "display", "primary", "shoe"]).boxed());
    let of = select(&["emails", "addresses", "name", "title", "shoes"][..]);
    let value_path = (of, inside).prop_map(|(name, filter)| format!("{name}[{filter}]"));
    nested(prop_oneof![6 => plain, 1 => time, 1 => flag, 2 => value_path].boxed())
}

/// A letter that is lost, added or changed, at some thousandth of the text.
#[derive(Debug, Clone)]
enum Change {
    Lose(usize),
    Add(usize, char),
    Swap(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = 0..1000usize;
    let letters: Vec<char> = " \t()[]\"\\.:$_-aRtN0".chars().collect();
    let change = prop_oneof![
        place.clone().prop_map(Change::Lose),
        (place.clone(), select(letters)).prop_map(|(place, letter)| Change::Add(place, letter)),
        place.prop_map(Change::Swap),
    ];
    prop::collection::vec(change, 1..4)
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for change in changes {
        let length = letters.len();
        match *change {
            Change::Add(place, letter) => letters.insert(place * length / 1000, letter),
            _ if length == 0 => {}
            Change::Lose(place) => drop(letters.remove(place * length / 1000)),
            Change::Swap(place) => {
                let letter = &mut letters[place * length / 1000];
                *letter = match letter.is_ascii_uppercase() {
                    true => letter.to_ascii_lowercase(),
                    false => letter.to_ascii_uppercase(),
                };
            }
        }
    }
    letters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_a_public_parser_accepts_we_read_alike(text in grammatical()) {
        prop_assert!(text.parse::<public::Filter>().is_ok(), "it is of the grammar");
        prop_assert_eq!(difference(&text), None, "{}", text);
    }

    #[test]
    fn what_only_we_accept_has_a_listed_form(text in grammatical(), changes in changes()) {
        let text = changed(&text, &changes);
        prop_assert_eq!(difference(&text), None, "{}", text);
    }
}

/// The rows of the table below a heading: the cells between back-quotes.
fn examples(heading: &str) -> Vec<Vec<String>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(tests.parent().unwrap().join("docs/filters.md")).unwrap();
    let (_, table) = page.split_once(&format!("## {heading}\n")).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    rows.skip(1)
        .map(|row| {
            let cells = row.trim_matches('|').split(" | ").skip(1);
            cells
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn every_listed_form_is_read_as_the_page_says() {
    let listed = examples("Accepted beyond the grammar");
    assert!(listed.len() > 5);
    for row in listed {
        let [text, expected] = row.as_slice() else {
            panic!("an example and its reading: {row:?}")
        };
        let filter = Filter::parse(text, user()).unwrap();
        assert_eq!(filter.to_string(), *expected, "{text}");
        assert_eq!(difference(text), None, "{text}");
    }
}

#[test]
fn every_known_difference_is_one() {
    let listed = examples("Known differences");
    assert!(!listed.is_empty());
    for row in listed {
        let other = row[0].parse::<public::Filter>().is_ok();
        let own = Filter::parse(&row[0], user()).is_ok();
        assert_ne!(own, other, "{row:?}");
        assert_eq!(difference(&row[0]), None, "{row:?}");
    }
}
