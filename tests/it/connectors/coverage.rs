//! All steps on one page.

use std::fmt::Write as _;

use local::gateway::route::decode;

use super::fixture::{Compatibility, Fixture, Step};

/// For a reader: what is replayed, and what each step is answered.
#[test]
fn the_steps_of_every_connector() {
    let mut told = String::new();
    for fixture in Fixture::all() {
        let (name, connector, flavour) = (&fixture.name, &fixture.connector, &fixture.flavour);
        writeln!(told, "{name}: {connector}, {flavour}").unwrap();
        for step in &fixture.steps {
            writeln!(told, "  {}", line(step)).unwrap();
        }
        for step in &fixture.end {
            writeln!(told, "  end: {}", line(step)).unwrap();
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("steps", told));
}

/// `PATCH /Users/{{ada}} 200`, readable.
pub(super) fn request(step: &Step) -> String {
    let target = decode(&step.request.target.replace('+', " "));
    format!("{} {target}", step.request.method)
}

fn line(step: &Step) -> String {
    let parallel = if step.parallel { "‖ " } else { "" };
    let only = match step.only {
        Some(Compatibility::Entra) => " (only with `entra`)",
        Some(Compatibility::None) => " (only without `entra`)",
        None => "",
    };
    let (name, status) = (&step.name, step.expect.status);
    format!("{parallel}{name}{only}: {} → {status}", request(step))
}
