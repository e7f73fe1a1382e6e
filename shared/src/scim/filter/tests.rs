use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::schema::{Mutability, Returned, Schema, catalogue};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn user() -> &'static ResourceType {
    catalogue().by_name("User").unwrap()
}

fn parse(text: &str) -> Result<Filter, ScimError> {
    Filter::parse(text, user())
}

fn rendered(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |filter| filter.to_string())
}

fn bjensen() -> Attributes {
    let resource = json!({
        "schemas": [CORE, ENTERPRISE],
        "id": "2819c223",
        "externalId": "A-1",
        "userName": "bjensen",
        "name": {"familyName": "Jensen", "givenName": "Barbara"},
        "nickName": "",
        "active": true,
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"},
        ],
        "x509Certificates": [{"value": "TUlJ"}],
        "meta": {"resourceType": "User", "lastModified": "2011-05-13T04:42:34.500Z"},
        ENTERPRISE: {"employeeNumber": "701984", "manager": {"value": "26118915"}},
    });
    resource.as_object().unwrap().clone()
}

fn check(cases: &[(&str, bool)]) {
    let resource = bjensen();
    for (text, expected) in cases {
        let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.matches(&resource), *expected, "{text}");
    }
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    insta::assert_snapshot!(
        rendered("title pr and not(active eq true) or id pr AND nickName pr"),
        @"(title pr and not (active eq true)) or (id pr and nickName pr)"
    );
    insta::assert_snapshot!(
        rendered("title pr and (active eq TRUE or (id pr and (nickName pr)))"),
        @"title pr and (active eq true or (id pr and nickName pr))"
    );
}

