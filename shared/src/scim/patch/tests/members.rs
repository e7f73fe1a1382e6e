//! Members, and references to resources in general.

use serde_json::json;

use super::*;

#[test]
fn members_are_known_by_value_alone_and_never_edited() {
    insta::assert_snapshot!(table(&group(), &[
        json!({"op": "add", "path": "members", "value": [{"value": M1, "display": "x"}, {"value": M2, "$ref": null}]}),
        json!({"op": "add", "path": "members", "value": {"value": M1, "type": "Group"}}),
        json!({"op": "Remove", "path": "members", "value": [{"value": M1, "type": "Group"}]}),
        json!({"op": "remove", "path": "members", "value": M1}),
        json!({"op": "remove", "path": "members", "value": {"$ref": format!("https://x/Users/{M1}")}}),
        json!({"op": "remove", "path": "members", "value": {"value": ""}}),
        json!({"op": "remove", "path": "members", "value": {"value": M2}}),
        json!({"op": "remove", "path": format!("members[value eq \"{M1}\"]")}),
        json!({"op": "remove", "path": format!("members[value eq \"{M1}\" and type eq \"Group\"]")}),
        json!({"op": "remove", "path": format!("members[value eq \"{M2}\" or value eq \"{M1}\"]")}),
        json!({"op": "replace", "path": format!("members[value eq \"{M1}\"].display"), "value": "x"}),
        json!({"op": "replace", "path": format!("members[value eq \"{M1}\"].value"), "value": M1}),
        json!({"op": "replace", "path": format!("members[value eq \"{M1}\"].value"), "value": M2}),
        json!({"op": "replace", "path": format!("members[value eq \"{M1}\"]"), "value": {"value": M2}}),
        json!({"op": "remove", "path": format!("members[value eq \"{M1}\"].value")}),
        json!({"op": "replace", "path": "members", "value": [{"value": M2}]}),
        json!({"op": "replace", "path": "members", "value": [{"value": M2}, {"value": M1}]}),
        json!({"op": "replace", "path": "members", "value": [{"value": M1}]}),
        json!({"op": "remove", "path": "members"}),
    ]), @r#"
    add members [{"value":"11111111-1111-4111-8111-111111111111","display":"x"},{"value":"22222222-2222-4222-8222-222222222222","$ref":null}]
      {"members":[{"value":"11111111-1111-4111-8111-111111111111","type":"User"},{"value":"22222222-2222-4222-8222-222222222222"}]}
    add members {"value":"11111111-1111-4111-8111-111111111111","type":"Group"}
      unchanged
    Remove members [{"value":"11111111-1111-4111-8111-111111111111","type":"Group"}]
      {"members":null}
    remove members "11111111-1111-4111-8111-111111111111"
      {"members":null}
    remove members {"$ref":"https://x/Users/11111111-1111-4111-8111-111111111111"}
      {"members":null}
    remove members {"value":""}
      unchanged
    remove members {"value":"22222222-2222-4222-8222-222222222222"}
      unchanged
    remove members[value eq "11111111-1111-4111-8111-111111111111"]
      {"members":null}
    remove members[value eq "11111111-1111-4111-8111-111111111111" and type eq "Group"]
      unchanged
    remove members[value eq "22222222-2222-4222-8222-222222222222" or value eq "11111111-1111-4111-8111-111111111111"]
      {"members":null}
    replace members[value eq "11111111-1111-4111-8111-111111111111"].display "x"
      unchanged
    replace members[value eq "11111111-1111-4111-8111-111111111111"].value "11111111-1111-4111-8111-111111111111"
      unchanged
    replace members[value eq "11111111-1111-4111-8111-111111111111"].value "22222222-2222-4222-8222-222222222222"
      400 mutability: Operations[0]: `value` cannot be changed once it is set
    replace members[value eq "11111111-1111-4111-8111-111111111111"] {"value":"22222222-2222-4222-8222-222222222222"}
      400 mutability: Operations[0]: `value` cannot be changed once it is set
    remove members[value eq "11111111-1111-4111-8111-111111111111"].value
      400 mutability: Operations[0]: `value` cannot be changed once it is set
    replace members [{"value":"22222222-2222-4222-8222-222222222222"}]
      {"members":[{"value":"22222222-2222-4222-8222-222222222222"}]}
    replace members [{"value":"22222222-2222-4222-8222-222222222222"},{"value":"11111111-1111-4111-8111-111111111111"}]
      {"members":[{"value":"11111111-1111-4111-8111-111111111111","type":"User"},{"value":"22222222-2222-4222-8222-222222222222"}]}
    replace members [{"value":"11111111-1111-4111-8111-111111111111"}]
      unchanged
    remove members
      {"members":null}
    "#);
}

/// No schema of ours has such members yet.
#[test]
fn members_whose_value_ignores_letter_case_are_known_by_it_alone() {
    let group = catalogue().by_name("Group").unwrap();
    let mut members = group.attribute("members").unwrap().clone();
    for sub in &mut members.sub_attributes {
        sub.case_exact = false;
    }
    let (upper, lower) = (json!({"value": "A", "type": "User"}), json!({"value": "a"}));
    let same = |left: &Value, right: &Value| {
        element::identity(&members, left) == element::identity(&members, right)
    };
    assert!(same(&upper, &lower));
    assert!(!same(&upper, &json!({"value": "b", "type": "User"})));
}

#[test]
fn a_member_has_no_type_that_a_resource_cannot_have() {
    let second = format!("members[value eq \"{M2}\"].type");
    insta::assert_snapshot!(table(&group(), &[
        json!({"op": "add", "path": second, "value": "Robot"}),
        json!({"op": "add", "path": second, "value": "group"}),
        json!({"op": "add", "path": format!("members[value eq \"{M2}\"]"), "value": {"type": "Robot"}}),
        json!({"op": "add", "path": format!("members[type eq \"Robot\"].value"), "value": M2}),
        json!({"op": "add", "path": format!("members[$ref eq \"x\"].value"), "value": M2}),
    ]), @r#"
    add members[value eq "22222222-2222-4222-8222-222222222222"].type "Robot"
      400 invalidValue: Operations[0]: `members.type`: expected `User` or `Group` or `Device`
    add members[value eq "22222222-2222-4222-8222-222222222222"].type "group"
      {"members":[{"value":"11111111-1111-4111-8111-111111111111","type":"User"},{"value":"22222222-2222-4222-8222-222222222222","type":"Group"}]}
    add members[value eq "22222222-2222-4222-8222-222222222222"] {"type":"Robot"}
      400 invalidValue: Operations[0]: `members.type`: expected `User` or `Group` or `Device`
    add members[type eq "Robot"].value "22222222-2222-4222-8222-222222222222"
      400 invalidValue: Operations[0]: `members.type`: expected `User` or `Group` or `Device`
    add members[$ref eq "x"].value "22222222-2222-4222-8222-222222222222"
      {"members":[{"value":"11111111-1111-4111-8111-111111111111","type":"User"},{"value":"22222222-2222-4222-8222-222222222222"}]}
    "#);
}

#[test]
fn only_the_members_that_are_named_are_needed() {
    let need = |operations: Value| match parse("Group", &operations).unwrap().members() {
        MemberNeed::None => "none".to_owned(),
        MemberNeed::Named(ids) => ids.into_iter().collect::<Vec<_>>().join(" "),
        MemberNeed::All => "all".to_owned(),
    };
    for (operation, expected) in [
        (
            json!({"op": "replace", "path": "displayName", "value": "x"}),
            "none",
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": "b"}, {"value": "a"}]}),
            "a b",
        ),
        (
            json!({"op": "add", "value": {"members": {"value": "a"}}}),
            "a",
        ),
        (
            json!({"op": "remove", "path": "members", "value": [{"value": "a"}]}),
            "a",
        ),
        (
            json!({"op": "remove", "path": "members", "value": [{"type": "User"}]}),
            "all",
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\"]"}),
            "a",
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]"}),
            "a b",
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\" and type eq \"User\"]"}),
            "a",
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\" or type eq \"User\"]"}),
            "all",
        ),
        (
            json!({"op": "add", "path": "members[value eq \"a\"].value", "value": "b"}),
            "a b",
        ),
        (
            json!({"op": "add", "path": "members[value eq \"a\"]", "value": {"type": "User", "value": "b"}}),
            "a b",
        ),
        (
            json!({"op": "add", "path": "members[value eq \"a\"].type", "value": "User"}),
            "a",
        ),
        (
            json!({"op": "add", "path": "members[value eq \"a\"]", "value": {"type": "User"}}),
            "a",
        ),
        (
            json!({"op": "remove", "path": "members[type eq \"User\"]"}),
            "all",
        ),
        (
            json!({"op": "remove", "path": "members[value ne \"a\"]"}),
            "all",
        ),
        (
            json!({"op": "remove", "path": "members[not (value eq \"a\")]"}),
            "all",
        ),
        (json!({"op": "remove", "path": "members"}), "all"),
        (
            json!({"op": "replace", "path": "members", "value": [{"value": "a"}]}),
            "all",
        ),
        (json!({"op": "replace", "value": {"members": []}}), "all"),
    ] {
        assert_eq!(need(json!([operation])), expected, "{operation}");
    }
}

