//! The transitions after a claim, one statement for all rows of a kind. A failure is written only under the lease it
//! happened in; a success under any lease of the same delivery.

use std::{collections::BTreeMap, time::Duration};

use chassis::database::is_one_of;
use entity::pending_payment::{Column, Entity as PendingPayments};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, Value,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, Func, IntoIden, Query, TableRef, UpdateStatement, ValueTuple},
};

use super::{super::shortened, Lease, now_plus, now_plus_seconds};

/// A row that was not delivered.
#[derive(Clone, Debug)]
pub struct Failure<'a> {
    /// The lease under which it failed.
    pub lease: &'a Lease,
    /// Time from now until the row is due again.
    pub delay: Duration,
    /// Message for people. The first 500 characters are stored, with blanks for control characters.
    pub error: String,
}

/// Finance has confirmed these payments. Stale leases are accepted too, but not those of before a redelivery: since then
/// finance has lost what it confirmed. Returns the number of rows that changed state.
pub async fn confirm(database: &impl ConnectionTrait, leases: &[&Lease]) -> Result<u64, DbErr> {
    if leases.is_empty() {
        return Ok(0);
    }
    let backend = database.get_database_backend();
    // Nearly always one delivery, the first.
    let mut deliveries = BTreeMap::<_, Vec<_>>::new();
    for lease in leases {
        deliveries.entry(lease.redeliveries).or_default().push(lease.id);
    }
    let rows = deliveries.into_iter().fold(Condition::any(), |rows, (redeliveries, ids)| {
        rows.add(is_one_of(backend, Column::Id, ids).and(Column::Redeliveries.eq(redeliveries)))
    });
    let confirmed = PendingPayments::update_many()
        .col_expr(Column::Processing, false.into())
        .col_expr(Column::LeaseUntil, Option::<DateTimeUtc>::None.into())
        .col_expr(Column::Finished, true.into())
        .col_expr(Column::FinishedAt, now_plus(backend, Duration::ZERO))
        .col_expr(Column::LastError, Option::<String>::None.into())
        .filter(rows)
        .filter(Column::Finished.eq(false));
    Ok(confirmed.exec(database).await?.rows_affected)
}

/// The destination failed: the rows are due again after their delays. A parked row keeps finance's refusal as its error,
/// since that wants a decision and an outage does not. Returns the number of leases that were not stale.
pub async fn postpone(database: &impl ConnectionTrait, failures: &[Failure<'_>]) -> Result<u64, DbErr> {
    let is_parked = Expr::col((PendingPayments, Column::ParkedAt)).is_not_null();
    let refusal = Expr::col((PendingPayments, Column::LastError));
    let error = Expr::case(is_parked, refusal).finally(outcome("column4"));
    changed(database, due_after(database, failures, error.into())).await
}

/// Finance refused the rows: they are parked, and due again after their delays. Returns the number of leases that were
/// not stale.
pub async fn park(database: &impl ConnectionTrait, failures: &[Failure<'_>]) -> Result<u64, DbErr> {
    let backend = database.get_database_backend();
    let since = [Expr::col((PendingPayments, Column::ParkedAt)), now_plus(backend, Duration::ZERO)];
    // The first refusal, or now. Citus takes no clock within COALESCE; of LEAST's arguments PostgreSQL ignores NULL.
    let since = if backend == DbBackend::Sqlite { Func::coalesce(since) } else { Func::least(since) };
    let parked = due_after(database, failures, outcome("column4"))
        .value(Column::Rejections, Expr::col((PendingPayments, Column::Rejections)).add(1))
        .value(Column::ParkedAt, since)
        .to_owned();
    changed(database, parked).await
}

/// The rows were claimed but not sent: they are given back with their tries. Returns the number of leases that were not
/// stale.
pub async fn release(database: &impl ConnectionTrait, leases: &[&Lease]) -> Result<u64, DbErr> {
    let rows = leases.iter().map(|lease| ValueTuple::Two(lease.id.into(), lease.claim_seq.into()));
    let tries = Expr::col((PendingPayments, Column::Tries)).sub(1);
    changed(database, under_lease(rows.collect()).value(Column::Tries, tries).to_owned()).await
}

fn due_after(database: &impl ConnectionTrait, failures: &[Failure<'_>], error: Expr) -> UpdateStatement {
    let rows = failures.iter().map(|failure| {
        // The text may come from finance, and PostgreSQL stores no NUL.
        let error = shortened(&failure.error).replace(char::is_control, " ");
        let Lease { id, claim_seq, .. } = failure.lease;
        let values: [Value; 4] = [(*id).into(), (*claim_seq).into(), failure.delay.as_secs_f64().into(), error.into()];
        ValueTuple::Many(values.into())
    });
    under_lease(rows.collect())
        .value(Column::NextAttemptAt, now_plus_seconds(database.get_database_backend(), outcome("column3")))
        .value(Column::LastError, error)
        .to_owned()
}

/// Ends the leases of `rows`, each of which begins with the id and the fencing token. A stale lease changes nothing:
/// its holder must not free or delay the next holder's row.
fn under_lease(rows: Vec<ValueTuple>) -> UpdateStatement {
    let mut update = Query::update();
    update
        .table(PendingPayments)
        .from(TableRef::ValuesList(rows, "outcome".into_iden()))
        .value(Column::Processing, false)
        .value(Column::LeaseUntil, Option::<DateTimeUtc>::None)
        .and_where(Expr::col((PendingPayments, Column::Id)).eq(outcome("column1")))
        .and_where(Column::Finished.eq(false))
        .and_where(Expr::col((PendingPayments, Column::ClaimSeq)).eq(outcome("column2")))
        .and_where(Column::Processing.eq(true));
    update
}

/// A column of the VALUES list, by the name that both databases give it.
fn outcome(column: &'static str) -> Expr {
    Expr::col(("outcome", column))
}

async fn changed(database: &impl ConnectionTrait, update: UpdateStatement) -> Result<u64, DbErr> {
    Ok(database.execute(&update).await?.rows_affected())
}
