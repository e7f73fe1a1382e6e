//! Keeps `docs/conformance.md` honest: every rule has its row, no row is blank,
//! and every test that is named exists where it is said to be. The same of what
//! `docs/bulk.md` says each choice is shown by.

use std::fs;
use std::path::Path;

/// The rules of each table: their letter and how many there are.
const RULES: [(&str, usize); 5] = [("B", 51), ("R", 26), ("P", 42), ("Q", 32), ("D", 11)];

struct Row {
    rule: String,
    text: String,
    shown: String,
}

fn read(path: &str) -> Option<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(tests.parent()?.join(path)).ok()
}

/// The rows of the tables, their heads left out.
fn rows(page: &str) -> Vec<Row> {
    let cells = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        match cells.as_slice() {
            [rule, text, shown, ""] => Some((*rule, *text, *shown)),
            _ => Some((line, "", "")),
        }
    });
    let rows = cells.filter(|(rule, ..)| *rule != "Rule" && !rule.starts_with("--"));
    rows.map(|(rule, text, shown)| Row {
        rule: rule.to_owned(),
        text: text.to_owned(),
        shown: shown.to_owned(),
    })
    .collect()
}

/// What is wrong with a page, by a reader of files.
fn complaints(page: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let rows = rows(page);
    let found: Vec<&str> = rows.iter().map(|row| row.rule.as_str()).collect();
    let numbers = |(letter, last): (&'static str, usize)| {
        (1..=last).map(move |number| format!("{letter}{number}"))
    };
    let expected: Vec<String> = RULES.into_iter().flat_map(numbers).collect();
    let mut complaints = Vec::new();
    for (place, rule) in expected.iter().enumerate() {
        if found.get(place) != Some(&rule.as_str()) {
            complaints.push(format!("{rule} is not row {}", place + 1));
            break;
        }
    }
    if found.len() > expected.len() {
        complaints.push(format!("{} rows too many", found.len() - expected.len()));
    }
    for Row { rule, text, shown } in &rows {
        let references: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        let reason = shown
            .strip_prefix("Not applicable: ")
            .is_some_and(|reason| reason.split_whitespace().count() > 4);
        if text.is_empty() || references.is_empty() && !reason {
            complaints.push(format!("{rule} is blank"));
        }
        for reference in references {
            let exists = reference
                .split_once(": ")
                .is_some_and(|(file, name)| is_test(file, name, read));
            if !exists {
                complaints.push(format!("{rule}: there is no test `{reference}`"));
            }
        }
    }
    complaints
}

/// The cells of the columns `Shown by`, and the lines that begin so.
fn shown_by(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        let last = line
            .strip_suffix(" |")
            .and_then(|row| row.rsplit_once(" | "));
        inside = match last {
            Some((_, "Shown by")) => true,
            _ => inside && line.starts_with('|'),
        };
        match last {
            Some((_, cell)) if inside && cell != "Shown by" => found.push(cell),
            _ if line.starts_with("Shown by ") => found.push(line),
            _ => {}
        }
    }
    found
}

/// What is named and does not exist: a file, or what is named before it up to a
/// semicolon, which is a test in it, or an event. Without a file it is a test of
/// `it/bulk.rs`.
fn unknown(shown: &[&str], read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut unknown = Vec::new();
    for text in shown.iter().filter(|text| !text.contains('`')) {
        unknown.push((*text).to_owned());
    }
    for part in shown.iter().flat_map(|text| text.split(';')) {
        let mut names: Vec<&str> = Vec::new();
        for reference in part.split('`').skip(1).step_by(2) {
            if !reference.contains('/') {
                names.push(reference);
                continue;
            }
            if read(&path(reference)).is_none() {
                unknown.push(reference.to_owned());
            }
            let event = |name: &str| {
                reference == "it/events.rs" && read(&format!("events/{name}.json")).is_some()
            };
            names.retain(|name| !is_test(reference, name, read) && !event(name));
            unknown.extend(names.drain(..).map(str::to_owned));
        }
        let bulk = ["it/bulk.rs", "it/bulk/rows.rs"];
        names.retain(|name| !bulk.iter().any(|file| is_test(file, name, read)));
        unknown.extend(names.into_iter().map(str::to_owned));
    }
    unknown
}

fn path(file: &str) -> String {
    match file.strip_prefix("it/") {
        Some(rest) => format!("tests/it/{rest}"),
        None => file.to_owned(),
    }
}

fn is_test(file: &str, name: &str, read: &dyn Fn(&str) -> Option<String>) -> bool {
    let text = read(&path(file)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(number, line)| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let named = line
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name));
        let before = number.checked_sub(1).map(|before| lines[before]);
        named.is_some_and(|rest| rest.starts_with('('))
            && before.is_some_and(|before| {
                before.starts_with("#[test") || before.starts_with("#[tokio::test")
            })
    })
}

#[test]
fn every_rule_has_its_row_and_every_test_exists() {
    let page = read("docs/conformance.md").unwrap();
    let found = complaints(&page, &read);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_page_that_is_not_honest_is_told_so() {
    let page = read("docs/conformance.md").unwrap();
    let line = |rule: &str| {
        let start = format!("| {rule} | ");
        page.lines().find(|line| line.starts_with(&start)).unwrap()
    };
    let blank = "| P16 | | `it/versions.rs: a_stale_if_match_stops_every_verb` |";
    for (from, to, expected) in [
        (line("Q7"), "", "Q7 is not row 126"),
        (line("D11"), "| D11 | true |  |", "D11 is blank"),
        (line("P16"), blank, "P16 is blank"),
        (line("B1"), "| B1 | x | Not applicable: no |", "B1 is blank"),
        (line("B2"), "| B2 |", "B2 is not row 2"),
        (
            line("R9"),
            "| R9 | x | `it/users.rs: nobody` |",
            "R9: there is no test `it/users.rs: nobody`",
        ),
        (
            line("R9"),
            "| R9 | x | `it/users.rs: dump` |",
            "R9: there is no test `it/users.rs: dump`",
        ),
        (
            line("R9"),
            "| R9 | x | `it/nowhere.rs: versions_guard_reads_and_writes` |",
            "R9: there is no test `it/nowhere.rs: versions_guard_reads_and_writes`",
        ),
    ] {
        let found = complaints(&page.replace(from, to), &read);
        assert!(found.contains(&expected.to_owned()), "{to}: {found:?}");
    }
}

#[test]
fn every_test_that_the_page_of_bulk_names_exists() {
    let page = read("docs/bulk.md").unwrap();
    let shown = shown_by(&page);
    assert!(shown.len() > 35, "{shown:#?}");
    assert_eq!(unknown(&shown, &read), [] as [&str; 0]);
}

#[test]
fn a_choice_that_nothing_shows_is_told() {
    let page = "| Point | Choice | Shown by |\n|---|---|---|\n\
        | a | b | `groups_that_contain_each_other`, `nobody` |\n\
        | a | b | `bulk-empty`, `bulk-full` in `it/events.rs` |\n\
        | a | b | `groups_that_contain_each_other`; `absent` in `it/cost.rs` |\n\
        | a | b | `it/nowhere.rs` |\n| a | b | nothing |\n\n\
        | Point | Choice |\n|---|---|\n| a | `b` |\n\n\
        Shown by `it/bulk/rows.rs`; as said, by `it/rows.rs`.";
    let told = [
        "nothing",
        "nobody",
        "bulk-full",
        "absent",
        "it/nowhere.rs",
        "it/rows.rs",
    ];
    assert_eq!(unknown(&shown_by(page), &read), told);
}
