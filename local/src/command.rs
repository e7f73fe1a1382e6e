//! The command line: one file per command.
//!
//! What a command is asked for goes to standard output; all else, logs and the
//! one sentence of a failure, goes to standard error.

pub mod dynamodb;
pub mod invoke;
pub mod plan;
pub mod serve;
pub mod token;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Whatever made a command fail, with its causes.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The SCIM service on this machine.
#[derive(Debug, Parser)]
#[command(name = "local", version, about, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The gateway with all functions and a database (the default)
    Serve(serve::Arguments),
    /// One event through the function of its route, as `sam local invoke` does
    Invoke(invoke::Arguments),
    /// What a bulk request would do, without doing it
    Plan(plan::Arguments),
    /// A token that `serve` accepts
    Token(token::Arguments),
    /// Only the database, for other processes
    Dynamodb(dynamodb::Arguments),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    log();
    let command = arguments.command.unwrap_or(Command::Serve(arguments.serve));
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(dispatch(command)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {}", sentence(&*failure));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Invoke(arguments) => invoke::run(arguments).await,
        Command::Plan(arguments) => plan::run(arguments).await,
        Command::Token(arguments) => token::run(&arguments),
        Command::Dynamodb(arguments) => dynamodb::run(arguments).await,
    }
}

/// Logs to standard error what `RUST_LOG` asks for, warnings without it.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
}

/// Writes a line to standard output.
fn say(line: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// Ends with Ctrl-C or a request to terminate.
async fn interrupted() {
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// A failure and its causes, as one line.
fn sentence(failure: &(dyn Error + 'static)) -> String {
    let mut parts = vec![failure.to_string()];
    let mut cause = failure.source();
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    parts.dedup();
    parts.join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn serve_is_the_command_when_none_is_named() {
        Arguments::command().debug_assert();
        let parsed = |line: &[&str]| match Arguments::try_parse_from(line) {
            Ok(Arguments {
                command: None | Some(Command::Serve(_)),
                ..
            }) => "serve".to_owned(),
            Ok(arguments) => format!("{arguments:?}"),
            Err(error) => error.kind().to_string(),
        };
        assert_eq!(parsed(&["local"]), "serve");
        assert_eq!(parsed(&["local", "--port", "1"]), "serve");
        assert_eq!(parsed(&["local", "serve", "--port", "1"]), "serve");
        assert_ne!(parsed(&["local", "token", "--port", "1"]), "serve");
        assert_ne!(parsed(&["local", "token", "--expires-in", "-1h"]), "serve");
    }

    #[test]
    fn a_failure_is_one_line_with_its_causes() {
        let cause = std::io::Error::other("the disk\nis full");
        let failure = crate::authorizer::key::KeyError::File("x".into(), cause);
        insta::assert_snapshot!(sentence(&failure), @"cannot keep the signing key in `x`: the disk is full");
    }
}
