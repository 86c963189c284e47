//! Owned by the consultation service: one medical consultation.

use sea_orm::entity::prelude::*;

use crate::Money;

/// A consultation is in progress until it has an end date; with it comes a price, or the reason of its cancellation.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consultation")]
pub struct Model {
    /// A UUIDv7 of the start; an imported consultation keeps the id that it had.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Id of the physician; not looked up anywhere.
    pub physician_id: Uuid,
    /// Id of the patient, who has at most one consultation in progress.
    pub patient_id: Uuid,
    /// UTC, to the millisecond.
    pub start_date: DateTimeUtc,
    /// UTC, to the millisecond; later than the start. Of a cancelled consultation the time of the cancellation.
    pub end_date: Option<DateTimeUtc>,
    /// Set together with the end date, unless the consultation was cancelled.
    pub price_cents: Option<Money>,
    /// Name of the caller that started it, at most 512 characters. Null if an earlier version did.
    pub started_by: Option<String>,
    /// Name of the caller that finished it. Set only together with the end date.
    pub finished_by: Option<String>,
    /// Why it was cancelled, at most 500 characters. Null unless it was.
    pub cancel_reason: Option<String>,
    /// Name of the caller that cancelled it. Set only together with the reason.
    pub cancelled_by: Option<String>,
    /// Null if a client of this service started it.
    pub origin: Option<Origin>,
}

/// Where a consultation comes from that no client of this service started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Origin {
    /// Finance had its payment, and this service had lost it.
    #[sea_orm(string_value = "ADOPTED")]
    Adopted,
    /// It was in the predecessor's database.
    #[sea_orm(string_value = "IMPORTED")]
    Imported,
}

impl ActiveModelBehavior for ActiveModel {}

/// Named queries.
impl Entity {
    /// Consultations that have not ended.
    #[must_use]
    pub fn find_in_progress() -> Select<Self> {
        Self::find().filter(Column::EndDate.is_null())
    }

    /// Consultations that have ended and were priced.
    #[must_use]
    pub fn find_finished() -> Select<Self> {
        Self::find().filter(Column::PriceCents.is_not_null())
    }
}
