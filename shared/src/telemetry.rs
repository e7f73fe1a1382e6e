//! Log lines as JSON on standard output, and what may stand in them.
//!
//! A message reads alone and carries fields: `tenant.id`, `bulk.operations`,
//! `plan.transactions`, `duration_ms`. Never a body, a token, a query string,
//! a name or an e-mail address. The SDK below us writes requests into its
//! debug lines, so whatever level is asked for holds for our own crates alone;
//! of all others only warnings are let through.

use tracing_subscriber::EnvFilter;

/// The crates whose lines the level governs.
const OWN: [&str; 6] = [
    "shared",
    "users",
    "groups",
    "resources",
    "bulk",
    "discovery",
];

/// Starts logging for this program. `level` is one of the platform's names in
/// lower case; any other means `info`. Does nothing the second time.
pub fn start(level: Option<&str>) {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(directives(level)));
    // An error means that logging has been started already.
    let _ = subscriber.try_init();
}

fn directives(level: Option<&str>) -> String {
    let level = match level {
        Some(level @ ("trace" | "debug" | "warn" | "error")) => level,
        Some("fatal") => "off",
        _ => "info",
    };
    let mut directives = String::from(if level == "off" { "off" } else { "warn" });
    for own in OWN {
        directives.push_str(&format!(",{own}={level}"));
    }
    directives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_opens_the_debug_lines_of_the_sdk() {
        for level in [None, Some("trace"), Some("debug"), Some("nonsense")] {
            let directives = directives(level);
            assert!(directives.starts_with("warn,"), "{directives}");
            assert!(directives.parse::<EnvFilter>().is_ok(), "{directives}");
        }
        assert!(directives(Some("trace")).contains("shared=trace"));
        assert!(directives(Some("nonsense")).contains("shared=info"));
        assert!(directives(Some("fatal")).starts_with("off,"));
    }
}
