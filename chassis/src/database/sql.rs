//! SQL expressions in the dialects of both databases.

use std::time::Duration;

use sea_orm::{
    ColumnTrait, DbBackend,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

/// `column` is one of `ids`. On PostgreSQL it is one statement for lists of every length: a list of values would be
/// another statement for each length, planned anew by each connection. A single id is compared with `=`, since PostgreSQL
/// plans short arrays each time.
pub fn is_one_of(backend: DbBackend, column: impl ColumnTrait, ids: impl IntoIterator<Item = Uuid>) -> SimpleExpr {
    let ids: Vec<_> = ids.into_iter().collect();
    match (backend, ids.as_slice()) {
        (_, [id]) => column.eq(*id),
        (DbBackend::Postgres, _) => column.eq_any(ids),
        _ => column.is_in(ids),
    }
}

/// The database's current time, to the millisecond: the time of every rule. It is the statement's, not the transaction's. A
/// VOLATILE clock could not be an index condition.
#[must_use]
pub fn now(backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => Expr::cust("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"),
        _ => Expr::cust("date_trunc('milliseconds', statement_timestamp())"),
    }
}

/// The database's own time plus an offset, as SQL: who is due must not depend on a replica's clock.
#[must_use]
pub fn now_plus(backend: DbBackend, offset: impl Into<Seconds>) -> SimpleExpr {
    let Seconds(seconds) = offset.into();
    match backend {
        DbBackend::Sqlite => {
            Expr::cust_with_exprs("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', printf('%+.3f seconds', ?))", [seconds])
        }
        _ => Expr::cust_with_exprs("statement_timestamp() + make_interval(secs => $1)", [seconds]),
    }
}

/// A time span in SQL: a fixed one, or an expression that gives seconds.
#[derive(Debug)]
pub struct Seconds(SimpleExpr);

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(Expr::value(duration.as_secs_f64()))
    }
}

impl From<SimpleExpr> for Seconds {
    fn from(seconds: SimpleExpr) -> Self {
        Self(seconds)
    }
}
