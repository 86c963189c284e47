//! Lists of consultations and of pending payments: their rows and counts. Each list reads one range of an index, which
//! `m20261128_000019_order_consultations` names; what would have to read or sort a history is refused.

use chassis::database::{is_one_of, paging::Count, time_key, time_key_of, time_key_within};
use chrono::{DateTime, Utc};
use entity::{
    consultation::{Column, Entity as Consultations},
    pending_payment::{self, Entity as PendingPayments},
};
use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use thiserror::Error;
use uuid::Uuid;

use crate::outbox::{State, undelivered};

/// Conditions on consultations. All that are given hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The physician.
    pub physician_id: Option<Uuid>,
    /// The patient.
    pub patient_id: Option<Uuid>,
    /// The progress.
    pub progress: Option<Progress>,
    /// The ids.
    pub ids: Option<Vec<Uuid>>,
    /// The earliest start.
    pub started_from: Option<DateTime<Utc>>,
    /// The end of the period of starts, which is not in it.
    pub started_until: Option<DateTime<Utc>>,
}

/// Progress of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has not ended.
    InProgress,
    /// It has ended and was priced.
    Finished,
    /// It was cancelled.
    Cancelled,
}

/// The time that a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The start.
    Start,
    /// The end, of consultations that have ended.
    End,
}

/// Conditions that fit no order by end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unordered {
    /// The list would be empty.
    #[error("consultations in progress have no end: order them by START_DATE")]
    InProgress,
    /// No index has a period of starts in the order of ends.
    #[error(
        "a period of starts has no order by end: order it by START_DATE, or leave startedFrom and startedUntil out"
    )]
    Period,
}

impl Conditions {
    /// The time of the order.
    #[must_use]
    pub fn time(&self, by: By, backend: DbBackend) -> SimpleExpr {
        let column = match by {
            By::Start => Column::StartDate,
            By::End => Column::EndDate,
        };
        let is_within = self.ids.is_some() || self.patient_id.is_some() || self.physician_id.is_some();
        if is_within { time_key_within(backend, column) } else { time_key(backend, column) }
    }

    /// The consultations, without their order.
    ///
    /// # Errors
    /// When the conditions fit no order by end.
    pub fn rows(&self, by: By, backend: DbBackend) -> Result<Select<Consultations>, Unordered> {
        let is_period = self.started_from.is_some() || self.started_until.is_some();
        match (by, self.progress) {
            (By::End, Some(Progress::InProgress)) => return Err(Unordered::InProgress),
            (By::End, _) if is_period => return Err(Unordered::Period),
            _ => {}
        }
        let start = || self.time(By::Start, backend);
        let of_ids = self.ids.clone().map(|ids| is_one_of(backend, Column::Id, ids));
        let of_patient = self.patient_id.map(|id| Column::PatientId.eq(id));
        let by_ids = of_ids.is_some();
        let by_patient = by_ids || of_patient.is_some();
        // What has fewer rows comes first: no planner may choose the index of a condition behind it.
        let conditions = [
            (of_ids, false),
            (of_patient, by_ids),
            (self.physician_id.map(|id| Column::PhysicianId.eq(id)), by_patient),
            (self.progress.map(Progress::condition), by_ids),
            (
                (by == By::End && self.progress != Some(Progress::Cancelled)).then(|| Column::EndDate.is_not_null()),
                by_ids,
            ),
            (self.started_from.map(|from| start().gte(time_key_of(backend, from))), by_ids),
            (self.started_until.map(|until| start().lt(time_key_of(backend, until))), by_ids),
        ];
        let filtered = conditions.into_iter().fold(Consultations::find(), |rows, (condition, is_unindexed)| {
            rows.apply_if(condition, |rows, condition| {
                rows.filter(if is_unindexed { unindexed(backend, condition) } else { condition })
            })
        });
        Ok(filtered)
    }

    /// The count of these `rows`. Ended consultations grow without bound, so all of them are not counted one by one; those
    /// of a period, a physician or a patient are.
    #[must_use]
    pub fn count(&self, by: By, rows: &Select<Consultations>) -> Count {
        let ended = || Count::kept_of(Consultations).without(Count::of(&Consultations::find_in_progress()));
        let cancelled = || Count::kept_in(Consultations, "cancelled_count");
        let is_everyones = *self == Self { progress: self.progress, ..Self::default() };
        match (by, self.progress) {
            (By::Start, None) if is_everyones => Count::kept_of(Consultations),
            (By::End, None) if is_everyones => ended(),
            (_, Some(Progress::Finished)) if is_everyones => ended().without(cancelled()),
            (_, Some(Progress::Cancelled)) if is_everyones => cancelled(),
            _ => Count::of(rows),
        }
    }
}

impl Progress {
    fn condition(self) -> SimpleExpr {
        match self {
            Self::InProgress => Column::EndDate.is_null(),
            Self::Finished => Column::PriceCents.is_not_null(),
            Self::Cancelled => Column::CancelReason.is_not_null(),
        }
    }
}

/// The same condition in a form that is none of an index.
fn unindexed(backend: DbBackend, condition: SimpleExpr) -> SimpleExpr {
    let form = if backend == DbBackend::Sqlite { "(?) IS TRUE" } else { "($1) IS TRUE" };
    Expr::cust_with_expr(form, condition)
}

/// The pending payments that match, the time of their order, and their count. Finished ones grow without bound, so all of
/// them are not counted one by one.
#[must_use]
pub fn pending_payments(
    state: Option<State>,
    consultation_ids: Option<Vec<Uuid>>,
    backend: DbBackend,
) -> (Select<PendingPayments>, SimpleExpr, Count) {
    use pending_payment::Column::{AppointmentId, CreatedAt};
    let in_state = state.map_or_else(PendingPayments::find, State::rows);
    if let Some(ids) = consultation_ids {
        let rows = in_state.filter(is_one_of(backend, AppointmentId, ids));
        let count = Count::of(&rows);
        return (rows, time_key_within(backend, CreatedAt), count);
    }
    let all = || Count::kept_of(PendingPayments);
    let count = match state {
        None => all(),
        Some(State::Finished) => all().without(Count::of(&undelivered())),
        Some(_) => Count::of(&in_state),
    };
    (in_state, time_key(backend, CreatedAt), count)
}
