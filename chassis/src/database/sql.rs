//! Expressions that both databases understand, each in its own words.

use sea_orm::{
    ColumnTrait, DbBackend,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

/// That `column` is one of `ids`. On PostgreSQL it is one statement for lists of every length: as a list of values
/// each would be another, to be planned by each connection anew. One alone is compared as such, since PostgreSQL
/// plans short arrays each time.
pub fn is_one_of(backend: DbBackend, column: impl ColumnTrait, ids: impl IntoIterator<Item = Uuid>) -> SimpleExpr {
    let ids: Vec<_> = ids.into_iter().collect();
    match (backend, ids.as_slice()) {
        (_, [id]) => column.eq(*id),
        (DbBackend::Postgres, _) => column.eq_any(ids),
        _ => column.is_in(ids),
    }
}

/// The database's own time, to the millisecond, as SQL: the time of every rule. It is that of the statement, not of its
/// transaction; a VOLATILE clock would be no index condition.
#[must_use]
pub fn now(backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => Expr::cust("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"),
        _ => Expr::cust("date_trunc('milliseconds', statement_timestamp())"),
    }
}
