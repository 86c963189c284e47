//! The database's clock plus an offset, as SQL: due times must not depend on a replica's clock.

use std::time::Duration;

use sea_orm::{
    DbBackend,
    sea_query::{Expr, SimpleExpr},
};

/// The database's time plus `offset`.
#[must_use]
pub fn now_plus(backend: DbBackend, offset: Duration) -> SimpleExpr {
    now_plus_seconds(backend, Expr::value(offset.as_secs_f64()))
}

/// The database's time plus an expression for seconds. On PostgreSQL it is added without a time zone, in which an interval
/// could have a change of summer time: Citus refuses what depends on the session's, if `seconds` is a column.
pub(crate) fn now_plus_seconds(backend: DbBackend, seconds: SimpleExpr) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => {
            Expr::cust_with_exprs("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', printf('%+.3f seconds', ?))", [seconds])
        }
        _ => Expr::cust_with_exprs(
            "(statement_timestamp() AT TIME ZONE 'UTC' + make_interval(secs => $1)) AT TIME ZONE 'UTC'",
            [seconds],
        ),
    }
}
