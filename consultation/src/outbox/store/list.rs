//! Undelivered rows in pages, in the order of their ids, which is that of the finishes.

use chassis::database::now;
use chrono::{DateTime, Utc};
use entity::pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment};
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Order, SimpleExpr},
};
use uuid::Uuid;

use crate::outbox::state::{State, undelivered};

/// A row, and the database's time at which it was read.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Listed {
    /// The row.
    #[sea_orm(nested)]
    pub row: PendingPayment,
    /// The time.
    pub now: DateTime<Utc>,
}

/// Reads at most `limit` undelivered rows after the id `after`, of one state or of all.
pub async fn list(
    database: &impl ConnectionTrait,
    state: Option<State>,
    after: Uuid,
    limit: u64,
) -> Result<Vec<Listed>, DbErr> {
    let rows = page(state.map_or_else(undelivered, State::rows), after, limit);
    rows.expr_as(now(database.get_database_backend()), "now").into_model().all(database).await
}

/// The first `limit` of these undelivered rows after the id `after`.
pub(super) fn page(rows: Select<PendingPayments>, after: Uuid, limit: u64) -> Select<PendingPayments> {
    rows.filter(unindexed_id().gt(after)).order_by(unindexed_id(), Order::Asc).limit(limit)
}

/// The id of an undelivered row. By the column itself a planner may walk the primary key, which has all delivered rows;
/// by an expression it takes the index of due rows.
fn unindexed_id() -> SimpleExpr {
    Expr::case(Expr::col(Column::Finished), Option::<Uuid>::None).finally(Expr::col(Column::Id)).into()
}
