//! Comparisons as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Comparison, Cost};

const HEAD: &str = "\
| rows | | transactions | write calls | all calls | round trips | read units | write units | conflicts | virtual time | faster |
|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
";

/// One table per workload.
pub fn render(compared: &[Comparison]) -> String {
    let mut text = String::new();
    let mut last = None;
    // Writing to a string does not fail.
    for one in compared {
        if last != Some(one.workload) {
            let gap = if last.is_some() { "\n" } else { "" };
            let _ = write!(text, "{gap}**{}**\n\n{HEAD}", title(one.workload.name()));
        }
        last = Some(one.workload);
        let [bulk, naive] = counts(one);
        let faster = one.naive.time.as_secs_f64() / one.bulk.time.as_secs_f64();
        let (time, slow) = (seconds(one.bulk.time), seconds(one.naive.time));
        let _ = writeln!(text, "{bulk} {time} | {faster:.1} × |");
        let _ = writeln!(text, "{naive} {slow} | |");
    }
    text
}

/// The two lines of a comparison up to the times: what does not change unless
/// the code does.
pub fn counts(compared: &Comparison) -> [String; 2] {
    let rows = number(compared.rows as f64);
    [
        format!("| {rows} | bulk | {}", cells(&compared.bulk)),
        format!("| | one by one | {}", cells(&compared.naive)),
    ]
}

/// With commas between the thousands; one digit behind the point where it is
/// not whole.
pub fn number(number: f64) -> String {
    let tenths = (number * 10.0).round();
    let mut digits = format!("{:.0}", (tenths / 10.0).trunc());
    let mut place = digits.len();
    while place > 3 {
        place -= 3;
        digits.insert(place, ',');
    }
    match tenths % 10.0 {
        0.0 => digits,
        rest => format!("{digits}.{rest:.0}"),
    }
}

/// To three digits.
pub fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..1.0 => format!("{seconds:.3} s"),
        ..10.0 => format!("{seconds:.2} s"),
        ..100.0 => format!("{seconds:.1} s"),
        _ => format!("{} s", number(seconds.round())),
    }
}

fn cells(cost: &Cost) -> String {
    let of = |count: u64| count as f64;
    let cells = [
        of(cost.transactions),
        of(cost.write_calls),
        of(cost.calls),
        of(cost.depth),
        cost.read_units,
        cost.write_units,
        of(cost.conflicts),
    ];
    cells.map(|cell| number(cell) + " |").join(" ")
}

fn title(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}
