//! Owned by the consultation service: the confirmed payments that were delivered again, after finance had lost them.

use sea_orm::entity::prelude::*;

/// A request to deliver a payment again. It is written together with the pending payment, and never changes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redelivery")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Id of the consultation that is paid for.
    pub appointment_id: Uuid,
    /// Time of finance's confirmation before. Null if its row had been deleted after the retention time.
    pub confirmed_at: Option<DateTimeUtc>,
    /// Time of the request, by the database's clock.
    pub requested_at: DateTimeUtc,
    /// Name of the operator, at most 512 characters.
    pub requested_by: String,
}

impl ActiveModelBehavior for ActiveModel {}
