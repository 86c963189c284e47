//! The database's clock plus an offset, as SQL: due times must not depend on a replica's clock.

use std::time::Duration;

use sea_orm::{
    DbBackend,
    sea_query::{Expr, SimpleExpr},
};

/// The database's time plus `offset`.
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
