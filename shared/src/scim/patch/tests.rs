mod devices;
mod effort;
mod hostile;
mod members;

use serde_json::{Map, json};

use super::*;
use crate::scim::schema::catalogue;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const M1: &str = "11111111-1111-4111-8111-111111111111";
const M2: &str = "22222222-2222-4222-8222-222222222222";

fn id() -> ResourceId {
    ResourceId::from_random([7; 16])
}

fn message(operations: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

fn attributes(value: &Value) -> Attributes {
    value.as_object().cloned().unwrap_or_default()
}

fn user() -> Value {
    json!({
        "userName": "babs",
        "name": {"givenName": "Barbara", "familyName": "Jensen"},
        "emails": [
            {"value": "w@x", "type": "work", "primary": true},
            {"value": "h@x", "type": "home"},
        ],
        ENTERPRISE: {"department": "Tours"},
    })
}

fn group() -> Value {
    json!({"displayName": "g", "members": [{"value": M1, "type": "User"}]})
}

fn parse(name: &str, operations: &Value) -> Result<Patch, ScimError> {
    Patch::parse(
        catalogue().by_name(name).unwrap(),
        &message(operations),
        Dialect::default(),
    )
}

fn apply(before: &Value, operations: &Value, dialect: Dialect) -> Result<Attributes, ScimError> {
    let telling = ["userName", "active", "applicationName"];
    let name = match telling.map(|name| before.get(name).is_some()) {
        [true, ..] => "User",
        [_, true, _] => "Device",
        [_, _, true] => "EndpointApp",
        _ => "Group",
    };
    let resource_type = catalogue().by_name(name).unwrap();
    Patch::parse(resource_type, &message(operations), dialect)?.apply(
        resource_type,
        id(),
        &attributes(before),
    )
}

/// What each operation does to the resource: the attributes that differ, or
/// the error.
fn table(before: &Value, operations: &[Value]) -> String {
    let lines = operations.iter().map(|operation| {
        let value = operation
            .get("value")
            .map(|value| format!(" {value}"))
            .unwrap_or_default();
        let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or("-");
        let head = format!("{} {}{value}", text("op"), text("path"));
        let outcome = match apply(before, &json!([operation]), Dialect::default()) {
            Ok(after) => difference(&attributes(before), &after),
            Err(error) => error.to_string(),
        };
        format!("{head}\n  {outcome}").replace(ENTERPRISE, "ENTERPRISE")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn difference(before: &Attributes, after: &Attributes) -> String {
    let mut changes = Map::new();
    for (name, value) in after {
        if before.get(name) != Some(value) {
            changes.insert(name.clone(), value.clone());
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        changes.insert(name.clone(), Value::Null);
    }
    if changes.is_empty() {
        "unchanged".into()
    } else {
        Value::Object(changes).to_string()
    }
}

#[test]
fn single_valued_attributes_are_set_merged_and_unassigned() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "add", "path": "title", "value": "Guide"}),
        json!({"op": "replace", "path": "NAME.GIVENNAME", "value": "Babs"}),
        json!({"op": "replace", "path": "name", "value": {"givenName": "Babs"}}),
        json!({"op": "replace", "path": "name", "value": {"givenName": null}}),
        json!({"op": "replace", "path": "name", "value": {"shoe": 1}}),
        json!({"op": "replace", "path": "name", "value": null}),
        json!({"op": "replace", "path": "name", "value": {}}),
        json!({"op": "add", "path": "name", "value": {}}),
        json!({"op": "replace", "path": "name", "value": [{"givenName": "B"}]}),
        json!({"op": "replace", "path": "name", "value": [{"givenName": "B"}, {"givenName": "C"}]}),
        json!({"op": "remove", "path": "name.givenName", "value": 5}),
        json!({"op": "remove", "path": "name", "value": {"familyName": "Jensen"}}),
        json!({"op": "remove", "path": "name.givenName"}),
        json!({"op": "remove", "path": "name"}),
        json!({"op": "remove", "path": "title"}),
        json!({"op": "add", "path": "userName", "value": "babs"}),
        json!({"op": "replace", "path": "title", "value": ""}),
    ]), @r#"
    add title "Guide"
      {"title":"Guide"}
    replace NAME.GIVENNAME "Babs"
      {"name":{"givenName":"Babs","familyName":"Jensen"}}
    replace name {"givenName":"Babs"}
      {"name":{"givenName":"Babs","familyName":"Jensen"}}
    replace name {"givenName":null}
      {"name":{"familyName":"Jensen"}}
    replace name {"shoe":1}
      unchanged
    replace name null
      {"name":null}
    replace name {}
      {"name":null}
    add name {}
      unchanged
    replace name [{"givenName":"B"}]
      {"name":{"givenName":"B","familyName":"Jensen"}}
    replace name [{"givenName":"B"},{"givenName":"C"}]
      400 invalidValue: Operations[0]: `name` must be an object
    remove name.givenName 5
      {"name":{"familyName":"Jensen"}}
    remove name {"familyName":"Jensen"}
      {"name":null}
    remove name.givenName
      {"name":{"familyName":"Jensen"}}
    remove name
      {"name":null}
    remove title
      unchanged
    add userName "babs"
      unchanged
    replace title ""
      {"title":""}
    "#);
}

