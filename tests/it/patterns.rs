//! The measured table of `docs/table.md`: every row is a pattern that is
//! measured, and the rows that do not grow with the directory are true of a
//! small one too.

use std::collections::BTreeMap;
use std::fs;

use harness::patterns::{self, Directory, HEAD, Row};

use crate::events::root;

/// The rows between the marks, by name.
fn told() -> Vec<String> {
    let document = fs::read_to_string(root().join("docs/table.md")).unwrap();
    let (_, rest) = document.split_once("<!-- measured -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- end of measured -->").unwrap();
    let rows = table.strip_prefix(HEAD).unwrap().trim();
    rows.lines().map(str::to_owned).collect()
}

/// The costs that do not grow, and the names of all patterns.
async fn measured(users: usize) -> (BTreeMap<String, Row>, Vec<String>) {
    let stack = patterns::stack().await;
    let directory = Directory::seed(&stack, users).await;
    let (mut rows, mut names) = (BTreeMap::new(), Vec::new());
    for pattern in directory.patterns() {
        let row = pattern.measure(&stack).await;
        names.push(row.name.clone());
        if pattern.constant {
            rows.insert(pattern.name, row);
        }
    }
    stack.audit().await;
    (rows, names)
}

#[tokio::test(start_paused = true)]
async fn patterns_that_do_not_grow_cost_in_a_small_directory_what_the_document_says() {
    let ((small, _), (larger, names)) = (measured(8).await, measured(120).await);
    let told = told();
    for row in larger.values() {
        let row = row.to_string();
        assert!(told.contains(&row), "not in docs/table.md: {row}");
    }
    for (name, row) in &small {
        assert_eq!(row, &larger[name]);
    }
    assert!(small.len() > 25);
    // The small one has no group of 1,000 members.
    let rows = told.iter().filter(|row| !row.contains("1000 members"));
    let rows = rows.filter(|row| !row.contains("group of 1000"));
    let told: Vec<&str> = rows.map(|row| row.split(" | ").next().unwrap()).collect();
    let names: Vec<String> = names.iter().map(|name| format!("| {name}")).collect();
    assert_eq!(told, names);
}
