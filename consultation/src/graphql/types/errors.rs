//! Refusals. They are data: each names the argument and carries what the client needs to go on.

use async_graphql::{Interface, SimpleObject, Union};
use entity::consultation;
use graphql_http::refusal;

use super::{
    AmountsAgree, Consultation, ConsultationCancelled, InvalidInput, PaymentNotRecorded, PaymentNotRefused,
    UserErrorCode,
};
use crate::messages::MESSAGES;

/// The patient is in another consultation, which is in progress.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PatientInConsultation {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `PATIENT_IN_CONSULTATION`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
    /// The patient's consultation in progress.
    consultation: Consultation,
}

/// No consultation has this id.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct ConsultationNotFound {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `CONSULTATION_NOT_FOUND`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
}

/// The consultation was finished before. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct ConsultationAlreadyFinished {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `CONSULTATION_ALREADY_FINISHED`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
    /// The consultation as it was finished. A client whose response was lost can go on with it.
    consultation: Consultation,
}

/// No payment can be sent: the consultation is unknown, in progress or cancelled, or finance has confirmed its payment.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct NoPendingPayment {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `NO_PENDING_PAYMENT`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
}

impl PatientInConsultation {
    pub(crate) fn new(in_progress: consultation::Model) -> Self {
        Self {
            message: MESSAGES.text("patient-in-consultation", &[("consultation", &in_progress.id)]),
            code: "PATIENT_IN_CONSULTATION".to_owned(),
            field: refusal::field(&["input", "patientId"]),
            consultation: in_progress.into(),
        }
    }
}

impl ConsultationNotFound {
    pub(crate) fn new() -> Self {
        Self {
            message: MESSAGES.text("consultation-not-found", &[]),
            code: "CONSULTATION_NOT_FOUND".to_owned(),
            field: refusal::field(&["input", "consultationId"]),
        }
    }
}

impl ConsultationAlreadyFinished {
    pub(crate) fn new(finished: consultation::Model) -> Self {
        Self {
            message: MESSAGES.text("consultation-already-finished", &[]),
            code: "CONSULTATION_ALREADY_FINISHED".to_owned(),
            field: refusal::field(&["input", "consultationId"]),
            consultation: finished.into(),
        }
    }
}

impl NoPendingPayment {
    pub(crate) fn new() -> Self {
        Self {
            message: MESSAGES.text("no-pending-payment", &[]),
            code: "NO_PENDING_PAYMENT".to_owned(),
            field: refusal::field(&["input", "consultationId"]),
        }
    }
}

/// Refusals of `startConsultation`.
#[expect(clippy::large_enum_variant, reason = "one is made for a request, and sent")]
#[derive(Clone, Debug, Union)]
pub(crate) enum StartConsultationError {
    PatientInConsultation(PatientInConsultation),
    InvalidInput(InvalidInput),
}

/// Refusals of `finishConsultation`.
#[derive(Clone, Debug, Union)]
pub(crate) enum FinishConsultationError {
    ConsultationNotFound(ConsultationNotFound),
    ConsultationAlreadyFinished(ConsultationAlreadyFinished),
    ConsultationCancelled(ConsultationCancelled),
    InvalidInput(InvalidInput),
}

/// Refusals of `retryPendingPayment`.
#[derive(Clone, Debug, Union)]
pub(crate) enum RetryPendingPaymentError {
    NoPendingPayment(NoPendingPayment),
    InvalidInput(InvalidInput),
}

/// A refusal. Every kind of refusal has these fields.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "Explanation for people, in the language of the request."),
    field(name = "code", ty = "&String", desc = "Kind of refusal, for programs. It never changes."),
    field(name = "error_code", ty = "UserErrorCode", desc = "Kind of refusal: `code` as an enum."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "Path of the refused argument.")
)]
pub(crate) enum UserError {
    PatientInConsultation(PatientInConsultation),
    ConsultationNotFound(ConsultationNotFound),
    ConsultationAlreadyFinished(ConsultationAlreadyFinished),
    ConsultationCancelled(ConsultationCancelled),
    NoPendingPayment(NoPendingPayment),
    PaymentNotRefused(PaymentNotRefused),
    PaymentNotRecorded(PaymentNotRecorded),
    AmountsAgree(AmountsAgree),
    InvalidInput(InvalidInput),
}
