//! A hostile file: what is sent and what must be answered.
//!
//! ```json
//! {
//!   "why": "A parser that goes one call deeper per bracket runs out of stack.",
//!   "send": {"method": "POST", "path": "/Users", "body": {"repeat": "[", "times": 1000000}},
//!   "answer": {"status": 400, "scimType": "invalidSyntax", "detail": "recursion limit"}
//! }
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::piece::Piece;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The name of the file without its ending.
    #[serde(skip)]
    pub(super) name: String,
    /// What attack or accident it is, in a sentence.
    why: String,
    /// Environment variables of the functions, where others are needed.
    #[serde(default)]
    pub(super) deployment: BTreeMap<String, String>,
    pub(super) send: Send,
    pub(super) answer: Answer,
}

/// The request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    pub(super) method: String,
    /// Below the base path, escaped as sent.
    pub(super) path: Piece,
    /// The query string, escaped as sent.
    pub(super) query: Option<Piece>,
    /// Parameters of the query that are escaped here.
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, Piece>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Piece>,
    pub(super) body: Option<Piece>,
    /// A body that is JSON.
    pub(super) json: Option<Value>,
    /// Claims of the token that differ; null takes one away.
    #[serde(default)]
    pub(super) claims: Map<String, Value>,
    /// Without any token.
    #[serde(default)]
    pub(super) anonymous: bool,
    /// What a broken gateway makes of the event: a JSON merge patch.
    #[serde(default)]
    pub(super) event: Value,
}

/// What must be answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Absent here means absent there.
    pub(super) scim_type: Option<String>,
    /// A part of the detail: what and where.
    pub(super) detail: Option<String>,
    /// Of a bulk response.
    pub(super) rows: Option<Vec<Row>>,
    /// Values in the body by JSON pointer; null for what must be absent.
    #[serde(default)]
    pub(super) body: BTreeMap<String, Value>,
    /// It is legal, however odd, and changes the directory.
    #[serde(default)]
    pub(super) writes: bool,
}

/// One row of a bulk response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) status: u16,
    pub(super) scim_type: Option<String>,
    pub(super) detail: Option<String>,
    /// How many rows in a row are like this.
    #[serde(default = "one")]
    pub(super) times: usize,
}

fn one() -> usize {
    1
}

/// The names of all folders of hostile files.
pub(super) fn folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root()).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    folders
        .map(|folder| folder.file_name().into_string().unwrap())
        .collect()
}

/// The cases of a folder in the order of their names.
pub(super) fn cases(folder: &str) -> Vec<Case> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut cases: Vec<Case> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let shown = path.display();
            let mut case = parse(&text)
                .map_err(|fault| format!("{shown}: {fault}"))
                .unwrap();
            case.name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            case
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// Reads a case that checks something.
pub(super) fn parse(text: &str) -> Result<Case, String> {
    let case: Case = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let (send, answer) = (&case.send, &case.answer);
    let fault = if text.len() > 4_096 {
        "a file of more than 4 KiB"
    } else if case.why.split(' ').count() < 4 || !case.why.ends_with('.') {
        "`why` is no sentence"
    } else if send.body.is_some() && send.json.is_some() {
        "two bodies"
    } else if send.query.is_some() && !send.parameters.is_empty() {
        "two query strings"
    } else if answer.status >= 400 && answer.detail.as_ref().is_none_or(String::is_empty) {
        "an error whose detail is not looked at"
    } else if answer.status < 400 && answer.rows.is_none() && answer.body.is_empty() {
        "a success that is not looked at"
    } else if answer.rows.iter().flatten().any(Row::is_blind) {
        "a failed row whose detail is not looked at"
    } else if answer.status >= 400 && (answer.writes || answer.rows.is_some()) {
        "an error that writes or has rows"
    } else {
        return Ok(case);
    };
    Err(fault.to_owned())
}

impl Row {
    fn is_blind(&self) -> bool {
        self.status >= 400 && self.detail.as_ref().is_none_or(String::is_empty)
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/hostile"))
}
