//! Recording payments, and what counts as finance's word that they are recorded.

use cynic::{GraphQlError, GraphQlResponse, MutationBuilder};
use uuid::Uuid;

use super::{
    DestinationFailed, FinanceClient, Payment, PaymentResult,
    queries::{
        RecordPaymentError, RecordPaymentPayload, RecordPayments, RecordPaymentsInput, RecordPaymentsPayload,
        RecordPaymentsVariables,
    },
};

impl FinanceClient {
    /// Records 1 to 100 payments in one request, in the finance of this instance id only. Gives an answer for each, in
    /// their order, of which one at least is not [`PaymentResult::Failed`]. Only a checked answer is success: finance must
    /// name the appointment and the amount that were sent.
    ///
    /// # Errors
    /// When finance is another, or answers for none of them.
    pub async fn record_payments(
        &self,
        payments: &[Payment],
        instance_id: Uuid,
    ) -> Result<Vec<PaymentResult>, DestinationFailed> {
        let input = RecordPaymentsInput::new(payments, instance_id);
        let GraphQlResponse { data, errors } =
            self.call(&RecordPayments::build(RecordPaymentsVariables { input })).await?;
        let payload = data.and_then(|data: RecordPayments| data.record_payments).unwrap_or_default();
        if let Some(told) = payload.other_instance() {
            self.ensure_accepted(told, instance_id)?;
        }
        answers(payload, &errors.unwrap_or_default(), payments)
    }
}

fn answers(
    payload: RecordPaymentsPayload,
    errors: &[GraphQlError],
    payments: &[Payment],
) -> Result<Vec<PaymentResult>, DestinationFailed> {
    let fault = errors.first().map_or("it does not answer for each payment", |error| error.message.as_str());
    if payload.results.len() != payments.len() {
        // The refusal of the whole list among them.
        return Err(DestinationFailed::new(format!("finance failed: {fault}")));
    }
    let results = payload.results.into_iter().zip(payments);
    let answers: Vec<_> = results.map(|(result, sent)| answer(result, sent, fault)).collect();
    match answers.first() {
        Some(PaymentResult::Failed(message))
            if answers.iter().all(|answer| matches!(answer, PaymentResult::Failed(_))) =>
        {
            Err(DestinationFailed::new(message))
        }
        _ => Ok(answers),
    }
}

fn answer(result: Option<RecordPaymentPayload>, sent: &Payment, fault: &str) -> PaymentResult {
    let Some(result) = result else { return PaymentResult::Failed(format!("finance failed: {fault}")) };
    match (result.user_errors.into_iter().next(), result.payment) {
        (Some(RecordPaymentError::PaymentConflict(refusal)), _) => PaymentResult::Refused(refusal.to_string()),
        (Some(RecordPaymentError::InvalidInput(refusal)), _) => PaymentResult::Refused(refusal.to_string()),
        (Some(RecordPaymentError::Unknown), _) => PaymentResult::Refused("refused for an unknown reason".to_owned()),
        (None, Some(recorded)) if recorded == sent.into() => PaymentResult::Confirmed,
        (None, _) => PaymentResult::Failed("finance confirmed another payment than was sent".to_owned()),
    }
}
