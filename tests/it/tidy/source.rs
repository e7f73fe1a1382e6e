//! The sources of the workspace, and enough of Rust's and TOML's grammar to
//! find names, string literals and dependencies in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file: its path from the root of the workspace and its text.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

/// The rooms of `shared` in the direction of the one-way street.
pub(super) const ROOMS: [&str; 6] = ["scim", "table", "plan", "store", "provider", "api"];

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("`tests` lies in the workspace")
        .to_path_buf()
}

pub(super) fn rust() -> Vec<Source> {
    let found: Vec<Source> = ["shared", "functions", "local", "tests"]
        .iter()
        .flat_map(|top| files(top, "rs"))
        .collect();
    assert!(
        found.len() > 20,
        "the sources are not where this test looks"
    );
    found
}

pub(super) fn manifests() -> Vec<Source> {
    let tops = ["shared", "functions", "local", "tests"];
    let found: Vec<Source> = tops.iter().flat_map(|top| files(top, "toml")).collect();
    found
        .into_iter()
        .filter(|source| source.path.ends_with("/Cargo.toml"))
        .collect()
}

pub(super) fn functions() -> BTreeSet<String> {
    manifests()
        .iter()
        .filter_map(|manifest| function_of(&manifest.path))
        .collect()
}

pub(super) fn function_of(manifest: &str) -> Option<String> {
    let name = manifest
        .strip_prefix("functions/")?
        .strip_suffix("/Cargo.toml")?;
    Some(name.to_owned())
}

/// All files below a directory with this extension, in a stable order.
pub(super) fn files(top: &str, extension: &str) -> Vec<Source> {
    let root = root();
    let mut directories = vec![root.join(top)];
    let mut found = Vec::new();
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a directory can be read to its end").path();
            if path.is_dir() && !path.ends_with("target") {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let shown = path
                    .strip_prefix(&root)
                    .expect("below the root")
                    .display()
                    .to_string();
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                found.push(Source { path: shown, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The place of the room of `shared` that a file belongs to.
pub(super) fn room(path: &str) -> Option<usize> {
    let inner = path.strip_prefix("shared/src/")?;
    let name = inner.split(['/', '.']).next()?;
    ROOMS.iter().position(|room| *room == name)
}

/// Neither a test nor the harness.
pub(super) fn is_production(path: &str) -> bool {
    !path.starts_with("tests/") && !path.ends_with("/tests.rs") && !path.contains("/tests/")
}

/// The text without comments and without the tests at its end; what is left
/// out becomes blanks, so that lines keep their numbers.
pub(super) fn code(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let chars: Vec<char> = text[..end].chars().collect();
    let mut kept = String::with_capacity(end);
    let mut index = 0;
    while index < chars.len() {
        let length = match (chars[index], chars.get(index + 1)) {
            ('/', Some('/')) => -until(&chars, index, |rest| rest.starts_with(&['\n'])),
            ('/', Some('*')) => -(until(&chars, index, |rest| rest.starts_with(&['*', '/'])) + 2),
            ('r', Some('"' | '#')) if !after_word(&chars, index) => raw_string(&chars, index),
            ('"', _) => string(&chars, index),
            ('\'', Some('\\')) => until(&chars, index + 2, |rest| rest.starts_with(&['\''])) + 3,
            ('\'', _) if chars.get(index + 2) == Some(&'\'') => 3,
            _ => 1,
        };
        let next = (index + length.unsigned_abs()).min(chars.len());
        let piece = chars[index..next].iter();
        if length < 0 {
            kept.extend(piece.map(|kept| if *kept == '\n' { '\n' } else { ' ' }));
        } else {
            kept.extend(piece);
        }
        index = next;
    }
    kept
}

fn until(chars: &[char], from: usize, ends: impl Fn(&[char]) -> bool) -> isize {
    let left = chars.get(from..).unwrap_or_default();
    let length = (0..left.len())
        .find(|start| ends(&left[*start..]))
        .unwrap_or(left.len());
    isize::try_from(length).expect("a source file is no larger than memory")
}

fn after_word(chars: &[char], index: usize) -> bool {
    index > 0 && (chars[index - 1].is_alphanumeric() || chars[index - 1] == '_')
}

fn string(chars: &[char], index: usize) -> isize {
    let mut end = index + 1;
    while end < chars.len() && chars[end] != '"' {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    isize::try_from(end + 1 - index).expect("a source file is no larger than memory")
}

fn raw_string(chars: &[char], index: usize) -> isize {
    let hashes = chars[index + 1..]
        .iter()
        .take_while(|hash| **hash == '#')
        .count();
    if chars.get(index + 1 + hashes) != Some(&'"') {
        return 1;
    }
    let mut closing = vec!['"'];
    closing.extend(vec!['#'; hashes]);
    let open = index + 2 + hashes;
    let inner = until(chars, open, |rest| rest.starts_with(&closing));
    let around = isize::try_from(2 + hashes + closing.len()).expect("few hashes");
    inner + around
}

/// String literals of a line of code with the number of the line. A literal
/// that runs over several lines is seen line by line.
pub(super) fn literals(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = code.lines().enumerate();
    lines.flat_map(|(number, line)| {
        line.split('"')
            .skip(1)
            .step_by(2)
            .map(move |text| (number + 1, text))
    })
}

/// From each place where the text stands to the end of its statement.
pub(super) fn mentions<'a>(code: &'a str, text: &str) -> Vec<(usize, &'a str)> {
    let places = code.match_indices(text).filter(|(index, _)| {
        let before = code[..*index].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    });
    let statement = |(index, _): (usize, &str)| {
        let rest = &code[index..];
        let line = code[..index].matches('\n').count() + 1;
        // `a::{b, c}` goes on to the end of the statement, `a::b` to the end of the path.
        let path = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let path = path.unwrap_or(rest.len());
        let end = if rest[path..].starts_with('{') {
            rest.find(';').unwrap_or(rest.len())
        } else {
            path
        };
        (line, &rest[..end])
    };
    places.map(statement).collect()
}

/// The first names after `crate::`, also of a list in braces.
pub(super) fn crate_names(code: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (line, statement) in mentions(code, "crate::") {
        let rest = statement.trim_start_matches("crate::");
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut first = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push((line, std::mem::take(&mut first))),
                    _ if depth == 0 && !c.is_whitespace() => first.push(c),
                    _ => {}
                }
            }
            names.push((line, first));
        } else {
            names.push((line, rest.to_owned()));
        }
    }
    let first = |name: String| name.split("::").next().unwrap_or_default().to_owned();
    names
        .into_iter()
        .map(|(line, name)| (line, first(name)))
        .collect()
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// Line number, name and the rest of each line of a `dependencies` section.
pub(super) fn dependency_lines(manifest: &str) -> Vec<(usize, String, String)> {
    let mut within = false;
    let mut found = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        if let Some(section) = line.strip_prefix('[') {
            within = section.trim_end_matches(']').ends_with("dependencies");
        } else if within
            && !line.starts_with('#')
            && let Some((name, rest)) = line.split_once(['.', ' ', '='])
        {
            found.push((number + 1, name.to_owned(), rest.to_owned()));
        }
    }
    found
}

pub(super) fn complain_of(
    source: &Source,
    word: &str,
    message: &str,
    complaints: &mut Vec<String>,
) {
    if !is_production(&source.path) {
        return;
    }
    for (number, line) in code(&source.text).lines().enumerate() {
        if line.contains(word) {
            complaints.push(at(source, number + 1, message));
        }
    }
}

pub(super) fn at(source: &Source, line: usize, message: &str) -> String {
    format!("{}:{line}: {message}", source.path)
}
