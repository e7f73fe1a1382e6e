//! What only devices and their applications have: lists of simple values,
//! numbers, immutable attributes, and extensions in which something is required.

use serde_json::json;

use super::*;

const BLE: &str = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device";
const DPP: &str = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device";
const JUST_WORKS: &str = "urn:ietf:params:scim:schemas:extension:pairingJustWorks:2.0:Device";
const APPS: &str = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device";

fn device() -> Value {
    json!({
        "displayName": "d",
        "active": true,
        BLE: {
            "versionSupport": ["4.1", "5.0"],
            "deviceMacAddress": "aa",
            "separateBroadcastAddress": ["bb"],
            "pairingMethods": ["m"],
        },
        JUST_WORKS: {"key": 0},
    })
}

fn app() -> Value {
    json!({
        "applicationType": "telemetry",
        "applicationName": "a",
        "certificateInfo": {"rootCA": "r", "subjectName": "s"},
    })
}

fn shortened(before: &Value, operations: &[Value]) -> String {
    table(before, operations).replace("urn:ietf:params:scim:schemas:extension:", "…")
}

#[test]
fn simple_values_of_a_list_are_added_selected_and_removed() {
    let path = |name: &str| format!("{BLE}:{name}");
    insta::assert_snapshot!(shortened(&device(), &[
        json!({"op": "add", "path": path("versionSupport"), "value": "5.3"}),
        json!({"op": "add", "path": path("versionSupport"), "value": ["5.3", "5.0", "5.3"]}),
        json!({"op": "replace", "path": path("versionSupport"), "value": ["5.0"]}),
        json!({"op": "remove", "path": path("versionSupport"), "value": "4.1"}),
        json!({"op": "remove", "path": path("versionSupport"), "value": ["5.0", "6.0"]}),
        json!({"op": "remove", "path": path("versionSupport"), "value": ["4.1", "5.0"]}),
        json!({"op": "remove", "path": path("versionSupport"), "value": {"value": "5.0"}}),
        json!({"op": "remove", "path": path("separateBroadcastAddress"), "value": ["BB"]}),
        json!({"op": "remove", "path": path("versionSupport eq \"4.1\"")}),
        json!({"op": "replace", "path": path("versionSupport sw \"4\""), "value": "4.2"}),
        json!({"op": "replace", "path": path("versionSupport sw \"4\""), "value": ["4.2"]}),
        json!({"op": "replace", "path": path("versionSupport sw \"4\""), "value": ["4.2", "4.3"]}),
        json!({"op": "replace", "path": path("versionSupport sw \"4\""), "value": "5.0"}),
        json!({"op": "replace", "path": path("versionSupport sw \"4\""), "value": null}),
        json!({"op": "replace", "path": path("versionSupport eq \"9\""), "value": "4.2"}),
        json!({"op": "add", "path": path("versionSupport eq \"9\""), "value": "9"}),
        json!({"op": "remove", "path": path("versionSupport eq \"9\"")}),
        json!({"op": "remove", "path": path("versionSupport pr")}),
        json!({"op": "remove", "path": path("versionSupport[value eq \"4.1\"]")}),
        json!({"op": "remove", "path": path("versionSupport")}),
    ]), @r#"
    add …ble:2.0:Device:versionSupport "5.3"
      {"…ble:2.0:Device":{"versionSupport":["4.1","5.0","5.3"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    add …ble:2.0:Device:versionSupport ["5.3","5.0","5.3"]
      {"…ble:2.0:Device":{"versionSupport":["4.1","5.0","5.3"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    replace …ble:2.0:Device:versionSupport ["5.0"]
      {"…ble:2.0:Device":{"versionSupport":["5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    remove …ble:2.0:Device:versionSupport "4.1"
      {"…ble:2.0:Device":{"versionSupport":["5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    remove …ble:2.0:Device:versionSupport ["5.0","6.0"]
      {"…ble:2.0:Device":{"versionSupport":["4.1"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    remove …ble:2.0:Device:versionSupport ["4.1","5.0"]
      400 mutability: Operations[0]: `versionSupport` is required and cannot be removed
    remove …ble:2.0:Device:versionSupport {"value":"5.0"}
      400 invalidValue: Operations[0]: `…ble:2.0:Device:versionSupport`: expected a string, found an object
    remove …ble:2.0:Device:separateBroadcastAddress ["BB"]
      {"…ble:2.0:Device":{"versionSupport":["4.1","5.0"],"deviceMacAddress":"aa","pairingMethods":["m"]}}
    remove …ble:2.0:Device:versionSupport eq "4.1"
      {"…ble:2.0:Device":{"versionSupport":["5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    replace …ble:2.0:Device:versionSupport sw "4" "4.2"
      {"…ble:2.0:Device":{"versionSupport":["4.2","5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    replace …ble:2.0:Device:versionSupport sw "4" ["4.2"]
      {"…ble:2.0:Device":{"versionSupport":["4.2","5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    replace …ble:2.0:Device:versionSupport sw "4" ["4.2","4.3"]
      400 invalidValue: Operations[0]: `…ble:2.0:Device:versionSupport`: expected a string, found an array
    replace …ble:2.0:Device:versionSupport sw "4" "5.0"
      {"…ble:2.0:Device":{"versionSupport":["5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    replace …ble:2.0:Device:versionSupport sw "4" null
      {"…ble:2.0:Device":{"versionSupport":["5.0"],"deviceMacAddress":"aa","separateBroadcastAddress":["bb"],"pairingMethods":["m"]}}
    replace …ble:2.0:Device:versionSupport eq "9" "4.2"
      400 noTarget: Operations[0]: no element of `versionSupport` matches `…ble:2.0:Device:versionSupport eq "9"`
    add …ble:2.0:Device:versionSupport eq "9" "9"
      400 noTarget: Operations[0]: no element of `versionSupport` matches `…ble:2.0:Device:versionSupport eq "9"`
    remove …ble:2.0:Device:versionSupport eq "9"
      unchanged
    remove …ble:2.0:Device:versionSupport pr
      400 invalidPath: Operations[0]: `…ble:2.0:Device:versionSupport pr` is no path
    remove …ble:2.0:Device:versionSupport[value eq "4.1"]
      400 invalidFilter: Operations[0]: `…ble:2.0:Device:versionSupport` has no elements to filter
    remove …ble:2.0:Device:versionSupport
      400 mutability: Operations[0]: `versionSupport` is required and cannot be removed
    "#);
}

#[test]
fn an_immutable_attribute_is_set_once() {
    insta::assert_snapshot!(shortened(&device(), &[
        json!({"op": "replace", "path": format!("{JUST_WORKS}:key"), "value": 0}),
        json!({"op": "replace", "path": format!("{JUST_WORKS}:key"), "value": 1}),
        json!({"op": "remove", "path": format!("{JUST_WORKS}:key")}),
        json!({"op": "remove", "path": JUST_WORKS}),
        json!({"op": "add", "path": JUST_WORKS, "value": {}}),
        json!({"op": "replace", "path": JUST_WORKS, "value": {}}),
    ]), @"
    replace …pairingJustWorks:2.0:Device:key 0
      unchanged
    replace …pairingJustWorks:2.0:Device:key 1
      400 mutability: Operations[0]: `key` cannot be changed once it is set
    remove …pairingJustWorks:2.0:Device:key
      400 mutability: Operations[0]: `key` cannot be changed once it is set
    remove …pairingJustWorks:2.0:Device
      400 mutability: Operations[0]: `key` cannot be changed once it is set
    add …pairingJustWorks:2.0:Device {}
      unchanged
    replace …pairingJustWorks:2.0:Device {}
      400 mutability: Operations[0]: `key` cannot be changed once it is set
    ");
    let mut bare = device();
    bare[JUST_WORKS] = json!({});
    insta::assert_snapshot!(shortened(&bare, &[
        json!({"op": "add", "path": format!("{JUST_WORKS}:key"), "value": 1}),
        json!({"op": "remove", "path": JUST_WORKS}),
    ]), @r#"
    add …pairingJustWorks:2.0:Device:key 1
      {"…pairingJustWorks:2.0:Device":{"key":1}}
    remove …pairingJustWorks:2.0:Device
      {"…pairingJustWorks:2.0:Device":null}
    "#);
    insta::assert_snapshot!(shortened(&app(), &[
        json!({"op": "replace", "path": "applicationType", "value": "telemetry"}),
        json!({"op": "replace", "path": "applicationType", "value": "deviceControl"}),
    ]), @r#"
    replace applicationType "telemetry"
      unchanged
    replace applicationType "deviceControl"
      400 mutability: Operations[0]: `applicationType` cannot be changed once it is set
    "#);
}

#[test]
fn what_is_required_inside_stays() {
    let app_id = "33333333-3333-4333-8333-333333333333";
    insta::assert_snapshot!(shortened(&device(), &[
        json!({"op": "remove", "path": BLE}),
        json!({"op": "replace", "path": BLE, "value": null}),
        json!({"op": "add", "path": BLE, "value": {}}),
        json!({"op": "add", "path": BLE, "value": "text"}),
        json!({"op": "remove", "path": BLE, "value": "text"}),
        json!({"op": "remove", "path": BLE, "value": {}}),
        json!({"op": "remove", "path": BLE, "value": {"deviceMacAddress": "aa"}}),
        json!({"op": "add", "path": DPP, "value": {"dppVersion": 2}}),
        json!({"op": "add", "path": DPP, "value": {"dppVersion": 2, "bootstrapKey": " "}}),
        json!({"op": "add", "path": DPP, "value": {"dppVersion": 2, "bootstrapKey": "k"}}),
        json!({"op": "add", "path": DPP, "value": {"dppVersion": 2.5, "bootstrapKey": "k"}}),
        json!({"op": "add", "path": format!("{APPS}:applications"), "value": [{"value": app_id}]}),
        json!({"op": "add", "path": format!("{APPS}:applications"), "value": [{"$ref": "https://x/Groups/1"}]}),
    ]), @r#"
    remove …ble:2.0:Device
      {"…ble:2.0:Device":null}
    replace …ble:2.0:Device null
      {"…ble:2.0:Device":null}
    add …ble:2.0:Device {}
      unchanged
    add …ble:2.0:Device "text"
      400 invalidValue: Operations[0]: the value of `…ble:2.0:Device` must be an object
    remove …ble:2.0:Device "text"
      {"…ble:2.0:Device":null}
    remove …ble:2.0:Device {}
      {"…ble:2.0:Device":null}
    remove …ble:2.0:Device {"deviceMacAddress":"aa"}
      {"…ble:2.0:Device":null}
    add …dpp:2.0:Device {"dppVersion":2}
      400 invalidValue: `bootstrapKey` is required
    add …dpp:2.0:Device {"dppVersion":2,"bootstrapKey":" "}
      400 invalidValue: `bootstrapKey` is required
    add …dpp:2.0:Device {"dppVersion":2,"bootstrapKey":"k"}
      {"…dpp:2.0:Device":{"dppVersion":2,"bootstrapKey":"k"}}
    add …dpp:2.0:Device {"dppVersion":2.5,"bootstrapKey":"k"}
      400 invalidValue: Operations[0]: `…dpp:2.0:Device:dppVersion`: expected a whole number, found a number
    add …endpointAppsExt:2.0:Device:applications [{"value":"33333333-3333-4333-8333-333333333333"}]
      {"…endpointAppsExt:2.0:Device":{"applications":[{"value":"33333333-3333-4333-8333-333333333333"}]}}
    add …endpointAppsExt:2.0:Device:applications [{"$ref":"https://x/Groups/1"}]
      400 invalidValue: Operations[0]: `…endpointAppsExt:2.0:Device:applications[0].value`: a value is required
    "#);
    insta::assert_snapshot!(shortened(&app(), &[
        json!({"op": "remove", "path": "certificateInfo"}),
        json!({"op": "remove", "path": "certificateInfo.rootCA"}),
        json!({"op": "remove", "path": "certificateInfo.subjectName"}),
        json!({"op": "replace", "path": "certificateInfo", "value": {"rootCA": "n"}}),
        json!({"op": "replace", "path": "certificateInfo", "value": {"subjectName": " "}}),
        json!({"op": "replace", "path": "certificateInfo", "value": {"subjectName": null}}),
        json!({"op": "replace", "path": "certificateInfo", "value": "text"}),
        json!({"op": "replace", "path": "certificateInfo", "value": 5}),
        json!({"op": "replace", "path": "certificateInfo", "value": []}),
    ]), @r#"
    remove certificateInfo
      {"certificateInfo":null}
    remove certificateInfo.rootCA
      {"certificateInfo":{"subjectName":"s"}}
    remove certificateInfo.subjectName
      400 mutability: Operations[0]: `subjectName` is required and cannot be removed
    replace certificateInfo {"rootCA":"n"}
      {"certificateInfo":{"rootCA":"n","subjectName":"s"}}
    replace certificateInfo {"subjectName":" "}
      400 invalidValue: `certificateInfo.subjectName` is required
    replace certificateInfo {"subjectName":null}
      400 mutability: Operations[0]: `subjectName` is required and cannot be removed
    replace certificateInfo "text"
      400 invalidValue: Operations[0]: `certificateInfo` must be an object
    replace certificateInfo 5
      400 invalidValue: Operations[0]: `certificateInfo` must be an object
    replace certificateInfo []
      {"certificateInfo":null}
    "#);
    let mut bare = app();
    bare.as_object_mut().unwrap().remove("certificateInfo");
    insta::assert_snapshot!(shortened(&bare, &[
        json!({"op": "add", "path": "certificateInfo.rootCA", "value": "r"}),
        json!({"op": "remove", "path": "certificateInfo.subjectName"}),
        json!({"op": "remove", "path": "applicationName"}),
    ]), @r#"
    add certificateInfo.rootCA "r"
      400 invalidValue: `certificateInfo.subjectName` is required
    remove certificateInfo.subjectName
      400 mutability: Operations[0]: `subjectName` is required and cannot be removed
    remove applicationName
      400 mutability: Operations[0]: `applicationName` is required and cannot be removed
    "#);
}
