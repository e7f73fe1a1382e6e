use lambda_http::aws_lambda_events::encodings::Body;

use super::*;

fn answered(body: Option<Body>, is_base64_encoded: bool) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = 201;
    answer.body = body;
    answer.is_base64_encoded = is_base64_encoded;
    answer
}

#[test]
fn bodies_reach_the_wire_as_they_were_meant() {
    let cases = [
        (None, false, ""),
        (Some(Body::Text("{}".into())), false, "{}"),
        (Some(Body::Text("e30=".into())), true, "{}"),
        (Some(Body::Binary(b"{}".to_vec())), true, "{}"),
    ];
    for (body, encoded, expected) in cases {
        let response = http_response(answered(body, encoded)).unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.body(), expected.as_bytes());
    }
    let broken = answered(Some(Body::Text("not base64".into())), true);
    assert!(http_response(broken).is_none());
}

#[test]
fn headers_and_cookies_all_arrive_and_an_impossible_status_does_not() {
    let mut answer = answered(None, false);
    answer
        .headers
        .append("etag", HeaderValue::from_static("W/\"1\""));
    answer
        .multi_value_headers
        .append("x", HeaderValue::from_static("1"));
    answer
        .multi_value_headers
        .append("x", HeaderValue::from_static("2"));
    answer.cookies.push("a=b".into());
    let response = http_response(answer).unwrap();
    let values: Vec<_> = response.headers().get_all("x").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(response.headers()["etag"], "W/\"1\"");
    assert_eq!(response.headers()["set-cookie"], "a=b");
    let mut answer = answered(None, false);
    answer.status_code = 70_000;
    assert!(http_response(answer).is_none());
}

#[test]
fn what_the_gateway_says_by_itself_is_not_scim() {
    let refused = unauthorized();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["www-authenticate"], "Bearer");
    assert_eq!(refused.body(), &br#"{"message":"Unauthorized"}"#[..]);
    assert_eq!(too_large().status(), 413);
    assert_eq!(
        too_large().body(),
        &br#"{"message":"Request Entity Too Large"}"#[..]
    );
}
