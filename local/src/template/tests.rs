use super::*;

const SMALL: &str = r#"
Parameters:
  BasePath: { Type: String, Default: scim/v2 }
  JwtAudience: { Type: CommaDelimitedList, Default: "one, two" }
  JwtIssuer: { Type: String }
Globals:
  Function:
    Timeout: 7
    Environment:
      Variables:
        BASE_PATH: !Ref BasePath
        LITERAL: 5
        ISSUER: !Ref JwtIssuer
Resources:
  Store:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema:
        - { AttributeName: b, KeyType: RANGE }
        - { AttributeName: a, KeyType: HASH }
  F: { Type: AWS::Serverless::Function, Properties: { CodeUri: ./functions/groups } }
  I:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { IntegrationUri: !GetAtt F.Arn }
  Jwt:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties: { JwtConfiguration: { Issuer: !Ref JwtIssuer, Audience: !Ref JwtAudience } }
  One:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      RouteKey: !Sub PUT /${BasePath}/Groups/{id}
      AuthorizationType: JWT
      Target: !Sub integrations/${I}
  Rest:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: $default, AuthorizationType: NONE, Target: !Sub "integrations/${I}" }
"#;

#[test]
fn routes_lead_through_integrations_to_packages() {
    let template = Template::parse(SMALL).unwrap();
    let target = Target {
        function: Function::Groups,
        authorized: true,
    };
    let route = Route {
        method: "PUT".into(),
        suffix: "/Groups/{id}".into(),
        target,
    };
    assert_eq!(template.routes, [route]);
    assert_eq!(template.default_route.function, Function::Groups);
    assert!(!template.default_route.authorized);
}

#[test]
fn parameters_without_default_stay_open() {
    let template = Template::parse(SMALL).unwrap();
    assert_eq!(template.authorizer.issuer, None);
    assert_eq!(template.authorizer.audience, ["one", "two"]);
    assert_eq!(template.variable("BASE_PATH"), Some("scim/v2"));
    assert_eq!(template.variable("LITERAL"), Some("5"));
    assert_eq!(template.variable("ISSUER"), None);
    assert_eq!(template.timeout, Duration::from_secs(7));
}

#[test]
fn the_keys_of_the_table_are_told_apart_by_kind_and_not_by_order() {
    let table = Template::parse(SMALL).unwrap().table;
    assert_eq!(table.name, "Store");
    assert_eq!((&*table.hash_key, &*table.range_key), ("a", "b"));
    assert_eq!(table.expires, None);
}

#[test]
fn what_is_missing_is_named() {
    let cases = [
        ("", "the template is not YAML: it is empty"),
        (
            "Resources: {}",
            "the template has no usable `$default route`",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(Template::parse(text).unwrap_err().to_string(), message);
    }
    let unknown = SMALL.replace("functions/groups", "functions/devices");
    assert_eq!(
        Template::parse(&unknown).unwrap_err(),
        TemplateError::UnknownFunction("./functions/devices".into())
    );
    let fixed = SMALL.replace("PUT /${BasePath}", "PUT /scim");
    assert_eq!(
        Template::parse(&fixed).unwrap_err(),
        TemplateError::Missing("One.RouteKey".into())
    );
}

#[test]
fn our_own_template_protects_all_but_discovery() {
    let template = Template::embedded().unwrap();
    assert!(template.default_route.authorized);
    let open: Vec<_> = template
        .routes
        .iter()
        .filter(|route| !route.target.authorized)
        .map(|route| {
            format!(
                "{} {} {}",
                route.method, route.suffix, route.target.function
            )
        })
        .collect();
    insta::assert_snapshot!(open.join("\n"), @r"
    GET /ServiceProviderConfig discovery
    GET /Schemas discovery
    GET /Schemas/{id} discovery
    GET /ResourceTypes discovery
    GET /ResourceTypes/{id} discovery
    ");
    insta::assert_snapshot!(format!("{:?}", template.table), @r#"TableDefinition { name: "Table", hash_key: "pk", range_key: "sk", expires: Some("expires") }"#);
}
