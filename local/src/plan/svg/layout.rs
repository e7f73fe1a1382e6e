//! Where everything of a plan stands: a grid of columns and lines.
//!
//! Transactions that wait for no other stand above, those that wait for them
//! below, and what is written nowhere at the bottom. Within each, a row stands
//! below all that it names, so that nearly every arrow leads upwards; what is
//! too wide for the grid goes on in the next line. All groups share the columns
//! of the grid, so the gutters between them are free from top to bottom. It
//! knows cells, and nothing of how wide they are.

use std::collections::{BTreeMap, HashMap};

use shared::plan::Summary;

use crate::plan::text::unwritten;

/// The fewest columns of a group: its title needs them.
const NARROWEST: usize = 2;

/// A place for one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A rectangle of cells, both corners within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) first: Cell,
    pub(super) last: Cell,
}

/// Rows that are framed together.
#[derive(Debug)]
pub(super) struct Group {
    /// The transaction; none for what is written nowhere.
    pub(super) transaction: Option<usize>,
    pub(super) area: Area,
}

/// The places of everything.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// By row.
    pub(super) cells: HashMap<usize, Cell>,
    pub(super) groups: Vec<Group>,
    /// The cycles, by their numbers.
    pub(super) cycles: Vec<(usize, Area)>,
    /// The first line of each band of groups that stand side by side.
    pub(super) bands: Vec<usize>,
    pub(super) lines: usize,
    pub(super) columns: usize,
}

impl Layout {
    /// A layout of at most `most` columns.
    pub(super) fn of(summary: &Summary, most: usize) -> Self {
        let mut layout = Self::default();
        let mut levels: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut depths: Vec<usize> = Vec::new();
        for transaction in &summary.transactions {
            let before = transaction.after.iter().filter_map(|one| depths.get(*one));
            let depth = before.max().map_or(0, |depth| depth + 1);
            depths.push(depth);
            levels.entry(depth).or_default().push(transaction.number);
        }
        for numbers in levels.values() {
            let groups = numbers.iter().filter_map(|number| {
                let transaction = summary.transactions.get(*number)?;
                Some((Some(*number), transaction.operations.as_slice()))
            });
            layout.level(summary, groups, most);
        }
        let unwritten: Vec<usize> = unwritten(summary).collect();
        if !unwritten.is_empty() {
            layout.level(summary, [(None, unwritten.as_slice())], most);
        }
        layout
    }

    /// Groups side by side, in as many bands as it takes.
    fn level<'a>(
        &mut self,
        summary: &Summary,
        groups: impl IntoIterator<Item = (Option<usize>, &'a [usize])>,
        most: usize,
    ) {
        let mut column = most;
        let mut top = self.lines;
        for (transaction, rows) in groups {
            let block = Block::of(summary, rows, &self.cells, most);
            if column + block.columns > most {
                column = 0;
                top = self.lines;
                self.bands.push(top);
            }
            let at = |cell: Cell| Cell {
                line: top + cell.line,
                column: column + cell.column,
            };
            self.cells
                .extend(block.cells.iter().map(|(row, cell)| (*row, at(*cell))));
            let cycles = block.cycles.iter().map(|(cycle, area)| {
                let (first, last) = (at(area.first), at(area.last));
                (*cycle, Area { first, last })
            });
            self.cycles.extend(cycles);
            let corner = Cell {
                line: block.lines.saturating_sub(1),
                column: block.columns.saturating_sub(1),
            };
            let first = Cell { line: 0, column: 0 };
            self.groups.push(Group {
                transaction,
                area: Area {
                    first: at(first),
                    last: at(corner),
                },
            });
            column += block.columns;
            self.columns = self.columns.max(column);
            self.lines = self.lines.max(top + block.lines);
        }
    }
}

/// One group by itself, from line and column 0.
#[derive(Default)]
struct Block {
    cells: Vec<(usize, Cell)>,
    cycles: Vec<(usize, Area)>,
    lines: usize,
    columns: usize,
}

/// What is not torn apart: a row, or a cycle.
struct Piece<'a> {
    cycle: Option<usize>,
    rows: &'a [usize],
}

