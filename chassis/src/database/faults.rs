//! Classification of database errors: whether the connection is usable, and whether others may succeed.

use std::{fmt::Display, io::ErrorKind, sync::Arc};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{Error, error::DatabaseError},
};

/// Reason to refuse a session that cannot write.
pub(super) const READ_ONLY: &str = "the database is read-only: a standby, or set so";

/// The error for [`READ_ONLY`]. Another server may be the primary in a moment, so it is one of those that pass.
pub(super) fn read_only() -> Error {
    Error::Io(std::io::Error::other(READ_ONLY))
}

/// End of the error message when all connections were in use.
pub(super) const ARE_BUSY: &str = "are busy";

/// PostgreSQL's error classes about a statement, not about its session: bad data, a violated constraint, a deadlock, a
/// missing name or privilege, an unavailable lock.
const ABOUT_THE_STATEMENT: [&str; 5] = ["22", "23", "40", "42", "55"];
/// Raised by a trigger.
const RAISED: &str = "P0001";
/// A cancelled statement, as by `statement_timeout`. Its session is intact, but other rows would wait as long.
const CANCELLED: &str = "57014";
/// PostgreSQL's error classes and codes about the server: connections, roles and databases, resources, interventions
/// and timeouts, its system, a standby, an unavailable lock.
const UNAVAILABLE: [&str; 8] = ["08", "25006", "28", "3D", "53", "55P03", "57", "58"];
/// SQLite's primary codes for the same: busy, locked, read-only, input or output error, full, cannot open.
const SQLITE_UNAVAILABLE: [i32; 6] = [5, 6, 8, 10, 13, 14];
/// SQLite's primary code for a violated constraint, also raised by triggers.
const SQLITE_CONSTRAINT: i32 = 19;

/// Whether the connection is usable after this error. In doubt it is not: a new one costs little, while one inside an
/// unnoticed transaction, or to a standby, loses its writes.
pub(super) fn leaves_connection_usable(error: &Error) -> bool {
    match error {
        Error::RowNotFound | Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnNotFound(_) => true,
        Error::Database(error) => is_about_statement(error.as_ref()) || error.code().as_deref() == Some(CANCELLED),
        _ => false,
    }
}

/// Whether idle connections are probably dead too.
pub(super) fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut)
}

/// Whether connecting may succeed in a moment: the server is starting, has no room yet, or is not the primary.
pub(super) fn is_transient_connecting(error: &Error) -> bool {
    match error {
        // A proxy without a live server accepts and closes, which is no answer to the request for TLS.
        Error::Io(_) | Error::Protocol(_) => true,
        // cannot_connect_now, too_many_connections and a role's or database's own limit; SQLite without a descriptor.
        Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300" | "14")),
        _ => false,
    }
}

/// Whether the error is about the rows of its statement, so that other rows may succeed.
#[must_use]
pub fn is_about_rows(error: &DbErr) -> bool {
    database_error(error).is_some_and(is_about_statement)
}

/// Whether the database could not be reached or used. The statement is not to blame, and the same one may succeed in a
/// moment.
#[must_use]
pub fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match error.as_ref() {
                Error::Database(error) => error.code().is_some_and(|code| is_about_availability(&code)),
                error => matches!(error, Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed),
            }
        }
        _ => false,
    }
}

/// Whether the failed statement may have been committed nevertheless, with only its answer lost. Without a connection
/// it was never sent.
#[must_use]
pub fn may_be_done(error: &DbErr) -> bool {
    !is_about_rows(error) && !matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_))
}

/// Whether the database is read-only.
pub(crate) fn is_read_only(error: &DbErr) -> bool {
    error.to_string().contains(READ_ONLY)
}

/// Whether all connections were in use.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    error.to_string().ends_with(ARE_BUSY)
}

/// The SQLSTATE or SQLite code of an error.
pub(super) fn code(error: &DbErr) -> Option<String> {
    database_error(error)?.code().map(Into::into)
}

/// An error for a failure to connect to `address`, which the driver's errors do not name.
pub(super) fn about_connecting(address: &str, cause: impl Display) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("cannot connect to the database at {address}: {cause}")))
}

pub(super) fn about_statement(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn is_about_statement(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    // SQLite's codes are numbers; the lowest byte is the primary code.
    if let (true, Ok(code)) = (code.len() < 5, code.parse::<i32>()) {
        return code & 0xff == SQLITE_CONSTRAINT;
    }
    ABOUT_THE_STATEMENT.iter().any(|class| code.starts_with(class)) || code == RAISED
}

/// By SQLSTATE class, or SQLite's code.
fn is_about_availability(code: &str) -> bool {
    if let (true, Ok(code)) = (code.len() < 5, code.parse::<i32>()) {
        return SQLITE_UNAVAILABLE.contains(&(code & 0xff));
    }
    UNAVAILABLE.iter().any(|class| code.starts_with(class))
}

fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error.as_database_error(),
        _ => None,
    }
}
