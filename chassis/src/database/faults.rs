//! What an error of the database says of its connection, and of whoever comes next.

use std::{io::ErrorKind, sync::Arc};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{Error, error::DatabaseError},
};

/// Why a session is not used on which nothing can be written.
pub(super) const READ_ONLY: &str = "the database is read-only: a standby, or set so";

/// Ends the error of a wait for a connection while all were in use.
pub(super) const ARE_BUSY: &str = "are busy";

/// PostgreSQL's classes of errors that are about a statement, not about the session: bad data, a broken constraint, a
/// deadlock, a name or privilege that is missing, a lock that was not to be had.
const ABOUT_THE_STATEMENT: [&str; 5] = ["22", "23", "40", "42", "55"];
/// What a trigger raised.
const RAISED: &str = "P0001";
/// A statement that was cancelled, as by `statement_timeout`. Its session is as before, but other rows would wait as long.
const CANCELLED: &str = "57014";
/// SQLite's primary code of a broken constraint, which is also what triggers raise.
const SQLITE_CONSTRAINT: i32 = 19;

/// Whether the connection can be used after this error. Only where nothing speaks against it: a new one costs little,
/// while one that is inside a transaction without anybody's knowledge, or leads to a standby, loses what it is given.
pub(super) fn leaves_connection_usable(error: &Error) -> bool {
    match error {
        Error::RowNotFound | Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnNotFound(_) => true,
        Error::Database(error) => is_about_statement(error.as_ref()) || error.code().as_deref() == Some(CANCELLED),
        _ => false,
    }
}

/// Whether idle connections are probably as dead as this one.
pub(super) fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut)
}

/// Whether connecting may succeed in a moment: the server starts or has no room yet.
pub(super) fn is_transient_connecting(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        // cannot_connect_now, too_many_connections, and a role's or database's own limit.
        Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

/// Whether this failure is about the rows of its statement, so that other rows may do better.
#[must_use]
pub fn is_about_rows(error: &DbErr) -> bool {
    database_error(error).is_some_and(is_about_statement)
}

/// Whether the database can only be read.
pub(crate) fn is_read_only(error: &DbErr) -> bool {
    error.to_string().contains(READ_ONLY)
}

/// Whether no connection was to be had, since all were in use.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    error.to_string().ends_with(ARE_BUSY)
}

/// The SQLSTATE or SQLite code of an error.
pub(super) fn code(error: &DbErr) -> Option<String> {
    database_error(error)?.code().map(Into::into)
}

pub(super) fn about_connecting(error: Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

pub(super) fn about_statement(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn is_about_statement(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    // SQLite's codes are numbers, whose lowest byte is the primary code.
    if let (true, Ok(code)) = (code.len() < 5, code.parse::<i32>()) {
        return code & 0xff == SQLITE_CONSTRAINT;
    }
    ABOUT_THE_STATEMENT.iter().any(|class| code.starts_with(class)) || code == RAISED
}

fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error.as_database_error(),
        _ => None,
    }
}
