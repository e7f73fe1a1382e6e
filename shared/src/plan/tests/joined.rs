//! What moves along when members come and go, and what waits for what was read.

use super::*;
use crate::table::{Change, Digest, Membership};

/// The digest of the group and the revision of the member's groups move with
/// every member that comes or goes.
#[test]
fn a_member_that_comes_or_goes_moves_the_header_and_its_own_groups() {
    let patch = |op: &str, n: u8| {
        let value = [json!({"value": id(n).to_string()})];
        let operation = json!({"op": op, "path": "members", "value": value});
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        json!({
            "method": "PATCH",
            "path": format!("/Groups/{}", id(50)),
            "data": {"schemas": schemas, "Operations": [operation]},
        })
    };
    let told = |operation: Value| {
        let mut read = directory(&[60, 61], &[50]);
        let begun = Membership::begin(None, id(60), "User", 2, Timestamp(0));
        read.memberships.insert((id(50), id(60)), Some(begun));
        let mut group = stored(50, json!({"displayName": "g50"}), true);
        group.header.as_mut().unwrap().members = [id(60)].into_iter().collect();
        read.resources.insert(("Group", id(50)), Some(group.into()));
        let mut member = stored(60, json!({"userName": "u60"}), false);
        member.groups = [id(50)].into();
        member.groups_rev = 4;
        read.resources.insert(("User", id(60)), Some(member.into()));
        let (plan, _) = plan_of(read, &entries(&[operation]), &Setting::default());
        let changes = plan.transactions[0].changes.iter();
        let mut digest = None;
        let mut moved = Vec::new();
        for planned in changes {
            if let Change::Resource { after, .. } = &planned.change {
                let after = after.as_ref().unwrap();
                match &after.header {
                    Some(header) => digest = Some(header.members),
                    None => moved.push((after.groups.len(), after.groups_rev)),
                }
            }
        }
        (digest.unwrap(), moved)
    };
    let both: Digest = [id(60), id(61)].into_iter().collect();
    assert_eq!(told(patch("add", 61)), (both, vec![(1, 1)]));
    assert_eq!(told(patch("remove", 60)), (Digest::default(), vec![(0, 5)]));
}

/// The one unit finds a member of the group where it shall be, which is true at
/// the group's revision only, and puts the group into another, which would be
/// true at any.
#[test]
fn a_group_that_is_rested_on_and_joins_must_be_at_its_revision() {
    let add = |group: u8, member: u8| {
        let value = json!([{"value": id(member).to_string()}]);
        let operations = json!([{"op": "add", "path": "members", "value": value}]);
        patch(&format!("/Groups/{}", id(group)), operations)
    };
    let exact = |operations: &[Value]| {
        let mut read = directory(&[60], &[50, 51]);
        let begun = Membership::begin(None, id(60), "User", 2, Timestamp(0));
        read.memberships.insert((id(50), id(60)), Some(begun));
        let terms = Terms {
            atomicity: Atomicity::Request,
            ..Terms::default()
        };
        let setting = Setting {
            terms,
            ..Setting::default()
        };
        let (plan, _) = plan_of(read, &entries(operations), &setting);
        let mut changes = plan.transactions[0].changes.iter();
        changes.find_map(|planned| match &planned.change {
            Change::Resource {
                id: found, exact, ..
            } if *found == id(50) => Some(*exact),
            _ => None,
        })
    };
    assert_eq!(exact(&[add(50, 60), add(51, 50)]), Some(true));
    assert_eq!(exact(&[add(51, 50)]), Some(false));
}

/// A delete of what many rows refer to waits for every transaction of theirs,
/// also where there is room before.
#[test]
fn what_others_have_read_is_written_after_all_of_them() {
    let manager = id(60).to_string();
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut operations: Vec<Value> = (0..60)
        .map(|n| {
            let mut report = user(&format!("report{n}"));
            report["schemas"] = json!([report["schemas"][0], extension]);
            report[extension] = json!({"manager": {"value": manager}});
            post(&format!("r{n}"), "/Users", report)
        })
        .collect();
    operations.push(json!({"method": "DELETE", "path": format!("/Users/{manager}")}));
    let read = directory(&[60], &[]);
    let (plan, _) = plan_of(read, &entries(&operations), &Setting::default());
    let after: Vec<_> = plan
        .transactions
        .iter()
        .map(|planned| &planned.after)
        .collect();
    assert_eq!(after, [&BTreeSet::new(), &BTreeSet::from([0])]);
}
