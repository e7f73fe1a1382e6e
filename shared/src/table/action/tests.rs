use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::scim::{ResourceType, Schema, Timestamp};
use crate::table::item::Header;
use crate::table::lookup::Lookup;

fn id(byte: u8) -> ResourceId {
    ResourceId::from_bytes([byte; 16])
}

fn user_type() -> &'static ResourceType {
    let schema = Box::leak(Box::new(Schema {
        id: "urn:user".into(),
        name: "User".into(),
        description: String::new(),
        attributes: Vec::new(),
    }));
    Box::leak(Box::new(ResourceType {
        name: "User".into(),
        endpoint: "/Users".into(),
        description: String::new(),
        schema,
        extensions: Vec::new(),
        lookups: Vec::new(),
    }))
}

fn stored() -> Stored {
    Stored {
        id: id(1),
        rev: 1,
        created: Timestamp(5),
        modified: Timestamp(5),
        attributes: json!({"userName": "bjensen"}).as_object().unwrap().clone(),
        groups: BTreeSet::new(),
        groups_rev: 0,
        header: None,
    }
}

fn resource(before: Option<Stored>, after: Option<Stored>) -> Change {
    Change::Resource {
        resource_type: user_type(),
        id: id(1),
        before: before.map(Arc::new),
        after: after.map(Arc::new),
        exact: false,
    }
}

fn lookup(unique: bool, before: Option<u8>, after: Option<u8>) -> Change {
    Change::Lookup {
        lookup: Lookup {
            resource_type: "User",
            attribute: "userName".into(),
            value: "bjensen".into(),
            unique,
        },
        owner: id(1),
        before: before.map(id),
        after: after.map(id),
    }
}

/// The change as a plan prints it, then kind, expressions and values of the
/// action; a placeholder that lacks its value stays visible.
fn show(change: &Change) -> String {
    let tenant = Tenant::parse("acme").unwrap();
    let action = action(change, &tenant, "table").unwrap();
    let (kind, update, condition, values, names) = if let Some(put) = action.put {
        let values = put.expression_attribute_values;
        (
            "Put",
            String::new(),
            put.condition_expression,
            values,
            put.expression_attribute_names,
        )
    } else if let Some(update) = action.update {
        assert!(update.key.keys().all(|name| name == "pk" || name == "sk"));
        let (condition, values) = (
            update.condition_expression,
            update.expression_attribute_values,
        );
        let text = update.update_expression;
        (
            "Update",
            text,
            condition,
            values,
            update.expression_attribute_names,
        )
    } else if let Some(delete) = action.delete {
        let values = delete.expression_attribute_values;
        let condition = delete.condition_expression;
        (
            "Delete",
            String::new(),
            condition,
            values,
            delete.expression_attribute_names,
        )
    } else {
        let check = action.condition_check.unwrap();
        let values = check.expression_attribute_values;
        let condition = Some(check.condition_expression);
        (
            "Check",
            String::new(),
            condition,
            values,
            check.expression_attribute_names,
        )
    };
    let mut text = format!("{change}: {kind}");
    if !update.is_empty() {
        text = format!("{text} {update}");
    }
    if let Some(condition) = condition {
        text = format!("{text} if {condition}");
    }
    let mut values: Vec<_> = values.unwrap_or_default().into_iter().collect();
    values.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.len()));
    for (placeholder, value) in values {
        assert!(
            text.contains(&placeholder),
            "{placeholder} is not used: {text}"
        );
        let value = match value {
            AttributeValue::N(digits) => digits,
            AttributeValue::S(text) => format!("'{text}'"),
            AttributeValue::Bs(blobs) => format!("{{{} ids}}", blobs.len()),
            other => format!("{other:?}"),
        };
        text = text.replace(&placeholder, &value);
    }
    let mut names: Vec<_> = names.unwrap_or_default().into_iter().collect();
    names.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.len()));
    for (placeholder, name) in names {
        assert!(
            text.contains(&placeholder),
            "{placeholder} is not used: {text}"
        );
        text = text.replace(&placeholder, &name);
    }
    assert!(
        !text.contains([':', '#']) || text.matches(':').count() < 12,
        "{text}"
    );
    text
}

