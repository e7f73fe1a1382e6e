//! The checks of the build, each shown to bite: one mistake in files that are
//! right otherwise, and what the build would say of it.

use serde_json::{Value, json};

use crate::scim::urn;

#[path = "../../../build/mod.rs"]
mod build;

const URN: &str = "urn:example:2.0:Robot";
const EXTENSION: &str = "urn:example:extension:2.0:Robot";

/// A resource type with an extension, of which nothing is wrong.
struct Files {
    common: Value,
    schema: Value,
    extension: Value,
    resource_type: Value,
}

impl Files {
    fn right() -> Self {
        Self {
            common: json!({"name": "Common", "attributes": [{"name": "externalId", "caseExact": true}]}),
            schema: json!({
                "schemas": [urn::SCHEMA],
                "id": URN,
                "name": "Robot",
                "attributes": [
                    {"name": "serial", "uniqueness": "server"},
                    {"name": "size", "canonicalValues": ["small", "large"], "closed": true},
                    {"name": "owner", "type": "complex", "subAttributes": [
                        {"name": "value"},
                        {"name": "$ref", "type": "reference", "referenceTypes": ["Robot", "uri"]},
                    ]},
                    {"name": "weight", "type": "decimal"},
                ],
            }),
            extension: json!({
                "schemas": [urn::SCHEMA],
                "id": EXTENSION,
                "name": "RobotExtension",
                "attributes": [{"name": "secret", "mutability": "writeOnly", "returned": "never"}],
            }),
            resource_type: json!({
                "schemas": [urn::RESOURCE_TYPE],
                "id": "Robot",
                "name": "Robot",
                "endpoint": "/Robots",
                "schema": URN,
                "schemaExtensions": [{"schema": EXTENSION, "required": false}],
                "lookups": ["externalId", "size", "owner.value"],
            }),
        }
    }

    fn built(&self) -> Result<String, String> {
        let schemas = [
            ("schemas/Robot.json", &self.schema),
            ("schemas/RobotExtension.json", &self.extension),
            ("schemas/common.json", &self.common),
        ];
        let types = [("resource-types/Robot.json", &self.resource_type)];
        build::code(&texts(&schemas), &texts(&types))
    }
}

fn texts(files: &[(&str, &Value)]) -> Vec<(String, String)> {
    let files = files.iter();
    files
        .map(|(path, content)| ((*path).to_owned(), content.to_string()))
        .collect()
}

/// What the build says when something is put in a place of a file. Null takes
/// away what is there.
fn refused(of: impl Fn(&mut Files) -> &mut Value, pointer: &str, put: Value) -> String {
    let mut files = Files::right();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match of(&mut files).pointer_mut(parent).unwrap() {
        Value::Object(members) if put.is_null() => {
            members.shift_remove(name).unwrap();
        }
        Value::Object(members) => {
            members.insert(name.to_owned(), put);
        }
        Value::Array(elements) => elements.insert(name.parse().unwrap(), put),
        other => panic!("nothing can be put into {other}"),
    }
    files.built().expect_err(pointer)
}

#[test]
fn what_is_right_is_built() {
    let code = Files::right().built().unwrap();
    assert!(code.contains("serial"), "{code}");
    let listed: Vec<&str> = code.matches("LookupPath {").collect();
    assert_eq!(listed.len(), 3);
}