#[test]
fn references_are_visited_in_every_form_and_free_text_is_not() {
    let visited = |name: &str, operations: Value| {
        let mut patch = parse(name, &operations).unwrap();
        let mut seen = Vec::new();
        patch
            .visit_references(&mut |text| {
                seen.push(text.clone());
                "resolved".clone_into(text);
                Ok(())
            })
            .unwrap();
        (seen.join(" "), patch)
    };
    for operation in [
        json!({"op": "add", "path": "members", "value": [{"value": "bulkId:1"}]}),
        json!({"op": "add", "path": "members", "value": {"value": "bulkId:1"}}),
        json!({"op": "add", "value": {"members": [{"value": "bulkId:1"}]}}),
        json!({"op": "remove", "path": "members", "value": [{"value": "bulkId:1"}]}),
        json!({"op": "remove", "path": "members[value eq \"bulkId:1\"]"}),
    ] {
        let (seen, patch) = visited("Group", json!([operation]));
        assert_eq!(seen, "bulkId:1", "{operation}");
        let named = MemberNeed::Named(BTreeSet::from(["resolved".to_owned()]));
        assert_eq!(patch.members(), named, "{operation}");
    }
    for (operation, expected) in [
        (
            json!({"op": "add", "path": "manager", "value": {"value": "bulkId:1"}}),
            "bulkId:1",
        ),
        (
            json!({"op": "add", "path": "manager", "value": "bulkId:1"}),
            "bulkId:1",
        ),
        (
            json!({"op": "add", "path": "manager.value", "value": "bulkId:1"}),
            "bulkId:1",
        ),
        (
            json!({"op": "add", "value": {ENTERPRISE: {"manager": "bulkId:1"}}}),
            "bulkId:1",
        ),
        (
            json!({"op": "add", "path": "displayName", "value": "bulkId:1"}),
            "",
        ),
        (
            json!({"op": "add", "path": "emails[value eq \"bulkId:1\"].type", "value": "work"}),
            "",
        ),
    ] {
        assert_eq!(
            visited("User", json!([operation])).0,
            expected,
            "{operation}"
        );
    }
}

#[test]
fn a_list_of_many_members_is_added_and_removed_as_a_set() {
    let member = |n: usize| json!({"value": format!("m{n}"), "type": "User"});
    let before =
        json!({"displayName": "g", "members": (0..10_000).map(member).collect::<Vec<_>>()});
    let both: Vec<Value> = (0..20_000).map(member).collect();
    let gone: Vec<Value> = (0..20_000).filter(|n| n % 2 == 0).map(member).collect();
    let operations = json!([
        {"op": "add", "path": "members", "value": both},
        {"op": "remove", "path": "members", "value": gone},
    ]);
    let after = apply(&before, &operations, Dialect::default()).unwrap();
    assert_eq!(after["members"].as_array().unwrap().len(), 10_000);
    assert_eq!(after["members"][0]["value"], "m1");
}
