//! Conditions and orders of the lists.

use async_graphql::{Enum, ID, InputObject};
use graphql_http::scalars::{DateTime, Uuid};

use super::{ConsultationStatus, PendingPaymentStatus};

/// Conditions on consultations. All that are given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ConsultationFilter {
    /// Consultations of this physician.
    pub(crate) physician_id: Option<Uuid>,
    /// Consultations of this patient.
    pub(crate) patient_id: Option<Uuid>,
    /// Consultations with this status.
    pub(crate) status: Option<ConsultationStatus>,
    /// Consultations with these ids, at most 100. Unknown ids are left out.
    pub(crate) ids: Option<Vec<ID>>,
    /// Consultations that started at this time or later. Not in the order `END_DATE`. Without an offset, as in
    /// "2021-08-02T12:00:00" or "2021-08-02T12:00", it is read in the time zone of the clinic.
    pub(crate) started_from: Option<DateTime>,
    /// Consultations that started before this time, which is not included: the next midnight ends a day. Otherwise as
    /// `startedFrom`.
    pub(crate) started_until: Option<DateTime>,
}

/// Order of consultations. Those of the same time are in the order of their ids.
#[derive(Debug, InputObject)]
pub(crate) struct ConsultationOrder {
    /// Field to order by.
    pub(crate) field: ConsultationOrderField,
    /// Direction of the order.
    pub(crate) direction: OrderDirection,
}

/// Fields to order consultations by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ConsultationOrderField {
    /// Start of the consultation.
    StartDate,
    /// End of the consultation. The list leaves out consultations in progress.
    EndDate,
}

/// Direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum OrderDirection {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// Conditions on pending payments. All that are given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct PendingPaymentFilter {
    /// Pending payments with this status.
    pub(crate) status: Option<PendingPaymentStatus>,
    /// Pending payments of these consultations, at most 100.
    pub(crate) consultation_ids: Option<Vec<ID>>,
}

/// Order of pending payments. Those of the same time are in the order of their ids.
#[derive(Debug, InputObject)]
pub(crate) struct PendingPaymentOrder {
    /// Field to order by.
    pub(crate) field: PendingPaymentOrderField,
    /// Direction of the order.
    pub(crate) direction: OrderDirection,
}

/// Fields to order pending payments by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum PendingPaymentOrderField {
    /// Time at which the finish was stored.
    CreatedAt,
}
