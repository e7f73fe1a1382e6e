//! The ways of the arrows.
//!
//! An arrow to a neighbouring line is a curve from edge to edge. A longer one
//! turns into the gutter that is nearest to both ends and follows it past all
//! nodes between. Within a line, neighbours are joined straight, others by an
//! arc above for those that lead to the right and below for the rest.

use std::collections::HashMap;

use shared::plan::Summary;

use super::layout::Cell;
use super::{GUTTER, HEIGHT, NODE, Picture};

/// How far a long arrow leaves a line before it is in its gutter.
const TURN: usize = 26;

/// How far an arc rises from its line.
const ARC: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Upper,
    Lower,
}

/// An arrow between two rows, and the edges that it leaves and reaches.
struct Arrow {
    from: (usize, Cell, Side),
    to: (usize, Cell, Side),
}

/// The path of each reference, as the `d` of an SVG path.
pub(super) fn arrows(picture: &Picture, summary: &Summary) -> Vec<String> {
    let cells = &picture.layout.cells;
    let mut arrows = Vec::new();
    for row in &summary.operations {
        for named in &row.references {
            if let (Some(from), Some(to)) = (cells.get(&row.index), cells.get(named)) {
                let (leaves, reaches) = sides(*from, *to);
                arrows.push(Arrow {
                    from: (row.index, *from, leaves),
                    to: (*named, *to, reaches),
                });
            }
        }
    }
    let ports = Ports::of(&arrows);
    let mut lanes = Lanes::default();
    let paths = arrows.iter().enumerate();
    paths
        .map(|(number, arrow)| path(picture, &ports, &mut lanes, number, arrow))
        .collect()
}

fn sides(from: Cell, to: Cell) -> (Side, Side) {
    if to.line < from.line {
        (Side::Upper, Side::Lower)
    } else if to.line > from.line {
        (Side::Lower, Side::Upper)
    } else if to.column >= from.column {
        (Side::Upper, Side::Upper)
    } else {
        (Side::Lower, Side::Lower)
    }
}

/// One end of an arrow.
struct End {
    arrow: usize,
    last: bool,
    /// What is at its other end.
    other: Cell,
}

/// Where on its edges each arrow ends: spread so that none hides another, in
/// the order of what is at their other ends.
struct Ports {
    /// By arrow: from the left edge of its first row, and of its last.
    ends: HashMap<(usize, bool), usize>,
}

impl Ports {
    fn of(arrows: &[Arrow]) -> Self {
        let mut edges: HashMap<(usize, Side), Vec<End>> = HashMap::new();
        for (arrow, Arrow { from, to }) in arrows.iter().enumerate() {
            let end = |last, other| End { arrow, last, other };
            let leaves = edges.entry((from.0, from.2)).or_default();
            leaves.push(end(false, to.1));
            let reaches = edges.entry((to.0, to.2)).or_default();
            reaches.push(end(true, from.1));
        }
        let mut ends = HashMap::new();
        for edge in edges.values_mut() {
            edge.sort_by_key(|end| (end.other.column, end.other.line, end.arrow));
            let share = edge.len() + 1;
            for (position, end) in edge.iter().enumerate() {
                let along = 12 + (NODE - 24) * (position + 1) / share;
                ends.insert((end.arrow, end.last), along);
            }
        }
        Self { ends }
    }

    fn along(&self, arrow: usize, last: bool) -> usize {
        self.ends.get(&(arrow, last)).copied().unwrap_or(NODE / 2)
    }
}

/// The lanes of the gutters: arrows that pass the same lines of one gutter take
/// different ones, as long as there are any.
#[derive(Default)]
struct Lanes {
    /// By gutter and line: which lanes are taken, as bits.
    taken: HashMap<(usize, usize), u8>,
}

impl Lanes {
    /// The middle lane first, then those to its left and right.
    const OFFSETS: [isize; 5] = [0, 5, -5, 10, -10];

    fn take(&mut self, gutter: usize, from: Cell, to: Cell) -> isize {
        let lines = || from.line.min(to.line)..from.line.max(to.line);
        let taken = lines().filter_map(|line| self.taken.get(&(gutter, line)));
        let taken = taken.fold(0, |all, lanes| all | lanes);
        let free = (0..)
            .zip(Self::OFFSETS)
            .find(|(lane, _)| taken >> lane & 1 == 0);
        let Some((lane, offset)) = free else {
            return 0;
        };
        for line in lines() {
            *self.taken.entry((gutter, line)).or_default() |= 1 << lane;
        }
        offset
    }
}

fn path(
    picture: &Picture,
    ports: &Ports,
    lanes: &mut Lanes,
    number: usize,
    arrow: &Arrow,
) -> String {
    let Arrow {
        from: (_, from, leaves),
        to: (_, to, reaches),
    } = arrow;
    let edge = |cell: &Cell, side: &Side| match side {
        Side::Upper => picture.y(cell.line),
        Side::Lower => picture.y(cell.line) + HEIGHT,
    };
    let (y, end_y) = (edge(from, leaves), edge(to, reaches));
    let x = picture.x(from.column) + ports.along(number, false);
    let end_x = picture.x(to.column) + ports.along(number, true);
    match from.line.abs_diff(to.line) {
        0 if from.column.abs_diff(to.column) == 1 => beside(picture, *from, *to),
        0 => {
            let over = match leaves {
                Side::Upper => y.saturating_sub(ARC),
                Side::Lower => y + ARC,
            };
            format!("M{x} {y}C{x} {over} {end_x} {over} {end_x} {end_y}")
        }
        1 => {
            let half = y.abs_diff(end_y) / 2;
            let (bend, end_bend) = bends(leaves, y, end_y, half);
            format!("M{x} {y}C{x} {bend} {end_x} {end_bend} {end_x} {end_y}")
        }
        _ => {
            let gutter = gutter(picture, x.midpoint(end_x));
            let middle = picture.x(gutter).saturating_sub(GUTTER / 2);
            let gutter = middle.saturating_add_signed(lanes.take(gutter, *from, *to));
            let (turn, end_turn) = bends(leaves, y, end_y, TURN);
            let (bend, end_bend) = bends(leaves, y, end_y, TURN / 2);
            format!(
                "M{x} {y}C{x} {bend} {gutter} {bend} {gutter} {turn}V{end_turn}\
                 C{gutter} {end_bend} {end_x} {end_bend} {end_x} {end_y}"
            )
        }
    }
}

/// The heights so far beyond the first edge and before the last.
fn bends(leaves: &Side, y: usize, end_y: usize, by: usize) -> (usize, usize) {
    match leaves {
        Side::Upper => (y.saturating_sub(by), end_y + by),
        Side::Lower => (y + by, end_y.saturating_sub(by)),
    }
}

/// From side to side, to the right above the middle and to the left below it.
fn beside(picture: &Picture, from: Cell, to: Cell) -> String {
    let (left, y) = (picture.x(from.column), picture.y(from.line));
    let middle = y + HEIGHT / 2;
    if to.column > from.column {
        format!("M{} {}H{}", left + NODE, middle - 7, picture.x(to.column))
    } else {
        let end = picture.x(to.column) + NODE;
        format!("M{left} {}H{end}", middle + 7)
    }
}

/// The gutter that is nearest, by the column to its right.
fn gutter(picture: &Picture, x: usize) -> usize {
    let pitch = NODE + GUTTER;
    let left = picture.x(0).saturating_sub(GUTTER / 2);
    let column = (x.saturating_sub(left) + pitch / 2) / pitch;
    column.min(picture.layout.columns)
}
