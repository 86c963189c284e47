//! Reasons for not being ready: a public text, and a cause for the log.

use std::fmt::{self, Display, Formatter};

use chrono::TimeDelta;
use sea_orm::DbErr;

use crate::database::is_read_only;

#[derive(Clone, Debug)]
pub(super) enum NotReady {
    Unchecked,
    Unreachable(DbErr),
    ReadOnly,
    /// How far this machine's clock is ahead of the database's.
    Clock(TimeDelta),
    /// Pending migrations.
    Migrations(Vec<String>),
    Unwritable(DbErr),
}

impl NotReady {
    /// The reason for a failed read.
    pub(super) fn of(error: DbErr) -> Self {
        if is_read_only(&error) { Self::ReadOnly } else { Self::Unreachable(error) }
    }

    /// Cause for the log only: an error may name hosts and roles.
    pub(super) fn cause(&self) -> Option<&DbErr> {
        if let Self::Unreachable(error) | Self::Unwritable(error) = self { Some(error) } else { None }
    }

    /// Whether the log has this reason already. A wrong clock differs by another second each time.
    pub(super) fn is_like(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Migrations(pending), Self::Migrations(earlier)) => pending == earlier,
            _ => std::mem::discriminant(self) == std::mem::discriminant(before),
        }
    }
}

impl Display for NotReady {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchecked => f.write_str("the database has not been checked yet"),
            Self::Unreachable(_) => f.write_str("the database cannot be reached"),
            Self::ReadOnly => f.write_str("the database is read-only"),
            Self::Clock(ahead) => {
                let direction = if *ahead < TimeDelta::zero() { "behind" } else { "ahead of" };
                // Rounded: the difference leaves out what network latency explains.
                let seconds = (ahead.abs() + TimeDelta::milliseconds(500)).num_seconds();
                write!(f, "this machine's clock is {seconds} s {direction} the database's; correct it")
            }
            Self::Migrations(pending) => {
                write!(f, "the database lacks migrations ({}); run the migrate subcommand", pending.join(", "))
            }
            Self::Unwritable(_) => f.write_str("the database cannot be written; the log says why"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_logged_once_however_its_cause_varies() {
        let failed = |text: &str| DbErr::Custom(text.to_owned());
        assert!(NotReady::Clock(TimeDelta::seconds(7)).is_like(&NotReady::Clock(TimeDelta::seconds(8))));
        assert!(NotReady::of(failed("refused")).is_like(&NotReady::of(failed("reset"))));
        assert!(!NotReady::of(failed("refused")).is_like(&NotReady::Unwritable(failed("refused"))));
        let lacks = |name: &str| NotReady::Migrations(vec![name.to_owned()]);
        assert!(lacks("one").is_like(&lacks("one")) && !lacks("one").is_like(&lacks("another")));
    }

    #[test]
    fn the_public_text_hides_the_cause() {
        let cause = DbErr::Custom("role secret at host internal".to_owned());
        for reason in [NotReady::of(cause.clone()), NotReady::Unwritable(cause)] {
            assert!(!reason.to_string().contains("secret") && reason.cause().is_some(), "{reason}");
        }
    }
}
