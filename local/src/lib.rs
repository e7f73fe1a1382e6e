//! The gateway on a developer's machine: everything behind `cargo run`.
//!
//! No Docker, JVM, AWS account or network: [`template`] reads the deployment
//! template, [`gateway`] and [`authorizer`] imitate the HTTP API, [`host`] calls
//! the functions in this process, [`dynamo`] is the database, [`plan`] shows
//! what a request would do. [`command`] is the command line over them, one file
//! per command.

pub mod authorizer;
pub mod command;
pub mod database;
pub mod dynamo;
pub mod gateway;
pub mod host;
pub mod plan;
pub mod settings;
pub mod template;
