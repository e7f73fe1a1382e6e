//! `template.yaml` as the local gateway needs it: routes, authorizer settings,
//! environment and table.
//!
//! The template is compiled in, so that the gateway does not depend on the
//! directory it is started in. What CloudFormation would resolve at deployment
//! is resolved here from the defaults of the parameters. Nothing in this room
//! listens, stores or calls: it reads text.
//!
//! ```ignore
//! let template = Template::embedded()?;
//! assert_eq!(template.table.hash_key, "pk");
//! assert!(template.routes.iter().any(|route| route.suffix == "/Bulk"));
//! ```

pub mod way;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// The part of every route key that a deployment chooses.
const BASE_PATH: &str = "/${BasePath}";

/// A Lambda function of the template, by the package it is built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// `functions/users/`.
    Users,
    /// `functions/groups/`.
    Groups,
    /// `functions/resources/`.
    Resources,
    /// `functions/bulk/`.
    Bulk,
    /// `functions/discovery/`.
    Discovery,
}

/// One `AWS::ApiGatewayV2::Route` with a method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// What follows the base path: `/Users/{id}`.
    pub suffix: String,
    /// Who answers.
    pub target: Target,
}

/// Where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The function that answers.
    pub function: Function,
    /// Whether the JWT authorizer stands before it.
    pub authorized: bool,
}

/// The JWT authorizer, where the template has defaults for its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerSettings {
    /// The only issuer accepted.
    pub issuer: Option<String>,
    /// The audiences accepted; empty when the deployment must choose.
    pub audience: Vec<String>,
}

/// The table, keys of type string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// The logical id: `sam local invoke` resolves a reference to it so, too.
    pub name: String,
    /// Name of the partition key.
    pub hash_key: String,
    /// Name of the sort key.
    pub range_key: String,
    /// Attribute with the second since 1970 after which an item ends.
    pub expires: Option<String>,
}

/// What the local gateway takes from the template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Every route but `$default`, in the template's order.
    pub routes: Vec<Route>,
    /// The `$default` route.
    pub default_route: Target,
    /// The JWT authorizer.
    pub authorizer: AuthorizerSettings,
    /// The table.
    pub table: TableDefinition,
    /// How long a function may run.
    pub timeout: Duration,
    /// Environment variables that all functions have, from parameter defaults.
    pub environment: BTreeMap<String, String>,
    /// The whole template in the long form of the intrinsic functions:
    /// `!Ref Table` is `{"Ref": "Table"}`.
    pub document: Value,
}

/// Why a template is not one that this gateway can imitate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// The text is no YAML.
    #[error("the template is not YAML: {0}")]
    Syntax(String),
    /// A place that must be there is not, or not of the expected form.
    #[error("the template has no usable `{0}`")]
    Missing(String),
    /// A package that this gateway does not know.
    #[error("the template names the unknown function `{0}`")]
    UnknownFunction(String),
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 5] = [
        Self::Users,
        Self::Groups,
        Self::Resources,
        Self::Bulk,
        Self::Discovery,
    ];

    /// The package name, which is also the name of the binary.
    pub fn package(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Resources => "resources",
            Self::Bulk => "bulk",
            Self::Discovery => "discovery",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.package())
    }
}

impl Template {
    /// The template of this workspace, as it was when this was compiled.
    ///
    /// # Errors
    ///
    /// When it is not a template that this gateway can imitate.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(include_str!("../../template.yaml"))
    }

    /// Reads a template.
    ///
    /// # Errors
    ///
    /// When the text is no YAML, or routes, authorizer or table are missing.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document = yaml::parse(text)?;
        let source = Source {
            document: &document,
        };
        let (routes, default_route) = source.routes()?;
        Ok(Self {
            routes,
            default_route,
            authorizer: source.authorizer()?,
            table: source.table()?,
            timeout: source.timeout()?,
            environment: source.environment()?,
            document,
        })
    }

    /// The environment variable as a function of a deployment with default
    /// parameters would see it.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }
}

/// The document while the answers are read out of it.
struct Source<'a> {
    document: &'a Value,
}

