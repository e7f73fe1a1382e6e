//! Devices and the applications that control them (RFC 9944), which are JSON
//! files and no code: what they ask of the rules that all types share.

use harness::{Client, Stack, encode, group, patch};
use serde_json::{Value, json};
use shared::scim::schema::catalogue;

fn urn(name: &str) -> &'static str {
    let mut schemas = catalogue().schemas.iter();
    &schemas.find(|schema| schema.name == name).unwrap().id
}

fn device(name: &str) -> Value {
    json!({"schemas": [urn("Device")], "displayName": name, "active": true})
}

async fn application(client: &Client) -> String {
    let body = json!({
        "schemas": [urn("EndpointApp")],
        "applicationType": "telemetry",
        "applicationName": "Meter",
    });
    client.create("/EndpointApps", body).await
}

#[tokio::test(start_paused = true)]
async fn a_pairing_method_may_stand_inside_the_extension_or_beside_it() {
    let stack = Stack::seeded(81).await;
    let client = stack.client();
    let (ble, pass, oob) = (
        urn("bleExtension"),
        urn("pairingPassKey"),
        urn("pairingOOB"),
    );
    let inner = json!({"versionSupport": ["5.4"], "deviceMacAddress": "2C:54:91:88:C9:E2", "pairingMethods": [pass]});
    let mut body = device("Pump");
    body[ble] = inner.clone();
    body[ble][pass] = json!({"key": 123_456});
    let path = format!("/Devices/{}", client.create("/Devices", body.clone()).await);
    let read = client.get(&path).await.body;
    assert_eq!(read[pass], json!({"key": 123_456}));
    assert_eq!(read[ble], inner);
    assert_eq!(read["schemas"], json!([urn("Device"), ble, pass]));

    let value = json!({oob: {"key": "k", "randomNumber": 7}});
    let add = json!({"op": "add", "path": ble, "value": value});
    assert_eq!(client.patch(&path, patch(&[add])).await.status, 200);
    let read = client.get(&path).await.body;
    assert_eq!(read[oob], json!({"key": "k", "randomNumber": 7}));
    assert_eq!(read[pass], json!({"key": 123_456}));

    body[pass] = json!({"key": 1});
    let twice = client.put(&path, body.clone()).await;
    assert_eq!(twice.body["scimType"], "invalidSyntax", "{}", twice.body);
    body.as_object_mut().unwrap().shift_remove(pass);
    body[ble][pass] = json!({"key": "123456"});
    let wrong = client.put(&path, body).await;
    assert_eq!(wrong.body["scimType"], "invalidValue");
    assert!(
        wrong.body["detail"]
            .as_str()
            .unwrap()
            .contains(&format!("{pass}:key"))
    );
    stack.audit().await;
}

/// What nobody can read survives a PUT of what was read, and goes with the rest
/// of its extension.
#[tokio::test(start_paused = true)]
async fn a_required_secret_stays_until_its_extension_goes() {
    let stack = Stack::seeded(82).await;
    let client = stack.client();
    let dpp = urn("dppExtension");
    let mut body = device("Pump");
    body[dpp] = json!({"dppVersion": 2, "bootstrapKey": "c2VjcmV0"});
    let path = format!("/Devices/{}", client.create("/Devices", body).await);
    let mut read = client.get(&path).await.body;
    assert_eq!(read[dpp], json!({"dppVersion": 2}));
    read[dpp]["dppVersion"] = json!(3);
    let kept = client.put(&path, read.clone()).await;
    assert_eq!(
        (kept.status, &kept.body[dpp]),
        (200, &json!({"dppVersion": 3}))
    );
    assert_eq!(client.put(&path, device("Pump")).await.status, 200);
    let gone = client.put(&path, read).await;
    let detail = gone.body["detail"].as_str().unwrap();
    assert_eq!(gone.status, 400);
    assert!(detail.contains(&format!("{dpp}:bootstrapKey")), "{detail}");
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_shows_the_applications_that_exist() {
    let stack = Stack::seeded(83).await;
    let client = stack.client();
    let apps = urn("endpointAppsExt");
    let ids = [application(&client).await, application(&client).await];
    let mut body = device("Pump");
    body[apps]["applications"] = json!([{"value": ids[0]}, {"value": ids[1]}]);
    let path = format!("/Devices/{}", client.create("/Devices", body.clone()).await);
    let gone = format!("/EndpointApps/{}", ids[0]);
    assert_eq!(client.delete(&gone).await.status, 204);
    let read = client.get(&path).await.body;
    let left = read[apps]["applications"].as_array().unwrap();
    assert_eq!(left.len(), 1);
    let link = left[0]["$ref"].as_str().unwrap();
    assert!(
        link.ends_with(&format!("/EndpointApps/{}", ids[1])),
        "{link}"
    );
    // One that is gone is refused anew; so is a resource of another type.
    for other in [&ids[0], path.rsplit('/').next().unwrap()] {
        body[apps]["applications"] = json!([{"value": other}]);
        let refused = client.post("/Devices", body.clone()).await;
        assert_eq!(
            (refused.status, &refused.body["scimType"]),
            (400, &json!("invalidValue"))
        );
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_can_be_a_member_and_an_application_cannot() {
    let stack = Stack::seeded(84).await;
    let client = stack.client();
    let pump = client.create("/Devices", device("Pump")).await;
    let inner = client.create("/Groups", group("Pumps", &[&pump])).await;
    let outer = client.create("/Groups", group("Machines", &[&inner])).await;
    let read = client.get(&format!("/Devices/{pump}")).await.body;
    let told: Vec<(&str, &str)> = read["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["display"].as_str().unwrap(),
                one["type"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("Pumps", "direct"), ("Machines", "indirect")]);
    let filter = encode(&format!("members.value eq \"{pump}\""));
    let found = client.get(&format!("/Groups?filter={filter}")).await.body;
    assert_eq!(found["totalResults"], 1);

    let app = application(&client).await;
    for member in [
        json!({"value": app}),
        json!({"value": app, "type": "EndpointApp"}),
    ] {
        let add = json!({"op": "add", "path": "members", "value": [member]});
        let refused = client
            .patch(&format!("/Groups/{outer}"), patch(&[add]))
            .await;
        assert_eq!(
            (refused.status, &refused.body["scimType"]),
            (400, &json!("invalidValue"))
        );
    }
    assert_eq!(client.delete(&format!("/Devices/{pump}")).await.status, 204);
    assert!(client.members(&inner).await.is_empty());
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn each_type_needs_its_own_scope_also_in_the_search_over_all() {
    let stack = Stack::seeded(85).await;
    let client = stack.client();
    client.create("/Devices", device("Pump")).await;
    application(&client).await;
    for (scope, devices, applications, all) in [
        ("scim.devices.read", 200, 403, json!(1)),
        ("scim.endpointapps.read", 403, 200, json!(1)),
        ("scim.users.read", 403, 403, json!(0)),
        ("scim.devices.write", 403, 403, Value::Null),
    ] {
        let client = client.with_scopes(&[scope]);
        assert_eq!(client.get("/Devices").await.status, devices, "{scope}");
        assert_eq!(
            client.get("/EndpointApps").await.status,
            applications,
            "{scope}"
        );
        assert_eq!(
            client.get("?filter=id%20pr").await.body["totalResults"],
            all,
            "{scope}"
        );
    }
    let reader = client.with_scopes(&["scim.devices.read"]);
    let refused = reader.post("/Devices", device("Lamp")).await;
    assert_eq!(
        refused.body["detail"],
        "the token lacks the scope `scim.devices.write`"
    );
    stack.audit().await;
}
