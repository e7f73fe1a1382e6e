use std::collections::BTreeSet;

use super::access::{Access, access};
use super::*;
use crate::provider::present::Members;
use crate::scim::ResourceId;
use crate::scim::filter::Filter;

fn way(name: &str, filter: &str) -> String {
    let resource_type = catalogue().by_name(name).unwrap();
    let filter = Filter::parse(filter, resource_type).unwrap();
    match access(resource_type, &filter) {
        None => "walk".to_owned(),
        Some(Access::Id(id)) => format!("id {}", id.is_some()),
        Some(Access::Lookup(lookup)) => format!("{} {}", lookup.attribute, lookup.value),
        Some(Access::Member(id)) => format!("member {}", id.is_some()),
    }
}

const ID: &str = "3f0c9a52-1d2e-4f3a-8b4c-5d6e7f809112";

#[test]
fn a_conjunct_that_must_hold_is_the_way_in() {
    for (name, filter, expected) in [
        ("User", "userName eq \"BJ\"", "userName bj"),
        (
            "User",
            "active eq true and externalId eq \"A\" and userName eq \"b\"",
            "userName b",
        ),
        (
            "User",
            "externalId eq \"A\" and title co \"x\"",
            "externalId A",
        ),
        ("User", "emails.value eq \"A@b\"", "emails.value a@b"),
        ("User", "emails eq \"A@b\"", "emails.value a@b"),
        (
            "User",
            "emails[type eq \"work\" and value eq \"A@b\"]",
            "emails.value a@b",
        ),
        (
            "User",
            "emails[type eq \"work\"].value eq \"A@b\"",
            "emails.value a@b",
        ),
        ("User", "id eq \"1\" and userName eq \"b\"", "id false"),
        ("Group", "displayName eq \"Sales\"", "displayName sales"),
        (
            "Group",
            "members.value eq \"3f0c9a52-1d2e-4f3a-8b4c-5d6e7f809112\"",
            "member true",
        ),
        ("Group", "members[value eq \"u\"]", "member false"),
        ("User", "userName eq \"a\" or userName eq \"b\"", "walk"),
        ("User", "not (userName eq \"a\")", "walk"),
        ("User", "userName sw \"a\"", "walk"),
        ("User", "userName ne \"a\"", "walk"),
        ("User", "displayName eq \"a\"", "walk"),
        ("User", "emails[type eq \"work\"]", "walk"),
    ] {
        assert_eq!(way(name, filter), expected, "{filter}");
    }
}

#[test]
fn asking_about_one_member_does_not_need_the_others() {
    let group = catalogue().by_name("Group").unwrap();
    for (filter, expected) in [
        ("displayName eq \"a\"".to_owned(), Members::No),
        (format!("members.value eq \"{ID}\""), named()),
        (format!("members eq \"{ID}\" and displayName pr"), named()),
        (format!("not (members[value eq \"{ID}\"])"), named()),
        (
            "members.value eq \"nobody\"".to_owned(),
            Members::Named(BTreeSet::new()),
        ),
        ("members pr".to_owned(), Members::All),
        (format!("members.value ne \"{ID}\""), Members::All),
        (
            format!("members[value eq \"{ID}\" and type eq \"User\"]"),
            Members::All,
        ),
        ("members.type eq \"User\"".to_owned(), Members::All),
    ] {
        let query = SearchRequest {
            filter: Some(filter.clone()),
            ..SearchRequest::default()
        };
        let needs = Criteria::read(group, false, &query).unwrap().needs();
        assert_eq!(needs.members, expected, "{filter}");
    }
}

fn named() -> Members {
    Members::Named(BTreeSet::from([ResourceId::parse(ID).unwrap()]))
}
