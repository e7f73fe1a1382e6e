//! What the pictures and the text of a plan call things.
//!
//! bulkIds and paths are a client's text and may hold anything. [`plain`] makes
//! them harmless for a terminal and for XML: nothing that moves a cursor, turns
//! the direction of writing or is no character of XML comes through.

use shared::plan::Summary;
use shared::plan::summary::{Row, Transaction};

use super::Price;

/// A client's text with everything that is not shown, spaces apart, as
/// `\u{…}`.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// As many characters as fit into so many columns, the last an ellipsis where
/// some are left out.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut left = columns.saturating_sub(1);
    for character in text.chars() {
        let Some(rest) = left.checked_sub(columns_of(character)) else {
            break;
        };
        left = rest;
        shown.push(character);
    }
    shown.push('…');
    shown
}

/// The columns that a text takes where all letters are of one width.
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The method of a row, or a word for its lack.
pub fn method(row: &Row) -> &'static str {
    row.method.unwrap_or("(none)")
}

/// The path of a row, or a word for its lack.
pub fn path(row: &Row) -> String {
    row.path.as_deref().map_or("(nowhere)".to_owned(), plain)
}

/// How a row ends: its status and why.
pub fn end(row: &Row) -> String {
    match (row.status, row.scim_type) {
        (Some(status), Some(scim_type)) => format!("{status} {scim_type}"),
        (Some(status), None) => status.to_string(),
        (None, _) => "not carried out".to_owned(),
    }
}

/// A number with its noun, which takes an `s` for more or fewer than one.
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// What a transaction is, in one line.
pub fn transaction(transaction: &Transaction) -> String {
    let mut line = format!("transaction {}", transaction.number);
    if !transaction.after.is_empty() {
        line += &format!(" after {}", list(transaction.after.iter().copied(), 6));
    }
    format!(
        "{line} · {} · {} KB · {}",
        count(transaction.actions, "action"),
        transaction.bytes.div_ceil(1024),
        count(transaction.write_units, "write unit"),
    )
}

/// What a plan is, in one line.
pub fn totals(summary: &Summary) -> String {
    let totals = &summary.totals;
    let failing = match totals.failures {
        0 => String::new(),
        1 => " (1 fails)".to_owned(),
        many => format!(" ({many} fail)"),
    };
    let cycles = match totals.cycles {
        0 => String::new(),
        some => format!(" ({})", count(some, "cycle")),
    };
    format!(
        "{}{failing} in {}{cycles}; {} of {}, {} deep",
        count(totals.operations, "row"),
        count(totals.units, "unit"),
        count(totals.transactions, "transaction"),
        count(totals.actions, "action"),
        totals.depth,
    )
}

/// What a plan costs, in one line.
pub fn cost(summary: &Summary, price: Price) -> String {
    let units = summary.totals.write_units;
    format!(
        "about {}, {} per million such requests",
        count(units, "write unit"),
        price.of_a_million(units)
    )
}

/// Numbers with commas; of more than `most`, how many there are besides.
pub fn list(numbers: impl ExactSizeIterator<Item = usize>, most: usize) -> String {
    let more = numbers.len().saturating_sub(most);
    let shown: Vec<String> = numbers
        .take(most)
        .map(|number| number.to_string())
        .collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Control characters, line and paragraph separators, marks of direction,
/// invisible joiners, private use and what is no character.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0xAD | 0x61C
                | 0x180E
                | 0x200B..=0x200F
                | 0x2028..=0x202E
                | 0x2060..=0x206F
                | 0xE000..=0xF8FF
                | 0xFEFF
                | 0xFFF0..=0xFFFB
                | 0xFFFE..=0xFFFF
                | 0xE0000..
        )
}

/// Two for the scripts and signs that are written wide, none for a mark upon
/// the letter before; a guess that is wrong for few and costs them a letter.
fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0x1F000..=0x3FFFF => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_seen_comes_through() {
        let cases = [
            ("ada-1.é ß 名 😀", "ada-1.é ß 名 😀"),
            ("a\nb\tc", "a\\u{a}b\\u{9}c"),
            ("\u{1b}[31m\u{9b}2J\u{7f}", "\\u{1b}[31m\\u{9b}2J\\u{7f}"),
            (
                "\u{202e}exe\u{200b}\u{2028}",
                "\\u{202e}exe\\u{200b}\\u{2028}",
            ),
            ("\u{fffe}\u{e000}\u{feff}", "\\u{fffe}\\u{e000}\\u{feff}"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        let cases = [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("名名名", 6, "名名名"),
            ("名名名", 5, "名名…"),
            ("名名名", 4, "名…"),
            ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"),
            ("abc", 0, "…"),
            ("", 0, ""),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(fit(text, columns), expected, "{text} in {columns}");
        }
    }

    #[test]
    fn a_long_list_says_how_many_are_left_out() {
        assert_eq!(list([1, 2, 3].into_iter(), 3), "1, 2, 3");
        assert_eq!(list([1, 2, 3].into_iter(), 1), "1 and 2 more");
    }
}
