//! The way of an event by its route key: who answers it, below which base path.
//!
//! ```text
//! PATCH /t/{tenant_id}/scim/Groups/{id}   groups, at t/{tenant_id}/scim
//! $default                                discovery
//! ```

use serde_json::Value;

use super::{Function, Template};

/// The event's way: who answers, and the base path where the key tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Who answers.
    pub function: Function,
    /// Without slash at either end; none for `$default`.
    pub base_path: Option<String>,
}

/// The way of an event by its route key. The base path is itself a route, and
/// ends in nothing that would tell it from any other path, so it is only known
/// where it is the configured one.
///
/// # Errors
///
/// What is wrong with the event, to be said after its name.
pub fn way(template: &Template, configured: &str, event: &Value) -> Result<Way, String> {
    let key = event
        .get("routeKey")
        .or_else(|| event.pointer("/requestContext/routeKey"))
        .and_then(Value::as_str)
        .ok_or("is not an API Gateway event of payload format 2.0: it has no `routeKey`")?;
    if key == "$default" {
        return Ok(Way {
            function: template.default_route.function,
            base_path: None,
        });
    }
    key.split_once(' ')
        .and_then(|(method, path)| {
            template
                .routes
                .iter()
                .filter(|route| route.method == method)
                .filter_map(|route| Some((route, path.strip_suffix(&route.suffix)?)))
                .filter(|(route, base_path)| {
                    !route.suffix.is_empty() || base_path.trim_matches('/') == configured
                })
                .max_by_key(|(route, _)| route.suffix.len())
                .map(|(route, base_path)| Way {
                    function: route.target.function,
                    base_path: Some(base_path.trim_matches('/').into()),
                })
        })
        .ok_or_else(|| format!("has the route `{key}`, which is not in the template"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_route_key_tells_function_and_base_path() {
        let cases = [
            ("POST /scim/v2/Users", "users at scim/v2"),
            ("POST /Users/.search", "users at "),
            (
                "PATCH /t/{tenant_id}/scim/Groups/{id}",
                "groups at t/{tenant_id}/scim",
            ),
            ("GET /Users/Schemas/{id}", "discovery at Users"),
            ("POST /scim/v2/.search", "bulk at scim/v2"),
            ("GET /scim/v2", "bulk at scim/v2"),
            (
                "GET /nowhere",
                "has the route `GET /nowhere`, which is not in the template",
            ),
            ("$default", "discovery"),
            (
                "PUT /scim/v2/Users",
                "has the route `PUT /scim/v2/Users`, which is not in the template",
            ),
            (
                "nonsense",
                "has the route `nonsense`, which is not in the template",
            ),
        ];
        let template = Template::embedded().unwrap();
        for (key, expected) in cases {
            let told = match way(&template, "scim/v2", &json!({ "routeKey": key })) {
                Ok(Way {
                    function,
                    base_path: Some(base_path),
                }) => format!("{function} at {base_path}"),
                Ok(way) => way.function.to_string(),
                Err(reason) => reason,
            };
            assert_eq!(told, expected, "{key}");
        }
        assert!(way(&template, "scim/v2", &json!([])).is_err());
    }
}
