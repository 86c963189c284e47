//! Refusals: data that says what is wrong and carries what the client needs to go on.

use async_graphql::{Interface, SimpleObject, Union};
use entity::consultation;
use graphql_http::refusal::{self, InvalidInput};

use super::Consultation;
use crate::messages::MESSAGES;

/// The patient is in another consultation, which is not finished.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct PatientInConsultation {
    /// What is wrong, for people.
    message: String,
    /// `PATIENT_IN_CONSULTATION`, for programs.
    code: String,
    /// The path of the argument.
    field: Option<Vec<String>>,
    /// The consultation in progress.
    consultation: Consultation,
}

/// There is no consultation with this id.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ConsultationNotFound {
    /// What is wrong, for people.
    message: String,
    /// `CONSULTATION_NOT_FOUND`, for programs.
    code: String,
    /// The path of the argument.
    field: Option<Vec<String>>,
}

/// The consultation was finished before.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ConsultationAlreadyFinished {
    /// What is wrong, for people.
    message: String,
    /// `CONSULTATION_ALREADY_FINISHED`, for programs.
    code: String,
    /// The path of the argument.
    field: Option<Vec<String>>,
    /// The consultation as it was finished: a client whose answer was lost can go on with it.
    consultation: Consultation,
}

/// The consultation has no payment that could be sent.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct NoPendingPayment {
    /// What is wrong, for people.
    message: String,
    /// `NO_PENDING_PAYMENT`, for programs.
    code: String,
    /// The path of the argument.
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

/// Why a start was refused.
#[derive(Clone, Debug, Union)]
pub(crate) enum StartConsultationError {
    PatientInConsultation(PatientInConsultation),
    InvalidInput(InvalidInput),
}

/// Why a finish was refused.
#[derive(Clone, Debug, Union)]
pub(crate) enum FinishConsultationError {
    ConsultationNotFound(ConsultationNotFound),
    ConsultationAlreadyFinished(ConsultationAlreadyFinished),
    InvalidInput(InvalidInput),
}

/// Why a retry was refused.
#[derive(Clone, Debug, Union)]
pub(crate) enum RetryPendingPaymentError {
    NoPendingPayment(NoPendingPayment),
    InvalidInput(InvalidInput),
}

/// What every refusal has.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "code", ty = "&String", desc = "The kind of refusal, for programs."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path of the argument that was refused.")
)]
pub(crate) enum UserError {
    PatientInConsultation(PatientInConsultation),
    ConsultationNotFound(ConsultationNotFound),
    ConsultationAlreadyFinished(ConsultationAlreadyFinished),
    NoPendingPayment(NoPendingPayment),
    InvalidInput(InvalidInput),
}
