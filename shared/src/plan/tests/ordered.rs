//! What keeps its place, and what is read before anything can be decided.

use super::*;

fn order_of(operations: &[Value], atomicity: Atomicity) -> Vec<Vec<usize>> {
    let units = order(&entries(operations), atomicity);
    units.into_iter().map(|unit| unit.operations).collect()
}

#[test]
fn changes_of_one_resource_keep_their_order_when_the_first_has_to_wait() {
    let group_50 = format!("/Groups/{}", id(50));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]}]);
    let operations = [
        patch(&group_50, add),
        json!({"method": "DELETE", "path": group_50}),
        post("u", "/Users", user("u")),
    ];
    let expected = [[2], [0], [1]];
    assert_eq!(order_of(&operations, Atomicity::Operation), expected);
}

#[test]
fn rows_that_want_one_unique_value_keep_their_order_when_the_first_has_to_wait() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut first = user("Becca");
    first[enterprise] = json!({"manager": {"value": "bulkId:m"}});
    let rename = json!([{"op": "replace", "path": "userName", "value": "BECCA"}]);
    let operations = [
        post("a", "/Users", first),
        post("b", "/Users", user("becca")),
        patch(&format!("/Users/{}", id(60)), rename),
        post("m", "/Users", user("m")),
    ];
    let expected = [[3], [0], [1], [2]];
    assert_eq!(order_of(&operations, Atomicity::Operation), expected);
}

#[test]
fn an_empty_request_is_no_unit() {
    for atomicity in Atomicity::ALL {
        assert!(order(&[], atomicity).is_empty());
    }
}

/// What each round asks for, in short.
fn rounds(read: ReadSet, operations: &[Value]) -> String {
    let (_, rounds) = plan_of(read, &entries(operations), &Setting::default());
    let short = |id: &ResourceId| id.to_string().chars().take(2).collect::<String>();
    let shown = |want: &Want| match want {
        Want::Resource { resource_type, id } => {
            format!("{resource_type} {}", short(id))
        }
        Want::Unique(lookup) => format!("{} {}", lookup.attribute, lookup.value),
        Want::Membership { group, member } => {
            format!("membership {} {}", short(group), short(member))
        }
        Want::Members { group } => format!("members {}", short(group)),
    };
    let lines = rounds.iter().map(|wants| {
        let wants: Vec<String> = wants.iter().map(shown).collect();
        wants.join(", ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A new id is nobody's, so nothing is read for it.
#[test]
fn creates_read_the_owners_of_unique_values_and_nothing_of_themselves() {
    let operations = [
        post("u", "/Users", user("u")),
        post("g", "/Groups", group("G", &["bulkId:u", "bulkId:h"])),
        post("h", "/Groups", group("H", &["bulkId:g"])),
    ];
    insta::assert_snapshot!(rounds(ReadSet::default(), &operations), @"userName u");
}

#[test]
fn what_exists_is_read_and_members_only_where_they_are_named() {
    let add =
        |n: u8| json!([{"op": "add", "path": "members", "value": {"value": id(n).to_string()}}]);
    let group_50 = format!("/Groups/{}", id(50));
    insta::assert_snapshot!(rounds(ReadSet::default(), &[
        patch(&format!("/Users/{}", id(60)), json!([{"op": "add", "path": "title", "value": "x"}])),
    ]), @"User 3c");
    insta::assert_snapshot!(rounds(directory(&[], &[50]), &[patch(&group_50, add(60))]), @"
    membership 32 3c
    Device 3c, Group 3c, User 3c
    ");
    insta::assert_snapshot!(rounds(directory(&[60], &[50]), &[
        patch(&group_50, json!([{"op": "remove", "path": "members"}])),
    ]), @"members 32");
    insta::assert_snapshot!(rounds(directory(&[60], &[50]), &[
        json!({"method": "PUT", "path": group_50, "data": group("g50", &[&id(60).to_string()])}),
    ]), @"members 32");
}
