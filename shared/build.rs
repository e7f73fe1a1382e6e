//! Turns `schemas/*.json` and `resource-types/*.json` into the Rust expression
//! that builds the catalogue of `scim::schema`.
//!
//! A file with a mistake stops the build, and the message names the file and
//! the place in it, so that the running service reads no JSON at its start and
//! cannot fail there. What is a mistake is told in `build/check.rs`, which
//! `scim::schema` tests with broken files.

use std::{env, error::Error, fs, path::Path};

#[path = "build/mod.rs"]
mod build;
#[expect(
    dead_code,
    unreachable_pub,
    reason = "all URNs of the crate, of which few are needed"
)]
#[path = "src/scim/urn.rs"]
mod urn;

#[expect(
    clippy::disallowed_methods,
    reason = "how cargo tells a build script where to write"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let schemas = read("schemas")?;
    let resource_types = read("resource-types")?;
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/scim/urn.rs");
    let code = build::code(&schemas, &resource_types)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("catalogue.rs"), code)?;
    Ok(())
}

/// The path and the text of every JSON file of a folder, in the order of the
/// names.
fn read(folder: &str) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={folder}");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == "json") {
            let text = fs::read_to_string(&path)?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Ok(files)
}