#[test]
fn a_created_resource_sets_everything_and_must_not_exist() {
    let group = Stored {
        groups: BTreeSet::from([id(2)]),
        groups_rev: 1,
        header: Some(Header {
            next: 1,
            ..Header::default()
        }),
        ..stored()
    };
    insta::assert_snapshot!(show(&resource(None, Some(group))), @r#"create User 01010101: Update SET rev = 1, created = 5, modified = 5, doc = '{"userName":"bjensen"}', in = {1 ids}, mrev = 1, next = 1 if attribute_not_exists(pk)"#);
}

#[test]
fn a_changed_resource_sends_only_what_differs() {
    let header = |next, open: &[u64]| {
        Some(Header {
            next,
            open: open.iter().copied().collect(),
            members: open.iter().map(|number| id(*number as u8)).collect(),
        })
    };
    let before = Stored {
        header: header(1, &[1]),
        ..stored()
    };
    let after = Stored {
        rev: 2,
        modified: Timestamp(9),
        header: header(2, &[]),
        ..stored()
    };
    insta::assert_snapshot!(show(&resource(Some(before), Some(after))), @"change User 01010101: Update SET rev = 2, modified = 9, next = 2 REMOVE open, digest if rev = 1");
    let renamed = Stored {
        rev: 2,
        attributes: json!({"a": 1}).as_object().unwrap().clone(),
        ..stored()
    };
    insta::assert_snapshot!(show(&resource(Some(stored()), Some(renamed))), @r#"change User 01010101: Update SET rev = 2, doc = '{"a":1}' if rev = 1"#);
}

#[test]
fn joining_and_leaving_are_relative_unless_both_happen_at_once() {
    let within = |groups: &[u8], groups_rev| Stored {
        groups: groups.iter().copied().map(id).collect(),
        groups_rev,
        ..stored()
    };
    let joins = resource(Some(within(&[2], 4)), Some(within(&[2, 3, 4], 6)));
    insta::assert_snapshot!(show(&joins), @"join User 01010101 +03030303 +04040404: Update ADD in {2 ids}, mrev 2 if attribute_exists(pk)");
    let leaves = resource(Some(within(&[2, 3], 4)), Some(within(&[3], 5)));
    insta::assert_snapshot!(show(&leaves), @"join User 01010101 -02020202: Update ADD mrev 1 DELETE in {1 ids} if attribute_exists(pk)");
    let both = resource(Some(within(&[2], 4)), Some(within(&[3], 6)));
    insta::assert_snapshot!(show(&both), @"join User 01010101 +03030303 -02020202: Update SET in = {1 ids}, mrev = 6 if attribute_exists(pk) AND mrev = 4");
}

/// As where a password was made a hash in what is written, and not in what was
/// read.
#[test]
fn who_joins_writes_no_document_even_if_it_differs() {
    let joined = Stored {
        groups: [id(2)].into(),
        groups_rev: 1,
        ..stored()
    };
    let mut sealed = joined.clone();
    let hash = serde_json::json!({"phc": "$argon2id$"});
    sealed.attributes.insert("password".into(), hash);
    let change = |after: Stored| show(&resource(Some(stored()), Some(after)));
    assert_eq!(change(sealed), change(joined));
}

#[test]
fn a_set_of_groups_that_moves_more_often_than_it_shows_must_be_as_it_was_read() {
    let within = |groups: &[u8], groups_rev| Stored {
        groups: groups.iter().copied().map(id).collect(),
        groups_rev,
        ..stored()
    };
    let changes = [
        ("joined and left again", within(&[], 0), within(&[], 2)),
        (
            "joined what the set names already",
            within(&[2], 4),
            within(&[2], 5),
        ),
        ("and another besides", within(&[2], 4), within(&[2, 3], 6)),
        (
            "left, and left what the set does not name",
            within(&[2], 4),
            within(&[], 6),
        ),
    ];
    let text = changes.map(|(case, before, after)| {
        format!("{case}: {}", show(&resource(Some(before), Some(after))))
    });
    insta::assert_snapshot!(text.join("\n"), @"
    joined and left again: join User 01010101: Update SET mrev = 2 REMOVE in if attribute_exists(pk) AND attribute_not_exists(mrev)
    joined what the set names already: join User 01010101: Update SET in = {1 ids}, mrev = 5 if attribute_exists(pk) AND mrev = 4
    and another besides: join User 01010101 +03030303: Update SET in = {2 ids}, mrev = 6 if attribute_exists(pk) AND mrev = 4
    left, and left what the set does not name: join User 01010101 -02020202: Update SET mrev = 6 REMOVE in if attribute_exists(pk) AND mrev = 4
    ");
}

/// Folded with a check, whichever comes first.
#[test]
fn what_joins_and_is_rested_on_must_be_at_its_revision() {
    let joined = Stored {
        groups: [id(2)].into(),
        groups_rev: 1,
        ..stored()
    };
    let check = |stored: Stored| Change::Resource {
        resource_type: user_type(),
        id: id(1),
        before: Some(Arc::new(stored.clone())),
        after: Some(Arc::new(stored)),
        exact: true,
    };
    let join = || resource(Some(stored()), Some(joined.clone()));
    let (mut first, mut last) = (check(stored()), join());
    first.then(join());
    last.then(check(joined.clone()));
    insta::assert_snapshot!([show(&first), show(&last)].join("\n"), @"
    join User 01010101 +02020202: Update ADD in {1 ids}, mrev 1 if rev = 1
    join User 01010101 +02020202: Update ADD in {1 ids}, mrev 1 if rev = 1
    ");
}

#[test]
fn a_deleted_resource_must_be_in_the_groups_that_were_read() {
    insta::assert_snapshot!(show(&resource(Some(stored()), None)), @"delete User 01010101: Delete if rev = 1 AND attribute_not_exists(mrev)");
    let joined = Stored {
        groups_rev: 3,
        ..stored()
    };
    insta::assert_snapshot!(show(&resource(Some(joined), None)), @"delete User 01010101: Delete if rev = 1 AND mrev = 3");
}

#[test]
fn what_does_not_change_is_only_checked() {
    let checks = [
        resource(Some(stored()), Some(stored())),
        resource(None, None),
        lookup(true, Some(1), Some(1)),
        lookup(true, None, None),
    ];
    let text: Vec<String> = checks.iter().map(show).collect();
    insta::assert_snapshot!(text.join("\n"), @"
    check User 01010101: Check if rev = 1
    check no User 01010101: Check if attribute_not_exists(pk)
    lookup userName held: Check if owner = '01010101-0101-0101-0101-010101010101'
    lookup userName free: Check if attribute_not_exists(pk)
    ");
}

#[test]
fn a_reservation_is_conditional_and_another_lookup_is_not() {
    let changes = [
        lookup(true, None, Some(1)),
        lookup(true, Some(2), Some(1)),
        lookup(true, Some(1), None),
        lookup(false, None, Some(1)),
        lookup(false, Some(1), None),
    ];
    let text: Vec<String> = changes.iter().map(show).collect();
    insta::assert_snapshot!(text.join("\n"), @"
    lookup userName +: Put if attribute_not_exists(pk)
    lookup userName moved: Put if owner = '02020202-0202-0202-0202-020202020202'
    lookup userName -: Delete if owner = '01010101-0101-0101-0101-010101010101'
    lookup userName +: Put
    lookup userName -: Delete
    ");
}

#[test]
fn a_membership_is_written_whole_if_it_is_as_it_was_read() {
    let begun = Membership::begin(None, id(1), "User", 4, Timestamp(0));
    let ended = begun.end(6, Timestamp(0));
    let again = Membership::begin(Some(&ended), id(1), "User", 7, Timestamp(0));
    let change = |before: Option<&Membership>, after: Option<&Membership>| Change::Membership {
        group: id(2),
        member: id(1),
        before: before.cloned(),
        after: after.cloned(),
    };
    let text = [
        show(&change(None, Some(&begun))),
        show(&change(Some(&begun), Some(&ended))),
        show(&change(Some(&ended), Some(&again))),
        show(&change(Some(&ended), None)),
        show(&change(Some(&begun), Some(&begun))),
        show(&change(Some(&ended), Some(&ended))),
        show(&change(None, None)),
    ];
    insta::assert_snapshot!(text.join("\n"), @r#"
    member 02020202 +01010101: Update SET type = 'User', since = 4 REMOVE until, expires, past if attribute_not_exists(pk)
    member 02020202 -01010101: Update SET type = 'User', since = 4, until = 6, expires = 7200 REMOVE past if since = 4 AND attribute_not_exists(until)
    member 02020202 +01010101: Update SET type = 'User', since = 7, past = L([L([N("4"), N("6"), N("7200")])]) REMOVE until, expires if since = 4 AND until = 6
    member 02020202 -01010101: Delete if since = 4 AND until = 6
    check 02020202 +01010101: Check if since = 4 AND attribute_not_exists(until)
    check 02020202 -01010101: Check if since = 4 AND until = 6
    check 02020202 -01010101: Check if attribute_not_exists(pk)
    "#);
}

#[test]
fn a_counter_moves_without_condition() {
    let change = |by| Change::Counter {
        resource_type: user_type(),
        slot: 3,
        by,
    };
    insta::assert_snapshot!([show(&change(12)), show(&change(-1))].join("\n"), @"
    count User +12: Update ADD n 12
    count User -1: Update ADD n -1
    ");
}

#[test]
fn a_printed_change_shows_nothing_that_a_client_wrote() {
    let changes = [
        resource(None, Some(stored())),
        lookup(true, None, Some(1)),
        lookup(false, Some(1), None),
    ];
    for change in changes {
        assert!(!change.to_string().contains("bjensen"), "{change}");
    }
}

#[test]
fn a_write_costs_two_units_for_each_begun_kilobyte_of_the_larger_image() {
    let tenant = Tenant::parse("acme").unwrap();
    let large = |bytes: usize| {
        let attributes = json!({"a": "x".repeat(bytes)}).as_object().unwrap().clone();
        Stored {
            rev: 2,
            attributes,
            ..stored()
        }
    };
    for (change, units) in [
        (resource(None, Some(stored())), 2),
        (resource(None, Some(large(1100))), 4),
        (resource(Some(large(2900)), Some(stored())), 6),
        (resource(Some(large(2900)), None), 6),
        (lookup(true, None, Some(1)), 2),
        (lookup(true, Some(1), None), 2),
        (resource(None, None), 2),
    ] {
        assert_eq!(change.write_units(&tenant), units, "{change}");
    }
}
