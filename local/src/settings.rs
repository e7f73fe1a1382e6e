//! What the environment variables of the functions are on this machine.
//!
//! As on Lambda, the functions are configured by variables; where the process
//! has none, the template's with the defaults of its parameters count. Only
//! this room and [`crate::database`] read the environment.

use std::collections::BTreeMap;

use shared::config::{Config, ConfigError, TENANT_IN_PATH};

use crate::template::Template;

/// The claim with the tenant where a base path asks for one and nothing else
/// is configured.
pub const TENANT_CLAIM: &str = "tenant_id";

/// The variables of the functions.
#[derive(Debug, Clone)]
pub struct Settings {
    variables: BTreeMap<String, String>,
}

impl Settings {
    /// The template's variables, overridden by those of this process.
    pub fn read(template: &Template) -> Self {
        Self::overridden(template, |name| std::env::var(name).ok())
    }

    /// The template's variables, overridden by `variable` where it has one.
    pub fn overridden(template: &Template, variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut variables = template.environment.clone();
        variables.insert("TABLE_NAME".into(), template.table.name.clone());
        for (name, value) in &mut variables {
            if let Some(given) = variable(name) {
                *value = given;
            }
        }
        Self { variables }
    }

    /// With another base path; slashes at either end do not count.
    #[must_use]
    pub fn with_base_path(mut self, base_path: &str) -> Self {
        self.set("BASE_PATH", base_path.trim_matches('/'));
        self
    }

    /// With scheme and host of the gateway, unless they are configured.
    #[must_use]
    pub fn with_public_url(mut self, url: &str) -> Self {
        if self.get("PUBLIC_URL").is_empty() {
            self.set("PUBLIC_URL", url);
        }
        self
    }

    /// With a tenant claim where the base path needs one.
    #[must_use]
    pub fn with_tenant_claim(mut self) -> Self {
        if self.base_path().contains(TENANT_IN_PATH) && self.get("TENANT_CLAIM").is_empty() {
            self.set("TENANT_CLAIM", TENANT_CLAIM);
        }
        self
    }

    /// What comes before `/Users`, without slash at either end.
    pub fn base_path(&self) -> &str {
        self.get("BASE_PATH")
    }

    /// The claim that names the tenant; empty for one tenant.
    pub fn tenant_claim(&self) -> &str {
        self.get("TENANT_CLAIM")
    }

    /// Scheme and host that clients use; empty when not known.
    pub fn public_url(&self) -> &str {
        self.get("PUBLIC_URL")
    }

    /// The table that the functions use.
    pub fn table(&self) -> &str {
        self.get("TABLE_NAME")
    }

    /// The functions' configuration.
    ///
    /// # Errors
    ///
    /// When a variable has a value that the functions would refuse.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::read(&|name| self.variables.get(name).cloned())
    }

    fn get(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &[(&str, &str)]) -> Settings {
        Settings::overridden(&Template::embedded().unwrap(), |name| {
            let (_, value) = given.iter().find(|(given, _)| *given == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn the_process_overrides_the_template() {
        assert_eq!(settings(&[]).base_path(), "scim/v2");
        assert_eq!(settings(&[("BASE_PATH", "x")]).base_path(), "x");
        assert_eq!(settings(&[("TABLE_NAME", "t")]).table(), "t");
    }

    #[test]
    fn only_a_base_path_with_a_tenant_brings_a_claim_along() {
        let claim = |settings: Settings, base_path| {
            let settings = settings.with_base_path(base_path).with_tenant_claim();
            settings.tenant_claim().to_owned()
        };
        assert_eq!(claim(settings(&[]), "/scim/"), "");
        assert_eq!(claim(settings(&[]), "t/{tenant_id}/scim"), "tenant_id");
        let own = settings(&[("TENANT_CLAIM", "org")]);
        assert_eq!(claim(own, "t/{tenant_id}/scim"), "org");
    }
}
