//! Reasons that people give: short, one line, free text. They may name patients, so no log has them.

use crate::messages::MESSAGES;

/// Characters of a reason, by the column.
const MAX_LENGTH: usize = 500;

/// Returns the reason without blanks at its ends.
///
/// # Errors
/// When it is empty, too long or has control characters: the message for a person who calls it `argument`.
pub(crate) fn checked(reason: &str, argument: &str) -> Result<String, String> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length == 0 {
        return Err(MESSAGES.text("reason-empty", &[("argument", &argument)]));
    }
    if length > MAX_LENGTH {
        let values: [(_, &dyn std::fmt::Display); 3] =
            [("argument", &argument), ("length", &length), ("maximum", &MAX_LENGTH)];
        return Err(MESSAGES.text("reason-too-long", &values));
    }
    if reason.chars().any(char::is_control) {
        return Err(MESSAGES.text("reason-control", &[("argument", &argument)]));
    }
    Ok(reason.to_owned())
}
