//! A plan for a terminal: the order, each transaction with its rows, totals.
//!
//! ```text
//! order   3 4 (0 1) 2
//!
//! transaction 0 · 12 actions · 2 KB · 24 write units
//!     3  POST    /Users   ada   201
//! ┌   0  POST    /Groups  eng   201  → 1, 3
//! └   1  POST    /Groups  ops   201  → 0
//! ```
//!
//! Rows of a cycle stand together behind a bracket.

use shared::plan::Summary;
use shared::plan::summary::Row;

use super::Price;
use super::label::{self, count, fit, list, plain, width};

/// The columns that the order is wrapped to.
const LINE: usize = 78;

/// The most columns of a path or bulkId.
const WIDEST: usize = 45;

/// The most references that a row lists.
const REFERENCES: usize = 12;

/// The plan as lines, the last without its end.
pub fn render(summary: &Summary, price: Price) -> String {
    let columns = Columns::of(summary);
    let mut lines = order(summary);
    for transaction in &summary.transactions {
        lines.push(String::new());
        lines.push(label::transaction(transaction));
        rows(summary, &columns, &transaction.operations, &mut lines);
    }
    let unwritten: Vec<usize> = unwritten(summary).collect();
    if !unwritten.is_empty() {
        lines.push(String::new());
        lines.push("no transaction · nothing is written".to_owned());
        rows(summary, &columns, &unwritten, &mut lines);
    }
    lines.push(String::new());
    lines.push(label::totals(summary));
    lines.push(label::cost(summary, price));
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

/// The rows without a transaction, in canonical order.
pub(super) fn unwritten(summary: &Summary) -> impl Iterator<Item = usize> {
    let row = |index: &usize| summary.operations.get(*index);
    let order = summary.order.iter();
    order
        .filter(move |index| row(index).is_some_and(|row| row.transaction.is_none()))
        .copied()
}

struct Columns {
    index: usize,
    path: usize,
    bulk_id: usize,
    end: usize,
}

impl Columns {
    fn of(summary: &Summary) -> Self {
        let widest = |text: &dyn Fn(&Row) -> String| {
            let widths = summary.operations.iter().map(|row| width(&text(row)));
            widths.max().unwrap_or_default().min(WIDEST)
        };
        Self {
            index: widest(&|row| row.index.to_string()).max(3),
            path: widest(&label::path),
            bulk_id: widest(&bulk_id),
            end: widest(&label::end),
        }
    }
}

fn bulk_id(row: &Row) -> String {
    row.bulk_id.as_deref().map(plain).unwrap_or_default()
}

/// The rows in canonical order, a ring in brackets, three and more single
/// rows that follow each other as a range.
fn order(summary: &Summary) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let cycle_of = |index: &usize| summary.operations.get(*index).and_then(|row| row.cycle);
    for part in summary
        .order
        .chunk_by(|a, b| cycle_of(a).is_some() && cycle_of(a) == cycle_of(b))
    {
        match part {
            [one] if cycle_of(one).is_none() => {
                if run.last().is_some_and(|last| last + 1 != *one) {
                    end_run(&mut run, &mut words);
                }
                run.push(*one);
            }
            ring => {
                end_run(&mut run, &mut words);
                let ring: Vec<String> = ring.iter().map(usize::to_string).collect();
                words.push(format!("({})", ring.join(" ")));
            }
        }
    }
    end_run(&mut run, &mut words);
    let mut lines = vec!["order  ".to_owned()];
    for word in words.iter().flat_map(|word| word.split(' ')) {
        let full = lines
            .last()
            .is_some_and(|line| line.len() + word.len() >= LINE);
        if full {
            lines.push("       ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

fn end_run(run: &mut Vec<usize>, words: &mut Vec<String>) {
    match run.as_slice() {
        [first, .., last] if run.len() > 2 => words.push(format!("{first}-{last}")),
        few => words.extend(few.iter().map(usize::to_string)),
    }
    run.clear();
}

fn rows(summary: &Summary, columns: &Columns, indexes: &[usize], lines: &mut Vec<String>) {
    for index in indexes {
        let Some(row) = summary.operations.get(*index) else {
            continue;
        };
        let cycle = row.cycle.and_then(|cycle| summary.cycles.get(cycle));
        let bracket = cycle.map_or(" ", |cycle| bracket(cycle, *index));
        let mut line = format!(
            "{bracket} {index:>0$}  {1:<6}  ",
            columns.index,
            label::method(row)
        );
        for (text, columns) in [
            (label::path(row), columns.path),
            (bulk_id(row), columns.bulk_id),
            (label::end(row), columns.end),
        ] {
            let text = fit(&text, columns);
            line += &text;
            line += &" ".repeat(columns.saturating_sub(width(&text)) + 2);
        }
        if !row.references.is_empty() {
            line += "→ ";
            line += &list(row.references.iter().copied(), REFERENCES);
        }
        if let Some(cycle) = cycle
            && cycle.first() == Some(index)
        {
            line = format!(
                "{}  cycle of {}",
                line.trim_end(),
                count(cycle.len(), "row")
            );
        }
        lines.push(line);
    }
}

fn bracket(cycle: &[usize], index: usize) -> &'static str {
    match cycle {
        [_] => "↺",
        [first, ..] if *first == index => "┌",
        [.., last] if *last == index => "└",
        _ => "│",
    }
}
