//! A plan as a Mermaid flowchart, for Markdown that draws it.
//!
//! A subgraph per transaction, one within it per cycle, a node per row and an
//! arrow to each row that it names. What is written first stands above. Mermaid
//! draws 500 arrows and reads 50,000 letters unless it is configured otherwise
//! (`maxEdges`, `maxTextSize`); a longer chart says so in a comment.

use std::fmt::{self, Write as _};

use shared::plan::Summary;
use shared::plan::summary::Row;

use super::Price;
use super::label::{self, count, fit, plain};
use super::text::unwritten;

/// What Mermaid draws by default.
const MAX_EDGES: usize = 500;

/// What Mermaid reads by default.
const MAX_TEXT: usize = 50_000;

/// The most columns of a path or bulkId.
const WIDEST: usize = 45;

/// The chart, its last line without end.
pub fn render(summary: &Summary, price: Price) -> String {
    let mut chart = String::new();
    // Writing to a string does not fail.
    let _ = draw(summary, &mut chart);
    let edges: usize = summary
        .operations
        .iter()
        .map(|row| row.references.len())
        .sum();
    let mut head = format!(
        "%% {}\n%% {}\n",
        label::totals(summary),
        label::cost(summary, price)
    );
    if edges > MAX_EDGES || chart.len() > MAX_TEXT {
        let _ = writeln!(
            head,
            "%% needs maxEdges of {edges} and maxTextSize of {} in the configuration of Mermaid",
            chart.len() + 1_000
        );
    }
    head + chart.trim_end()
}

fn draw(summary: &Summary, chart: &mut String) -> fmt::Result {
    writeln!(chart, "flowchart BT")?;
    for transaction in &summary.transactions {
        let title = escape(&label::transaction(transaction));
        writeln!(chart, "  subgraph t{}[\"{title}\"]", transaction.number)?;
        writeln!(chart, "    direction BT")?;
        nodes(summary, &transaction.operations, chart)?;
        writeln!(chart, "  end")?;
    }
    let unwritten: Vec<usize> = unwritten(summary).collect();
    if !unwritten.is_empty() {
        let title = escape("no transaction · nothing is written");
        writeln!(chart, "  subgraph none[\"{title}\"]")?;
        writeln!(chart, "    direction BT")?;
        nodes(summary, &unwritten, chart)?;
        writeln!(chart, "  end")?;
    }
    for row in &summary.operations {
        for named in &row.references {
            writeln!(chart, "  r{} --> r{named}", row.index)?;
        }
    }
    writeln!(chart, "  classDef fails stroke-dasharray: 5 4")
}

/// Rows in canonical order: those of a cycle follow each other.
fn nodes(summary: &Summary, rows: &[usize], chart: &mut String) -> fmt::Result {
    let mut open = None;
    for index in rows {
        let Some(row) = summary.operations.get(*index) else {
            continue;
        };
        let cycle = row.cycle;
        if open != cycle && open.is_some() {
            writeln!(chart, "    end")?;
        }
        if let Some(number) = cycle
            && open != cycle
        {
            let rows = summary.cycles.get(number).map_or(0, Vec::len);
            let rows = count(rows, "row");
            writeln!(chart, "    subgraph c{number}[\"cycle of {rows}\"]")?;
            writeln!(chart, "    direction BT")?;
        }
        open = cycle;
        node(row, chart)?;
    }
    if open.is_some() {
        writeln!(chart, "    end")?;
    }
    Ok(())
}

fn node(row: &Row, chart: &mut String) -> fmt::Result {
    let path = fit(&label::path(row), WIDEST);
    let first = escape(&format!("{} {} {path}", row.index, label::method(row)));
    let name = row.bulk_id.as_deref().map(plain).unwrap_or_default();
    let end = label::end(row);
    let second = match name.as_str() {
        "" => end,
        name => format!("{} · {end}", fit(name, WIDEST)),
    };
    let class = if row.fails() { ":::fails" } else { "" };
    let second = escape(&second);
    writeln!(chart, "    r{}[\"{first}<br/>{second}\"]{class}", row.index)
}

/// Everything but letters, digits and a few signs as Mermaid's `#…;`, which
/// ends no string, begins no tag and no Markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_alphanumeric() || " /.,()·…".contains(character) {
            escaped.push(character);
        } else {
            escaped += &format!("#{};", u32::from(character));
        }
    }
    escaped
}
