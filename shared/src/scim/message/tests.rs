use insta::{assert_debug_snapshot, assert_snapshot};
use serde_json::json;

use super::*;

fn bulk(body: Value) -> String {
    match BulkRequest::parse(body, 3) {
        Ok(request) => format!(
            "{} operations, {:?}",
            request.operations.len(),
            request.fail_on_errors
        ),
        Err(error) => {
            let places = error
                .places()
                .iter()
                .map(|place| format!("{:?} {}", place.loc, place.kind));
            format!("{error} @ {}", places.collect::<Vec<_>>().join(", "))
        }
    }
}

fn search(parameters: &[(&str, &str)]) -> Result<SearchRequest, ScimError> {
    let owned: Vec<_> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    SearchRequest::from_query(&owned)
}

#[test]
fn an_envelope_may_lack_schemas_and_use_any_letter_case() {
    assert_snapshot!(bulk(json!({"schemas": [urn::BULK_REQUEST], "failOnErrors": 2, "Operations": [{}]})), @"1 operations, Some(2)");
    assert_snapshot!(bulk(json!({"operations": [1, null], "FAILONERRORS": 1, "unknown": {}})), @"2 operations, Some(1)");
    assert_snapshot!(bulk(json!({"schemas": [], "Operations": [{}]})), @"1 operations, None");
    assert_snapshot!(bulk(json!({"schemas": null, "Operations": [{}]})), @"1 operations, None");
}

