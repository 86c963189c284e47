//! Conditions on what subscribers of a list receive. They are applied to rows that were read: a change says an id alone.

use async_graphql::InputObject;
use graphql_http::scalars::Uuid;

use super::{Consultation, ConsultationStatus, PendingPayment, PendingPaymentStatus};

/// Conditions on consultations to follow. All that are given must hold at the time of the event.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ConsultationChangeFilter {
    /// Consultations of this physician.
    physician_id: Option<Uuid>,
    /// Consultations of this patient.
    patient_id: Option<Uuid>,
    /// Consultations that have this status now. One that leaves the status is not sent.
    status: Option<ConsultationStatus>,
}

/// Conditions on pending payments to follow.
#[derive(Debug, Default, InputObject)]
pub(crate) struct PendingPaymentChangeFilter {
    /// Pending payments that have this status now. One that leaves the status is not sent.
    status: Option<PendingPaymentStatus>,
}

impl ConsultationChangeFilter {
    pub(crate) fn matches(&self, consultation: &Consultation) -> bool {
        self.physician_id.is_none_or(|id| id == consultation.physician_id)
            && self.patient_id.is_none_or(|id| id == consultation.patient_id)
            && self.status.is_none_or(|status| status == consultation.status)
    }
}

impl PendingPaymentChangeFilter {
    pub(crate) fn matches(&self, payment: &PendingPayment) -> bool {
        self.status.is_none_or(|status| status == payment.status)
    }
}
