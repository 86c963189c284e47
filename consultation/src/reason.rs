//! Reasons that people give: short, one line, free text. They may name patients, so no log has them.

use std::str::FromStr;

use crate::messages::MESSAGES;

/// Characters of a reason, by the column.
pub(crate) const MAX_REASON_LENGTH: usize = 500;

/// 1 to 500 characters, without blanks around them and without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// A text that is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// There is nothing but blanks.
    #[error("is empty: say in a few words why")]
    Empty,
    /// It has so many characters.
    #[error("has {0} characters: shorten it to at most {MAX_REASON_LENGTH}")]
    TooLong(usize),
}

impl FromStr for Reason {
    type Err = InvalidReason;

    /// Control characters become blanks: forms send line breaks, and PostgreSQL stores no NUL.
    fn from_str(text: &str) -> Result<Self, InvalidReason> {
        let text = text.replace(char::is_control, " ").trim().to_owned();
        match text.chars().count() {
            0 => Err(InvalidReason::Empty),
            1..=MAX_REASON_LENGTH => Ok(Self(text)),
            length => Err(InvalidReason::TooLong(length)),
        }
    }
}

impl Reason {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InvalidReason {
    /// The message for a person who calls the reason `argument`.
    pub(crate) fn message(self, argument: &str) -> String {
        match self {
            Self::Empty => MESSAGES.text("reason-empty", &[("argument", &argument)]),
            Self::TooLong(length) => {
                let values: [(_, &dyn std::fmt::Display); 3] =
                    [("argument", &argument), ("length", &length), ("maximum", &MAX_REASON_LENGTH)];
                MESSAGES.text("reason-too-long", &values)
            }
        }
    }
}
