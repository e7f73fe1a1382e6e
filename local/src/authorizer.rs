//! What the JWT authorizer of an HTTP API would say to a token.
//!
//! It checks what API Gateway documents: the signature (RS256, the key named by
//! `kid`), `iss`, `aud` or without it `client_id`, `exp`, `nbf` and `iat`. It
//! knows nothing of tenants and rights: those are the functions' business.
//!
//! ```ignore
//! let authorizer = Authorizer::new(Key::kept()?, &template.authorizer);
//! let token = authorizer.sign(&grant, now)?;
//! let claims = authorizer.check(&token, now)?;
//! ```

pub mod key;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value};

use crate::authorizer::key::Key;
use crate::template::AuthorizerSettings;

/// The issuer of local tokens when the template leaves it to the deployment.
pub const ISSUER: &str = "https://issuer.invalid";
/// The audience of local tokens when the template leaves it to the deployment.
pub const AUDIENCE: &str = "scim";

/// Issuer and authorizer in one, as only one machine trusts it.
#[derive(Debug, Clone)]
pub struct Authorizer {
    key: Key,
    issuer: String,
    audience: Vec<String>,
}

/// What a token to be signed says.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who it is about.
    pub subject: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// Further claims, such as the tenant.
    pub claims: Map<String, Value>,
    /// Seconds until it ends; negative for one that has ended.
    pub seconds: i64,
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No token.
    #[error("there is no token")]
    Absent,
    /// No RS256 token with the key's id and signature.
    #[error("the token is malformed or not signed with the key")]
    Signature,
    /// Not our issuer.
    #[error("`iss` is not the issuer")]
    Issuer,
    /// Meant for someone else.
    #[error("neither `aud` nor `client_id` is an accepted audience")]
    Audience,
    /// Too late or without an end.
    #[error("`exp` is past or missing")]
    Expired,
    /// Too early.
    #[error("`nbf` or `iat` is in the future")]
    Early,
}

/// A grant could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign a token")]
pub struct SignError(#[source] jsonwebtoken::errors::Error);

impl Authorizer {
    /// An authorizer that trusts one key.
    pub fn new(key: Key, settings: &AuthorizerSettings) -> Self {
        let mut audience = settings.audience.clone();
        if audience.is_empty() {
            audience.push(AUDIENCE.into());
        }
        Self {
            key,
            issuer: settings.issuer.clone().unwrap_or_else(|| ISSUER.into()),
            audience,
        }
    }

    /// Signs a token that [`check`](Self::check) accepts. `now` is in seconds
    /// since 1970.
    ///
    /// # Errors
    ///
    /// When the key cannot sign.
    pub fn sign(&self, grant: &Grant, now: i64) -> Result<String, SignError> {
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.as_str().into());
        claims.insert("aud".into(), self.audience.first().cloned().into());
        claims.insert("sub".into(), grant.subject.as_str().into());
        claims.insert("scope".into(), grant.scope.as_str().into());
        // A token that has ended was issued before it ended.
        claims.insert(
            "iat".into(),
            now.min(now.saturating_add(grant.seconds)).into(),
        );
        claims.insert("exp".into(), now.saturating_add(grant.seconds).into());
        claims.extend(grant.claims.clone());
        self.sign_claims(&claims)
    }

    /// Signs claims as they are, also ones that no authorizer accepts.
    ///
    /// # Errors
    ///
    /// When the key cannot sign.
    pub fn sign_claims(&self, claims: &Map<String, Value>) -> Result<String, SignError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key.id().into());
        EncodingKey::from_rsa_pem(self.key.private_pem().as_bytes())
            .and_then(|key| jsonwebtoken::encode(&header, claims, &key))
            .map_err(SignError)
    }

    /// The verified claims of an `authorization` header, with or without
    /// `Bearer`. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check(&self, authorization: &str, now: i64) -> Result<Map<String, Value>, Refusal> {
        let token = match authorization.trim().split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => authorization.trim(),
        };
        if token.is_empty() {
            return Err(Refusal::Absent);
        }
        let claims = self.signed(token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(&self.issuer) {
            return Err(Refusal::Issuer);
        }
        let is_accepted = |audience: &str| self.audience.iter().any(|one| one == audience);
        let meant = match claims.get("aud") {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).any(is_accepted),
            Some(audience) => audience.as_str().is_some_and(is_accepted),
            None => text("client_id").is_some_and(is_accepted),
        };
        if !meant {
            return Err(Refusal::Audience);
        }
        // A claim of the wrong type must not count as one that is absent.
        let time = |name: &str| claims.get(name).map(|value| value.as_f64());
        let now = now as f64;
        if !matches!(time("exp"), Some(Some(end)) if end > now) {
            return Err(Refusal::Expired);
        }
        let has_begun = |name: &str| !matches!(time(name), Some(start) if start.is_none_or(|start| start > now));
        if !has_begun("nbf") || !has_begun("iat") {
            return Err(Refusal::Early);
        }
        Ok(claims)
    }

    fn signed(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let mut validation = Validation::new(Algorithm::RS256);
        // Issuer, audience and times are checked above, from one clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let key = DecodingKey::from_rsa_der(self.key.public_der());
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|_| Refusal::Signature)?;
        match decoded.header.kid.as_deref() == Some(self.key.id()) {
            true => Ok(decoded.claims),
            false => Err(Refusal::Signature),
        }
    }
}

#[cfg(test)]
mod tests;
