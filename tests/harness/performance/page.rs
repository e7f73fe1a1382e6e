//! `docs/performance.md` and its picture.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A part of the page that is written by the benchmark, between two marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Bulk against one by one.
    Comparison,
    /// The figures of the design.
    Figures,
    /// Under conflicts.
    Disturbed,
    /// Instructions of planning.
    Instructions,
}

impl Part {
    fn mark(self) -> &'static str {
        match self {
            Self::Comparison => "comparison",
            Self::Figures => "figures",
            Self::Disturbed => "disturbed",
            Self::Instructions => "instructions",
        }
    }
}

/// What stands between the marks of a part.
///
/// # Errors
/// When the page cannot be read or has no such marks.
pub fn read(part: Part) -> io::Result<String> {
    let page = fs::read_to_string(path("performance.md"))?;
    let (_, inner, _) = split(&page, part).ok_or_else(|| unmarked(part))?;
    Ok(inner.trim().to_owned())
}

/// Puts a text between the marks of a part.
///
/// # Errors
/// When the page cannot be read or written or has no such marks.
pub fn write(part: Part, text: &str) -> io::Result<()> {
    let page = fs::read_to_string(path("performance.md"))?;
    let (before, _, after) = split(&page, part).ok_or_else(|| unmarked(part))?;
    let page = format!("{before}\n\n{}\n\n{after}", text.trim());
    fs::write(path("performance.md"), page)
}

/// Writes the picture.
///
/// # Errors
/// When it cannot be written.
pub fn write_chart(svg: &str) -> io::Result<()> {
    fs::write(path("performance.svg"), svg)
}

fn path(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("../docs").join(name)
}

fn split(page: &str, part: Part) -> Option<(&str, &str, &str)> {
    let mark = part.mark();
    let (begin, end) = (
        format!("<!-- {mark} -->"),
        format!("<!-- end of {mark} -->"),
    );
    let start = page.find(&begin)? + begin.len();
    let length = page.get(start..)?.find(&end)?;
    Some((
        page.get(..start)?,
        page.get(start..start + length)?,
        page.get(start + length..)?,
    ))
}

fn unmarked(part: Part) -> io::Error {
    io::Error::other(format!(
        "`docs/performance.md` has no part `{}`",
        part.mark()
    ))
}
