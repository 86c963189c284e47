//! SQL expressions in the dialects of both databases.

use sea_orm::{
    ColumnTrait, DbBackend,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

/// `column` is one of `ids`. On PostgreSQL the ids are an array, so one statement serves lists of every length; each
/// connection would plan a list of values anew for each length. A single id is compared with `=`, since PostgreSQL
/// plans short arrays each time.
pub fn is_one_of(backend: DbBackend, column: impl ColumnTrait, ids: impl IntoIterator<Item = Uuid>) -> SimpleExpr {
    let ids: Vec<_> = ids.into_iter().collect();
    match (backend, ids.as_slice()) {
        (_, [id]) => column.eq(*id),
        (DbBackend::Postgres, _) => column.eq_any(ids),
        _ => column.is_in(ids),
    }
}

/// The database's current time, to the millisecond: the time of every rule. It is the statement's, not the
/// transaction's. A VOLATILE clock could not be an index condition.
#[must_use]
pub fn now(backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => Expr::cust("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"),
        _ => Expr::cust("date_trunc('milliseconds', statement_timestamp())"),
    }
}