impl Block {
    fn of(summary: &Summary, rows: &[usize], placed: &HashMap<usize, Cell>, most: usize) -> Self {
        let mut block = Self::default();
        let mut columns: HashMap<usize, usize> = HashMap::new();
        for mut layer in layers(summary, rows) {
            // Near what it names: by the mean column of that.
            layer.sort_by_cached_key(|piece| {
                let named = piece.rows.iter().flat_map(|row| references(summary, *row));
                let known = |row: usize| {
                    let earlier = || placed.get(&row).map(|cell| cell.column);
                    columns.get(&row).copied().or_else(earlier)
                };
                let (mut sum, mut count) = (0usize, 0usize);
                for column in named.filter_map(known) {
                    sum += column * 1_000;
                    count += 1;
                }
                sum.checked_div(count).unwrap_or_default()
            });
            block.place(&layer, most);
            let known = block.cells.iter().map(|(row, cell)| (*row, cell.column));
            columns.extend(known);
        }
        block.columns = block.columns.max(NARROWEST.min(most));
        block.centre();
        block
    }

    /// Places a layer below what is there.
    fn place(&mut self, layer: &[Piece<'_>], most: usize) {
        let mut column = 0;
        let mut line = self.lines;
        for piece in layer {
            let width = piece.rows.len().min(most);
            if column + width > most {
                column = 0;
                line = self.lines;
            }
            let first = Cell { line, column };
            let mut last = first;
            for (position, row) in piece.rows.iter().enumerate() {
                last = Cell {
                    line: line + position / most,
                    column: column + position % most,
                };
                self.cells.push((*row, last));
                self.lines = self.lines.max(last.line + 1);
            }
            column += width;
            self.columns = self.columns.max(column);
            if let Some(cycle) = piece.cycle {
                last.column = column - 1;
                self.cycles.push((cycle, Area { first, last }));
            }
        }
    }

    /// Moves each line to the middle, by whole columns.
    fn centre(&mut self) {
        let mut widths = vec![0; self.lines];
        let mut ends: Vec<(usize, usize)> = Vec::new();
        ends.extend(self.cells.iter().map(|(_, cell)| (cell.line, cell.column)));
        // A cycle of several lines is as wide as its widest in all of them.
        for (_, area) in &self.cycles {
            let lines = area.first.line..=area.last.line;
            ends.extend(lines.map(|line| (line, area.last.column)));
        }
        for (line, column) in ends {
            if let Some(width) = widths.get_mut(line) {
                *width = (*width).max(column + 1);
            }
        }
        let shift = |line: usize| {
            let width = widths.get(line).copied().unwrap_or_default();
            self.columns.saturating_sub(width) / 2
        };
        for (_, cell) in &mut self.cells {
            cell.column += shift(cell.line);
        }
        for (_, area) in &mut self.cycles {
            let by = shift(area.first.line);
            area.first.column += by;
            area.last.column += by;
        }
    }
}

/// The pieces by how long the longest chain of references is that leads from
/// them to other rows of the group. What a row names comes before it in the
/// canonical order.
fn layers<'a>(summary: &Summary, rows: &'a [usize]) -> Vec<Vec<Piece<'a>>> {
    let cycle_of = |row: &usize| summary.operations.get(*row).and_then(|row| row.cycle);
    let mut layers: Vec<Vec<Piece<'_>>> = Vec::new();
    let mut layer_of: HashMap<usize, usize> = HashMap::new();
    for rows in rows.chunk_by(|a, b| cycle_of(a).is_some() && cycle_of(a) == cycle_of(b)) {
        let named = rows.iter().flat_map(|row| references(summary, *row));
        let below = named.filter_map(|row| layer_of.get(&row)).max();
        let layer = below.map_or(0, |layer| layer + 1);
        layer_of.extend(rows.iter().map(|row| (*row, layer)));
        if layers.len() <= layer {
            layers.resize_with(layer + 1, Vec::new);
        }
        let cycle = rows.first().and_then(cycle_of);
        if let Some(layer) = layers.get_mut(layer) {
            layer.push(Piece { cycle, rows });
        }
    }
    layers
}

fn references(summary: &Summary, row: usize) -> impl Iterator<Item = usize> {
    let row = summary.operations.get(row);
    row.into_iter()
        .flat_map(|row| row.references.iter().copied())
}
