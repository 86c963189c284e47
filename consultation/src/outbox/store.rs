//! The store of the outbox: the statements on `pending_payment` and `delivery_destination`, except the finish's own
//! insert. The two dialects of a statement stand side by side.
//!
//! The database's clock decides which rows are due: a wrong clock of a replica costs latency at most. Every function
//! fails when the database fails.

#![expect(clippy::missing_errors_doc, reason = "said above, once")]

mod backlog;
mod claim;
mod destination;
mod list;
mod redelivery;
mod redrive;
mod rescue;
mod retention;
mod settlement;
mod time;
mod transitions;

use entity::pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

pub use backlog::{Backlog, backlog};
pub use claim::{Due, Lease, claim, claim_sql};
pub use destination::{accept, destination, meet};
pub use list::{Listed, ids, list, oldest, still};
pub use redelivery::{Lost, redeliver};
pub use redrive::{Redriven, redrive, redrive_parked};
pub use rescue::{rescue, rescue_sql, rescue_values};
pub use retention::delete_delivered;
pub use settlement::settle;
pub use time::now_plus;
pub(crate) use time::now_plus_seconds;
pub use transitions::{Failure, confirm, park, postpone, release};

/// Finds the pending payment of a consultation.
pub async fn find(database: &impl ConnectionTrait, appointment_id: Uuid) -> Result<Option<PendingPayment>, DbErr> {
    PendingPayments::find().filter(Column::AppointmentId.eq(appointment_id)).one(database).await
}
