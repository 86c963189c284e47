//! Records payments and checks the response: only a checked result is a success.

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
    /// Records 1 to 100 payments in one request, in this instance of finance only and in one currency. Returns the results in their order.
    /// At least one is not [`PaymentResult::Failed`]. A success must name the appointment and the amount that were
    /// sent.
    ///
    /// # Errors
    /// When finance is another instance, has another currency, or returns no result for any of them.
    pub async fn record_payments(
        &self,
        payments: &[Payment],
        instance_id: Uuid,
    ) -> Result<Vec<PaymentResult>, DestinationFailed> {
        let input = RecordPaymentsInput::new(payments, instance_id, self.currency);
        let GraphQlResponse { data, errors } =
            self.call(&RecordPayments::build(RecordPaymentsVariables { input })).await?;
        let payload = data.and_then(|data: RecordPayments| data.record_payments).unwrap_or_default();
        if let Some(told) = payload.other_instance() {
            self.ensure_accepted(told, instance_id)?;
        }
        if let Some(told) = payload.other_currency() {
            self.ensure_currency(told)?;
        }
        results(payload, &errors.unwrap_or_default(), payments)
    }
}

fn results(
    payload: RecordPaymentsPayload,
    errors: &[GraphQlError],
    payments: &[Payment],
) -> Result<Vec<PaymentResult>, DestinationFailed> {
    let fault = errors.first().map_or("it does not answer for each payment", |error| error.message.as_str());
    if payload.results.len() != payments.len() {
        // A refusal of the whole list comes here too.
        return Err(DestinationFailed::new(format!("finance failed: {fault}")));
    }
    let sent = payload.results.into_iter().zip(payments);
    let results: Vec<_> = sent.map(|(result, sent)| check(result, sent, fault)).collect();
    match results.first() {
        Some(PaymentResult::Failed(message))
            if results.iter().all(|result| matches!(result, PaymentResult::Failed(_))) =>
        {
            Err(DestinationFailed::new(message))
        }
        _ => Ok(results),
    }
}

fn check(result: Option<RecordPaymentPayload>, sent: &Payment, fault: &str) -> PaymentResult {
    let Some(result) = result else { return PaymentResult::Failed(format!("finance failed: {fault}")) };
    match (result.user_errors.into_iter().next(), result.payment) {
        (Some(RecordPaymentError::PaymentConflict(refusal)), _) => PaymentResult::Refused(refusal.to_string()),
        (Some(RecordPaymentError::InvalidInput(refusal)), _) => PaymentResult::Refused(refusal.to_string()),
        (Some(RecordPaymentError::Unknown), _) => PaymentResult::Refused("refused for an unknown reason".to_owned()),
        (None, Some(recorded)) if recorded == sent.into() => PaymentResult::Confirmed,
        (None, _) => PaymentResult::Failed("finance confirmed another payment than was sent".to_owned()),
    }
}
