//! `template.yaml` against the code: routes, rights, environment and table say
//! the same in both.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use harness::event::{Request, event};
use harness::stack::TABLE;
use local::dynamo::{Embedded, create_table};
use local::settings::Settings;
use local::template::{Function, Template};
use serde_json::{Value, json};
use shared::config::Config;
use shared::scim::schema::catalogue;
use shared::scim::urn;

use crate::events::{Directory, all, named};

/// What every function with a policy may do. A transaction needs the right of
/// each of its actions; there is no Scan, and none for anything but the table.
const RIGHTS: [&str; 6] = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// What a function with a policy may do. Only single resources are read one at a
/// time. `it/oracle.rs` tries to need more.
pub(crate) fn rights(function: Function) -> BTreeSet<String> {
    let single = (function != Function::Bulk).then_some("dynamodb:GetItem");
    let rights = RIGHTS.into_iter().chain(single);
    rights.map(str::to_owned).collect()
}

/// Read by the functions and not set by the template, each with its reason.
const NOT_SET: [(&str, &str); 1] = [("IN_FLIGHT", "a measure for experiments; 32 suits Lambda")];

fn template() -> Template {
    Template::embedded().unwrap()
}

fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let resources = template.document["Resources"].as_object().unwrap();
    let of_kind = resources.iter().filter(|(_, value)| value["Type"] == kind);
    of_kind
        .map(|(name, value)| (name.clone(), value["Properties"].clone()))
        .collect()
}

/// Every function by the package that it is built from.
fn functions() -> BTreeMap<Function, Value> {
    let known = |package: &str| {
        let mut functions = Function::ALL.into_iter();
        functions
            .find(|function| function.package() == package)
            .unwrap()
    };
    resources("AWS::Serverless::Function")
        .into_values()
        .map(|properties| {
            let folder = properties["CodeUri"].as_str().unwrap();
            let package = folder
                .trim_start_matches("functions/")
                .trim_end_matches('/');
            (known(package), properties)
        })
        .collect()
}

/// Every method on every path that the standard has, asked of every function:
/// who answers it, and not with 404, 405 or 501, is where the template's route
/// leads, and there is no other route.
#[tokio::test(start_paused = true)]
async fn routes_lead_to_the_functions_that_answer_them() {
    let mut paths: Vec<String> = [
        "",
        "/.search",
        "/Bulk",
        "/Bulk/{id}",
        "/Me",
        "/ResourceTypes",
        "/ResourceTypes/{id}",
        "/Schemas",
        "/Schemas/{id}",
        "/ServiceProviderConfig",
        "/ServiceProviderConfig/{id}",
    ]
    .map(str::to_owned)
    .into();
    for known in &catalogue().resource_types {
        let below = ["", "/{id}", "/.search"];
        paths.extend(below.map(|below| format!("{}{below}", known.endpoint)));
    }
    let mut directory = Directory::prepared(&named("users-list")).await;
    let mut answered = BTreeSet::new();
    for function in Function::ALL {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            for path in &paths {
                if answers(&mut directory, function, method, path).await {
                    answered.insert(format!("{method} {path} {function}"));
                }
            }
        }
    }
    let routes: BTreeSet<String> = template()
        .routes
        .iter()
        .map(|route| {
            format!(
                "{} {} {}",
                route.method, route.suffix, route.target.function
            )
        })
        .collect();
    assert_eq!(routes, answered);
}

#[test]
fn every_route_but_those_of_discovery_asks_for_a_token() {
    let template = template();
    for route in &template.routes {
        let open = route.target.function == Function::Discovery;
        assert_eq!(route.target.authorized, !open, "{route:?}");
    }
    assert!(template.default_route.authorized);
    for (name, route) in resources("AWS::ApiGatewayV2::Route") {
        let authorizer = json!({"Ref": "Authorizer"});
        let expected = (route["AuthorizationType"] == "JWT").then_some(&authorizer);
        assert_eq!(route.get("AuthorizerId"), expected, "{name}");
    }
}

#[test]
fn rights_are_the_reviewed_ones_on_the_table_alone() {
    let functions = functions();
    assert!(
        functions.keys().eq(&Function::ALL),
        "each function is deployed once"
    );
    for (function, properties) in functions {
        if function == Function::Discovery {
            assert_eq!(
                properties.get("Policies"),
                None,
                "it never touches the table"
            );
            continue;
        }
        let policy = json!([{
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
                "Action": properties["Policies"][0]["Statement"][0]["Action"],
            }],
        }]);
        assert_eq!(properties["Policies"], policy, "{function}");
        assert_eq!(granted(&properties), rights(function), "{function}");
    }
}

/// The right of every call that the sample events lead to is granted.
#[tokio::test(start_paused = true)]
async fn what_the_functions_do_they_may() {
    let mut used: BTreeMap<Function, BTreeSet<String>> = Function::ALL
        .map(|function| (function, BTreeSet::new()))
        .into();
    for event in all() {
        let mut directory = Directory::prepared(&event).await;
        directory.stack.weather().reset();
        directory.replay(&event).await;
        directory.stack.audit().await;
        let function = event.function();
        let rights = directory.stack.weather().report().iam;
        used.get_mut(&function).unwrap().extend(rights);
    }
    for (function, properties) in functions() {
        let missing: Vec<_> = used[&function]
            .difference(&granted(&properties))
            .cloned()
            .collect();
        assert_eq!(missing, [] as [&str; 0], "{function}");
    }
}

#[test]
fn every_function_has_an_event() {
    let functions: BTreeSet<Function> = all().iter().map(|event| event.function()).collect();
    assert!(functions.iter().eq(&Function::ALL));
}

