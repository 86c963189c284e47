//! Owned by the consultation service: one medical consultation.

use sea_orm::entity::prelude::*;

use crate::Money;

/// A consultation is in progress until it has an end date and a price.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consultation")]
pub struct Model {
    /// UUIDv7, made from the start date: the order of ids is the order of starts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Id of the physician; not looked up anywhere.
    pub physician_id: Uuid,
    /// Id of the patient, who has at most one consultation in progress.
    pub patient_id: Uuid,
    /// UTC, to the millisecond.
    pub start_date: DateTimeUtc,
    /// UTC, to the millisecond; later than the start.
    pub end_date: Option<DateTimeUtc>,
    /// Set together with the end date.
    pub price_cents: Option<Money>,
    /// Name of the caller that started it, at most 512 characters. Null if an earlier version did.
    pub started_by: Option<String>,
    /// Name of the caller that finished it. Set only together with the end date.
    pub finished_by: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Named queries.
impl Entity {
    /// Consultations that have not been finished.
    #[must_use]
    pub fn find_in_progress() -> Select<Self> {
        Self::find().filter(Column::EndDate.is_null())
    }
}
