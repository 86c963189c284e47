//! Arguments and what mutations answer.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use graphql_http::scalars::{DateTime, Uuid};

use super::{
    Consultation, ConsultationStatus, FinishConsultationError, PendingPayment, PendingPaymentStatus,
    RetryPendingPaymentError, StartConsultationError,
};

/// A consultation to start, now.
#[derive(Debug, InputObject)]
pub(crate) struct StartConsultationInput {
    /// Who treats.
    pub(crate) physician_id: Uuid,
    /// Who is treated.
    pub(crate) patient_id: Uuid,
}

/// A consultation to finish.
#[derive(Debug, InputObject)]
pub(crate) struct FinishConsultationInput {
    /// Which one.
    pub(crate) consultation_id: ID,
    /// When it ended: later than its start, and at most 24 h after it unless the operator allows more or less. By
    /// default now, which is refused too when the start was longer ago. Without an offset, as in
    /// "2021-08-02T12:00:00" or "2021-08-02T12:00", it is read in the time zone of the clinic.
    pub(crate) end_date: Option<DateTime>,
}

/// A pending payment to send now.
#[derive(Debug, InputObject)]
pub(crate) struct RetryPendingPaymentInput {
    /// The consultation that is paid for.
    pub(crate) consultation_id: ID,
}

/// What became of a start.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct StartConsultationPayload {
    /// The consultation, unless it was refused.
    pub(crate) consultation: Option<Consultation>,
    /// Why it was refused; empty on success.
    pub(crate) user_errors: Vec<StartConsultationError>,
}

/// What became of a finish.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct FinishConsultationPayload {
    /// The consultation, unless it was refused.
    pub(crate) consultation: Option<Consultation>,
    /// Why it was refused; empty on success.
    pub(crate) user_errors: Vec<FinishConsultationError>,
}

/// What became of a retry.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct RetryPendingPaymentPayload {
    /// The pending payment, which is sent now, unless it was refused.
    pub(crate) pending_payment: Option<PendingPayment>,
    /// Why it was refused; empty on success.
    pub(crate) user_errors: Vec<RetryPendingPaymentError>,
}

/// Which consultations to list; conditions add up.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ConsultationFilter {
    /// Only those of this physician.
    pub(crate) physician_id: Option<Uuid>,
    /// Only those of this patient.
    pub(crate) patient_id: Option<Uuid>,
    /// Only those with this status.
    pub(crate) status: Option<ConsultationStatus>,
}

/// How to order consultations.
#[derive(Debug, InputObject)]
pub(crate) struct ConsultationOrder {
    /// By what.
    pub(crate) field: ConsultationOrderField,
    /// Which way.
    pub(crate) direction: OrderDirection,
}

/// By what to order consultations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ConsultationOrderField {
    /// When they started.
    StartDate,
}

/// Which way to order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum OrderDirection {
    /// The oldest first.
    Asc,
    /// The newest first.
    Desc,
}

/// Which pending payments to list.
#[derive(Debug, Default, InputObject)]
pub(crate) struct PendingPaymentFilter {
    /// Only those with this status.
    pub(crate) status: Option<PendingPaymentStatus>,
}
