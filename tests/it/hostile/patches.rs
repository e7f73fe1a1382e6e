//! PATCH messages.

use harness::{Stack, group, user};

use super::{ABSENT, case, check};

#[tokio::test(start_paused = true)]
async fn patches_that_change_nothing() {
    const SYNTAX: (u16, &str) = (400, "invalidSyntax");
    const VALUE: (u16, &str) = (400, "invalidValue");
    const PATH: (u16, &str) = (400, "invalidPath");
    let stack = Stack::start().await;
    let client = stack.client();
    let id = client.create("/Users", user("there")).await;
    let crew = client.create("/Groups", group("Crew", &[&id])).await;
    let of = |name, target: String, operation: &str, expected| {
        let urn = shared::scim::urn::PATCH_OP;
        let body = format!(r#"{{"schemas":["{urn}"],"Operations":{operation}}}"#);
        case(name, "PATCH", target, body, expected)
    };
    let a_user =
        |name, operation: &str, expected| of(name, format!("/Users/{id}"), operation, expected);
    let a_group =
        |name, operation: &str, expected| of(name, format!("/Groups/{crew}"), operation, expected);
    let all = format!(
        r#"[{{"op":"add","path":"members","value":[{}]}}]"#,
        vec![format!(r#"{{"value":"{ABSENT}"}}"#); 20_000].join(",")
    );
    let cases = vec![
        a_user("no operations", "[]", SYNTAX),
        a_user("operations of null", "null", SYNTAX),
        a_user("an operation of a number", "[1]", SYNTAX),
        a_user("no op", r#"[{"path":"title","value":"x"}]"#, SYNTAX),
        a_user(
            "an unknown op",
            r#"[{"op":"move","path":"title","value":"x"}]"#,
            SYNTAX,
        ),
        a_user(
            "a path of a number",
            r#"[{"op":"add","path":1,"value":"x"}]"#,
            PATH,
        ),
        a_user(
            "a path that is none",
            r#"[{"op":"add","path":"]","value":"x"}]"#,
            PATH,
        ),
        a_user(
            "an attribute that is none",
            r#"[{"op":"add","path":"shoeSize","value":1}]"#,
            PATH,
        ),
        a_user(
            "a remove of everything",
            r#"[{"op":"remove"}]"#,
            (400, "noTarget"),
        ),
        a_user(
            "a new id",
            r#"[{"op":"replace","path":"id","value":"x"}]"#,
            (400, "mutability"),
        ),
        a_user(
            "a remove of userName",
            r#"[{"op":"remove","path":"userName"}]"#,
            (400, "mutability"),
        ),
        a_user(
            "a filter that matches nothing",
            r#"[{"op":"replace","path":"emails[type eq \"x\"].value","value":"a"}]"#,
            (400, "noTarget"),
        ),
        a_user(
            "a filter without end",
            r#"[{"op":"replace","path":"emails[type eq","value":"a"}]"#,
            (400, "invalidFilter"),
        ),
        a_user(
            "a member of a user",
            r#"[{"op":"add","path":"members","value":[]}]"#,
            PATH,
        ),
        a_group(
            "a member that is none",
            r#"[{"op":"add","path":"members","value":[{"value":"x"}]}]"#,
            VALUE,
        ),
        a_group(
            "a member without value",
            r#"[{"op":"add","path":"members","value":[{"display":"x"}]}]"#,
            VALUE,
        ),
        a_group(
            "a member that is gone",
            &format!(r#"[{{"op":"add","path":"members","value":[{{"value":"{ABSENT}"}}]}}]"#),
            VALUE,
        ),
        a_group("the same absent member 20,000 times", &all, VALUE),
        a_group(
            "members of a string",
            r#"[{"op":"add","path":"members","value":"x"}]"#,
            VALUE,
        ),
        a_group(
            "a bulkId outside of bulk",
            r#"[{"op":"add","path":"members","value":[{"value":"bulkId:1"}]}]"#,
            VALUE,
        ),
        a_group(
            "a name of an object",
            r#"[{"op":"replace","path":"displayName","value":{"x":1}}]"#,
            VALUE,
        ),
        a_group(
            "the member as a group",
            &format!(
                r#"[{{"op":"add","path":"members","value":[{{"value":"{crew}","type":"User"}}]}}]"#
            ),
            VALUE,
        ),
    ];
    check(&client, cases).await;
    for (path, version) in [
        (format!("/Users/{id}"), "W/\"1\""),
        (format!("/Groups/{crew}"), "W/\"1\""),
    ] {
        assert_eq!(client.get(&path).await.body["meta"]["version"], version);
    }
    stack.audit().await;
}
