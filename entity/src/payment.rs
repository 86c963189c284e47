//! Owned by the finance service: the payment entry of one finished consultation.

use sea_orm::entity::prelude::*;

use crate::Money;

/// At most one payment exists per appointment, and it never changes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    /// UUIDv7 made when it was recorded: ordering by id is ordering by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The consultation that is paid for; unique.
    #[sea_orm(unique)]
    pub appointment_id: Uuid,
    /// What is charged.
    pub total_price_cents: Money,
    /// UTC, to the millisecond.
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
