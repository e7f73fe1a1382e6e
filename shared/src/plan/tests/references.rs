//! References other than memberships: new ones must lead somewhere, old ones
//! that no longer do are erased.

use super::decided::{device_rules, report, told};
use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const APPS: &str = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device";

fn with_manager(n: u8, manager: &str) -> Stored {
    let attributes =
        json!({"userName": format!("u{n}"), ENTERPRISE: {"manager": {"value": manager}}});
    stored(n, attributes, false)
}

#[test]
fn a_new_manager_must_exist_if_it_has_the_form_of_an_id() {
    let managed = |n: usize, manager: &str| {
        let mut body = user(&format!("n{n}"));
        body[ENTERPRISE] = json!({"manager": {"value": manager}});
        post(&n.to_string(), "/Users", body)
    };
    let operations = [
        managed(0, &id(60).to_string()),
        managed(1, &id(61).to_string()),
        managed(2, &id(50).to_string()),
        managed(3, "E-17"),
        managed(4, "bulkId:4"),
    ];
    let read = directory(&[60], &[50]);
    insta::assert_snapshot!(report(read, &operations, Atomicity::Operation), @r#"
    201 W/"1" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"3c000000-0000-4000-8000-000000000000"}}}
    400 invalidValue: `manager.value` names `3d000000-0000-4000-8000-000000000000`, which does not exist (nowhere)
    400 invalidValue: `manager.value` names `32000000-0000-4000-8000-000000000000`, which does not exist (nowhere)
    201 W/"1" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"E-17"}}}
    201 W/"1" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"04000000-0000-4000-8000-000000000000"}}}
    "#);
}

#[test]
fn the_next_write_erases_a_manager_who_is_gone_and_refuses_another() {
    let retitle = patch(
        &format!("/Users/{}", id(60)),
        json!([{"op": "add", "path": "title", "value": "x"}]),
    );
    let appoint = |manager: u8| {
        let value = json!({"value": id(manager).to_string()});
        let operations = json!([{"op": "replace", "path": "manager", "value": value}]);
        patch(&format!("/Users/{}", id(60)), operations)
    };
    let read = |manager: u8| {
        let mut read = directory(&[62], &[]);
        let managed = with_manager(60, &id(manager).to_string());
        read.resources
            .insert(("User", id(60)), Some(managed.into()));
        read
    };
    let mut also = with_manager(60, &id(61).to_string());
    also.attributes[ENTERPRISE]["department"] = json!("Tours");
    let mut and_department = read(61);
    and_department
        .resources
        .insert(("User", id(60)), Some(also.into()));
    let lines = [
        report(
            read(62),
            std::slice::from_ref(&retitle),
            Atomicity::Operation,
        ),
        report(
            read(61),
            std::slice::from_ref(&retitle),
            Atomicity::Operation,
        ),
        report(and_department, &[retitle], Atomicity::Operation),
        report(read(61), &[appoint(62)], Atomicity::Operation),
        report(read(61), &[appoint(63)], Atomicity::Operation),
        report(read(61), &[appoint(61)], Atomicity::Operation),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    200 W/"4" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"3e000000-0000-4000-8000-000000000000"}},"title":"x"}
    200 W/"4" {"title":"x"}
    200 W/"4" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Tours"},"title":"x"}
    200 W/"4" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"3e000000-0000-4000-8000-000000000000"}}}
    400 invalidValue: `manager.value` names `3f000000-0000-4000-8000-000000000000`, which does not exist (somewhere)
    200 W/"3" {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"3d000000-0000-4000-8000-000000000000"}}}
    "#);
}

#[test]
fn of_several_references_those_that_are_gone_are_erased() {
    let apps = |ids: &[u8]| {
        let apps = ids.iter().map(|n| json!({"value": id(*n).to_string()}));
        json!({"displayName": "d", "active": true, APPS: {"applications": apps.collect::<Vec<_>>()}})
    };
    let rename = json!([{"op": "replace", "path": "displayName", "value": "e"}]);
    let rename = [patch(&format!("/Devices/{}", id(60)), rename)];
    let entries = device_rules(|rules| operation::check(&rename, rules));
    let left = |ids: &[u8]| {
        let mut read = ReadSet::default();
        let app = stored(70, json!({"applicationName": "a"}), false);
        read.resources
            .insert(("EndpointApp", id(70)), Some(app.into()));
        let device = stored(60, apps(ids), false);
        read.resources
            .insert(("Device", id(60)), Some(device.into()));
        let (plan, _) = plan_of(read, &entries, &Setting::default());
        told(&plan.steps[0].outcomes[0])
    };
    insta::assert_snapshot!([left(&[70]), left(&[71, 70, 72]), left(&[71])].join("\n"), @r#"
    200 W/"4" {"active":true,"urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device":{"applications":[{"value":"46000000-0000-4000-8000-000000000000"}]}}
    200 W/"4" {"active":true,"urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device":{"applications":[{"value":"46000000-0000-4000-8000-000000000000"}]}}
    200 W/"4" {"active":true}
    "#);
}
