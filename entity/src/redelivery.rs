//! Owned by the consultation service: the confirmed payments that were delivered again, after finance had lost them.

use sea_orm::entity::prelude::*;

use crate::Money;

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
    /// Time of finance's confirmation, or of the settlement, before. Null if its row had been deleted after the retention time.
    pub confirmed_at: Option<DateTimeUtc>,
    /// Time of the request, by the database's clock.
    pub requested_at: DateTimeUtc,
    /// Name of the operator, at most 512 characters.
    pub requested_by: String,
    /// Amount of the settlement that stood then. Null without one, as are its reason, user and time. The pending payment
    /// has it too, until another settlement replaces it.
    pub settled_price_cents: Option<Money>,
    /// Why it was settled, at most 500 characters.
    pub settle_reason: Option<String>,
    /// Name of the operator that settled it, at most 512 characters.
    pub settled_by: Option<String>,
    /// Time of the settlement, by the database's clock.
    pub settled_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
