//! Recording payments.

use async_graphql::{Context, Object, Result};
use chassis::{
    clock,
    graphql::refusal::{InvalidInput, not_written},
    write_coalescer::WriteCoalescer,
};
use entity::Money;
use futures_util::future::try_join_all;

use super::types::{
    PaymentConflict, RecordPaymentError, RecordPaymentInput, RecordPaymentPayload, RecordPaymentsError,
    RecordPaymentsInput, RecordPaymentsPayload,
};
use crate::payment::{Record, RecordWriter, Recorded};

/// How many payments one request may carry.
const MAX_PAYMENTS: usize = 100;

#[derive(Debug)]
pub struct Mutation;

/// Recording payments.
// `Option<Result<T>>`, not the other way round: a fault then nulls its own field, not those beside it.
#[Object]
impl Mutation {
    /// Records the payment of an appointment. Safe to repeat: the same amount again answers with the
    /// stored payment, another amount is refused.
    async fn record_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment.")] input: RecordPaymentInput,
    ) -> Option<Result<RecordPaymentPayload>> {
        Some(record(ctx, input, &["input"]).await)
    }

    /// Records up to 100 payments, each by itself: a refused one costs the others nothing.
    async fn record_payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payments.")] input: RecordPaymentsInput,
    ) -> Option<Result<RecordPaymentsPayload>> {
        Some(record_all(ctx, input).await)
    }
}

async fn record_all(ctx: &Context<'_>, input: RecordPaymentsInput) -> Result<RecordPaymentsPayload> {
    if !(1..=MAX_PAYMENTS).contains(&input.payments.len()) {
        let error = InvalidInput::new(&["input", "payments"], format!("want 1 to {MAX_PAYMENTS} payments"));
        let user_errors = vec![RecordPaymentsError::InvalidInput(error)];
        return Ok(RecordPaymentsPayload { user_errors, ..RecordPaymentsPayload::default() });
    }
    let payments = input.payments.into_iter().enumerate();
    let results =
        payments.map(async |(index, payment)| record(ctx, payment, &["input", "payments", &index.to_string()]).await);
    Ok(RecordPaymentsPayload { results: try_join_all(results).await?, ..RecordPaymentsPayload::default() })
}

async fn record(ctx: &Context<'_>, input: RecordPaymentInput, path: &[&str]) -> Result<RecordPaymentPayload> {
    let total_price_path = &[path, &["totalPrice"]].concat();
    let total_price = match Money::try_from(input.total_price.0) {
        Ok(total_price) => total_price,
        Err(error) => {
            let error = InvalidInput::new(total_price_path, format!("totalPrice {error}"));
            return Ok(RecordPaymentPayload::refused(RecordPaymentError::InvalidInput(error)));
        }
    };
    let record = Record::new(input.appointment_id.0, total_price, clock::now());
    let recorded = ctx.data_unchecked::<WriteCoalescer<RecordWriter>>().write(record).await.map_err(not_written)?;
    Ok(match recorded {
        Recorded::New(payment) => {
            RecordPaymentPayload { payment: Some(payment.into()), ..RecordPaymentPayload::default() }
        }
        Recorded::Already(payment) => {
            RecordPaymentPayload { payment: Some(payment.into()), already_recorded: true, user_errors: Vec::new() }
        }
        Recorded::Conflict(stored) => {
            let conflict = PaymentConflict::new(total_price_path, stored);
            RecordPaymentPayload::refused(RecordPaymentError::PaymentConflict(conflict))
        }
    })
}

impl RecordPaymentPayload {
    fn refused(error: RecordPaymentError) -> Self {
        Self { user_errors: vec![error], ..Self::default() }
    }
}
