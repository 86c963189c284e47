//! Arguments of the API and payloads of its mutations.

use async_graphql::{ID, InputObject, SimpleObject};
use graphql_http::scalars::{DateTime, Uuid};

use super::{Consultation, FinishConsultationError, PendingPayment, RetryPendingPaymentError, StartConsultationError};

/// The physician and the patient of a consultation to start, and its start.
#[derive(Debug, InputObject)]
pub(crate) struct StartConsultationInput {
    /// Id of the physician: any UUID, since the service keeps no register of physicians.
    pub(crate) physician_id: Uuid,
    /// Id of the patient: any UUID, since the service keeps no register of patients.
    pub(crate) patient_id: Uuid,
    /// Start of a consultation that is entered after it began: not in the future, and at most 24 h ago unless the operator
    /// allows more or less. Default: now. Without an offset, as in "2021-08-02T12:00:00" or "2021-08-02T12:00", it is read
    /// in the time zone of the clinic.
    pub(crate) start_date: Option<DateTime>,
}

/// A consultation to finish, and its end.
#[derive(Debug, InputObject)]
pub(crate) struct FinishConsultationInput {
    /// Id of the consultation.
    pub(crate) consultation_id: ID,
    /// End: later than the start, and at most 24 h after it unless the operator allows more or less. Default: now,
    /// which is refused too if the start was longer ago. Without an offset, as in "2021-08-02T12:00:00" or
    /// "2021-08-02T12:00", it is read in the time zone of the clinic.
    pub(crate) end_date: Option<DateTime>,
}

/// A pending payment to send now.
#[derive(Debug, InputObject)]
pub(crate) struct RetryPendingPaymentInput {
    /// Id of the consultation that is paid for.
    pub(crate) consultation_id: ID,
}

/// Result of `startConsultation`.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct StartConsultationPayload {
    /// The consultation. Null if it was refused.
    pub(crate) consultation: Option<Consultation>,
    /// Refusals. Empty on success.
    pub(crate) user_errors: Vec<StartConsultationError>,
}

/// Result of `finishConsultation`.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct FinishConsultationPayload {
    /// The consultation. Null if it was refused.
    pub(crate) consultation: Option<Consultation>,
    /// Refusals. Empty on success.
    pub(crate) user_errors: Vec<FinishConsultationError>,
}

/// Result of `retryPendingPayment`.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct RetryPendingPaymentPayload {
    /// The pending payment, which is sent now. With status `PROCESSING` it is being sent, perhaps since before the retry:
    /// if finance refuses that send, the payment is parked again. Null if the retry was refused.
    pub(crate) pending_payment: Option<PendingPayment>,
    /// Refusals. Empty on success.
    pub(crate) user_errors: Vec<RetryPendingPaymentError>,
}
