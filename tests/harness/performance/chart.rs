//! The growth from 10 to 10,000 rows as a picture: one SVG file without
//! scripts, fonts or links, on logarithmic axes.
//!
//! A column for every workload, a line of panels for each of two measures. Bulk
//! is a solid line with discs, one by one a broken line with squares, so nothing
//! is told by colour alone. It follows the light or dark scheme of whoever looks
//! at it.

use std::fmt::{self, Write as _};

use super::table::{number, seconds};
use super::{Comparison, Cost, Workload};

/// The area of a panel within its axes.
const WIDTH: f64 = 210.0;
const HEIGHT: f64 = 130.0;
/// From one panel to the next: room for the axis on the left, and for the name
/// above and the axis below.
const ACROSS: f64 = 290.0;
const DOWN: f64 = 212.0;
/// The upper left corner of the first panel.
const LEFT: f64 = 70.0;
const TOP: f64 = 94.0;
/// Panels side by side.
const COLUMNS: usize = 3;

const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1b1f24; }
.small { font-size: 11px; fill: #57606a; }
.title { font-weight: bold; }
.right { text-anchor: end; }
.middle { text-anchor: middle; }
.paper { fill: #ffffff; }
.grid { stroke: #d8dee4; fill: none; }
.axis { stroke: #57606a; fill: none; }
.bulk { stroke: #0550ae; fill: none; stroke-width: 2.2; }
.naive { stroke: #b35900; fill: none; stroke-width: 2; stroke-dasharray: 6 4; }
.disc { fill: #0550ae; }
.square { fill: #b35900; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.small { fill: #a9b3bd; }
.paper { fill: #0d1117; }
.grid { stroke: #2a313a; }
.axis { stroke: #a9b3bd; }
.bulk { stroke: #79c0ff; }
.naive { stroke: #ffa657; }
.disc { fill: #79c0ff; }
.square { fill: #ffa657; }
}
";

/// What is shown of a cost.
struct Measure {
    name: &'static str,
    value: fn(&Cost) -> f64,
    label: fn(&Cost) -> String,
    tick: fn(i32) -> String,
}

const MEASURES: [Measure; 2] = [
    Measure {
        name: "write calls",
        value: |cost| cost.write_calls as f64,
        label: |cost| number(cost.write_calls as f64),
        tick: |power| number(10_f64.powi(power)),
    },
    Measure {
        name: "virtual time, s",
        value: |cost| cost.time.as_secs_f64(),
        label: |cost| seconds(cost.time),
        tick: |power| match power {
            0.. => number(10_f64.powi(power)),
            _ => format!("{}", 10_f64.powi(power)),
        },
    },
];

/// The picture, as a whole file.
pub fn render(compared: &[Comparison]) -> String {
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = draw(compared, &mut svg);
    svg
}

fn draw(compared: &[Comparison], svg: &mut String) -> fmt::Result {
    let bands = Workload::ALL.len().div_ceil(COLUMNS) * MEASURES.len();
    let width = LEFT + ACROSS * COLUMNS as f64;
    let height = TOP + DOWN * bands as f64;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
    )?;
    writeln!(
        svg,
        "<title>Write calls and virtual time of bulk requests and of rows one by one, from 10 to 10,000 rows</title>"
    )?;
    writeln!(svg, "<style>\n{STYLE}</style>")?;
    writeln!(
        svg,
        r#"<rect class="paper" width="{width}" height="{height}"/>"#
    )?;
    legend(svg)?;
    for (place, workload) in Workload::ALL.into_iter().enumerate() {
        let of: Vec<&Comparison> = compared
            .iter()
            .filter(|one| one.workload == workload)
            .collect();
        for (line, measure) in MEASURES.iter().enumerate() {
            let band = place / COLUMNS * MEASURES.len() + line;
            let panel = Panel {
                left: LEFT + ACROSS * (place % COLUMNS) as f64,
                top: TOP + DOWN * band as f64,
                measure,
                powers: powers(compared, measure),
            };
            panel.draw(workload, &of, svg)?;
        }
    }
    writeln!(svg, "</svg>")
}

fn legend(svg: &mut String) -> fmt::Result {
    let y = 26.0;
    text(svg, "title", 22.0, y, "Bulk against one by one")?;
    path(svg, "bulk", &[(212.0, y - 4.0), (252.0, y - 4.0)])?;
    disc(svg, (232.0, y - 4.0))?;
    text(svg, "", 260.0, y, "one bulk request")?;
    path(svg, "naive", &[(392.0, y - 4.0), (432.0, y - 4.0)])?;
    square(svg, (412.0, y - 4.0))?;
    text(svg, "", 440.0, y, "each row as a request of its own")?;
    text(
        svg,
        "small",
        22.0,
        y + 20.0,
        "Both axes are logarithmic. The numbers are those of the last point.",
    )
}

/// The powers of ten that hold every value of a measure.
fn powers(compared: &[Comparison], measure: &Measure) -> [i32; 2] {
    let values = || {
        let costs = compared.iter().flat_map(|one| [&one.bulk, &one.naive]);
        costs.map(|cost| (measure.value)(cost).max(1e-3).log10())
    };
    let least = values().fold(f64::INFINITY, f64::min).floor();
    let most = values().fold(f64::NEG_INFINITY, f64::max).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "logarithms of what is counted here are small"
    )]
    let whole = [least as i32, most as i32];
    whole
}

struct Panel<'a> {
    left: f64,
    top: f64,
    measure: &'a Measure,
    powers: [i32; 2],
}

impl Panel<'_> {
    fn draw(&self, workload: Workload, of: &[&Comparison], svg: &mut String) -> fmt::Result {
        let Self { left, top, .. } = *self;
        let bottom = top + HEIGHT;
        // Above the number that stands at a point on the upper edge.
        text(svg, "title", left, top - 22.0, workload.name())?;
        for power in self.powers[0]..=self.powers[1] {
            let y = self.y(10_f64.powi(power));
            path(svg, "grid", &[(left, y), (left + WIDTH, y)])?;
            let tick = (self.measure.tick)(power);
            text(svg, "small right", left - 6.0, y + 4.0, &tick)?;
        }
        for power in 1..=4 {
            let x = self.x(10_f64.powi(power));
            path(svg, "grid", &[(x, top), (x, bottom)])?;
            let tick = number(10_f64.powi(power));
            text(svg, "small middle", x, bottom + 16.0, &tick)?;
        }
        path(
            svg,
            "axis",
            &[(left, top), (left, bottom), (left + WIDTH, bottom)],
        )?;
        let middle = left + WIDTH / 2.0;
        text(svg, "small middle", middle, bottom + 32.0, "rows")?;
        let (x, y) = (left - 48.0, top + HEIGHT / 2.0);
        let name = self.measure.name;
        writeln!(
            svg,
            r#"<text class="small middle" transform="translate({x} {y}) rotate(-90)">{name}</text>"#
        )?;
        type Side = for<'c> fn(&'c Comparison) -> &'c Cost;
        let sides: [(&str, Side); 2] = [("naive", |one| &one.naive), ("bulk", |one| &one.bulk)];
        for (class, side) in sides {
            let point = |one: &&Comparison| {
                let value = (self.measure.value)(side(one));
                (self.x(one.rows as f64), self.y(value))
            };
            let points: Vec<(f64, f64)> = of.iter().map(point).collect();
            path(svg, class, &points)?;
            for point in &points {
                match class {
                    "bulk" => disc(svg, *point)?,
                    _ => square(svg, *point)?,
                }
            }
            if let (Some(last), Some((x, y))) = (of.last(), points.last()) {
                let label = (self.measure.label)(side(last));
                text(svg, "right", x - 7.0, y - 6.0, &label)?;
            }
        }
        Ok(())
    }

    /// Rows from 10 to 10,000.
    fn x(&self, rows: f64) -> f64 {
        self.left + WIDTH * (rows.log10() - 1.0) / 3.0
    }

    fn y(&self, value: f64) -> f64 {
        let [least, most] = self.powers.map(f64::from);
        let height = (value.max(1e-3).log10() - least) / (most - least);
        self.top + HEIGHT * (1.0 - height)
    }
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, text: &str) -> fmt::Result {
    writeln!(
        svg,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#
    )
}

fn path(svg: &mut String, class: &str, points: &[(f64, f64)]) -> fmt::Result {
    let mut line = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let step = if index == 0 { 'M' } else { 'L' };
        write!(line, "{step}{x:.1} {y:.1}")?;
    }
    writeln!(svg, r#"<path class="{class}" d="{line}"/>"#)
}

fn disc(svg: &mut String, (x, y): (f64, f64)) -> fmt::Result {
    writeln!(
        svg,
        r#"<circle class="disc" cx="{x:.1}" cy="{y:.1}" r="4"/>"#
    )
}

fn square(svg: &mut String, (x, y): (f64, f64)) -> fmt::Result {
    let (x, y) = (x - 3.5, y - 3.5);
    writeln!(
        svg,
        r#"<rect class="square" x="{x:.1}" y="{y:.1}" width="7" height="7"/>"#
    )
}
