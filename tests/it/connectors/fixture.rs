//! A file of `tests/connectors`: what a connector sends, and what it needs to
//! be answered.
//!
//! Reading one is strict: unknown members, placeholders that nothing has
//! captured, steps of no source and expectations that check nothing are
//! refused, so that a file cannot pass for want of a test.
//!
//! ```json
//! {"name": "Disable", "source": 0,
//!  "request": {"method": "PATCH", "target": "/Users/{{ada}}", "body": {}},
//!  "expect": {"status": 200, "body": {"/active": false}}}
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The URL of the service in a file.
pub(super) const BASE: &str = "base";

/// One connector in one flavour.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixture {
    /// The file's name without `.json`.
    #[serde(skip)]
    pub(super) name: String,
    /// The vendor's name for it.
    pub(super) connector: String,
    /// What sets it apart from the connector's other files.
    pub(super) flavour: String,
    /// The page of `docs/connectors` that tells of it, without `.md`.
    pub(super) page: String,
    /// Where its requests are documented.
    pub(super) sources: Vec<Source>,
    /// What no documentation says, for all its steps.
    #[serde(default)]
    pub(super) assumed: Vec<String>,
    /// The settings that it is replayed under.
    #[serde(default = "standard")]
    pub(super) compatibility: Vec<Compatibility>,
    /// The content type of every body.
    pub(super) content_type: String,
    /// On every request that names no others.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// In order.
    pub(super) steps: Vec<Step>,
    /// What the connector would see afterwards: steps that only read.
    pub(super) end: Vec<Step>,
}

/// A page of a vendor's documentation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) title: String,
    pub(super) url: String,
    /// As stated on the page, or when it was read.
    pub(super) date: String,
}

/// `COMPATIBILITY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compatibility {
    None,
    Entra,
}

/// A request with the answer that the connector needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// What the connector does.
    pub(super) name: String,
    /// The index of its source.
    pub(super) source: Option<usize>,
    /// What of it no source says.
    pub(super) assumed: Option<String>,
    /// Left out under the other setting.
    pub(super) only: Option<Compatibility>,
    /// Sent at once with its neighbours that are parallel too.
    #[serde(default)]
    pub(super) parallel: bool,
    pub(super) request: Request,
    pub(super) expect: Expectation,
    /// Names for later steps, with the place of each in the answer.
    #[serde(default)]
    pub(super) capture: BTreeMap<String, String>,
}

/// As the connector sends it, with `{{name}}` for what an earlier step captured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query string below the base path, percent-encoded.
    pub(super) target: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
}

/// What the connector goes on from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// By place; see `place`.
    #[serde(default)]
    pub(super) body: BTreeMap<String, Value>,
    /// By place with `*`: values that are among others.
    #[serde(default)]
    pub(super) among: BTreeMap<String, Vec<Value>>,
    /// Places where nothing is.
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

impl Fixture {
    /// All files, in the order of their names.
    pub(super) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty());
        let read = |file: &Path| {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let text = fs::read_to_string(file).unwrap();
            Self::parse(name, &text).unwrap()
        };
        files.iter().map(|file| read(file)).collect()
    }

    /// Reads a file; refuses one whose replay would prove nothing.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut fixture: Self =
            serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        name.clone_into(&mut fixture.name);
        match fixture.complaint() {
            Some(complaint) => Err(format!("{name}: {complaint}")),
            None => Ok(fixture),
        }
    }

    /// The steps that are replayed under a setting, those of the end last.
    pub(super) fn under(&self, compatibility: Compatibility) -> impl Iterator<Item = &Step> {
        let steps = self.steps.iter().chain(&self.end);
        steps.filter(move |step| step.only.is_none_or(|only| only == compatibility))
    }

    fn complaint(&self) -> Option<String> {
        if self.sources.is_empty() || self.end.is_empty() || self.compatibility.is_empty() {
            return Some("it needs a source, a setting and an end".to_owned());
        }
        if let Some(step) = self.end.iter().find(|step| step.request.method != "GET") {
            return Some(format!("the end reads only, and `{}` writes", step.name));
        }
        let mut names = BTreeSet::new();
        let mut captured = BTreeSet::from([BASE]);
        for step in self.steps.iter().chain(&self.end) {
            if !names.insert(&step.name) {
                return Some(format!("two steps are called `{}`", step.name));
            }
            if let Some(complaint) = step.complaint(self.sources.len(), &captured) {
                return Some(format!("step `{}`: {complaint}", step.name));
            }
            captured.extend(step.capture.keys().map(String::as_str));
        }
        None
    }
}