#[test]
fn lists_grow_are_replaced_and_shrink() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "add", "path": "emails", "value": {"value": "n@x"}}),
        json!({"op": "add", "path": "emails", "value": [{"value": "H@X", "type": "home", "primary": false}]}),
        json!({"op": "add", "path": "emails", "value": []}),
        json!({"op": "add", "path": "emails", "value": [{"value": "n@x", "primary": true}]}),
        json!({"op": "add", "path": "emails", "value": [{"value": "h@x", "type": "home", "primary": true, "display": "H"}]}),
        json!({"op": "add", "path": "emails", "value": [{"value": "w@x", "type": "work"}, {"value": "w@x"}]}),
        json!({"op": "add", "path": "emails", "value": [{"value": "n@x", "display": "1"}, {"value": "N@X", "display": "2"}]}),
        json!({"op": "add", "path": "emails", "value": [{"value": "1@x"}, {"value": "2@x"}, {"value": "3@x", "primary": true}]}),
        json!({"op": "replace", "path": "emails", "value": {"value": "n@x"}}),
        json!({"op": "replace", "path": "emails", "value": []}),
        json!({"op": "replace", "path": "emails", "value": null}),
        json!({"op": "remove", "path": "emails"}),
        json!({"op": "remove", "path": "emails", "value": {"type": "home"}}),
        json!({"op": "remove", "path": "emails", "value": [{"value": "h@x"}, {"value": "w@x", "type": "home"}]}),
        json!({"op": "remove", "path": "emails", "value": []}),
        json!({"op": "remove", "path": "emails", "value": ["H@X"]}),
        json!({"op": "remove", "path": "emails", "value": 5}),
        json!({"op": "remove", "path": "emails", "value": {"shoe": 1}}),
        json!({"op": "remove", "path": "addresses", "value": "Hollywood"}),
        json!({"op": "remove", "path": "emails.type"}),
        json!({"op": "replace", "path": "phoneNumbers.value", "value": "1"}),
    ]), @r#"
    add emails {"value":"n@x"}
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"n@x"}]}
    add emails [{"value":"H@X","type":"home","primary":false}]
      unchanged
    add emails []
      unchanged
    add emails [{"value":"n@x","primary":true}]
      {"emails":[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home"},{"value":"n@x","primary":true}]}
    add emails [{"value":"h@x","type":"home","primary":true,"display":"H"}]
      {"emails":[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home","display":"H","primary":true}]}
    add emails [{"value":"w@x","type":"work"},{"value":"w@x"}]
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"w@x"}]}
    add emails [{"value":"n@x","display":"1"},{"value":"N@X","display":"2"}]
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"n@x","display":"2"}]}
    add emails [{"value":"1@x"},{"value":"2@x"},{"value":"3@x","primary":true}]
      {"emails":[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home"},{"value":"1@x"},{"value":"2@x"},{"value":"3@x","primary":true}]}
    replace emails {"value":"n@x"}
      {"emails":[{"value":"n@x"}]}
    replace emails []
      {"emails":null}
    replace emails null
      {"emails":null}
    remove emails
      {"emails":null}
    remove emails {"type":"home"}
      {"emails":[{"value":"w@x","type":"work","primary":true}]}
    remove emails [{"value":"h@x"},{"value":"w@x","type":"home"}]
      {"emails":[{"value":"w@x","type":"work","primary":true}]}
    remove emails []
      unchanged
    remove emails ["H@X"]
      {"emails":[{"value":"w@x","type":"work","primary":true}]}
    remove emails 5
      400 invalidValue: Operations[0]: `emails` has no such element
    remove emails {"shoe":1}
      400 invalidValue: Operations[0]: `emails` has no such element
    remove addresses "Hollywood"
      400 invalidValue: Operations[0]: `addresses` has no such element
    remove emails.type
      {"emails":[{"value":"w@x","primary":true},{"value":"h@x"}]}
    replace phoneNumbers.value "1"
      {"phoneNumbers":[{"value":"1"}]}
    "#);
}

#[test]
fn a_value_filter_selects_elements() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "n@x"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "n@x"}}),
        json!({"op": "replace", "path": "emails[value eq \"w@x\"]", "value": {"display": "W"}}),
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"primary": false}}),
        json!({"op": "add", "path": "emails[type eq \"work\"]", "value": {"display": "W"}}),
        json!({"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "H"}}),
        json!({"op": "add", "path": "emails[type eq \"home\"].display", "value": "H"}),
        json!({"op": "add", "path": "emails[type eq \"home\"]", "value": {"primary": true}}),
        json!({"op": "add", "path": "emails[type eq \"home\"]", "value": {"primary": false}}),
        json!({"op": "add", "path": "emails[type eq \"home\"].primary", "value": false}),
        json!({"op": "add", "path": "emails[value ew \"@x\"]", "value": {"primary": true}}),
        json!({"op": "add", "path": "emails[value ew \"@x\"].display", "value": "both"}),
        json!({"op": "remove", "path": "emails[value ew \"@x\"].type"}),
        json!({"op": "remove", "path": "emails[type eq \"home\"]"}),
        json!({"op": "remove", "path": "emails[type eq \"other\"]"}),
        json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}),
        json!({"op": "replace", "path": "emails[value ew \"@x\"].primary", "value": true}),
        json!({"op": "replace", "path": "emails[type eq \"home\"]", "value": null}),
    ]), @r#"
    replace emails[type eq "home"].value "n@x"
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"n@x","type":"home"}]}
    replace emails[type eq "work"] {"value":"n@x"}
      {"emails":[{"type":"work","primary":true,"value":"n@x"},{"value":"h@x","type":"home"}]}
    replace emails[value eq "w@x"] {"display":"W"}
      {"emails":[{"value":"w@x","primary":true,"display":"W"},{"value":"h@x","type":"home"}]}
    replace emails[type eq "work"] {"primary":false}
      {"emails":[{"type":"work","primary":false},{"value":"h@x","type":"home"}]}
    add emails[type eq "work"] {"display":"W"}
      {"emails":[{"value":"w@x","type":"work","primary":true,"display":"W"},{"value":"h@x","type":"home"}]}
    add emails[type eq "home"] {"display":"H"}
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home","display":"H"}]}
    add emails[type eq "home"].display "H"
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home","display":"H"}]}
    add emails[type eq "home"] {"primary":true}
      {"emails":[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home","primary":true}]}
    add emails[type eq "home"] {"primary":false}
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home","primary":false}]}
    add emails[type eq "home"].primary false
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home","primary":false}]}
    add emails[value ew "@x"] {"primary":true}
      400 invalidValue: Operations[0]: more than one of `emails` would be primary
    add emails[value ew "@x"].display "both"
      {"emails":[{"value":"w@x","type":"work","primary":true,"display":"both"},{"value":"h@x","type":"home","display":"both"}]}
    remove emails[value ew "@x"].type
      {"emails":[{"value":"w@x","primary":true},{"value":"h@x"}]}
    remove emails[type eq "home"]
      {"emails":[{"value":"w@x","type":"work","primary":true}]}
    remove emails[type eq "other"]
      unchanged
    replace emails[type eq "home"].primary "True"
      {"emails":[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home","primary":true}]}
    replace emails[value ew "@x"].primary true
      400 invalidValue: Operations[0]: more than one of `emails` would be primary
    replace emails[type eq "home"] null
      {"emails":[{"value":"w@x","type":"work","primary":true}]}
    "#);
}

#[test]
fn an_unmatched_filter_creates_on_add_only() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@x"}),
        json!({"op": "add", "path": "emails[type eq \"other\" and primary eq true]", "value": {"value": "o@x"}}),
        json!({"op": "add", "path": "emails[type eq \"other\" or type eq \"x\"].value", "value": "o@x"}),
        json!({"op": "add", "path": "emails[type eq \"a\" and type eq \"b\"].value", "value": "o@x"}),
        json!({"op": "add", "path": "emails[type eq \"a\" and type eq \"a\"].value", "value": "o@x"}),
        json!({"op": "add", "path": "emails[type eq \"a\" and display eq null].value", "value": "o@x"}),
        json!({"op": "add", "path": "emails[type eq \"other\"]", "value": {"type": null, "value": "o@x"}}),
        json!({"op": "add", "path": "emails[type eq \"other\"].value", "value": null}),
        json!({"op": "replace", "path": "emails[type eq \"other\"].value", "value": "o@x"}),
    ]), @r#"
    add emails[type eq "other"].value "o@x"
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"o@x","type":"other"}]}
    add emails[type eq "other" and primary eq true] {"value":"o@x"}
      {"emails":[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home"},{"value":"o@x","type":"other","primary":true}]}
    add emails[type eq "other" or type eq "x"].value "o@x"
      400 noTarget: Operations[0]: no element of `emails` matches `emails.type eq "other" or emails.type eq "x"`
    add emails[type eq "a" and type eq "b"].value "o@x"
      400 noTarget: Operations[0]: no element of `emails` matches `emails.type eq "a" and emails.type eq "b"`
    add emails[type eq "a" and type eq "a"].value "o@x"
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"o@x","type":"a"}]}
    add emails[type eq "a" and display eq null].value "o@x"
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"o@x","type":"a"}]}
    add emails[type eq "other"] {"type":null,"value":"o@x"}
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"o@x"}]}
    add emails[type eq "other"].value null
      unchanged
    replace emails[type eq "other"].value "o@x"
      400 noTarget: Operations[0]: no element of `emails` matches `emails.type eq "other"`
    "#);

    let replace =
        json!([{"op": "replace", "path": "emails[type eq \"other\"].value", "value": "o"}]);
    let after = apply(&user(), &replace, Dialect { entra: true }).unwrap();
    assert_eq!(after["emails"][2], json!({"type": "other", "value": "o"}));
}

