//! The gateway on a developer's machine; `local --help` lists the commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::command::run()
}
