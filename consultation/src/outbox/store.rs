//! The store of the outbox: every statement on `pending_payment` and `delivery_destination` but the one that finishes on
//! PostgreSQL. The two dialects of a statement stand side by side.
//!
//! The database's clock decides which rows are due: a wrong clock of a replica costs latency at most. Every function
//! fails when the database fails.

#![expect(clippy::missing_errors_doc, reason = "said above, once")]

mod claim;
mod destination;
mod rescue;
mod retention;
mod time;
mod transitions;

use std::{collections::HashMap, time::Duration};

use chassis::database::is_one_of;
use entity::{
    Money,
    pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, sea_query::Query};
use uuid::Uuid;

pub use claim::{Due, Lease, claim, claim_sql};
pub use destination::{accept, destination, meet};
pub use rescue::{rescue, rescue_sql, rescue_values};
pub use retention::delete_delivered;
pub use time::now_plus;
pub(crate) use time::now_plus_seconds;
pub use transitions::{Failure, confirm, park, postpone, redrive, release};

/// A payment to deliver.
#[derive(Clone, Copy, Debug)]
pub struct Enqueue {
    /// The row's id.
    pub id: Uuid,
    /// The finished consultation.
    pub appointment_id: Uuid,
    /// Its price.
    pub total_price: Money,
}

/// Adds payments that are due at once, in the transaction that finishes their consultations.
///
/// # Errors
/// Also when a consultation has a pending payment already.
pub async fn enqueue(transaction: &impl ConnectionTrait, payments: &[Enqueue]) -> Result<(), DbErr> {
    let now = || now_plus(transaction.get_database_backend(), Duration::ZERO);
    let columns =
        [Column::Id, Column::AppointmentId, Column::TotalPriceCents, Column::NextAttemptAt, Column::CreatedAt];
    let mut insert = Query::insert().into_table(PendingPayments).columns(columns).to_owned();
    for payment in payments {
        let total_price = payment.total_price.cents();
        insert.values_panic([payment.id.into(), payment.appointment_id.into(), total_price.into(), now(), now()]);
    }
    transaction.execute(&insert).await?;
    Ok(())
}

/// The ids of the pending payments of these consultations, by consultation.
pub(crate) async fn pending_payment_ids(
    database: &impl ConnectionTrait,
    appointment_ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, Uuid>, DbErr> {
    if appointment_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<(Uuid, Uuid)> = PendingPayments::find()
        .select_only()
        .columns([Column::AppointmentId, Column::Id])
        .filter(is_one_of(database.get_database_backend(), Column::AppointmentId, appointment_ids))
        .into_tuple()
        .all(database)
        .await?;
    Ok(ids.into_iter().collect())
}

/// Finds the pending payment of a consultation.
pub async fn find(database: &impl ConnectionTrait, appointment_id: Uuid) -> Result<Option<PendingPayment>, DbErr> {
    PendingPayments::find().filter(Column::AppointmentId.eq(appointment_id)).one(database).await
}
