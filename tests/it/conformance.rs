//! Keeps `docs/conformance.md` honest: every rule has its row, no row is blank,
//! and every test that is named exists where it is said to be.

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

fn is_test(file: &str, name: &str, read: &dyn Fn(&str) -> Option<String>) -> bool {
    let path = match file.strip_prefix("it/") {
        Some(rest) => format!("tests/it/{rest}"),
        None => file.to_owned(),
    };
    let text = read(&path).unwrap_or_default();
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
