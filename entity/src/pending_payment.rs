//! Owned by the consultation service: the outbox, one row per finished consultation.

use sea_orm::entity::prelude::*;

use crate::Money;

/// A payment on its way to finance. See the consultation service's `outbox` module for its states.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_payment")]
pub struct Model {
    /// UUIDv7 made before the finish was written: it tells who finished the consultation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The consultation; unique.
    #[sea_orm(unique)]
    pub appointment_id: Uuid,
    /// The consultation's price: what is sent, never computed again.
    pub total_price_cents: Money,
    /// Sends started.
    pub tries: i64,
    /// A relay holds the row until `lease_until`.
    pub processing: bool,
    /// Finance has confirmed the payment; never taken back.
    pub finished: bool,
    /// When it is due, by the database's clock.
    pub next_attempt_at: DateTimeUtc,
    /// Until when the relay that claimed it may send it.
    pub lease_until: Option<DateTimeUtc>,
    /// Fencing token: grows by one with every claim.
    pub claim_seq: i64,
    /// The last failure, at most 500 characters.
    pub last_error: Option<String>,
    /// How often finance refused the row itself.
    pub rejections: i32,
    /// When finance first refused it; an operator should look.
    pub parked_at: Option<DateTimeUtc>,
    /// When the consultation was finished, by the database's clock.
    pub created_at: DateTimeUtc,
    /// When finance confirmed it.
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
