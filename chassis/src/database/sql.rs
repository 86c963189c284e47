//! SQL expressions in the dialects of both databases.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, DbBackend, IntoSimpleExpr,
    sea_query::{Expr, Func, SimpleExpr},
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

/// The time in a column as whole lists and their periods compare it; their indexes have it as it stands here. SQLite
/// compares the text of a time, and drivers write a whole second with and without its fraction.
#[must_use]
pub fn time_key(backend: DbBackend, column: impl ColumnTrait) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => {
            Expr::cust_with_expr("substr(replace(?, '+00:00', '.000'), 1, 23)", column.into_simple_expr())
        }
        _ => column.into_simple_expr(),
    }
}

/// The [`time_key`] of lists within one value of another column, whose indexes have it, and of lists that are sorted. The
/// indexes of whole lists have another: a planner would rather walk them, since it takes the rows to be spread evenly.
#[must_use]
pub fn time_key_within(backend: DbBackend, column: impl ColumnTrait) -> SimpleExpr {
    let key = time_key(backend, column);
    Func::coalesce([key.clone(), key]).into()
}

/// The value of a time key.
#[must_use]
pub fn time_key_of(backend: DbBackend, time: DateTime<Utc>) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string().into(),
        _ => time.into(),
    }
}