#[test]
fn what_the_grammar_lacks_is_rewritten() {
    insta::assert_snapshot!(rendered(r#"emails co "x""#), @r#"emails.value co "x""#);
    insta::assert_snapshot!(
        rendered(r#"emails[type eq "work" or type eq "home"].value eq "x""#),
        @r#"emails[(type eq "work" or type eq "home") and value eq "x"]"#
    );
    insta::assert_snapshot!(rendered(r#"emails[type eq "work"].value pr and id pr"#), @r#"emails[type eq "work" and value pr] and id pr"#);
    insta::assert_snapshot!(rendered(r#"manager eq "26118915""#), @r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26118915""#);
    insta::assert_snapshot!(rendered(r#"emails[primary eq "True"]"#), @"emails[primary eq true]");
}

#[test]
fn errors_point_at_the_character() {
    let report: Vec<String> = [
        "",
        "  ",
        "userName",
        "userName eq jensen",
        "userName eq \"a\" nd id pr",
        "userName eq \"a",
        r#"userName eq "\ud800""#,
        "(userName pr",
        "userName pr)",
        "ünknown pr or id pr",
        "title pr or ünknown pr",
        "emails[type eq \"work\"",
        "emails[type eq \"work\"].",
        "emails[emails[type pr]]",
        "userName[value eq \"x\"]",
        "name eq \"x\"",
        "active gt true",
        "active co \"t\"",
        "active eq \"perhaps\"",
        "active eq 5",
        "title (id pr)",
        "not id pr",
        "userName gt 5",
        "userName gt null",
        "x509Certificates.value gt \"A\"",
        "meta.lastModified gt \"yesterday\"",
        "meta.lastModified co \"2011\"",
        "password eq \"x\"",
        "password pr",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User eq \"x\"",
    ]
    .map(rendered)
    .into();
    insta::assert_snapshot!(report.join("\n"), @r#"
    400 invalidFilter: the filter is empty
    400 invalidFilter: the filter is empty
    400 invalidFilter: expected `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt`, `le` or `pr`, found the end at character 9
    400 invalidFilter: expected a quoted string, a number, `true`, `false` or `null`, found `jensen` at character 13
    400 invalidFilter: expected `and`, `or` or the end, found `nd` at character 17
    400 invalidFilter: the string is not closed that begins at character 13
    400 invalidFilter: not a JSON string at character 13
    400 invalidFilter: expected `)`, found the end at character 13
    400 invalidFilter: expected `and`, `or` or the end, found `)` at character 12
    400 invalidFilter: `ünknown` is no attribute name at character 1
    400 invalidFilter: `ünknown` is no attribute name at character 13
    400 invalidFilter: expected `]`, found the end at character 22
    400 invalidFilter: `` is no attribute name at character 23
    400 invalidFilter: `emails` has no sub-attribute `emails` at character 8
    400 invalidFilter: `userName` has no sub-attributes to filter by at character 9
    400 invalidFilter: `name` is complex and has no `value` to compare at character 6
    400 invalidFilter: `gt` cannot be applied to `active` at character 8
    400 invalidFilter: `co` cannot be applied to `active` at character 8
    400 invalidFilter: `active` is compared with `true` or `false`, not with what begins at character 11
    400 invalidFilter: `active` is compared with `true` or `false`, not with what begins at character 11
    400 invalidFilter: expected `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt`, `le` or `pr`, found `(` at character 7
    400 invalidFilter: User has no attribute `not` at character 1
    400 invalidFilter: `userName` is compared with a quoted string, not with what begins at character 13
    400 invalidFilter: `gt` cannot be applied to `userName` at character 10
    400 invalidFilter: `gt` cannot be applied to `x509Certificates.value` at character 24
    400 invalidFilter: `meta.lastModified` is compared with an instant such as "2011-05-13T04:42:34Z", not with what begins at character 22
    400 invalidFilter: `co` cannot be applied to `meta.lastModified` at character 19
    400 invalidFilter: `password` can be no part of a filter at character 1
    400 invalidFilter: `password` can be no part of a filter at character 1
    400 invalidFilter: expected `pr` after a schema, found `eq` at character 60
    "#);
}

#[test]
fn strings_compare_by_case_exact() {
    check(&[
        (r#"userName eq "BJENSEN""#, true),
        (r#"userName sw "BJ""#, true),
        (r#"userName ew "SEN""#, true),
        (r#"userName co " ""#, false),
        (r#"externalId eq "a-1""#, false),
        (r#"externalId eq "A-1""#, true),
        (r#"name.familyName gt "jensem""#, true),
        (r#"name.familyName le "JENSEN""#, true),
        (r#"name.familyName eq "\u004aensen""#, true),
        (r#"name.familyName eq "😀""#, false),
    ]);
}

#[test]
fn a_value_path_binds_its_terms_to_one_element() {
    check(&[
        (r#"emails[type eq "work" and value co "jensen.org"]"#, false),
        (
            r#"emails.type eq "work" and emails.value co "jensen.org""#,
            true,
        ),
        (r#"emails[type eq "home"].value ew ".org""#, true),
        (r#"emails[type eq "home"].value ew ".com""#, false),
        (r#"emails[not (type eq "work") and primary eq false]"#, true),
        (r#"name[givenName eq "barbara"]"#, true),
    ]);
}

#[test]
fn ne_means_that_no_value_equals() {
    check(&[
        (r#"emails.type ne "work""#, false),
        (r#"emails.type ne "other""#, true),
        (r#"title ne "x""#, true),
        (r#"emails[type ne "work"]"#, true),
    ]);
}

#[test]
fn presence_null_and_emptiness_are_one_matter() {
    check(&[
        ("nickName pr", false),
        ("nickName eq null", true),
        ("nickName ne NULL", false),
        ("name pr", true),
        ("addresses pr", false),
        ("emails pr", true),
        ("emails.display pr", false),
        (&format!("{ENTERPRISE} pr"), true),
        (&format!("not ({ENTERPRISE} pr)"), false),
    ]);
}

#[test]
fn instants_compare_by_time_and_not_by_text() {
    check(&[
        (
            r#"meta.lastModified eq "2011-05-13T06:42:34.5+02:00""#,
            true,
        ),
        (
            r#"meta.lastModified ge "2011-05-12T23:42:34.500-05:00""#,
            true,
        ),
        (r#"meta.lastModified gt "2011-05-13T04:42:34.500Z""#, false),
        (r#"meta.lastModified lt "2011-05-13T04:42:34.501""#, true),
    ]);
}

/// Whole numbers exactly, also those that a double cannot hold.
#[test]
fn numbers_compare_by_value() {
    const DPP: &str = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device";
    let device = catalogue().by_name("Device").unwrap();
    for (version, term, expected) in [
        (json!(2), "eq 2", true),
        (json!(2), "eq 2.0", true),
        (json!(2), "ne 2", false),
        (json!(2), "gt 1.5", true),
        (json!(2), "gt 2", false),
        (json!(2), "ge 2", true),
        (json!(2), "lt 2", false),
        (json!(2), "lt 10", true),
        (json!(2), "le -2", false),
        (
            json!(9_007_199_254_740_993_i64),
            "eq 9007199254740992",
            false,
        ),
        (
            json!(9_007_199_254_740_993_i64),
            "gt 9007199254740992",
            true,
        ),
        (json!(u64::MAX), "gt 18446744073709551614", true),
        (json!(u64::MAX), "gt -1", true),
        (json!("2"), "eq 2", false),
    ] {
        let text = format!("{DPP}:dppVersion {term}");
        let filter = Filter::parse(&text, device).unwrap();
        let stored = json!({DPP: {"dppVersion": version}});
        let matches = filter.matches(stored.as_object().unwrap());
        assert_eq!(matches, expected, "{version} {term}");
    }
    let text = format!("{DPP}:dppVersion eq \"2\"");
    insta::assert_snapshot!(Filter::parse(&text, device).unwrap_err(), @"400 invalidFilter: `urn:ietf:params:scim:schemas:extension:dpp:2.0:Device:dppVersion` is compared with a number, not with what begins at character 69");
}

/// Only of `primary` does RFC 7643 §2.4 say what a missing value means.
#[test]
fn booleans_compare_and_a_missing_one_is_neither() {
    check(&[
        ("active eq true", true),
        ("active eq false", false),
        ("active ne false", true),
        (r#"active eq "True""#, true),
        (r#"emails[value co "@" and primary eq true]"#, true),
        (r#"emails[type eq "home" and primary eq false]"#, true),
        (r#"emails[type eq "home" and primary eq true]"#, false),
        ("emails.primary eq false", true),
        (
            "urn:ietf:params:scim:schemas:extension:ibm:2.0:User:pwdReset eq false",
            false,
        ),
        (
            "urn:ietf:params:scim:schemas:extension:ibm:2.0:User:pwdReset ne false",
            true,
        ),
    ]);
    let filter = parse("active eq false").unwrap();
    assert!(!filter.matches(&Attributes::new()));
}

#[test]
fn names_are_found_with_urn_without_and_in_any_case() {
    check(&[
        (&format!(r#"{CORE}:USERNAME eq "bjensen""#), true),
        (&format!(r#"{ENTERPRISE}:employeeNumber eq "701984""#), true),
        (r#"manager eq "26118915""#, true),
        (r#"employeenumber sw "7019""#, true),
        (&format!(r#"schemas eq "{ENTERPRISE}""#), true),
        (r#"schemas eq "urn:other""#, false),
        (r#"ID eq "2819c223" AnD MANAGER.value EQ "26118915""#, true),
    ]);
}

#[test]
fn limits_hold_before_anything_recurses() {
    let deep = "(".repeat(2_000_000);
    assert!(parse(&deep).unwrap_err().detail().contains("2000000 bytes"));

    let nested = |depth: usize| format!("{}id pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    insta::assert_snapshot!(parse(&nested(MAX_DEPTH + 1)).unwrap_err(), @"400 invalidFilter: nested deeper than 50 at character 51");

    let long = |terms: usize| vec!["id pr"; terms].join(" or ");
    assert!(parse(&long(MAX_TERMS)).is_ok());
    insta::assert_snapshot!(parse(&long(MAX_TERMS + 1)).unwrap_err(), @"400 invalidFilter: more than 500 terms at character 4501");
}

/// What is closed again is not deep.
#[test]
fn many_groups_side_by_side_are_not_nested() {
    for one in ["(id pr)", "emails[type pr]", "emails[(type pr)].value pr"] {
        let many = vec![one; MAX_DEPTH + 1].join(" and ");
        assert!(parse(&many).is_ok(), "{one}");
    }
    let brackets = format!("{}emails[type pr]{}", "(".repeat(49), ")".repeat(49));
    assert!(parse(&brackets).is_ok());
    let deeper = format!("{}emails[(type pr)]{}", "(".repeat(49), ")".repeat(49));
    insta::assert_snapshot!(parse(&deeper).unwrap_err(), @"400 invalidFilter: nested deeper than 50 at character 57");
}

/// A schema may hide a part of an attribute, or all of a complex one.
#[test]
fn secrets_inside_complex_attributes_can_be_no_part_of_a_filter() {
    let emails = user().attribute("emails").unwrap();
    let mut partly = emails.clone();
    "partly".clone_into(&mut partly.name);
    for sub in &mut partly.sub_attributes {
        if sub.name == "value" {
            sub.returned = Returned::Never;
        }
    }
    let mut wholly = emails.clone();
    "wholly".clone_into(&mut wholly.name);
    wholly.mutability = Mutability::WriteOnly;
    let schema = Schema {
        attributes: vec![partly, wholly],
        ..user().schema.clone()
    };
    let holder: &'static ResourceType = Box::leak(Box::new(ResourceType {
        schema: Box::leak(Box::new(schema)),
        ..user().clone()
    }));
    let report = [
        "partly.type pr",
        "partly.value pr",
        "partly eq \"x\"",
        "partly[value eq \"x\"]",
        "wholly pr",
        "wholly.type pr",
        "wholly[type pr]",
    ]
    .map(|text| match Filter::parse(text, holder) {
        Ok(filter) => filter.to_string(),
        Err(error) => error.to_string(),
    });
    insta::assert_snapshot!(report.join("\n"), @"
    partly.type pr
    400 invalidFilter: `partly.value` can be no part of a filter at character 1
    400 invalidFilter: `partly` is complex and has no `value` to compare at character 8
    400 invalidFilter: `partly.value` can be no part of a filter at character 8
    400 invalidFilter: `wholly` can be no part of a filter at character 1
    400 invalidFilter: `wholly.type` can be no part of a filter at character 1
    400 invalidFilter: `wholly` can be no part of a filter at character 1
    ");
}

#[test]
fn a_filter_knows_its_attributes_and_conjuncts() {
    let filter = parse(r#"id eq "1" and (manager eq "2" and not (groups[value eq "3"]))"#).unwrap();
    assert!(filter.mentions("groups"));
    assert!(filter.mentions("ID"));
    assert!(!filter.mentions("manager"), "it belongs to an extension");
    assert!(!filter.mentions("members"));
    assert_eq!(filter.conjuncts().len(), 3);
    assert_eq!(parse("id pr or title pr").unwrap().conjuncts().len(), 1);
}

fn term(names: &'static [&'static str]) -> BoxedStrategy<String> {
    let operator = prop::sample::select(&["eq", "NE", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let name = prop::sample::select(names);
    let compared = (name.clone(), operator, any::<String>())
        .prop_map(|(name, operator, text)| format!("{name} {operator} {}", json!(text)));
    let other = name.prop_map(|name| format!("{name} pr"));
    let flag = any::<bool>().prop_map(|value| format!("active eq {value}"));
    if names.contains(&"userName") {
        prop_oneof![compared, other, flag].boxed()
    } else {
        prop_oneof![compared, other].boxed()
    }
}

fn nested(leaf: BoxedStrategy<String>) -> BoxedStrategy<String> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            many.clone()
                .prop_map(|terms| format!("({})", terms.join(" and "))),
            many.prop_map(|terms| format!("({})", terms.join(" or "))),
            inner.prop_map(|term| format!("not({term})")),
        ]
    })
    .boxed()
}

fn filters() -> BoxedStrategy<String> {
    let inside = nested(term(&["value", "type", "display"]));
    let value_path = inside.prop_map(|filter| format!("emails[{filter}]"));
    let plain = term(&["userName", "name.familyName", "emails", "title", "manager"]);
    nested(prop_oneof![plain, value_path].boxed())
}

proptest! {
    #[test]
    fn parsing_what_is_rendered_gives_the_same_filter(text in filters()) {
        let filter = parse(&text).unwrap();
        prop_assert_eq!(parse(&filter.to_string()).unwrap(), filter.clone(), "{}", filter);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>(), cut in 0usize..80) {
        let _ = parse(&text);
        let legal = r#"emails[type eq "wörk" and not (value co "\"x")].display pr or active eq true"#;
        let broken: String = legal.chars().take(cut).chain(text.chars()).collect();
        let _ = parse(&broken);
    }
}