#[test]
fn without_a_path_each_member_is_a_path() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "replace", "value": {"schemas": [], "title": "Guide", "name.givenName": "B"}}),
        json!({"op": "Add", "value": {ENTERPRISE: {"division": "D", "userName": "no"}}}),
        json!({"op": "replace", "value": {format!("{ENTERPRISE}:department"): "Maps"}}),
        json!({"op": "replace", "value": {"emails[type eq \"home\"].value": "n@x"}}),
        json!({"op": "replace", "value": {"id": id().to_string(), "title": "Guide"}}),
        json!({"op": "replace", "value": {"id": "other"}}),
        json!({"op": "replace", "path": " ", "value": {"title": "Guide"}}),
        json!({"op": "replace", "path": CORE, "value": {"title": "Guide"}}),
        json!({"op": "replace", "value": {"groups": [], "meta": null}}),
        json!({"op": "replace", "value": {"groups": {}, "meta": {}}}),
        json!({"op": "replace", "value": {"groups": [{"value": "g"}]}}),
        json!({"op": "add", "value": {"shoeSize": 9}}),
        json!({"op": "add", "value": "text"}),
        json!({"op": "remove", "value": {"title": "x"}}),
    ]), @r#"
    replace - {"schemas":[],"title":"Guide","name.givenName":"B"}
      {"name":{"givenName":"B","familyName":"Jensen"},"title":"Guide"}
    Add - {"ENTERPRISE":{"division":"D","userName":"no"}}
      {"ENTERPRISE":{"department":"Tours","division":"D"}}
    replace - {"ENTERPRISE:department":"Maps"}
      {"ENTERPRISE":{"department":"Maps"}}
    replace - {"emails[type eq \"home\"].value":"n@x"}
      {"emails":[{"value":"w@x","type":"work","primary":true},{"value":"n@x","type":"home"}]}
    replace - {"id":"07070707-0707-4707-8707-070707070707","title":"Guide"}
      {"title":"Guide"}
    replace - {"id":"other"}
      400 mutability: Operations[0]: `id` cannot be changed
    replace   {"title":"Guide"}
      {"title":"Guide"}
    replace urn:ietf:params:scim:schemas:core:2.0:User {"title":"Guide"}
      {"title":"Guide"}
    replace - {"groups":[],"meta":null}
      unchanged
    replace - {"groups":{},"meta":{}}
      unchanged
    replace - {"groups":[{"value":"g"}]}
      400 mutability: Operations[0]: `groups` is read-only
    add - {"shoeSize":9}
      unchanged
    add - "text"
      400 invalidValue: Operations[0]: without a path, `value` must be an object
    remove - {"title":"x"}
      400 noTarget: Operations[0]: `remove` needs a path
    "#);
}

