use std::time::Duration;

use insta::{assert_json_snapshot, assert_snapshot};

use super::*;

fn config() -> Config {
    let settings = [("MAX_OPERATIONS", "50"), ("PASSWORD_HASH", "none")];
    let found = |name: &str| settings.iter().find(|(known, _)| *known == name);
    Config::read(&|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap()
}

async fn ask(method: &str, path: &str, query: &str) -> (i64, Option<String>, Value) {
    let event = serde_json::from_value(json!({
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "requestContext": {
            "domainName": "abc.example.com",
            "stage": "$default",
            "http": {"method": method},
        },
    }));
    let moment = Moment::begin(Duration::ZERO);
    let response = serde_json::to_value(handle(&config(), event.unwrap(), moment).await).unwrap();
    let body = response["body"]
        .as_str()
        .map(|body| serde_json::from_str(body).unwrap());
    let allow = response["headers"]["allow"].as_str().map(str::to_owned);
    (
        response["statusCode"].as_i64().unwrap(),
        allow,
        body.unwrap_or_default(),
    )
}

#[tokio::test]
async fn the_configuration_shows_the_limits_that_hold() {
    let (status, _, body) = ask("GET", "/scim/v2/ServiceProviderConfig", "").await;
    assert_eq!(status, 200);
    assert_json_snapshot!(body, @r#"
    {
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
      ],
      "patch": {
        "supported": true
      },
      "bulk": {
        "supported": true,
        "maxOperations": 50,
        "maxPayloadSize": 3072000
      },
      "filter": {
        "supported": true,
        "maxResults": 200
      },
      "changePassword": {
        "supported": false
      },
      "sort": {
        "supported": true
      },
      "etag": {
        "supported": true
      },
      "pagination": {
        "cursor": true,
        "index": true,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 200,
        "cursorTimeout": 3600
      },
      "authenticationSchemes": [
        {
          "type": "oauthbearertoken",
          "name": "OAuth Bearer Token",
          "description": "A JSON Web Token in the Authorization header",
          "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
          "primary": true
        }
      ],
      "meta": {
        "resourceType": "ServiceProviderConfig",
        "location": "https://abc.example.com/scim/v2/ServiceProviderConfig"
      }
    }
    "#);
}

#[tokio::test]
async fn lists_hold_everything_and_each_entry_is_where_it_says() {
    for endpoint in ["Schemas", "ResourceTypes"] {
        let (_, _, all) = ask("GET", &format!("/scim/v2/{endpoint}"), "count=1").await;
        let entries = all["Resources"].as_array().unwrap();
        assert_eq!(all["totalResults"], entries.len());
        assert!(entries.len() > 1);
        for entry in entries {
            let location = entry["meta"]["location"].as_str().unwrap();
            let path = location.strip_prefix("https://abc.example.com").unwrap();
            assert_eq!(
                ask("GET", path, "").await,
                (200, None, entry.clone()),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn schemas_are_found_in_any_letter_case_and_messages_are_none() {
    let (status, _, body) = ask(
        "GET",
        &format!("/scim/v2/Schemas/{}", urn::USER.to_uppercase()),
        "",
    )
    .await;
    assert_eq!((status, &body["id"]), (200, &json!(urn::USER)));
    assert_eq!(
        ask(
            "GET",
            &format!("/scim/v2/Schemas/{}", urn::BULK_REQUEST),
            ""
        )
        .await
        .0,
        404
    );
}

#[tokio::test]
async fn every_other_path_has_its_answer() {
    let mut told = String::new();
    for (method, path, query) in [
        ("GET", "ServiceProviderConfig", "filter=a"),
        ("GET", "Schemas", "filter"),
        ("PUT", "Schemas", ""),
        ("POST", "Schemas/unknown", ""),
        ("GET", "Schemas/unknown", ""),
        ("GET", "ResourceTypes/user", ""),
        ("PATCH", "Users", ""),
        ("GET", "Users/", ""),
        ("GET", "Users/.search", ""),
        ("POST", "Groups/1", ""),
        ("HEAD", "Groups/1", ""),
        ("GET", "Groups/1/members", ""),
        ("GET", "Bulk", ""),
        ("GET", "Me", ""),
        ("PATCH", "Me/x", ""),
        ("GET", ".search", ""),
        ("POST", "", ""),
        ("GET", "Robots", ""),
        ("GET", "../v2/Users", ""),
        ("GET", "", ""),
    ] {
        let (status, allow, body) = ask(method, &format!("/scim/v2/{path}"), query).await;
        let (allow, detail) = (allow.unwrap_or_default(), &body["detail"]);
        told.push_str(&format!(
            "{method} {path} {query} {status} {allow} {detail}\n"
        ));
        assert_eq!(body["status"], status.to_string());
    }
    assert_snapshot!(told, @r#"
    GET ServiceProviderConfig filter=a 403  "`filter` is not supported here"
    GET Schemas filter 403  "`filter` is not supported here"
    PUT Schemas  405 GET "the method is not allowed here, expected one of: GET"
    POST Schemas/unknown  405 GET "the method is not allowed here, expected one of: GET"
    GET Schemas/unknown  404  "Schema `unknown` not found"
    GET ResourceTypes/user  404  "ResourceType `user` not found"
    PATCH Users  405 GET, POST "the method is not allowed here, expected one of: GET, POST"
    GET Users/  404  "no such endpoint"
    GET Users/.search  405 POST "the method is not allowed here, expected one of: POST"
    POST Groups/1  405 GET, PUT, PATCH, DELETE "the method is not allowed here, expected one of: GET, PUT, PATCH, DELETE"
    HEAD Groups/1  405 GET, PUT, PATCH, DELETE "the method is not allowed here, expected one of: GET, PUT, PATCH, DELETE"
    GET Groups/1/members  404  "no such endpoint"
    GET Bulk  405 POST "the method is not allowed here, expected one of: POST"
    GET Me  501  "`/Me` is not supported"
    PATCH Me/x  501  "`/Me/x` is not supported"
    GET .search  405 POST "the method is not allowed here, expected one of: POST"
    POST   405 GET "the method is not allowed here, expected one of: GET"
    GET Robots  404  "no such endpoint"
    GET ../v2/Users  404  "no such endpoint"
    GET   404  "no such endpoint"
    "#);
    assert_eq!(ask("GET", "/", "").await.0, 404);
    assert_eq!(ask("GET", "/elsewhere/scim/v2/Schemas", "").await.0, 404);
}

/// One line for each attribute: what differs from an optional, single, readable
/// and writable string that is compared without regard to letter case.
fn outline(attributes: &Value, prefix: &str, told: &mut String) {
    for attribute in attributes.as_array().into_iter().flatten() {
        let name = format!("{prefix}{}", attribute["name"].as_str().unwrap());
        let mut words = vec![name.clone(), attribute["type"].as_str().unwrap().to_owned()];
        for (flag, word) in [
            ("multiValued", "many"),
            ("required", "required"),
            ("caseExact", "exact"),
        ] {
            if attribute[flag] == true {
                words.push(word.to_owned());
            }
        }
        for (member, ordinary) in [
            ("mutability", "readWrite"),
            ("returned", "default"),
            ("uniqueness", "none"),
        ] {
            if let Some(value) = attribute[member].as_str()
                && value != ordinary
            {
                words.push(value.to_owned());
            }
        }
        for list in ["referenceTypes", "canonicalValues"] {
            for value in attribute[list].as_array().into_iter().flatten() {
                words.push(format!("'{}'", value.as_str().unwrap()));
            }
        }
        told.push_str(&words.join(" "));
        told.push('\n');
        outline(&attribute["subAttributes"], &format!("{name}."), told);
    }
}

/// RFC 7643 §4, §6 and §8.7 with the errata: what the printed schemas forget or
/// contradict, such as the `required` of a group's name and the `primary` of
/// addresses.
#[tokio::test]
async fn the_schemas_are_those_of_the_rfc_with_its_errata() {
    let mut told = String::new();
    for urn in [urn::USER, urn::GROUP, urn::ENTERPRISE_USER] {
        let (_, _, body) = ask("GET", &format!("/scim/v2/Schemas/{urn}"), "").await;
        let kind = &body["meta"]["resourceType"];
        assert_eq!((&body["id"], kind), (&json!(urn), &json!("Schema")));
        told.push_str(&format!("{}\n", body["name"].as_str().unwrap()));
        outline(&body["attributes"], "  ", &mut told);
    }
    assert_snapshot!(told, @"
    User
      userName string required server
      name complex
      name.formatted string
      name.familyName string
      name.givenName string
      name.middleName string
      name.honorificPrefix string
      name.honorificSuffix string
      displayName string
      nickName string
      profileUrl reference exact 'external'
      title string
      userType string
      preferredLanguage string
      locale string
      timezone string
      active boolean
      password string writeOnly never
      emails complex many
      emails.value string
      emails.display string
      emails.type string 'work' 'home' 'other'
      emails.primary boolean
      phoneNumbers complex many
      phoneNumbers.value string
      phoneNumbers.display string
      phoneNumbers.type string 'work' 'home' 'mobile' 'fax' 'pager' 'other'
      phoneNumbers.primary boolean
      ims complex many
      ims.value string
      ims.display string
      ims.type string 'aim' 'gtalk' 'icq' 'xmpp' 'msn' 'skype' 'qq' 'yahoo'
      ims.primary boolean
      photos complex many
      photos.value reference exact 'external'
      photos.display string
      photos.type string 'photo' 'thumbnail'
      photos.primary boolean
      addresses complex many
      addresses.formatted string
      addresses.streetAddress string
      addresses.locality string
      addresses.region string
      addresses.postalCode string
      addresses.country string
      addresses.type string 'work' 'home' 'other'
      addresses.primary boolean
      groups complex many readOnly
      groups.value string exact readOnly
      groups.$ref reference exact readOnly 'Group'
      groups.display string readOnly
      groups.type string readOnly 'direct' 'indirect'
      entitlements complex many
      entitlements.value string
      entitlements.display string
      entitlements.type string
      entitlements.primary boolean
      roles complex many
      roles.value string
      roles.display string
      roles.type string
      roles.primary boolean
      x509Certificates complex many
      x509Certificates.value binary exact
      x509Certificates.display string
      x509Certificates.type string
      x509Certificates.primary boolean
    Group
      displayName string required
      members complex many
      members.value string exact immutable
      members.$ref reference exact immutable 'User' 'Group' 'Device'
      members.type string immutable 'User' 'Group' 'Device'
      members.display string readOnly
    EnterpriseUser
      employeeNumber string
      costCenter string
      organization string
      division string
      department string
      manager complex
      manager.value string exact
      manager.$ref reference exact 'User'
      manager.displayName string readOnly
    ");
}

#[tokio::test]
async fn what_goes_beyond_the_rfc_is_shown_to_those_who_ask() {
    let query = "attributes=bulk.atomicity,bulk.dryRun,idempotencykey";
    let (status, _, asked) = ask("GET", "/scim/v2/ServiceProviderConfig", query).await;
    assert_eq!(status, 200);
    assert_json_snapshot!(
        [&asked["bulk"]["atomicity"], &asked["bulk"]["dryRun"], &asked["idempotencyKey"]],
        @r#"
    [
      [
        "operation",
        "component",
        "request"
      ],
      true,
      {
        "supported": true,
        "kept": 86400
      }
    ]
    "#
    );
    let (_, _, plain) = ask("GET", "/scim/v2/ServiceProviderConfig", "").await;
    assert!(plain.get("idempotencyKey").is_none() && plain["bulk"].get("dryRun").is_none());
}
