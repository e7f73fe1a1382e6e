//! `docs/connectors` says what is replayed, and nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::coverage::request;
use super::fixture::{Compatibility, Fixture};

fn folder() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().join("docs/connectors")
}

/// What a page says of a file: its sources, what was assumed, its steps.
fn section(fixture: &Fixture) -> String {
    let mut told = format!("### `{}`: {}\n\n", fixture.name, fixture.flavour);
    for source in &fixture.sources {
        let (title, url, date) = (&source.title, &source.url, &source.date);
        writeln!(told, "- [{title}]({url}), {date}").unwrap();
    }
    for assumed in &fixture.assumed {
        writeln!(told, "- Assumed: {assumed}").unwrap();
    }
    told.push_str("\n| Step | Request | Status |\n|---|---|---|\n");
    for step in fixture.steps.iter().chain(&fixture.end) {
        let mut name = step.name.clone();
        if step.parallel {
            name.push_str(" (in parallel)");
        }
        match step.only {
            Some(Compatibility::Entra) => name.push_str(" (with `Compatibility=entra`)"),
            Some(Compatibility::None) => name.push_str(" (without `Compatibility=entra`)"),
            None => {}
        }
        if let Some(assumed) = &step.assumed {
            write!(name, "; assumed: {assumed}").unwrap();
        }
        let (request, status) = (request(step), step.expect.status);
        writeln!(told, "| {name} | `{request}` | {status} |").unwrap();
    }
    told
}

#[test]
fn every_page_tells_what_is_replayed() {
    for fixture in Fixture::all() {
        let page = fs::read_to_string(folder().join(format!("{}.md", fixture.page)));
        let section = section(&fixture);
        let told = page.is_ok_and(|page| page.contains(&section));
        assert!(told, "{}.md does not say:\n\n{section}", fixture.page);
    }
}

#[test]
fn every_page_is_of_a_connector_and_in_the_table() {
    let expected: BTreeSet<String> = Fixture::all()
        .into_iter()
        .map(|fixture| fixture.page)
        .collect();
    let pages: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "README")
        .collect();
    assert_eq!(pages, expected);
    let table = fs::read_to_string(folder().join("README.md")).unwrap();
    for page in pages {
        assert!(table.contains(&format!("({page}.md) |")), "{page}");
    }
}
