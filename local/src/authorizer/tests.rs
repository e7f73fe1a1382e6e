use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(other);

/// An authorizer of the same issuer with a key of its own.
fn other() -> Authorizer {
    let settings = AuthorizerSettings {
        issuer: Some("https://idp.example.com".into()),
        audience: vec!["one".into(), "two".into()],
    };
    Authorizer::new(Key::generate().unwrap(), &settings)
}

/// Good claims with some replaced; null takes one away.
fn claims(changes: Value) -> Map<String, Value> {
    let mut claims = json!({"iss": "https://idp.example.com", "aud": "two", "exp": NOW + 1});
    let claims = claims.as_object_mut().unwrap();
    claims.extend(changes.as_object().unwrap().clone());
    claims.retain(|_, value| !value.is_null());
    claims.clone()
}

#[test]
fn each_claim_is_checked() {
    let cases = [
        (json!({}), Ok(())),
        (json!({"aud": ["x", "one"]}), Ok(())),
        (json!({"aud": null, "client_id": "one"}), Ok(())),
        (json!({"nbf": NOW, "iat": NOW}), Ok(())),
        (json!({"exp": NOW as f64 + 0.5}), Ok(())),
        (
            json!({"iss": "https://idp.example.com/"}),
            Err(Refusal::Issuer),
        ),
        (json!({"iss": null}), Err(Refusal::Issuer)),
        (json!({"aud": "three"}), Err(Refusal::Audience)),
        (json!({"aud": []}), Err(Refusal::Audience)),
        (
            json!({"aud": 5, "client_id": "one"}),
            Err(Refusal::Audience),
        ),
        (json!({"aud": null}), Err(Refusal::Audience)),
        (json!({"exp": NOW}), Err(Refusal::Expired)),
        (json!({"exp": null}), Err(Refusal::Expired)),
        (json!({"exp": "9999999999"}), Err(Refusal::Expired)),
        (json!({"nbf": NOW + 1}), Err(Refusal::Early)),
        (json!({"nbf": "0"}), Err(Refusal::Early)),
        (json!({"iat": NOW + 1}), Err(Refusal::Early)),
    ];
    for (changes, expected) in cases {
        let token = AUTHORIZER.sign_claims(&claims(changes.clone())).unwrap();
        let checked = AUTHORIZER.check(&token, NOW).map(|_| ());
        assert_eq!(checked, expected, "{changes}");
    }
}

#[test]
fn a_token_may_stand_alone_or_after_bearer() {
    let token = AUTHORIZER.sign_claims(&claims(json!({}))).unwrap();
    for header in [
        token.clone(),
        format!("Bearer {token}"),
        format!("bearer  {token} "),
    ] {
        assert!(AUTHORIZER.check(&header, NOW).is_ok());
    }
    for header in ["", "Bearer", "Bearer "] {
        assert!(AUTHORIZER.check(header, NOW).is_err());
    }
    assert!(AUTHORIZER.check(&format!("Basic {token}"), NOW).is_err());
}

#[test]
fn no_token_passes_without_the_keys_signature() {
    let good = AUTHORIZER.sign_claims(&claims(json!({}))).unwrap();
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let foreign = other().sign_claims(&claims(json!({}))).unwrap();
    let none =
        URL_SAFE_NO_PAD.encode(json!({"alg": "none", "kid": AUTHORIZER.key.id()}).to_string());
    let changed = URL_SAFE_NO_PAD.encode(json!(claims(json!({"sub": "root"}))).to_string());
    let key = EncodingKey::from_secret(AUTHORIZER.key.public_der());
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = Some(AUTHORIZER.key.id().into());
    let symmetric = jsonwebtoken::encode(&symmetric, &claims(json!({})), &key).unwrap();
    let mut nameless = Header::new(Algorithm::RS256);
    nameless.kid = None;
    let key = EncodingKey::from_rsa_pem(AUTHORIZER.key.private_pem().as_bytes()).unwrap();
    let nameless = jsonwebtoken::encode(&nameless, &claims(json!({})), &key).unwrap();
    let cases = [
        foreign,
        symmetric,
        nameless,
        format!("{none}.{payload}."),
        format!("{header}.{changed}.{signature}"),
        format!("{header}.{payload}"),
        "x".repeat(100_000),
    ];
    for token in cases {
        assert_eq!(AUTHORIZER.check(&token, NOW), Err(Refusal::Signature));
    }
}

#[test]
fn a_grant_passes_until_it_ends() {
    let grant = Grant {
        subject: "ada".into(),
        scope: "scim.bulk".into(),
        claims: claims(json!({"iss": null, "aud": null, "exp": null, "tenant_id": "acme"})),
        seconds: 60,
    };
    let token = AUTHORIZER.sign(&grant, NOW).unwrap();
    let claims = AUTHORIZER.check(&token, NOW + 59).unwrap();
    assert_eq!(claims["tenant_id"], "acme");
    assert_eq!(claims["scope"], "scim.bulk");
    assert_eq!(AUTHORIZER.check(&token, NOW + 60), Err(Refusal::Expired));
    let ended = Grant {
        seconds: -60,
        ..grant
    };
    let token = AUTHORIZER.sign(&ended, NOW).unwrap();
    assert_eq!(AUTHORIZER.check(&token, NOW), Err(Refusal::Expired));
}

#[test]
fn processes_that_begin_at_once_end_with_one_key() {
    let directory = std::env::temp_dir().join(format!("key-{}", Key::generate().unwrap().id()));
    let keys: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Key::kept_in(&directory).unwrap().id().to_owned()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let kept: Vec<_> = std::fs::read_dir(&directory).unwrap().collect();
    assert_eq!(kept.len(), 1, "no draft is left behind");
    assert!(keys.iter().all(|key| *key == keys[0]));
    std::fs::write(directory.join("issuer.der"), "no key").unwrap();
    assert!(matches!(
        Key::kept_in(&directory),
        Err(key::KeyError::Content(_))
    ));
    std::fs::remove_dir_all(&directory).unwrap();
}