#[test]
fn an_envelope_of_the_wrong_shape_is_refused_and_says_where() {
    assert_snapshot!(bulk(json!([])), @"400 invalidSyntax: the body is not a JSON object @ [] type_error");
    assert_snapshot!(bulk(json!({})), @r#"400 invalidSyntax: `Operations` is missing or empty @ [String("Operations")] missing"#);
    assert_snapshot!(bulk(json!({"Operations": null})), @r#"400 invalidSyntax: `Operations` is missing or empty @ [String("Operations")] missing"#);
    assert_snapshot!(bulk(json!({"Operations": []})), @r#"400 invalidSyntax: `Operations` is missing or empty @ [String("Operations")] missing"#);
    assert_snapshot!(bulk(json!({"Operations": {}})), @r#"400 invalidSyntax: `Operations` is not an array @ [String("Operations")] type_error"#);
    assert_snapshot!(bulk(json!({"Operations": [{}], "operations": []})), @r#"400 invalidSyntax: `Operations` occurs twice, in different letter case @ [String("Operations")] value_error"#);
    assert_snapshot!(bulk(json!({"schemas": [urn::PATCH_OP], "Operations": [{}]})), @r#"400 invalidSyntax: `schemas`: expected ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"] @ [String("schemas")] value_error"#);
    assert_snapshot!(bulk(json!({"schemas": urn::BULK_REQUEST, "Operations": [{}]})), @r#"400 invalidSyntax: `schemas`: expected ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"] @ [String("schemas")] value_error"#);
}

#[test]
fn fail_on_errors_is_a_whole_number_and_zero_is_no_limit() {
    let told = |value: Value| bulk(json!({"Operations": [{}], "failOnErrors": value}));
    assert_eq!(told(json!(0)), "1 operations, None");
    assert_eq!(told(json!(null)), "1 operations, None");
    assert_eq!(
        told(json!(u64::MAX)),
        format!("1 operations, Some({})", u64::MAX)
    );
    for wrong in [
        json!(-1),
        json!(1.0),
        json!("1"),
        json!(true),
        json!({}),
        json!([1]),
    ] {
        assert_eq!(
            told(wrong),
            r#"400 invalidValue: `failOnErrors`: expected a whole number, 0 or more @ [String("failOnErrors")] type_error"#
        );
    }
}

#[test]
fn too_many_operations_name_the_limit() {
    assert_eq!(bulk(json!({"Operations": [1, 2, 3]})), "3 operations, None");
    assert_snapshot!(bulk(json!({"Operations": [1, 2, 3, 4]})), @"413: the request has 4 operations, over maxOperations (3) @");
}

#[test]
fn a_query_string_reads_like_a_search_body() {
    let query = search(&[
        ("filter", "userName eq \"a\""),
        ("attributes", "userName, emails.value,"),
        ("startIndex", "-3"),
        ("count", "10"),
        ("sortBy", "userName"),
        ("sortorder", "Descending"),
        ("unknown", "x"),
    ]);
    let body = SearchRequest::parse(json!({
        "schemas": [urn::SEARCH_REQUEST],
        "filter": "userName eq \"a\"",
        "attributes": ["userName", "emails.value"],
        "startIndex": -3,
        "count": 10,
        "sortBy": "userName",
        "sortOrder": "descending",
        "unknown": 1,
    }));
    assert_eq!(query, body);
    assert_debug_snapshot!(query.unwrap(), @r#"
    SearchRequest {
        filter: Some(
            "userName eq \"a\"",
        ),
        attributes: Some(
            [
                "userName",
                "emails.value",
            ],
        ),
        excluded_attributes: None,
        start_index: 1,
        cursor: None,
        count: Some(
            10,
        ),
        sort_by: Some(
            "userName",
        ),
        descending: true,
    }
    "#);
}

#[test]
fn nothing_asked_for_is_everything_from_the_first() {
    assert_eq!(search(&[]).unwrap(), SearchRequest::default());
    assert_eq!(
        SearchRequest::parse(json!({"filter": null, "attributes": []})).unwrap(),
        SearchRequest::default()
    );
}

#[test]
fn numbers_out_of_range_are_brought_into_it() {
    for (text, start_index, count) in [
        ("0", 1, 0),
        ("-99999999999999999999", 1, 0),
        ("+7", 7, 7),
        ("99999999999999999999999", usize::MAX, usize::MAX),
    ] {
        let found = search(&[("startIndex", text), ("count", text)]).unwrap();
        assert_eq!(
            (found.start_index, found.count),
            (start_index, Some(count)),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_an_invalid_value() {
    let query = |pair| search(&[pair]).unwrap_err().to_string();
    assert_snapshot!(query(("count", "ten")), @"400 invalidValue: `count` is `ten`, expected a whole number");
    assert_snapshot!(query(("count", "")), @"400 invalidValue: `count` is ``, expected a whole number");
    assert_snapshot!(query(("startIndex", "1.5")), @"400 invalidValue: `startIndex` is `1.5`, expected a whole number");
    assert_snapshot!(query(("sortOrder", "up")), @"400 invalidValue: `sortOrder`: expected `ascending` or `descending`");
    assert_snapshot!(search(&[("filter", "a"), ("Filter", "b")]).unwrap_err(), @"400 invalidValue: the parameter `filter` occurs twice");
    let body = |value| SearchRequest::parse(value).unwrap_err().to_string();
    assert_snapshot!(body(json!({"count": "10"})), @"400 invalidValue: `count`: expected a whole number");
    assert_snapshot!(body(json!({"startIndex": 1.5})), @"400 invalidValue: `startIndex`: expected a whole number");
    assert_snapshot!(body(json!({"filter": 1})), @"400 invalidValue: `filter`: expected a string");
    assert_snapshot!(body(json!({"attributes": "userName"})), @"400 invalidValue: `attributes`: expected an array of strings");
    assert_snapshot!(body(json!({"attributes": [1]})), @"400 invalidValue: `attributes`: expected an array of strings");
    assert_snapshot!(body(json!({"schemas": [urn::BULK_REQUEST]})), @r#"400 invalidSyntax: `schemas`: expected ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]"#);
}

#[test]
fn lists_of_repeated_parameters_join() {
    let parameters = [("attributes", "a,b"), ("x", "y"), ("Attributes", " c ")];
    let found = search(&parameters).unwrap();
    assert_eq!(found.attributes.unwrap(), ["a", "b", "c"]);
    assert_eq!(
        search(&[("excludedAttributes", "")])
            .unwrap()
            .excluded_attributes,
        Some(Vec::new())
    );
}
