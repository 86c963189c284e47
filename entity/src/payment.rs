//! Owned by the finance service: the payment entry of one finished consultation.

use sea_orm::entity::prelude::*;

use crate::Money;

/// At most one payment exists per appointment, and it never changes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    /// UUIDv7, made before it is recorded: the order of ids is about the order of recording.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Id of the consultation that is paid for; unique.
    #[sea_orm(unique)]
    pub appointment_id: Uuid,
    /// Amount that is charged.
    pub total_price_cents: Money,
    /// Time of recording: UTC, to the millisecond.
    pub recorded_at: DateTimeUtc,
    /// Name of the caller that recorded it, at most 512 characters. Null if an earlier version did.
    pub recorded_by: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
