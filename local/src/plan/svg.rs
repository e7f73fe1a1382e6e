//! A plan as a picture: one SVG file without scripts, fonts or links.
//!
//! Rows are nodes, references arrows, transactions frames around what they
//! hold; a cycle has a double frame and the word, a row that fails a broken
//! one and its status, so nothing is told by colour alone. It follows the light
//! or dark scheme of whoever looks at it. Labels are cut to the width of a node
//! and stand in full in its tooltip. Over [`MAX_ARROWS`] references are too
//! many to be followed: the picture then says how many there are instead.

mod arrow;
mod layout;

use std::fmt::{self, Write as _};

use shared::plan::Summary;
use shared::plan::summary::Row;

use super::Price;
use super::label::{self, count, fit, plain};
use arrow::arrows;
use layout::{Area, Cell, Group, Layout};

/// The most references that are drawn.
pub const MAX_ARROWS: usize = 5_000;

/// The width of a node.
const NODE: usize = 216;
/// The height of a node.
const HEIGHT: usize = 44;
/// Between two columns, and between the frames of two groups in it.
const GUTTER: usize = 40;
/// Between two lines of a group.
const SPACE: usize = 46;
/// From the frame of a group to its nodes.
const PADDING: usize = 14;
/// From the upper edge of a group to its first line.
const TITLE: usize = 50;
/// Between two bands of groups.
const BAND: usize = 30;
/// Around everything.
const MARGIN: usize = 34;
/// The height of a line of text.
const TEXT: usize = 18;
/// The narrowest picture: its legend needs it.
const NARROWEST: usize = 820;
/// Tenths of the width of a letter, at 12 pixels in the widest of the fonts.
const LETTER: usize = 73;
/// The same of a small one.
const SMALL: usize = 67;

/// The legend, a line each.
const LEGEND: [&str; 2] = [
    "An arrow leads from a row to a row that it names. Transactions are committed from top to bottom.",
    "Double frame: a cycle, written at once. Broken frame: the row fails, and with it what names it.",
];

/// The picture, as a whole file but for its last end of line.
pub fn render(summary: &Summary, price: Price) -> String {
    let most = match summary.operations.len() {
        0..=60 => 4,
        61..=200 => 6,
        _ => 8,
    };
    let picture = Picture::new(Layout::of(summary, most));
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = picture.draw(summary, price, &mut svg);
    svg.truncate(svg.trim_end().len());
    svg
}

/// A layout with the measures of its cells.
struct Picture {
    layout: Layout,
    /// The upper edge of each line.
    tops: Vec<usize>,
    width: usize,
    height: usize,
}

impl Picture {
    fn new(layout: Layout) -> Self {
        let mut tops = Vec::with_capacity(layout.lines);
        let mut y = MARGIN / 2 + TEXT * (2 + LEGEND.len() + 1);
        for line in 0..layout.lines {
            if layout.bands.binary_search(&line).is_ok() {
                if !tops.is_empty() {
                    y = y - SPACE + PADDING + BAND;
                }
                y += TITLE;
            }
            tops.push(y);
            y += HEIGHT + SPACE;
        }
        let columns = layout.columns * (NODE + GUTTER);
        Self {
            width: NARROWEST.max(2 * MARGIN + columns - GUTTER.min(columns)),
            height: y.saturating_sub(SPACE) + PADDING + MARGIN / 2,
            layout,
            tops,
        }
    }

    /// The left edge of a column.
    fn x(&self, column: usize) -> usize {
        MARGIN + column * (NODE + GUTTER)
    }

    /// The upper edge of a line.
    fn y(&self, line: usize) -> usize {
        self.tops.get(line).copied().unwrap_or_default()
    }

