//! Outcomes with what they say, and what they leave behind.

use std::collections::BTreeMap;

use super::*;
use crate::scim::{Precondition, ScimError};
use crate::table::Change;

const DPP: &str = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device";

fn outcomes(read: ReadSet, operations: &[Value], atomicity: Atomicity) -> Vec<Outcome> {
    let setting = Setting {
        terms: Terms {
            atomicity,
            ..Terms::default()
        },
        ..Setting::default()
    };
    let (plan, _) = plan_of(read, &entries(operations), &setting);
    written(plan)
}

/// The outcomes with the resources as the plan leaves them: of several
/// operations it keeps them in the transactions alone.
pub(super) fn written(plan: Plan) -> Vec<Outcome> {
    let changes = plan.transactions.iter().flat_map(|one| &one.changes);
    let left: BTreeMap<String, _> = changes
        .filter_map(|planned| match &planned.change {
            Change::Resource { id, after, .. } => Some((id.to_string(), after.clone()?)),
            _ => None,
        })
        .collect();
    let steps = plan.steps.into_iter();
    let mut outcomes: Vec<Outcome> = steps.flat_map(|step| step.outcomes).collect();
    for outcome in &mut outcomes {
        let target = outcome.target.as_ref().map(|target| &target.id);
        if let Ok(done) = &mut outcome.result
            && let Some(resource) = target.and_then(|id| left.get(id))
        {
            done.resource = Some(resource.clone());
        }
    }
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

/// Status and detail, or version and attributes but the name.
pub(super) fn told(outcome: &Outcome) -> String {
    let known = outcome.target.as_ref().map_or("nowhere", |_| "somewhere");
    match &outcome.result {
        Err(error) => format!("{error} ({known})"),
        Ok(done) => {
            let version = done.version.map(|version| version.to_string());
            let attributes = done.resource.as_ref().map(|stored| {
                let mut attributes = stored.attributes.clone();
                attributes.shift_remove("userName");
                attributes.shift_remove("displayName");
                Value::Object(attributes).to_string()
            });
            let parts = [Some(done.status.to_string()), version, attributes];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    }
}

pub(super) fn report(read: ReadSet, operations: &[Value], atomicity: Atomicity) -> String {
    let outcomes = outcomes(read, operations, atomicity);
    outcomes.iter().map(told).collect::<Vec<_>>().join("\n")
}

pub(super) fn device_rules<T>(check: impl FnOnce(&Rules<'_>) -> T) -> T {
    let rights = Rights::new(["scim.devices.write"]);
    check(&Rules {
        rights: &rights,
        dialect: Dialect::default(),
        strict_bulk_id: false,
        mint: &|index| id(u8::try_from(index).unwrap()),
    })
}

#[test]
fn a_secret_that_is_required_must_come_with_a_create_and_may_stay_in_a_replacement() {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"],
        "active": true,
        DPP: {"dppVersion": 2},
    });
    let operations = [
        post("d", "/Devices", body.clone()),
        json!({"method": "PUT", "path": format!("/Devices/{}", id(60)), "data": body}),
    ];
    let entries = device_rules(|rules| operation::check(&operations, rules));
    insta::assert_snapshot!(entries[0].as_ref().unwrap_err().error, @"400 invalidValue: `urn:ietf:params:scim:schemas:extension:dpp:2.0:Device:bootstrapKey`: a value is required");
    let attributes = json!({"active": true, DPP: {"dppVersion": 1, "bootstrapKey": "k"}});
    let mut read = ReadSet::default();
    let device = stored(60, attributes, false);
    read.resources
        .insert(("Device", id(60)), Some(device.into()));
    let (plan, _) = plan_of(read, &entries, &Setting::default());
    insta::assert_snapshot!(told(&written(plan)[1]), @r#"200 W/"4" {"active":true,"urn:ietf:params:scim:schemas:extension:dpp:2.0:Device":{"dppVersion":2,"bootstrapKey":"k"}}"#);
}

#[test]
fn each_row_needs_the_right_to_write_its_type() {
    let operations = [
        post("u", "/Users", user("u")),
        post("g", "/Groups", group("G", &[])),
    ];
    let refused = device_rules(|rules| operation::check(&operations, rules));
    let told: Vec<String> = (refused.iter())
        .map(|entry| entry.as_ref().unwrap_err().error.to_string())
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    403: the token lacks the scope `scim.users.write`
    403: the token lacks the scope `scim.groups.write`
    ");
}

/// RFC 7644 §3.7.3 has no location for a POST that failed.
#[test]
fn a_failure_names_its_resource_but_not_that_of_a_create() {
    let operations = [
        post("a", "/Users", user("a")),
        post("b", "/Users", user("A")),
        json!({"method": "DELETE", "path": format!("/Users/{}", id(99))}),
        json!({"method": "DELETE", "path": format!("/Users/{}", "x".repeat(256))}),
        json!({"method": "DELETE", "path": format!("/Users/{}", "x".repeat(257))}),
        json!({"method": "DELETE", "path": "/Users/two words"}),
    ];
    let outcomes = outcomes(ReadSet::default(), &operations, Atomicity::Operation);
    let known: Vec<bool> = outcomes
        .iter()
        .map(|outcome| outcome.target.is_some())
        .collect();
    assert_eq!(known, [true, false, true, true, false, false]);
    let failed = |outcome: &Outcome| {
        let failed = outcome.clone().failed(ScimError::internal());
        (failed.status(), failed.target.is_some())
    };
    assert_eq!(failed(&outcomes[0]), (500, false));
    assert_eq!(failed(&outcomes[2]), (500, true));
}

#[test]
fn a_row_names_the_one_that_it_falls_with() {
    let operations = [
        post("a", "/Users", user("a")),
        post("b", "/Users", user("A")),
        post("g", "/Groups", group("G", &["bulkId:b"])),
        post("r", "/Groups", group("R", &["bulkId:s"])),
        post(
            "s",
            "/Groups",
            group("S", &["bulkId:r", &id(99).to_string()]),
        ),
    ];
    insta::assert_snapshot!(report(ReadSet::default(), &operations, Atomicity::Operation), @r#"
    201 W/"1" {}
    409 uniqueness: User with userName `A` already exists (nowhere)
    409: the operation with bulkId `b`, which this one refers to, failed with status 409 (nowhere)
    409: this operation and the one with bulkId `s` refer to each other, and that one failed with status 400 (nowhere)
    400 invalidValue: member `63000000-0000-4000-8000-000000000000` does not exist (nowhere)
    "#);
    insta::assert_snapshot!(report(ReadSet::default(), &operations[..3], Atomicity::Component), @r#"
    201 W/"1" {}
    409 uniqueness: User with userName `A` already exists (nowhere)
    424: not carried out: with `atomicity=component` it falls with the operation with bulkId `b`, which failed with status 409 (nowhere)
    "#);
    let nameless = json!({"method": "DELETE", "path": format!("/Users/{}", id(99))});
    let operations = [post("a", "/Users", user("a")), nameless];
    insta::assert_snapshot!(report(ReadSet::default(), &operations, Atomicity::Request), @"
    424: not carried out: with `atomicity=request` it falls with the operation at `Operations[1]`, which failed with status 404 (nowhere)
    404: User `63000000-0000-4000-8000-000000000000` not found (somewhere)
    ");
}

fn group_with(member: u8) -> ReadSet {
    let mut read = directory(&[61], &[50]);
    let mut joined = stored(member, json!({"userName": format!("u{member}")}), false);
    joined.groups = [id(50)].into();
    read.resources
        .insert(("User", id(member)), Some(joined.into()));
    let membership = crate::table::Membership::begin(None, id(member), "User", 2, Timestamp(0));
    read.memberships
        .insert((id(50), id(member)), Some(membership));
    read
}

#[test]
fn a_replacement_adds_and_removes_what_differs() {
    let put = |members: Value| {
        let mut data = group("g50", &[]);
        data["members"] = members;
        [json!({"method": "PUT", "path": format!("/Groups/{}", id(50)), "data": data})]
    };
    let member = |n: u8, kind: &str| json!({"value": id(n).to_string(), "type": kind});
    let plans = [
        json!([member(60, "User")]),
        json!([member(61, "User")]),
        json!([member(60, "User"), member(61, "User")]),
        json!([]),
        json!([member(60, "Group")]),
        json!([member(61, "Group")]),
    ]
    .map(|members| planned_on(group_with(60), &put(members), Terms::default()));
    insta::assert_snapshot!(plans.join("\n"), @"
    unit 0 · op 0 PUT 200

    unit 0 · op 0 PUT 200 · tx 0
    tx 0 · change Group 32000000 · join User 3c000000 -32000000 · join User 3d000000 +32000000 · member 32000000 -3c000000 · member 32000000 +3d000000

    unit 0 · op 0 PUT 200 · tx 0
    tx 0 · change Group 32000000 · join User 3d000000 +32000000 · member 32000000 +3d000000

    unit 0 · op 0 PUT 200 · tx 0
    tx 0 · change Group 32000000 · join User 3c000000 -32000000 · member 32000000 -3c000000

    unit 0 · op 0 PUT 400 invalidValue

    unit 0 · op 0 PUT 400 invalidValue
    ");
}

#[test]
fn a_patch_sees_the_members_that_are_there() {
    let change = |operation: Value| [patch(&format!("/Groups/{}", id(50)), json!([operation]))];
    let (m60, m61) = (id(60).to_string(), id(61).to_string());
    let plans = [
        json!({"op": "remove", "path": "members", "value": [{"value": m60}]}),
        json!({"op": "remove", "path": "members"}),
        json!({"op": "remove", "path": "members", "value": [{"value": m61}]}),
        json!({"op": "add", "path": "members", "value": [{"value": m60}]}),
        json!({"op": "replace", "path": "members", "value": [{"value": m61}]}),
    ]
    .map(|operation| planned_on(group_with(60), &change(operation), Terms::default()));
    insta::assert_snapshot!(plans.join("\n"), @"
    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · join User 3c000000 -32000000 · member 32000000 -3c000000

    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · join User 3c000000 -32000000 · member 32000000 -3c000000

    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · check Group 32000000 · check 32000000 -3d000000

    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · check Group 32000000 · check 32000000 +3c000000

    unit 0 · op 0 PATCH 204 · tx 0
    tx 0 · change Group 32000000 · join User 3c000000 -32000000 · join User 3d000000 +32000000 · member 32000000 -3c000000 · member 32000000 +3d000000
    ");
}

#[test]
fn a_request_of_one_operation_gathers_the_members_that_are_known() {
    let members = |read: ReadSet, operations: &[Value]| {
        let outcomes = outcomes(read, operations, Atomicity::Operation);
        let done = outcomes[0].result.as_ref().unwrap();
        done.members.as_ref().map(Vec::len)
    };
    let (m60, m61) = (id(60).to_string(), id(61).to_string());
    let create = post("g", "/Groups", group("G", &[&m60, &m61]));
    assert_eq!(
        members(group_with(60), std::slice::from_ref(&create)),
        Some(2)
    );
    let two = [create, post("u", "/Users", user("u"))];
    assert_eq!(members(group_with(60), &two), None);
    assert_eq!(
        members(ReadSet::default(), &[post("u", "/Users", user("u"))]),
        None
    );
    let path = format!("/Groups/{}", id(50));
    let put = json!({"method": "PUT", "path": path, "data": group("G", &[&m61])});
    assert_eq!(members(group_with(60), &[put]), Some(1));
    let rename = json!([{"op": "replace", "path": "displayName", "value": "x"}]);
    assert_eq!(members(group_with(60), &[patch(&path, rename)]), None);
}

#[test]
fn a_version_that_is_not_the_present_one_stops_all_but_a_create() {
    let delete = |version: &str| json!({"method": "DELETE", "path": format!("/Users/{}", id(60)), "version": version});
    let mut create = post("u", "/Users", user("u"));
    create["version"] = json!(5);
    let rows = [delete("W/\"3\""), delete("W/\"2\""), create];
    let lines = rows.map(|row| report(directory(&[60], &[]), &[row], Atomicity::Operation));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    204
    412: the resource is at version W/"3" (somewhere)
    201 W/"1" {}
    "#);

    let unless = |condition: &str, version: Option<&str>| {
        let mut entries =
            entries(&[json!({"method": "DELETE", "path": format!("/Users/{}", id(60))})]);
        let operation = entries[0].as_mut().unwrap();
        operation.unless = Some(Precondition::parse(condition));
        operation.precondition = version.map(Precondition::parse);
        let (plan, _) = plan_of(directory(&[60], &[]), &entries, &Setting::default());
        plan.steps[0].outcomes[0].status()
    };
    assert_eq!(unless("*", None), 412);
    assert_eq!(unless("W/\"3\"", Some("W/\"3\"")), 412);
    assert_eq!(unless("W/\"2\"", Some("W/\"3\"")), 204);
    assert_eq!(unless("W/\"2\"", Some("W/\"2\"")), 412);
}

#[test]
fn values_by_which_a_resource_is_found_follow_it() {
    let mut read = ReadSet::default();
    let known = stored(60, json!({"userName": "u60", "externalId": "old"}), false);
    read.resources.insert(("User", id(60)), Some(known.into()));
    let change = json!([{"op": "replace", "path": "externalId", "value": "new"}]);
    let operations = [patch(&format!("/Users/{}", id(60)), change)];
    insta::assert_snapshot!(planned_on(read, &operations, Terms::default()), @"
    unit 0 · op 0 PATCH 200 · tx 0
    tx 0 · change User 3c000000 · lookup externalId + · lookup externalId -
    ");
}

#[test]
fn a_bulk_id_has_a_length_and_may_be_required() {
    let of = |length: usize| post(&"b".repeat(length), "/Users", user("u"));
    assert!(entries(&[of(operation::MAX_BULK_ID)])[0].is_ok());
    insta::assert_snapshot!(
        entries(&[of(operation::MAX_BULK_ID + 1)])[0].as_ref().unwrap_err().error,
        @"400 invalidValue: `Operations[0].bulkId` must have 1 to 256 bytes"
    );
    let rights = rights();
    let strict = Rules {
        rights: &rights,
        dialect: Dialect::default(),
        strict_bulk_id: true,
        mint: &|_| id(0),
    };
    let nameless = [
        json!({"method": "POST", "path": "/Users", "data": user("u")}),
        json!({"method": "DELETE", "path": format!("/Users/{}", id(60))}),
        of(1),
    ];
    let checked = operation::check(&nameless, &strict);
    let lax = entries(&nameless);
    assert_eq!(
        checked.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [false, true, true]
    );
    assert!(lax.iter().all(Result::is_ok));
    insta::assert_snapshot!(checked[0].as_ref().unwrap_err().error, @"400 invalidSyntax: `Operations[0].bulkId` is required for POST");
}

/// One that does not exist is not told before all that is missing was read.
#[test]
fn a_member_who_does_not_exist_does_not_hide_what_must_be_read() {
    let operations = [post(
        "g",
        "/Groups",
        group("G", &[&id(98).to_string(), &id(99).to_string()]),
    )];
    let mut read = ReadSet::default();
    for kind in ["User", "Group", "Device"] {
        read.resources.insert((kind, id(98)), None);
    }
    let (plan, rounds) = plan_of(read, &entries(&operations), &Setting::default());
    assert_eq!(rounds.len(), 1);
    insta::assert_snapshot!(told(&plan.steps[0].outcomes[0]), @"400 invalidValue: member `62000000-0000-4000-8000-000000000000` does not exist (nowhere)");
}

/// RFC 7644 has no such member; `errors` names the place for programs.
#[test]
fn a_row_of_the_wrong_shape_names_its_place() {
    let operations = [
        json!(7),
        json!({"path": "/Users"}),
        post("", "/Users", user("u")),
    ];
    let places: Vec<Value> = (entries(&operations).iter())
        .flat_map(|entry| entry.as_ref().unwrap_err().error.places())
        .map(|place| json!(place.loc))
        .collect();
    let expected = json!([
        ["Operations", 0],
        ["Operations", 1, "method"],
        ["Operations", 2, "bulkId"]
    ]);
    assert_eq!(json!(places), expected);
}

#[test]
fn every_change_has_its_number_and_its_time() {
    let add = json!([{"op": "add", "path": "members", "value": {"value": id(61).to_string()}}]);
    let operations = [
        post("g", "/Groups", group("G", &[])),
        patch("/Groups/bulkId:g", add),
        patch(
            &format!("/Users/{}", id(61)),
            json!([{"op": "add", "path": "title", "value": "x"}]),
        ),
    ];
    let left = outcomes(group_with(60), &operations, Atomicity::Operation);
    let left: Vec<_> = (left.iter())
        .map(|outcome| {
            let done = outcome.result.as_ref().unwrap();
            let stored = done.resource.as_ref().unwrap();
            let next = stored.header.as_ref().map(|header| header.next);
            (
                done.version.unwrap().0,
                next,
                stored.created,
                stored.modified,
            )
        })
        .collect();
    let expected = [
        // Both are one write.
        (1, Some(2), NOW, NOW),
        (2, Some(2), NOW, NOW),
        (4, None, Timestamp(0), NOW),
    ];
    assert_eq!(left, expected);

    let delete = [json!({"method": "DELETE", "path": format!("/Users/{}", id(60))})];
    let (plan, _) = plan_of(group_with(60), &entries(&delete), &Setting::default());
    let changes = plan.transactions[0].changes.iter();
    let groups: Vec<_> = changes
        .filter_map(|planned| match &planned.change {
            Change::Resource { after, .. } => after.as_ref(),
            _ => None,
        })
        .map(|group| {
            (
                group.rev,
                group.header.as_ref().unwrap().next,
                group.modified,
            )
        })
        .collect();
    assert_eq!(groups, [(4, 4, NOW)]);
}
