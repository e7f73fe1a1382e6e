//! What every access pattern costs on 10,000 users, as the table of
//! `docs/table.md`: paste what this prints between its two marks.
//!
//! ```sh
//! cargo bench --bench access_patterns
//! ```

use std::io::{self, Write as _};

use harness::patterns::{self, Directory, HEAD};

/// How many users the table is measured on.
const USERS: usize = 10_000;

// Time stands still while the database "works", so the weather costs none.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> io::Result<()> {
    let stack = patterns::stack().await;
    let directory = Directory::seed(&stack, USERS).await;
    let mut output = io::stdout();
    writeln!(output, "{HEAD}")?;
    for pattern in directory.patterns() {
        writeln!(output, "{}", pattern.measure(&stack).await)?;
    }
    stack.audit().await;
    Ok(())
}
