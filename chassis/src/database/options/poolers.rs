//! What tells a pooler between a service and its server: dropped settings, or a session that is not the service's own.

use std::iter::zip;

use sea_orm::sqlx::{self, AssertSqlSafe, Error, Row, postgres::PgConnection};

use super::{PLANNER, SESSION_LIMITS, Target};
use crate::database::faults;

/// Where people read on.
const REMEDY: &str = "docs/operating.md, \"Poolers\", says how to set one up";

/// Identity of the server's end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::database) struct Backend {
    pub(in crate::database) pid: i32,
    /// Guards against a reused pid.
    pub(in crate::database) started: String,
}

/// Fails for a session that cannot write where that is wanted, or has not the settings that were asked for.
pub(super) async fn identify(connection: &mut PgConnection, target: Target) -> Result<Backend, Error> {
    let wanted: Vec<_> = SESSION_LIMITS.into_iter().chain(PLANNER).collect();
    let names: Vec<_> = wanted.iter().map(|(name, _)| format!("current_setting('{name}')")).collect();
    // Texts, sent without being prepared: names of prepared statements collide behind a pooler in transaction mode.
    let identify = format!(
        "SELECT current_setting('transaction_read_only'), pid::text, backend_start::text, {}
         FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        names.join(", ")
    );
    // Safe: it is made of constants.
    let row = sqlx::raw_sql(AssertSqlSafe(identify)).fetch_one(connection).await?;
    let texts: Vec<String> = (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
    let [is_read_only, pid, started, settings @ ..] = &texts[..] else { return Err(Error::RowNotFound) };
    if is_read_only == "on" && target == Target::ReadWrite {
        return Err(faults::read_only());
    }
    for ((name, wanted), found) in zip(wanted, settings) {
        if wanted != found {
            let dropped = format!("{name} is {found} and not {wanted}: a pooler drops the settings of connections");
            return Err(refusal(&dropped));
        }
    }
    let pid = pid.parse().map_err(|_| Error::Protocol(format!("{pid} is no pid")))?;
    Ok(Backend { pid, started: started.clone() })
}

/// Fails if two connections have one session: a pooler gives it to either for a transaction at a time, and a statement
/// that one has prepared may be executed by the other.
pub(super) fn check_sessions(one: &Backend, other: &Backend) -> Result<(), Error> {
    if one == other {
        return Err(refusal("two connections have one session: a pooler in transaction mode, which is not supported"));
    }
    Ok(())
}

/// Says what to do about a pooler that refuses the settings of a connection.
pub(super) fn explain(error: Error) -> Error {
    let refused = matches!(&error, Error::Database(error) if error.message().contains("unsupported startup parameter"));
    if refused { refusal(&error.to_string()) } else { error }
}

fn refusal(why: &str) -> Error {
    Error::Configuration(format!("{why}; {REMEDY}").into())
}
