//! The whole gateway in process, tokens included: what it refuses by itself and
//! what the functions refuse. Which claim is checked how is tested beside the
//! authorizer; here it stands before every route.

use std::sync::Arc;
use std::time::Duration;

use harness::stack::TABLE;
use harness::{group, post, user};
use http::{HeaderMap, Request};
use local::authorizer::key::Key;
use local::authorizer::{AUDIENCE, Authorizer, ISSUER};
use local::dynamo::{Embedded, create_table};
use local::gateway::Gateway;
use local::host::Host;
use local::settings::Settings;
use local::template::{AuthorizerSettings, Template};
use serde_json::{Map, Value, json};
use shared::provider::Provider;
use shared::scim::urn;
use shared::store::Store;

/// 2100-01-01T00:00:00Z: after every run of this test.
const LATER: i64 = 4_102_444_800;
/// 2001-09-09T01:46:40Z: before every run of this test.
const EARLIER: i64 = 1_000_000_000;
const BASE_PATH: &str = "scim/v2";

struct Api {
    gateway: Gateway,
    authorizer: Authorizer,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Api {
    async fn start() -> Self {
        let embedded = Embedded::memory().unwrap();
        create_table(&embedded.client(), TABLE).await.unwrap();
        let template = Template::embedded().unwrap();
        let settings = Settings::overridden(&template, |_| None);
        let provider = Provider {
            store: Store::new(embedded.client(), TABLE),
            config: Arc::new(settings.config().unwrap()),
        };
        let host = Host::new(provider, Duration::from_secs(29));
        let authorizer = trusting(Key::generate().unwrap());
        let gateway = Gateway::new(&template, BASE_PATH, authorizer.clone(), host, "localhost");
        Self {
            gateway,
            authorizer,
        }
    }

    async fn send(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/{BASE_PATH}{path}"))
            .header("content-type", "application/scim+json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body.is_null() {
            true => Vec::new(),
            false => body.to_string().into_bytes(),
        };
        let request = request.body(body).unwrap().map(Into::into);
        let response = self.gateway.answer(request, [127, 0, 0, 1].into()).await;
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(response.body()).unwrap_or_default(),
        }
    }

    /// A good token with these scopes.
    fn token(&self, scopes: &str) -> String {
        self.authorizer
            .sign_claims(&claims(json!({"scope": scopes})))
            .unwrap()
    }
}

/// An authorizer of the issuer and audience that local tokens have.
fn trusting(key: Key) -> Authorizer {
    let settings = AuthorizerSettings {
        issuer: None,
        audience: Vec::new(),
    };
    Authorizer::new(key, &settings)
}

/// Good claims with all scopes, some replaced; null takes one away.
fn claims(changes: Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "connector",
        "exp": LATER,
        "scope": harness::client::ALL_SCOPES.join(" "),
    });
    let claims = claims.as_object_mut().unwrap();
    claims.extend(changes.as_object().unwrap().clone());
    claims.retain(|_, value| !value.is_null());
    claims.clone()
}

#[tokio::test]
async fn without_a_valid_token_no_route_but_discovery_is_reached() {
    let api = Api::start().await;
    let with = |changes| Some(api.authorizer.sign_claims(&claims(changes)).unwrap());
    let forger = trusting(Key::generate().unwrap());
    let forged = forger.sign_claims(&claims(json!({}))).unwrap();
    let refused = [
        ("missing", None),
        ("empty", Some(String::new())),
        ("forged", Some(forged)),
        ("expired", with(json!({"exp": EARLIER}))),
        ("without an end", with(json!({"exp": null}))),
        ("not yet valid", with(json!({"nbf": LATER}))),
        ("not yet issued", with(json!({"iat": LATER}))),
        ("of another audience", with(json!({"aud": "mail"}))),
        (
            "of another issuer",
            with(json!({"iss": "https://idp.example.com"})),
        ),
    ];
    let good = api.token("");
    let template = Template::embedded().unwrap();
    let routes = template.routes.iter();
    let mut routes: Vec<_> = routes
        .map(|route| (&*route.method, &*route.suffix, route.target.authorized))
        .collect();
    routes.push(("GET", "/Robots", template.default_route.authorized));
    for (method, path, authorized) in routes {
        let path = path.replace("{id}", "User");
        for (kind, token) in &refused {
            let answer = api
                .send(method, &path, token.as_deref(), &Value::Null)
                .await;
            if !authorized {
                assert_ne!(answer.status, 401, "{method} {path}: {kind}");
                continue;
            }
            assert_eq!(answer.status, 401, "{method} {path}: {kind}");
            assert_eq!(answer.body, json!({"message": "Unauthorized"}));
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        let answer = api.send(method, &path, Some(&good), &Value::Null).await;
        assert_ne!(answer.status, 401, "{method} {path} with a good token");
    }
}

#[tokio::test]
async fn a_token_without_the_bulk_scope_is_refused_in_scim() {
    let api = Api::start().await;
    let operations = [post("u", "/Users", user("u"))];
    let request = json!({"schemas": [urn::BULK_REQUEST], "Operations": operations});
    let token = api.token("scim.users.read scim.users.write scim.groups.write");
    let answer = api.send("POST", "/Bulk", Some(&token), &request).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.headers["content-type"], "application/scim+json");
    let refusal = json!({
        "schemas": [urn::ERROR],
        "status": "403",
        "detail": "the token lacks the scope `scim.bulk`",
    });
    assert_eq!(answer.body, refusal);
    let list = api.send("GET", "/Users", Some(&token), &Value::Null).await;
    assert_eq!(list.body["totalResults"], 0, "nothing was created");
}

/// Scopes may come as a list, which reaches the functions as `[a b]`.
#[tokio::test]
async fn each_row_of_a_bulk_needs_the_scope_of_its_resource() {
    let api = Api::start().await;
    let scopes = [
        ("text", json!("scim.bulk scim.users.write scim.users.read")),
        (
            "list",
            json!(["scim.bulk", "scim.users.write", "scim.users.read"]),
        ),
    ];
    for (name, scopes) in scopes {
        let operations = [
            post("g", "/Groups", group(name, &[])),
            post("u", "/Users", user(name)),
        ];
        let request = json!({"schemas": [urn::BULK_REQUEST], "Operations": operations});
        let token = claims(json!({"scope": scopes}));
        let token = api.authorizer.sign_claims(&token).unwrap();
        let answer = api.send("POST", "/Bulk", Some(&token), &request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let rows = answer.body["Operations"].as_array().unwrap();
        let statuses: Vec<&Value> = rows.iter().map(|row| &row["status"]).collect();
        assert_eq!(statuses, ["403", "201"], "{name}");
        let detail = &rows[0]["response"]["detail"];
        assert_eq!(detail, "the token lacks the scope `scim.groups.write`");
        let filter = harness::encode(&format!("userName eq \"{name}\""));
        let path = format!("/Users?filter={filter}");
        let list = api.send("GET", &path, Some(&token), &Value::Null).await;
        assert_eq!(
            list.body["totalResults"], 1,
            "the user of the other row exists"
        );
        let groups = api.send("GET", "/Groups", Some(&token), &Value::Null).await;
        assert_eq!(groups.status, 403);
    }
}