#[test]
fn extensions_are_reached_in_every_spelling_and_vanish_when_empty() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "add", "path": "manager", "value": [{"$ref": "https://x/Users/1", "value": "1"}]}),
        json!({"op": "replace", "path": "employeeNumber", "value": ["7"]}),
        json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": "1"}),
        json!({"op": "replace", "path": format!("{ENTERPRISE}.department"), "value": "Maps"}),
        json!({"op": "remove", "path": "department"}),
        json!({"op": "remove", "path": ENTERPRISE}),
        json!({"op": "add", "path": ENTERPRISE, "value": {"department": null}}),
        json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": ""}),
        json!({"op": "replace", "path": "manager.value", "value": ""}),
        json!({"op": "replace", "path": "manager", "value": {"value": ""}}),
        json!({"op": "replace", "path": "manager", "value": {"$ref": "https://x/Users/1"}}),
        json!({"op": "replace", "path": "manager.displayName", "value": "x"}),
    ]), @r#"
    add manager [{"$ref":"https://x/Users/1","value":"1"}]
      {"ENTERPRISE":{"department":"Tours","manager":{"value":"1"}}}
    replace employeeNumber ["7"]
      {"ENTERPRISE":{"department":"Tours","employeeNumber":"7"}}
    replace ENTERPRISE:manager "1"
      {"ENTERPRISE":{"department":"Tours","manager":{"value":"1"}}}
    replace ENTERPRISE.department "Maps"
      {"ENTERPRISE":{"department":"Maps"}}
    remove department
      {"ENTERPRISE":null}
    remove ENTERPRISE
      {"ENTERPRISE":null}
    add ENTERPRISE {"department":null}
      {"ENTERPRISE":null}
    replace ENTERPRISE:manager ""
      unchanged
    replace manager.value ""
      unchanged
    replace manager {"value":""}
      unchanged
    replace manager {"$ref":"https://x/Users/1"}
      {"ENTERPRISE":{"department":"Tours","manager":{"value":"1"}}}
    replace manager.displayName "x"
      400 mutability: Operations[0]: `ENTERPRISE:manager.displayName` is read-only
    "#);
}

