//! The list of payments: its rows and their count. It reads one range of an index, of the times of recording or of the
//! appointments.

use chassis::database::{is_one_of, paging::Count, time_key, time_key_of, time_key_within};
use chrono::{DateTime, Utc};
use entity::payment::{Column, Entity as Payments};
use sea_orm::{
    DbBackend, EntityTrait, QueryFilter, Select,
    sea_query::{ExprTrait, SimpleExpr},
};
use uuid::Uuid;

/// Conditions on payments. All that are given hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The appointments.
    pub appointment_ids: Option<Vec<Uuid>>,
    /// The earliest time of recording.
    pub recorded_from: Option<DateTime<Utc>>,
    /// The end of the period of recording, which is not in it.
    pub recorded_before: Option<DateTime<Utc>>,
}

impl Conditions {
    /// The payments, the time of their order, and their count.
    #[must_use]
    pub fn rows(self, backend: DbBackend) -> (Select<Payments>, SimpleExpr, Count) {
        let is_all = self == Self::default();
        let key = if self.appointment_ids.is_some() { time_key_within } else { time_key };
        let recorded = || key(backend, Column::RecordedAt);
        let conditions: [Option<SimpleExpr>; 3] = [
            self.appointment_ids.map(|ids| is_one_of(backend, Column::AppointmentId, ids)),
            self.recorded_from.map(|from| recorded().gte(time_key_of(backend, from))),
            self.recorded_before.map(|before| recorded().lt(time_key_of(backend, before))),
        ];
        let rows = conditions.into_iter().flatten().fold(Payments::find(), QueryFilter::filter);
        let count = if is_all { Count::kept_of(Payments) } else { Count::of(&rows) };
        (rows, recorded(), count)
    }
}
