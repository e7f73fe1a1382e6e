//! What a client may choose beyond the RFC, by parameters of the query.
//!
//! | parameter | values |
//! |---|---|
//! | `atomicity` | `operation` (as the RFC has it), `component`, `request` |
//! | `dryRun` | `false`, `true` |
//!
//! A value that is none of them is refused: whoever asks for all or nothing
//! must not get something else.

use shared::api::Call;
use shared::plan::Atomicity;
use shared::scim::ScimError;
use shared::scim::json::excerpt;

/// How much is carried out all or not at all.
///
/// # Errors
///
/// 400 `invalidValue` for any other value, and for the parameter twice.
pub fn atomicity(call: &Call) -> Result<Atomicity, ScimError> {
    let Some(asked) = call.parameter("atomicity")? else {
        return Ok(Atomicity::default());
    };
    let known = Atomicity::ALL.into_iter();
    known
        .into_iter()
        .find(|mode| mode.as_str() == asked)
        .ok_or_else(|| {
            ScimError::invalid_value(format!(
                "`atomicity` is `{}`, expected `operation`, `component` or `request`",
                excerpt(asked)
            ))
        })
}

/// Whether the client only wants to know what would happen.
///
/// # Errors
///
/// As [`atomicity`].
pub fn dry_run(call: &Call) -> Result<bool, ScimError> {
    match call.parameter("dryRun")? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(asked) => Err(ScimError::invalid_value(format!(
            "`dryRun` is `{}`, expected `true` or `false`",
            excerpt(asked)
        ))),
    }
}
