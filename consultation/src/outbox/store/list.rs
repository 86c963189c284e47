//! Undelivered rows in the order of their ids, which are made with them: about that of the finishes. No index of
//! undelivered rows has that order: their ids are read at once, then the rows in batches by the primary key. Pages would
//! sort all of them again for each page.

use chassis::database::{is_one_of, now};
use chrono::{DateTime, Utc};
use entity::pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Order, SimpleExpr},
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

/// Reads the oldest undelivered rows of one state, at most `limit`.
pub async fn oldest(database: &impl ConnectionTrait, state: State, limit: u64) -> Result<Vec<Listed>, DbErr> {
    list(database, Some(state), &ids(database, Some(state), limit).await?).await
}

/// Reads the ids of undelivered rows, of one state or of all: the first `limit`.
pub async fn ids(database: &impl ConnectionTrait, state: Option<State>, limit: u64) -> Result<Vec<Uuid>, DbErr> {
    let ids = in_state(state).order_by(unindexed_id(), Order::Asc).limit(limit);
    ids.select_only().column(Column::Id).into_tuple().all(database).await
}

/// Reads those of these rows that are still undelivered and in this state.
pub async fn list(database: &impl ConnectionTrait, state: Option<State>, ids: &[Uuid]) -> Result<Vec<Listed>, DbErr> {
    let backend = database.get_database_backend();
    let rows = still(backend, state, ids).order_by_asc(Column::Id);
    rows.expr_as(now(backend), "now").into_model().all(database).await
}

/// Those of these rows that are still undelivered and in this state.
#[must_use]
pub fn still(backend: DbBackend, state: Option<State>, ids: &[Uuid]) -> Select<PendingPayments> {
    in_state(state).filter(is_one_of(backend, Column::Id, ids.iter().copied()))
}

fn in_state(state: Option<State>) -> Select<PendingPayments> {
    state.map_or_else(undelivered, State::rows)
}

/// The id of an undelivered row. By the column itself a planner may walk the primary key, which has all delivered rows;
/// by an expression it takes the index of due rows.
fn unindexed_id() -> SimpleExpr {
    Expr::case(Expr::col(Column::Finished), Option::<Uuid>::None).finally(Expr::col(Column::Id)).into()
}