impl Step {
    fn complaint(&self, sources: usize, captured: &BTreeSet<&str>) -> Option<String> {
        if self.source.is_none() && self.assumed.is_none() {
            return Some("it names neither a source nor what was assumed".to_owned());
        }
        if self.source.is_some_and(|source| source >= sources) {
            return Some("its source is not listed".to_owned());
        }
        let sent = format!("{:?}", self.request);
        let unknown = placeholders(&sent).find(|name| !captured.contains(name));
        if let Some(name) = unknown {
            return Some(format!("nothing has captured `{name}` before"));
        }
        let expect = &self.expect;
        let mut looks = expect.body.len();
        looks += expect
            .among
            .values()
            .filter(|values| !values.is_empty())
            .count();
        let places = expect.body.keys().chain(expect.among.keys());
        let places: Vec<&String> = places
            .chain(&expect.absent)
            .chain(self.capture.values())
            .collect();
        match expect.status {
            204 if !places.is_empty() => Some("a 204 has no body to look at".to_owned()),
            204 => None,
            _ if looks == 0 => Some("the expectation looks at nothing in the body".to_owned()),
            _ => places
                .iter()
                .find(|place| !place.starts_with('/'))
                .map(|place| format!("`{place}` is no place")),
        }
    }
}

/// The names in `{{}}`.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("}}")?.0))
}

fn standard() -> Vec<Compatibility> {
    vec![Compatibility::None]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    /// What is said of a file of one step, changed.
    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let step = json!({"name": "Test", "source": 0,
            "request": {"method": "GET", "target": "/Users"},
            "expect": {"status": 200, "body": {"/totalResults": 0}}});
        let mut end = step.clone();
        end["name"] = json!("End");
        let mut file = json!({"connector": "Acme", "flavour": "", "page": "acme",
            "content_type": "application/json", "sources": [{"title": "", "url": "", "date": ""}], "steps": [step], "end": [end]});
        change(&mut file);
        match Fixture::parse("acme", &file.to_string()) {
            Ok(_) => "accepted".to_owned(),
            Err(refusal) => refusal,
        }
    }

    #[test]
    fn a_file_whose_replay_would_prove_nothing_is_refused() {
        let told = [
            refusal(|_| {}),
            refusal(|file| file["steps"][0]["expect"]["body"] = json!({})),
            refusal(|file| {
                file["steps"][0]["expect"] =
                    json!({"status": 200, "among": {"/Resources/*/id": []}});
            }),
            refusal(|file| {
                file["steps"][0]["expect"] = json!({"status": 200, "absent": ["/Resources/0"]});
            }),
            refusal(|file| file["steps"][0]["expect"]["bodi"] = json!({"/id": 1})),
            refusal(|file| file["steps"][0]["expect"]["status"] = json!(204)),
            refusal(|file| file["steps"][0]["expect"]["body"] = json!({"id": 1})),
            refusal(|file| file["steps"][0]["request"]["target"] = json!("/Users/{{ada}}")),
            refusal(|file| file["steps"][0]["source"] = json!(1)),
            refusal(|file| file["steps"][0]["source"] = json!(null)),
            refusal(|file| file["steps"][0]["name"] = json!("End")),
            refusal(|file| file["end"][0]["request"]["method"] = json!("PUT")),
            refusal(|file| file["end"] = json!([])),
            refusal(|file| file["compatibility"] = json!(["okta"])),
        ];
        assert_snapshot!(told.join("\n"), @"
        accepted
        acme: step `Test`: the expectation looks at nothing in the body
        acme: step `Test`: the expectation looks at nothing in the body
        acme: step `Test`: the expectation looks at nothing in the body
        acme: unknown field `bodi`, expected one of `status`, `headers`, `body`, `among`, `absent` at line 1 column 261
        acme: step `Test`: a 204 has no body to look at
        acme: step `Test`: `id` is no place
        acme: step `Test`: nothing has captured `ada` before
        acme: step `Test`: its source is not listed
        acme: step `Test`: it names neither a source nor what was assumed
        acme: two steps are called `End`
        acme: the end reads only, and `End` writes
        acme: it needs a source, a setting and an end
        acme: unknown variant `okta`, expected `none` or `entra` at line 1 column 411
        ");
    }
}
