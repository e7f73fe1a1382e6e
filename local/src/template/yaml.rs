//! YAML to JSON, with the short intrinsic functions in their long form.
//!
//! CloudFormation writes `!Ref Table` for `{"Ref": "Table"}` and `!Sub x` for
//! `{"Fn::Sub": "x"}`. Everything after this step sees the long form only.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::TemplateError;

/// Deeper than any template; the text is our own, the limit costs nothing.
const MAX_DEPTH: usize = 32;

/// Reads the first document of a text.
pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| TemplateError::Syntax(error.to_string()))?;
    let first = documents.first();
    let first = first.ok_or_else(|| TemplateError::Syntax("it is empty".into()))?;
    json_of(first, 0)
}

fn json_of(node: &Yaml<'_>, depth: usize) -> Result<Value, TemplateError> {
    if depth > MAX_DEPTH {
        return Err(TemplateError::Syntax("it is nested too deeply".into()));
    }
    match node {
        Yaml::Value(scalar) => Ok(scalar_of(scalar)),
        Yaml::Sequence(items) => items.iter().map(|item| json_of(item, depth + 1)).collect(),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key
                    .as_str()
                    .ok_or_else(|| TemplateError::Syntax("a key is not a string".into()))?;
                object.insert(key.into(), json_of(value, depth + 1)?);
            }
            Ok(Value::Object(object))
        }
        Yaml::Tagged(tag, inner) => Ok(long_form(&tag.suffix, json_of(inner, depth + 1)?)),
        Yaml::Representation(text, ..) => Ok(Value::String(text.to_string())),
        Yaml::Alias(_) | Yaml::BadValue => {
            Err(TemplateError::Syntax("a value cannot be read".into()))
        }
    }
}

fn scalar_of(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(truth) => json!(truth),
        Scalar::Integer(number) => json!(number),
        Scalar::FloatingPoint(number) => json!(number.into_inner()),
        Scalar::String(text) => json!(text),
    }
}

fn long_form(tag: &str, value: Value) -> Value {
    match (tag, value) {
        ("Ref" | "Condition", value) => json!({ tag: value }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        (tag, value) => json!({ format!("Fn::{tag}"): value }),
    }
}
