//! Bodies of resources.

use harness::Stack;

use super::{case, check, deep, typed};

#[tokio::test(start_paused = true)]
async fn bodies_that_are_no_resource() {
    const SYNTAX: (u16, &str) = (400, "invalidSyntax");
    const VALUE: (u16, &str) = (400, "invalidValue");
    let stack = Stack::start().await;
    let client = stack.client();
    let post = |name, body: &str, expected| case(name, "POST", "/Users", typed(body), expected);
    let bytes = |name, body: &[u8]| case(name, "POST", "/Users", body, SYNTAX);
    let long = |bytes: usize| format!(r#"{{§,"userName":"{}"}}"#, "x".repeat(bytes));
    let cases = vec![
        post("empty", "", SYNTAX),
        post("blanks", " \r\n\t ", SYNTAX),
        post("not JSON", "userName=bjensen", SYNTAX),
        post("cut off", r#"{"userName":"#, SYNTAX),
        post("two documents", "{}{}", SYNTAX),
        post("a comma too many", r#"{"userName":"a",}"#, SYNTAX),
        post("single quotes", "{'userName':'a'}", SYNTAX),
        post("a comment", r#"{"userName":"a"/**/}"#, SYNTAX),
        post("null", "null", SYNTAX),
        post("a number", "1", SYNTAX),
        post("a string", r#""userName""#, SYNTAX),
        post("an array", "[]", SYNTAX),
        post("an array of users", r#"[{"userName":"a"}]"#, SYNTAX),
        post("an empty object", "{}", SYNTAX),
        post("a name twice", r#"{"userName":"a","userName":"b"}"#, SYNTAX),
        post("NaN", r#"{"userName":NaN}"#, SYNTAX),
        post(
            "a number without bounds",
            r#"{"userName":"a","x":1e400}"#,
            SYNTAX,
        ),
        post("a leading zero", r#"{"userName":"a","x":01}"#, SYNTAX),
        post("a lone high surrogate", r#"{"userName":"\ud800"}"#, SYNTAX),
        post("a lone low surrogate", r#"{"userName":"\udc00"}"#, SYNTAX),
        post(
            "surrogates in wrong order",
            r#"{"userName":"\udc00\ud800"}"#,
            SYNTAX,
        ),
        post("an unknown escape", r#"{"userName":"\x"}"#, SYNTAX),
        post(
            "a raw control character",
            "{\"userName\":\"a\u{1}\"}",
            SYNTAX,
        ),
        bytes("bytes that are no UTF-8", b"{\"userName\":\"\xff\xfe\"}"),
        bytes("UTF-16", b"\xff\xfe{\0}\0"),
        bytes("a byte order mark", b"\xef\xbb\xbf{\"userName\":\"a\"}"),
        bytes("a zero byte", b"\0"),
        post("depth 127", &deep(126), (201, "")),
        post("depth 200", &deep(200), SYNTAX),
        post("depth 1,000,000", &deep(1_000_000), SYNTAX),
        post("only openings", &"[".repeat(1_000_000), SYNTAX),
        post("userName of null", r#"{§,"userName":null}"#, VALUE),
        post("userName of a number", r#"{§,"userName":1}"#, VALUE),
        post("userName of an object", r#"{§,"userName":{}}"#, VALUE),
        post("an empty userName", r#"{§,"userName":""}"#, VALUE),
        post("a blank userName", r#"{§,"userName":"  "}"#, VALUE),
        post(
            "emails of a string",
            r#"{§,"userName":"a","emails":"a@b"}"#,
            VALUE,
        ),
        post(
            "emails in emails",
            r#"{§,"userName":"a","emails":[[{"value":"a"}]]}"#,
            VALUE,
        ),
        post(
            "name of a string",
            r#"{§,"userName":"a","name":"b"}"#,
            VALUE,
        ),
        post(
            "active of a word",
            r#"{§,"userName":"a","active":"perhaps"}"#,
            VALUE,
        ),
        post(
            "schemas of a string",
            r#"{"schemas":"x","userName":"a"}"#,
            SYNTAX,
        ),
        post(
            "schemas of numbers",
            r#"{"schemas":[1],"userName":"a"}"#,
            SYNTAX,
        ),
        post("350,001 bytes", &long(350_001), (413, "")),
        post("more than maxPayloadSize", &long(3_072_001), (413, "")),
    ];
    check(&client, cases).await;
    stack.audit().await;
}
