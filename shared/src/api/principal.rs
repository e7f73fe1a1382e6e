//! Who is calling: the claims of a token that the gateway has verified, as a
//! tenant and rights.
//!
//! Signature, issuer, audience and lifetime are the JWT authorizer's work. A
//! request that reaches a function without claims has passed no authorizer and
//! is refused. The tenant comes from the token alone; a tenant in the path is
//! compared with it and never believed. A deployment without `TENANT_CLAIM` is
//! one organisation: it has one tenant, `default`, and a name in its path is
//! part of the address and selects nothing.
//!
//! Claims arrive as strings, an array as `[a b]`.

use std::collections::HashMap;

use crate::config::Config;
use crate::plan::Rights;
use crate::provider::Caller;
use crate::scim::ScimError;
use crate::table::Tenant;

use super::Call;

/// The tenant of a deployment that tells none apart.
pub const ONLY_TENANT: &str = "default";

/// Claims that hold what an authorization server has granted. `groups` is not
/// among them: in many directories anyone may create a group of any name.
const GRANTS: [&str; 6] = [
    "scope",
    "scp",
    "roles",
    "role",
    "permissions",
    "entitlements",
];

/// Claims that name the client application.
const CLIENTS: [&str; 4] = ["client_id", "azp", "appid", "cid"];

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose resources it sees.
    pub tenant: Tenant,
    /// What it may do.
    pub rights: Rights,
    /// The token's `sub`.
    pub subject: Option<String>,
    /// The token's client application.
    pub client: Option<String>,
    /// The token's `iss`.
    pub issuer: Option<String>,
}

impl Principal {
    /// Reads verified claims.
    ///
    /// # Errors
    ///
    /// 403 when the claim that names the tenant is missing or no legal name.
    pub fn from_claims(
        claims: &HashMap<String, String>,
        config: &Config,
    ) -> Result<Self, ScimError> {
        let tenant = match &config.tenant_claim {
            None => Tenant::parse(ONLY_TENANT),
            Some(claim) => claims.get(claim).and_then(|name| Tenant::parse(name)),
        };
        let tenant = tenant.ok_or_else(|| {
            let claim = config.tenant_claim.as_deref().unwrap_or_default();
            ScimError::new(403, format!("the token's claim `{claim}` names no tenant"))
        })?;
        let client = CLIENTS.iter().find_map(|claim| claims.get(*claim)).cloned();
        Ok(Self {
            tenant,
            rights: rights(claims, config),
            subject: claims.get("sub").cloned(),
            client,
            issuer: claims.get("iss").cloned(),
        })
    }
}

/// The caller of a request, with the base URL of its tenant.
///
/// # Errors
///
/// 401 without verified claims, 403 without a tenant, 404 when the path names
/// another tenant than the token or lies outside the base path.
pub fn caller(call: &Call, config: &Config) -> Result<Caller, ScimError> {
    let claims = call.claims.as_ref();
    let claims =
        claims.ok_or_else(|| ScimError::new(401, "the request carries no verified token"))?;
    let principal = Principal::from_claims(claims, config)?;
    let elsewhere = || ScimError::new(404, "no such endpoint");
    if call.segments.is_none() {
        return Err(elsewhere());
    }
    if let Some(named) = &call.path_tenant {
        let named = Tenant::parse(named).ok_or_else(elsewhere)?;
        if config.tenant_claim.is_some() && named != principal.tenant {
            return Err(elsewhere());
        }
    }
    let client = principal.client.as_ref().or(principal.subject.as_ref());
    Ok(Caller {
        client: client.cloned().unwrap_or_default(),
        issuer: principal.issuer.unwrap_or_default(),
        tenant: principal.tenant,
        rights: principal.rights,
        identity: format!("{:?}", (principal.client, &principal.subject)),
        subject: principal.subject,
        base_url: call.base_url.clone(),
    })
}

/// Own scopes as granted, and those that foreign grants and the client's id
/// stand for. A client id is never a scope by itself: whoever registers
/// clients would choose their own rights.
fn rights(claims: &HashMap<String, String>, config: &Config) -> Rights {
    let values = |names: &'static [&'static str]| {
        let texts = names.iter().filter_map(|name| claims.get(*name));
        texts.flat_map(|text| elements(text))
    };
    let mapped = values(&GRANTS)
        .chain(values(&CLIENTS))
        .filter_map(|foreign| config.scope_mapping.get(foreign))
        .flatten()
        .map(String::as_str);
    Rights::new(values(&GRANTS).chain(mapped))
}

/// The elements of a claim: `a b` or `[a b]`.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    inner.unwrap_or(text).split_whitespace()
}

#[cfg(test)]
mod tests;