#[test]
fn a_required_extension_cannot_be_emptied() {
    let user_type = catalogue().by_name("User").unwrap();
    let mut strict = user_type.clone();
    for extension in &mut strict.extensions {
        extension.required = extension.schema.id == ENTERPRISE;
    }
    let strict: &'static ResourceType = Box::leak(Box::new(strict));
    let department = format!("{ENTERPRISE}:department");
    for (operation, wants) in [
        (
            json!({"op": "remove", "path": department}),
            Some(format!("`{ENTERPRISE}` is required")),
        ),
        (
            json!({"op": "remove", "path": ENTERPRISE}),
            Some(format!("`{ENTERPRISE}` is required")),
        ),
        (
            json!({"op": "replace", "path": department, "value": "Maps"}),
            None,
        ),
    ] {
        let message = message(&json!([operation]));
        let patch = Patch::parse(strict, &message, Dialect::default()).unwrap();
        let outcome = patch.apply(strict, id(), &attributes(&user()));
        let told = outcome.err().map(|error| error.detail().to_owned());
        assert_eq!(told, wants, "{operation}");
    }
}

#[test]
fn faults_have_the_keyword_of_their_kind() {
    insta::assert_snapshot!(table(&user(), &[
        json!({"op": "move", "path": "title", "value": "x"}),
        json!({"op": 1, "path": "title"}),
        json!({"path": "title", "value": "x"}),
        json!({"op": "add", "path": "title"}),
        json!({"op": "add", "path": 5, "value": "x"}),
        json!({"op": "add", "path": "shoeSize", "value": "x"}),
        json!({"op": "add", "path": "emails[type eq \"work\"].shoe", "value": "x"}),
        json!({"op": "add", "path": "emails[type eq \"work\"]value", "value": "x"}),
        json!({"op": "add", "path": "emails[shoe eq \"work\"].value", "value": "x"}),
        json!({"op": "add", "path": "emails[type eq \"work\"", "value": "x"}),
        json!({"op": "add", "path": "name[givenName eq \"x\"].familyName", "value": "x"}),
        json!({"op": "add", "path": "userName eq \"x\"", "value": "x"}),
        json!({"op": "remove", "path": "emails eq \"w@x\""}),
        json!({"op": "remove", "path": format!("{CORE}[value eq \"x\"]")}),
        json!({"op": "remove", "path": format!("{ENTERPRISE}[department eq \"Tours\"]")}),
        json!({"op": "add", "path": "title", "value": ["a", "b"]}),
        json!({"op": "add", "path": "title", "value": {"a": 1}}),
        json!({"op": "add", "path": "name", "value": {"givenName": 5}}),
        json!({"op": "add", "path": "emails[type eq \"work\"].value", "value": ["a"]}),
        json!({"op": "add", "path": "emails", "value": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
        json!({"op": "remove", "path": "userName"}),
        json!({"op": "replace", "path": "userName", "value": null}),
        json!({"op": "replace", "path": "userName", "value": ""}),
        json!({"op": "replace", "path": "userName", "value": " \t"}),
        json!({"op": "replace", "path": "id", "value": id().to_string()}),
        json!({"op": "remove", "path": "meta.created"}),
        json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}),
        json!({"op": "remove"}),
    ]), @r#"
    move title "x"
      400 invalidSyntax: Operations[0]: `op` is `move`, not `add`, `replace` or `remove`
    - title
      400 invalidSyntax: Operations[0]: `op` must be a string
    - title "x"
      400 invalidSyntax: Operations[0]: `op` is missing
    add title
      400 invalidValue: Operations[0]: `value` is missing
    add - "x"
      400 invalidPath: Operations[0]: `path` must be a string
    add shoeSize "x"
      400 invalidPath: Operations[0]: User has no attribute `shoeSize`
    add emails[type eq "work"].shoe "x"
      400 invalidPath: Operations[0]: `emails` has no sub-attribute `shoe`
    add emails[type eq "work"]value "x"
      400 invalidPath: Operations[0]: `emails[type eq "work"]value` is no path
    add emails[shoe eq "work"].value "x"
      400 invalidFilter: Operations[0]: `emails` has no sub-attribute `shoe` at character 8
    add emails[type eq "work" "x"
      400 invalidFilter: Operations[0]: expected `]`, found the end at character 22
    add name[givenName eq "x"].familyName "x"
      400 invalidFilter: Operations[0]: `name` has no elements to filter
    add userName eq "x" "x"
      400 invalidPath: Operations[0]: `userName eq "x"` is no path
    remove emails eq "w@x"
      400 invalidPath: Operations[0]: `emails eq "w@x"` is no path
    remove urn:ietf:params:scim:schemas:core:2.0:User[value eq "x"]
      400 invalidPath: Operations[0]: `urn:ietf:params:scim:schemas:core:2.0:User[value eq "x"]` is no path
    remove ENTERPRISE[department eq "Tours"]
      400 invalidPath: Operations[0]: `ENTERPRISE[department eq "Tours"]` is no path
    add title ["a","b"]
      400 invalidValue: Operations[0]: `title` has one value, not a list
    add title {"a":1}
      400 invalidValue: Operations[0]: `title`: expected a string, found an object
    add name {"givenName":5}
      400 invalidValue: Operations[0]: `name.givenName`: expected a string, found a number
    add emails[type eq "work"].value ["a"]
      400 invalidValue: Operations[0]: `emails.value` has one value, not a list
    add emails [{"value":"a","primary":true},{"value":"b","primary":true}]
      400 invalidValue: Operations[0]: `emails`: more than one value is primary
    remove userName
      400 mutability: Operations[0]: `userName` is required and cannot be removed
    replace userName null
      400 mutability: Operations[0]: `userName` is required and cannot be removed
    replace userName ""
      400 invalidValue: `userName` is required
    replace userName " \t"
      400 invalidValue: `userName` is required
    replace id "07070707-0707-4707-8707-070707070707"
      400 mutability: Operations[0]: `id` is read-only
    remove meta.created
      400 mutability: Operations[0]: `meta.created` is read-only
    add groups [{"value":"g"}]
      400 mutability: Operations[0]: `groups` is read-only
    remove -
      400 noTarget: Operations[0]: `remove` needs a path
    "#);
}

#[test]
fn a_message_of_the_wrong_shape_is_invalid_syntax() {
    let user = catalogue().by_name("User").unwrap();
    let operations = json!([{"op": "replace", "path": "title", "value": "x"}]);
    for data in [
        json!(5),
        json!({"Operations": operations}),
        json!({"schemas": ["urn:other"], "Operations": operations}),
        message(&json!(null)),
        message(&json!([])),
        message(&json!([true])),
        json!([]),
    ] {
        let error = Patch::parse(user, &data, Dialect::default()).unwrap_err();
        assert_eq!(
            error.scim_type(),
            Some(crate::scim::ScimType::InvalidSyntax),
            "{data}"
        );
    }
    for data in [
        operations.clone(),
        json!({"SCHEMAS": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "operations": operations}),
    ] {
        assert!(
            Patch::parse(user, &data, Dialect::default()).is_ok(),
            "{data}"
        );
    }
}

#[test]
fn the_simple_values_are_those_set_last() {
    let department = format!("{ENTERPRISE}:department");
    let patch = parse(
        "User",
        &json!([
            {"op": "add", "path": "userName", "value": "first"},
            {"op": "replace", "value": {"userName": "last", "name": {"givenName": "B"}}},
            {"op": "add", "path": "name.familyName", "value": "J"},
            {"op": "add", "path": "emails", "value": {"value": "e@x"}},
            {"op": "add", "path": department, "value": "Maps"},
            {"op": "add", "path": "employeeNumber", "value": "7"},
            {"op": "remove", "path": "title"},
        ]),
    );
    let set = patch.unwrap().simple_values();
    let expected = json!({
        "userName": "last",
        ENTERPRISE: {"department": "Maps", "employeeNumber": "7"},
    });
    assert_eq!(Value::Object(set), expected);
}

#[test]
fn operations_work_on_what_the_ones_before_left_and_fail_together() {
    let operations = json!([
        {"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@x"},
        {"op": "replace", "path": "emails[type eq \"other\"].primary", "value": true},
        {"op": "remove", "path": "emails[type eq \"work\"]"},
    ]);
    let after = apply(&user(), &operations, Dialect::default()).unwrap();
    let expected = json!([
        {"value": "h@x", "type": "home"},
        {"type": "other", "value": "o@x", "primary": true},
    ]);
    assert_eq!(after["emails"], expected);

    let mut failing = operations.as_array().unwrap().clone();
    failing.push(json!({"op": "replace", "path": "emails[type eq \"none\"]", "value": {}}));
    let error = apply(&user(), &json!(failing), Dialect::default()).unwrap_err();
    insta::assert_snapshot!(error, @r#"400 noTarget: Operations[3]: no element of `emails` matches `emails.type eq "none"`"#);
}