impl<'a> Source<'a> {
    fn at(&self, pointer: &str) -> Result<&'a Value, TemplateError> {
        self.document
            .pointer(pointer)
            .ok_or_else(|| TemplateError::Missing(pointer.into()))
    }

    /// Logical id and properties of every resource of one type.
    fn resources(&self, kind: &'static str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let resources = self.document.get("Resources").and_then(Value::as_object);
        resources
            .into_iter()
            .flatten()
            .filter(move |(_, resource)| resource.get("Type").and_then(Value::as_str) == Some(kind))
            .filter_map(|(id, resource)| Some((id, resource.get("Properties")?)))
    }

    fn resource(&self, kind: &'static str) -> Result<(&'a String, &'a Value), TemplateError> {
        self.resources(kind)
            .next()
            .ok_or_else(|| TemplateError::Missing(kind.into()))
    }

    fn routes(&self) -> Result<(Vec<Route>, Target), TemplateError> {
        let mut routes = Vec::new();
        let mut default_route = None;
        for (id, properties) in self.resources("AWS::ApiGatewayV2::Route") {
            let missing = || TemplateError::Missing(format!("{id}.RouteKey"));
            let target = self.target(id, properties)?;
            let key = text(properties.get("RouteKey")).ok_or_else(missing)?;
            if key == "$default" {
                default_route = Some(target);
                continue;
            }
            let (method, path) = key.split_once(' ').ok_or_else(missing)?;
            let suffix = path.strip_prefix(BASE_PATH).ok_or_else(missing)?;
            routes.push(Route {
                method: method.into(),
                suffix: suffix.into(),
                target,
            });
        }
        let default_route =
            default_route.ok_or_else(|| TemplateError::Missing("$default route".into()))?;
        Ok((routes, default_route))
    }

    fn target(&self, id: &str, properties: &Value) -> Result<Target, TemplateError> {
        let function = text(properties.get("Target"))
            .and_then(|target| target.strip_prefix("integrations/${")?.strip_suffix('}'))
            .and_then(|name| {
                let place = format!("/Resources/{name}/Properties/IntegrationUri/Fn::GetAtt/0");
                self.document.pointer(&place)?.as_str()
            })
            .ok_or_else(|| TemplateError::Missing(format!("{id}.Target")))?;
        let authorized = properties.get("AuthorizationType").and_then(Value::as_str) == Some("JWT");
        Ok(Target {
            function: self.function(function)?,
            authorized,
        })
    }

    fn function(&self, id: &str) -> Result<Function, TemplateError> {
        let place = format!("/Resources/{id}/Properties/CodeUri");
        let folder = text(Some(self.at(&place)?)).ok_or(TemplateError::Missing(place))?;
        let package = folder.trim_end_matches('/').rsplit('/').next();
        Function::ALL
            .into_iter()
            .find(|function| Some(function.package()) == package)
            .ok_or_else(|| TemplateError::UnknownFunction(folder.into()))
    }

    fn authorizer(&self) -> Result<AuthorizerSettings, TemplateError> {
        let (_, properties) = self.resource("AWS::ApiGatewayV2::Authorizer")?;
        let of = |name: &str| {
            let value = properties.get("JwtConfiguration")?.get(name)?;
            self.resolve(value).filter(|text| !text.is_empty())
        };
        let audience = of("Audience").unwrap_or_default();
        Ok(AuthorizerSettings {
            issuer: of("Issuer"),
            audience: audience
                .split(',')
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(Into::into)
                .collect(),
        })
    }

    fn table(&self) -> Result<TableDefinition, TemplateError> {
        let (name, properties) = self.resource("AWS::DynamoDB::Table")?;
        let key = |kind: &str| {
            let keys = properties.get("KeySchema").and_then(Value::as_array);
            keys.into_iter()
                .flatten()
                .find(|key| key.get("KeyType").and_then(Value::as_str) == Some(kind))
                .and_then(|key| text(key.get("AttributeName")))
                .map(Into::into)
                .ok_or_else(|| TemplateError::Missing(format!("{name}.KeySchema {kind}")))
        };
        Ok(TableDefinition {
            name: name.clone(),
            hash_key: key("HASH")?,
            range_key: key("RANGE")?,
            expires: text(properties.pointer("/TimeToLiveSpecification/AttributeName"))
                .map(Into::into),
        })
    }

    fn timeout(&self) -> Result<Duration, TemplateError> {
        let place = "/Globals/Function/Timeout";
        let seconds = self.at(place)?.as_u64();
        seconds
            .map(Duration::from_secs)
            .ok_or_else(|| TemplateError::Missing(place.into()))
    }

    fn environment(&self) -> Result<BTreeMap<String, String>, TemplateError> {
        let place = "/Globals/Function/Environment/Variables";
        let variables = self.at(place)?.as_object();
        let variables = variables.ok_or_else(|| TemplateError::Missing(place.into()))?;
        Ok(variables
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?)))
            .collect())
    }

    /// A literal, or the default of the parameter that is referred to.
    fn resolve(&self, value: &Value) -> Option<String> {
        let literal = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => None,
        };
        let Some(name) = value.get("Ref").and_then(Value::as_str) else {
            return literal(value);
        };
        literal(self.document.get("Parameters")?.get(name)?.get("Default")?)
    }
}

/// The text of a string or of `!Sub`, whose references stay as written.
fn text(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    value.as_str().or_else(|| value.get("Fn::Sub")?.as_str())
}

#[cfg(test)]
mod tests;
