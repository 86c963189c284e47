//! The input, payload and refusals of `cancelConsultation`.

use async_graphql::{ID, InputObject, SimpleObject, Union};
use entity::consultation;
use graphql_http::refusal;

use super::{Consultation, ConsultationAlreadyFinished, ConsultationNotFound, InvalidInput};
use crate::messages::MESSAGES;

/// A consultation to cancel, and why.
#[derive(Debug, InputObject)]
pub(crate) struct CancelConsultationInput {
    /// Id of the consultation.
    pub(crate) consultation_id: ID,
    /// Why, in one line of 1 to 500 characters, not counting blanks at its ends. It is stored and shown as it is: better
    /// name no patient in it.
    pub(crate) reason: String,
}

/// Result of `cancelConsultation`.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct CancelConsultationPayload {
    /// The consultation. Null if it was refused.
    pub(crate) consultation: Option<Consultation>,
    /// Refusals. Empty on success.
    pub(crate) user_errors: Vec<CancelConsultationError>,
}

/// The consultation was cancelled before. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct ConsultationCancelled {
    /// Explanation for people, in the language of the request.
    pub(super) message: String,
    /// Always `CONSULTATION_CANCELLED`.
    pub(super) code: String,
    /// Path of the refused argument.
    pub(super) field: Option<Vec<String>>,
    /// The consultation as it was cancelled. A client whose response was lost can go on with it.
    consultation: Consultation,
}

impl ConsultationCancelled {
    pub(crate) fn new(cancelled: consultation::Model) -> Self {
        Self {
            message: MESSAGES.text("consultation-cancelled", &[]),
            code: "CONSULTATION_CANCELLED".to_owned(),
            field: refusal::field(&["input", "consultationId"]),
            consultation: cancelled.into(),
        }
    }
}

/// Refusals of `cancelConsultation`.
#[derive(Clone, Debug, Union)]
pub(crate) enum CancelConsultationError {
    ConsultationNotFound(ConsultationNotFound),
    ConsultationAlreadyFinished(ConsultationAlreadyFinished),
    ConsultationCancelled(ConsultationCancelled),
    InvalidInput(InvalidInput),
}