#[test]
fn a_mistake_in_a_schema_names_the_file_and_the_place() {
    let cases = [
        ("/name", Value::Null),
        ("/colour", json!("red")),
        ("/attributes", json!({})),
        ("/attributes/0/type", json!("text")),
        ("/attributes/0/mutability", json!("readonly")),
        ("/attributes/0/returned", json!("often")),
        ("/attributes/0/uniqueness", json!("Manufacturer")),
        ("/attributes/0/multivalued", json!(true)),
        ("/attributes/0/required", json!("yes")),
        ("/attributes/0/name", json!("2nd")),
        ("/attributes/0/name", json!("urn:x:serial")),
        ("/attributes/0/name", json!("")),
        ("/attributes/1", json!({"name": "SERIAL"})),
        ("/attributes/2/subAttributes/1", json!({"name": "Value"})),
        ("/attributes/0/subAttributes", json!([{"name": "a"}])),
        ("/attributes/2/subAttributes", Value::Null),
        ("/attributes/2/uniqueness", json!("none")),
        ("/attributes/2/caseExact", json!(true)),
        ("/attributes/2/subAttributes/1/referenceTypes", Value::Null),
        (
            "/attributes/2/subAttributes/1/referenceTypes",
            json!(["Robots"]),
        ),
        ("/attributes/0/referenceTypes", json!(["uri"])),
        ("/attributes/3/canonicalValues", json!(["1"])),
        ("/attributes/1/canonicalValues", json!(["small", "Small"])),
        ("/attributes/0/closed", json!(true)),
        ("/attributes/0/mutability", json!("writeOnly")),
        ("/attributes/0/multiValued", json!(true)),
        ("/attributes/0/returned", json!("never")),
        ("/attributes/3/uniqueness", json!("server")),
        ("/attributes/2/subAttributes/0/uniqueness", json!("global")),
        (
            "/attributes/2/subAttributes/0",
            json!({"name": "part", "type": "complex", "subAttributes": [{"name": "a"}]}),
        ),
        ("/attributes/0/name", json!("externalid")),
        ("/attributes/0/name", json!("groups")),
        ("/schemas", json!([URN])),
        ("/id", Value::Null),
        ("/id", json!("Robot")),
        ("/id", json!("urn:example:")),
        ("/id", json!(EXTENSION)),
        ("/id", json!("urn:example:extension")),
    ];
    let told = cases.map(|(pointer, put)| refused(|files| &mut files.schema, pointer, put));
    insta::assert_snapshot!(told.join("\n"), @r#"
    schemas/Robot.json: missing field `name` at line 1 column 382
    schemas/Robot.json: unknown field `colour`, expected one of `schemas`, `id`, `name`, `description`, `attributes` at line 1 column 405
    schemas/Robot.json: invalid type: map, expected a sequence at line 1 column 117
    schemas/Robot.json: unknown variant `text`, expected one of `string`, `boolean`, `decimal`, `integer`, `dateTime`, `binary`, `reference`, `complex` at line 1 column 170
    schemas/Robot.json: unknown variant `readonly`, expected one of `readOnly`, `readWrite`, `immutable`, `writeOnly` at line 1 column 180
    schemas/Robot.json: unknown variant `often`, expected one of `always`, `never`, `default`, `request` at line 1 column 175
    schemas/Robot.json: unknown variant `Manufacturer`, expected one of `none`, `server`, `global` at line 1 column 162
    schemas/Robot.json: unknown field `multivalued`, expected one of `name`, `type`, `multiValued`, `description`, `required`, `caseExact`, `mutability`, `returned`, `uniqueness`, `canonicalValues`, `closed`, `referenceTypes`, `subAttributes` at line 1 column 170
    schemas/Robot.json: invalid type: string "yes", expected a boolean at line 1 column 173
    schemas/Robot.json: `attributes[0].name`: `2nd` is no attribute name (RFC 7643 §2.1)
    schemas/Robot.json: `attributes[0].name`: `urn:x:serial` is no attribute name (RFC 7643 §2.1)
    schemas/Robot.json: `attributes[0].name`: `` is no attribute name (RFC 7643 §2.1)
    schemas/Robot.json: `attributes[1].name`: `SERIAL` occurs twice
    schemas/Robot.json: `attributes[2].subAttributes[1].name`: `Value` occurs twice
    schemas/Robot.json: `attributes[0].subAttributes`: only a complex attribute has some
    schemas/Robot.json: `attributes[2].subAttributes`: a complex attribute has some
    schemas/Robot.json: `attributes[2].uniqueness`: a complex attribute has none
    schemas/Robot.json: `attributes[2].caseExact`: a complex attribute has none
    schemas/Robot.json: `attributes[2].subAttributes[1].referenceTypes`: a reference has some
    schemas/Robot.json: `attributes[2].subAttributes[1].referenceTypes`: `Robots` is no resource type, `external` or `uri`
    schemas/Robot.json: `attributes[0].referenceTypes`: only a reference has some
    schemas/Robot.json: `attributes[3].canonicalValues`: only a string has some
    schemas/Robot.json: `attributes[1].canonicalValues`: `Small` occurs twice
    schemas/Robot.json: `attributes[0].closed`: there are no canonical values to choose from
    schemas/Robot.json: `attributes[0].returned`: what is write-only is never returned
    schemas/Robot.json: `attributes[0].uniqueness`: only an attribute with one readable text as its value can be unique
    schemas/Robot.json: `attributes[0].uniqueness`: only an attribute with one readable text as its value can be unique
    schemas/Robot.json: `attributes[3].uniqueness`: only an attribute with one readable text as its value can be unique
    schemas/Robot.json: `attributes[2].subAttributes[0].uniqueness`: a sub-attribute cannot be unique
    schemas/Robot.json: `attributes[2].subAttributes[0].type`: a complex attribute holds no other (RFC 7643 §2.3.8)
    resource-types/Robot.json: `schema`: its attribute `externalid` is one that every resource has
    resource-types/Robot.json: `schema`: its attribute `groups` must be read-only
    schemas/Robot.json: `schemas`: expected `urn:ietf:params:scim:schemas:core:2.0:Schema` and nothing else
    schemas/Robot.json: `id`: `` is no URN
    schemas/Robot.json: `id`: `Robot` is no URN
    schemas/Robot.json: `id`: `urn:example:` is no URN
    schemas/RobotExtension.json: `id`: `urn:example:extension:2.0:Robot` is the URN of another schema, or begins with it
    schemas/RobotExtension.json: `id`: `urn:example:extension:2.0:Robot` is the URN of another schema, or begins with it
    "#);
}

#[test]
fn a_mistake_in_a_resource_type_names_the_file_and_the_place() {
    let cases = [
        ("/endpoint", Value::Null),
        ("/endpoints", json!("/Robots")),
        ("/id", json!("robot")),
        ("/name", json!("Android")),
        ("/name", json!("a robot")),
        ("/endpoint", json!("Robots")),
        ("/endpoint", json!("/Robots/all")),
        ("/endpoint", json!("/Schemas")),
        ("/schemas", json!([])),
        ("/schema", json!("urn:example:2.0:Missing")),
        (
            "/schemaExtensions/0",
            json!({"schema": "urn:example:2.0:Missing", "required": false}),
        ),
        (
            "/schemaExtensions/0",
            json!({"schema": EXTENSION, "required": false}),
        ),
        (
            "/schemaExtensions/0",
            json!({"schema": URN, "required": false}),
        ),
        ("/schemaExtensions/0", json!({"schema": EXTENSION})),
        ("/lookups/0", json!("colour")),
        ("/lookups/0", json!("Size")),
        ("/lookups/0", json!("size.value")),
        ("/lookups/0", json!("owner")),
        ("/lookups/0", json!("weight")),
        ("/lookups/0", json!("size")),
        ("/lookups/0", json!("serial")),
        ("/lookups/0", json!(format!("{EXTENSION}:secret"))),
        ("/lookups/0", json!(format!("{EXTENSION}:colour"))),
        ("/lookups/0", json!("urn:example:2.0:Missing:size")),
    ];
    let told = cases.map(|(pointer, put)| refused(|files| &mut files.resource_type, pointer, put));
    insta::assert_snapshot!(told.join("\n"), @"
    resource-types/Robot.json: missing field `endpoint` at line 1 column 256
    resource-types/Robot.json: unknown field `endpoints`, expected one of `schemas`, `id`, `name`, `endpoint`, `description`, `schema`, `schemaExtensions`, `lookups` at line 1 column 288
    resource-types/Robot.json: `id`: expected the name, `Robot`
    resource-types/Robot.json: `id`: expected the name, `Android`
    resource-types/Robot.json: `name`: expected letters and digits
    resource-types/Robot.json: `endpoint`: expected a slash and one word
    resource-types/Robot.json: `endpoint`: expected a slash and one word
    resource-types/Robot.json: `endpoint`: the protocol has an endpoint of this name
    resource-types/Robot.json: `schemas`: expected `urn:ietf:params:scim:schemas:core:2.0:ResourceType` and nothing else
    resource-types/Robot.json: `schema`: no schema is `urn:example:2.0:Missing`
    resource-types/Robot.json: `schemaExtensions[0].schema`: no schema is `urn:example:2.0:Missing`
    resource-types/Robot.json: `schemaExtensions[1].schema`: it is named twice
    resource-types/Robot.json: `schemaExtensions[0].schema`: it is named twice
    resource-types/Robot.json: missing field `required` at line 1 column 212
    resource-types/Robot.json: `lookups[0]`: `colour`: no schema of this resource type has it
    resource-types/Robot.json: `lookups[0]`: `Size`: no schema of this resource type has it
    resource-types/Robot.json: `lookups[0]`: `size.value`: no schema of this resource type has it
    resource-types/Robot.json: `lookups[0]`: `owner`: it holds no text
    resource-types/Robot.json: `lookups[0]`: `weight`: it holds no text
    resource-types/Robot.json: `lookups[2]`: `size`: it is named twice
    resource-types/Robot.json: `lookups[0]`: `serial`: what is unique has a lookup already
    resource-types/Robot.json: `lookups[0]`: `urn:example:extension:2.0:Robot:secret`: what is read-only or secret has no lookup
    resource-types/Robot.json: `lookups[0]`: `urn:example:extension:2.0:Robot:colour`: no schema of this resource type has it
    resource-types/Robot.json: `lookups[0]`: `urn:example:2.0:Missing:size`: no schema of this resource type has it
    ");
}

#[test]
fn two_files_may_not_claim_the_same() {
    let files = Files::right();
    let schemas = [
        ("schemas/Robot.json", &files.schema),
        ("schemas/RobotExtension.json", &files.extension),
        ("schemas/common.json", &files.common),
    ];
    let second = |name: &str, endpoint: &str| {
        let mut second = files.resource_type.clone();
        second["id"] = json!(name);
        second["name"] = json!(name);
        second["endpoint"] = json!(endpoint);
        let path = format!("resource-types/{name}.json");
        let types = [
            ("resource-types/Robot.json", &files.resource_type),
            (&path, &second),
        ];
        build::code(&texts(&schemas), &texts(&types)).map(|_| "built".to_owned())
    };
    let told = [
        second("Android", "/Androids"),
        second("Android", "/robots"),
        second("ROBOT", "/Androids"),
        build::code(&texts(&schemas[..2]), &[]).map(|_| "built".to_owned()),
        build::code(
            &[("schemas/A.json".to_owned(), "{\n \"name\": }".to_owned())],
            &[],
        ),
    ];
    let told = told.map(|told| told.unwrap_or_else(|fault| fault));
    insta::assert_snapshot!(told.join("\n"), @"
    built
    resource-types/Android.json: `endpoint`: another resource type has it
    resource-types/ROBOT.json: `name`: another resource type has it
    schemas/common.json is missing
    schemas/A.json: expected value at line 2 column 10
    ");
}
