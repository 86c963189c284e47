//! The codes of refusals as an enum: an entry each.

use super::{
    AmountsAgree, ConsultationAlreadyFinished, ConsultationCancelled, ConsultationNotFound, NoPendingPayment,
    PatientInConsultation, PaymentNotRecorded, PaymentNotRefused,
};

graphql_http::user_error_codes! {
    /// The patient is in another consultation, which is in progress.
    PatientInConsultation,
    /// No consultation has this id.
    ConsultationNotFound,
    /// The consultation was finished before.
    ConsultationAlreadyFinished,
    /// The consultation was cancelled before.
    ConsultationCancelled,
    /// No payment can be sent.
    NoPendingPayment,
    /// Finance has not refused the payment.
    PaymentNotRefused,
    /// Finance has no payment of the consultation.
    PaymentNotRecorded,
    /// Finance has recorded the amount that is to be charged.
    AmountsAgree,
}

#[cfg(test)]
mod tests {
    use async_graphql::Object;
    use entity::{Money, consultation::Model};

    use super::{
        super::{SettlePendingPaymentError, UserError},
        *,
    };
    use crate::outbox::SettleRefusal;

    struct Query;

    #[Object]
    impl Query {
        async fn refusals(&self) -> Vec<UserError> {
            vec![
                PatientInConsultation::new(consultation()).into(),
                ConsultationNotFound::new().into(),
                ConsultationAlreadyFinished::new(consultation()).into(),
                ConsultationCancelled::new(consultation()).into(),
                NoPendingPayment::new().into(),
                InvalidInput::new(&["input"], "").into(),
                settlement(SettleRefusal::NotRefused(None)),
                settlement(SettleRefusal::NotRecorded),
                settlement(SettleRefusal::AmountsAgree(Money::ZERO)),
            ]
        }
    }

    fn settlement(refusal: SettleRefusal) -> UserError {
        match refusal.into() {
            SettlePendingPaymentError::PaymentNotRefused(refusal) => refusal.into(),
            SettlePendingPaymentError::PaymentNotRecorded(refusal) => refusal.into(),
            SettlePendingPaymentError::AmountsAgree(refusal) => refusal.into(),
            SettlePendingPaymentError::InvalidInput(refusal) => refusal.into(),
        }
    }

    fn consultation() -> Model {
        Model {
            id: uuid::Uuid::nil(),
            physician_id: uuid::Uuid::nil(),
            patient_id: uuid::Uuid::nil(),
            start_date: chrono::DateTime::default(),
            end_date: None,
            price_cents: None,
            started_by: None,
            finished_by: None,
            cancel_reason: None,
            cancelled_by: None,
            origin: None,
        }
    }

    #[tokio::test]
    async fn the_code_of_each_refusal_is_the_name_of_its_enum_value() {
        testkit::assert_codes_are_names(Query).await;
    }
}