/// Each variable that the functions read is set, none is set in vain, and with
/// its defaults the template configures what the functions would by themselves.
#[test]
fn the_environment_is_what_the_functions_read() {
    let read = RefCell::new(BTreeSet::new());
    let alone = Config::read(&|name| {
        read.borrow_mut().insert(name.to_owned());
        None
    });
    let template = template();
    let variables = &template.document["Globals"]["Function"]["Environment"]["Variables"];
    let mut set: BTreeSet<String> = variables.as_object().unwrap().keys().cloned().collect();
    set.extend(NOT_SET.map(|(name, _)| name.to_owned()));
    assert_eq!(read.into_inner(), set);
    for properties in functions().values() {
        assert_eq!(properties.get("Environment"), None);
    }
    let mut configured = Settings::overridden(&template, |_| None).config().unwrap();
    configured.table_name = None;
    assert_eq!(configured, alone.unwrap());
    assert_eq!(variables["TABLE_NAME"], json!({"Ref": "Table"}));
}

/// A number that the template takes and the functions do not would deploy, and
/// no function would start.
#[test]
fn parameters_have_the_bounds_of_the_functions() {
    let template = template();
    let parameters = template.document["Parameters"].as_object().unwrap();
    let variables = &template.document["Globals"]["Function"]["Environment"]["Variables"];
    let variables = variables.as_object().unwrap();
    let accepts = |variable: &str, value: &str| {
        Config::read(&|name| (name == variable).then(|| value.to_owned())).is_ok()
    };
    let mut bounded = Vec::new();
    for (variable, value) in variables {
        let parameter = value["Ref"].as_str().unwrap();
        let Some(described) = parameters.get(parameter) else {
            continue;
        };
        if described["Type"] != "Number" || described.get("AllowedValues").is_some() {
            continue;
        }
        let number = |member: &str| described[member].as_u64();
        let bounds = (number("MinValue"), number("Default"), number("MaxValue"));
        let (Some(least), Some(default), Some(most)) = bounds else {
            panic!("{parameter} lacks a bound or a default");
        };
        for taken in [least, default, most] {
            assert!(accepts(variable, &taken.to_string()), "{parameter} {taken}");
        }
        for refused in [least - 1, most + 1] {
            assert!(
                !accepts(variable, &refused.to_string()),
                "{parameter} {refused}"
            );
        }
        bounded.push(parameter);
    }
    bounded.sort_unstable();
    assert_eq!(bounded, ["MaxOperations", "MaxPayloadSize", "MaxResults"]);
    let choices = [
        ("StrictBulkId", "STRICT_BULK_ID"),
        ("PasswordHash", "PASSWORD_HASH"),
        ("Compatibility", "COMPATIBILITY"),
        ("ValidationErrors", "VALIDATION_ERRORS"),
        ("SubjectAttribute", "SUBJECT_ATTRIBUTE"),
    ];
    for (parameter, variable) in choices {
        for choice in parameters[parameter]["AllowedValues"].as_array().unwrap() {
            let choice = choice
                .as_str()
                .map_or_else(|| choice.to_string(), str::to_owned);
            assert!(accepts(variable, &choice), "{parameter} {choice}");
        }
    }
}

/// The deployed table has the keys and the expiry of the local one, keeps what
/// was lost by mistake, tells of changes, and has no index that would lag.
#[tokio::test]
async fn the_table_is_the_one_that_the_code_expects() {
    let embedded = Embedded::memory().unwrap();
    create_table(&embedded.client(), TABLE).await.unwrap();
    let name = json!({"TableName": TABLE}).to_string();
    let described = embedded.answer("DescribeTable", &name).body;
    let described: Value = serde_json::from_str(&described).unwrap();
    let expiry = serde_json::from_str(&name).unwrap();
    let expiry = embedded.database().describe_time_to_live(expiry).unwrap();
    let tables = resources("AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 1);
    let table = &tables["Table"];
    for member in ["KeySchema", "AttributeDefinitions"] {
        assert_eq!(table[member], described["Table"][member], "{member}");
    }
    let expiry = json!({
        "AttributeName": expiry.time_to_live_description.attribute_name,
        "Enabled": true,
    });
    assert_eq!(table["TimeToLiveSpecification"], expiry);
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(
        table["PointInTimeRecoverySpecification"],
        json!({"PointInTimeRecoveryEnabled": true})
    );
    assert_eq!(
        table["StreamSpecification"],
        json!({"StreamViewType": "NEW_AND_OLD_IMAGES"})
    );
    for index in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        assert_eq!(table.get(index), None);
    }
    let resource = &template().document["Resources"]["Table"];
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert_eq!(resource[policy], "Retain");
    }
}

/// The actions that a function's policy allows.
fn granted(properties: &Value) -> BTreeSet<String> {
    let actions = properties
        .pointer("/Policies/0/Statement/0/Action")
        .and_then(Value::as_array);
    let actions = actions.into_iter().flatten();
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// Whether a function has an answer of its own for a method on a path.
async fn answers(directory: &mut Directory, function: Function, method: &str, path: &str) -> bool {
    let id = match path {
        "/Schemas/{id}" => urn::USER,
        "/ResourceTypes/{id}" => "User",
        _ => "3f0c9a52-8a57-4c1d-9a0e-6a1f5d2b7c11",
    };
    let request = Request {
        method: method.to_owned(),
        target: path.replace("{id}", id),
        ..Request::default()
    };
    let claims = json!({"scope": harness::client::ALL_SCOPES.join(" ")});
    let event = event(&request, "scim/v2", claims.as_object(), 1, 0);
    let answer = directory.call(function, event, 0).await;
    let unknown = answer.status == 404 && answer.body["detail"] == "no such endpoint";
    !unknown && ![405, 501].contains(&answer.status)
}