    fn draw(&self, summary: &Summary, price: Price, svg: &mut String) -> fmt::Result {
        let (width, height) = (self.width, self.height);
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
        )?;
        let totals = label::totals(summary);
        writeln!(svg, "<title>Plan of a bulk request: {totals}</title>")?;
        writeln!(svg, "<style>\n{}</style>", include_str!("svg/style.css"))?;
        writeln!(
            svg,
            r#"<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>"#
        )?;
        writeln!(
            svg,
            r#"<rect class="paper" width="{width}" height="{height}"/>"#
        )?;
        let cost = label::cost(summary, price);
        let references: usize = summary
            .operations
            .iter()
            .map(|row| row.references.len())
            .sum();
        let first = match references {
            0..=MAX_ARROWS => LEGEND[0].to_owned(),
            many => format!("{many} references are too many to draw: no arrow is shown."),
        };
        let lines = [("title", totals), ("", cost), ("small", first)];
        let lines = lines.into_iter().chain([("small", LEGEND[1].to_owned())]);
        for (position, (class, line)) in lines.enumerate() {
            let y = MARGIN / 2 + TEXT * (position + 1);
            text(svg, class, MARGIN - PADDING, y, &line)?;
        }
        for group in &self.layout.groups {
            self.group(summary, group, svg)?;
        }
        for (_, area) in &self.layout.cycles {
            self.cycle(*area, svg)?;
        }
        if references <= MAX_ARROWS {
            for path in arrows(self, summary) {
                writeln!(
                    svg,
                    r#"<path class="arrow" marker-end="url(#head)" d="{path}"/>"#
                )?;
            }
        }
        for (cycle, Area { first, .. }) in &self.layout.cycles {
            let rows = summary.cycles.get(*cycle).map_or(0, Vec::len);
            let word = format!("cycle of {}", count(rows, "row"));
            let (x, y) = (self.x(first.column), self.y(first.line));
            text(svg, "word", x, y - 13, &word)?;
        }
        for row in &summary.operations {
            if let Some(cell) = self.layout.cells.get(&row.index) {
                self.row(row, *cell, svg)?;
            }
        }
        writeln!(svg, "</svg>")
    }

    fn group(&self, summary: &Summary, group: &Group, svg: &mut String) -> fmt::Result {
        let transaction = group
            .transaction
            .and_then(|number| summary.transactions.get(number));
        let (class, title) = match transaction {
            Some(transaction) => ("group", label::transaction(transaction)),
            None => (
                "group nowhere",
                "no transaction · nothing is written".to_owned(),
            ),
        };
        let Area { first, last } = group.area;
        let x = self.x(first.column) - PADDING;
        let y = self.y(first.line).saturating_sub(TITLE);
        let width = self.x(last.column) + NODE + PADDING - x;
        let height = self.y(last.line) + HEIGHT + PADDING - y;
        writeln!(svg, r#"<g><title>{}</title>"#, escape(&title))?;
        rect(svg, class, [x, y, width, height], 8)?;
        let columns = (width - 2 * PADDING) * 10 / LETTER;
        text(svg, "title", x + PADDING, y + TEXT, &fit(&title, columns))?;
        writeln!(svg, "</g>")
    }

    /// Two frames, one around the other.
    fn cycle(&self, area: Area, svg: &mut String) -> fmt::Result {
        let Area { first, last } = area;
        let (x, y) = (self.x(first.column), self.y(first.line));
        let width = self.x(last.column) + NODE - x;
        let height = self.y(last.line) + HEIGHT - y;
        for by in [6, 9] {
            let sides = [x - by, y - by, width + 2 * by, height + 2 * by];
            rect(svg, "cycle", sides, 8 + by)?;
        }
        Ok(())
    }

    fn row(&self, row: &Row, cell: Cell, svg: &mut String) -> fmt::Result {
        let (x, y) = (self.x(cell.column), self.y(cell.line));
        let head = format!("{} {} {}", row.index, label::method(row), label::path(row));
        let end = match row.fails() {
            true => format!("fails {}", label::end(row)),
            false => label::end(row),
        };
        let name = row.bulk_id.as_deref().map(plain).unwrap_or_default();
        let columns = (NODE - 20) * 10 / LETTER;
        let small = (NODE - 20) * 10 / SMALL;
        let room = small.saturating_sub(label::width(&end) + 3);
        let foot = match name.as_str() {
            "" => end.clone(),
            name => format!("{} · {end}", fit(name, room)),
        };
        let full = [head.as_str(), &name, &end].join("\n");
        writeln!(svg, "<g><title>{}</title>", escape(&full))?;
        let class = if row.fails() { "row fails" } else { "row" };
        rect(svg, class, [x, y, NODE, HEIGHT], 5)?;
        text(svg, "", x + 10, y + TEXT, &fit(&head, columns))?;
        text(svg, "small", x + 10, y + 2 * TEXT - 2, &foot)?;
        writeln!(svg, "</g>")
    }
}

fn rect(svg: &mut String, class: &str, sides: [usize; 4], round: usize) -> fmt::Result {
    let [x, y, width, height] = sides;
    writeln!(
        svg,
        r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{round}"/>"#
    )
}

fn text(svg: &mut String, class: &str, x: usize, y: usize, text: &str) -> fmt::Result {
    let class = match class {
        "" => String::new(),
        class => format!(r#" class="{class}""#),
    };
    writeln!(
        svg,
        r#"<text{class} x="{x}" y="{y}">{}</text>"#,
        escape(text)
    )
}

/// Text as content of an element.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
