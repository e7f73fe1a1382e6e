//! A filter that a lookup, an id or a membership answers finds what a walk
//! through everything would find, in a few calls.

use harness::{Stack, encode, group, user};
use serde_json::json;

/// The most calls of an answer that looks nothing through: a lookup, or the
/// member; the resources; the memberships of two groups. A walk has one for each
/// of 16 partitions.
const FEW: u64 = 4;

#[tokio::test(start_paused = true)]
async fn a_lookup_finds_what_a_walk_finds() {
    let stack = Stack::seeded(1).await;
    let client = stack.client();
    let mut users = Vec::new();
    for (n, name) in ["ada", "Ben ", "straße", "ﬁona", "x\"y", "null", "æ#=", "i̇"]
        .into_iter()
        .enumerate()
    {
        let mut body = user(name);
        body["externalId"] = json!(["7", "7", "A", "a", " ", "é", "é", "0"][n]);
        body["title"] = json!(["Chief", "Chief", "chief", "", "x", "x", "x", "x"][n]);
        body["emails"] = json!([
            {"value": "Shared@Example.com", "type": "home"},
            {"value": format!("u{n}@example.com"), "type": "work"},
        ]);
        users.push(client.create("/Users", body).await);
    }
    let mut groups = Vec::new();
    for (name, members) in [
        ("Crew", vec![&*users[0], &*users[1]]),
        ("crew", vec![&*users[0]]),
        ("Ünder", vec![]),
    ] {
        groups.push(client.create("/Groups", group(name, &members)).await);
    }
    groups.push(client.create("/Groups", group("Over", &[&groups[0]])).await);
    let ids = |ids: &[String], filter: &str| filter.replace("{0}", &ids[0]);
    let mut found = 0;
    for (endpoint, filter) in [
        ("/Users", "id eq \"{0}\"".to_owned()),
        ("/Users", "id eq \"{0}\" and userName eq \"ben\"".into()),
        ("/Users", "userName eq \"ADA\"".into()),
        ("/Users", "userName eq \"ben\"".into()),
        ("/Users", "userName eq \" Ben  \"".into()),
        ("/Users", "userName eq \"STRASSE\"".into()),
        ("/Users", "userName eq \"fiona\"".into()),
        ("/Users", "userName eq \"x\\\"y\"".into()),
        ("/Users", "userName eq \"null\"".into()),
        ("/Users", "userName eq \"Æ#=\"".into()),
        ("/Users", "userName eq \"\"".into()),
        ("/Users", "userName eq \" \"".into()),
        ("/Users", "externalId eq \"7\"".into()),
        (
            "/Users",
            "externalId eq \"7\" and title eq \"Chief\"".into(),
        ),
        ("/Users", "externalId eq \"A\"".into()),
        ("/Users", "externalId eq \" \"".into()),
        ("/Users", "externalId eq \"\"".into()),
        ("/Users", "externalId eq \"e\u{301}\"".into()),
        ("/Users", "emails eq \"shared@example.COM\"".into()),
        ("/Users", "emails.value eq \"u3@example.com\"".into()),
        (
            "/Users",
            "emails.value eq \"u3@example.com\" and emails.type eq \"home\"".into(),
        ),
        (
            "/Users",
            "emails[value eq \"u3@example.com\" and type eq \"home\"]".into(),
        ),
        (
            "/Users",
            "emails[type eq \"work\"].value eq \"U3@example.com\"".into(),
        ),
        (
            "/Users",
            "emails[type eq \"work\"].value eq \"shared@example.com\"".into(),
        ),
        (
            "/Users",
            "(title pr) and (active pr or userName eq \"ada\") and externalId eq \"7\"".into(),
        ),
        (
            "/Users",
            "not (title eq \"Chief\") and emails eq \"shared@example.com\"".into(),
        ),
        ("/Groups", "displayName eq \"CREW\"".into()),
        ("/Groups", "displayName eq \"ünder\"".into()),
        ("/Groups", "displayName eq \"crew\" and members pr".into()),
        ("/Groups", ids(&users, "members.value eq \"{0}\"")),
        (
            "/Groups",
            ids(&users, "members eq \"{0}\" and displayName eq \"crew\""),
        ),
        (
            "/Groups",
            ids(&users, "members[value eq \"{0}\" and type eq \"User\"]"),
        ),
        ("/Groups", ids(&groups, "members.value eq \"{0}\"")),
        ("/Groups", "members.value eq \"nobody\"".into()),
        ("", "userName eq \"ada\"".into()),
        ("", ids(&users, "members.value eq \"{0}\"")),
    ] {
        let filter = ids(&users, &filter);
        let ask = async |filter: &str| {
            stack.weather().reset();
            let path = format!("{endpoint}?filter={}&attributes=id", encode(filter));
            let reply = client.get(&path).await;
            assert_eq!(reply.status, 200, "{filter}: {}", reply.body);
            (reply.body, stack.weather().report().total_calls())
        };
        let (looked_up, calls) = ask(&filter).await;
        // What one of two may hold has no single way in.
        let (walked, _) = ask(&format!("({filter}) or ({filter})")).await;
        assert_eq!(looked_up, walked, "{filter}");
        assert!(calls <= FEW, "{filter}: {calls} calls");
        found += usize::from(walked["totalResults"] != 0);
    }
    assert!(found > 20, "{found} of these filters find anything");
    stack.audit().await;
}
