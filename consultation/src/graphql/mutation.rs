//! Starting, finishing and cancelling consultations, and sending or settling a pending payment.

mod cancel;
mod settle;
mod start;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use chassis::{audit, graphql::not_written};
use chrono_tz::Tz;
use graphql_http::{Caller, observer::Touched};
use uuid::Uuid;

use super::types::{
    CancelConsultationInput, CancelConsultationPayload, ConsultationAlreadyFinished, ConsultationCancelled,
    ConsultationNotFound, FinishConsultationError, FinishConsultationInput, FinishConsultationPayload, InvalidInput,
    NoPendingPayment, RetryPendingPaymentError, RetryPendingPaymentInput, RetryPendingPaymentPayload,
    SettlePendingPaymentInput, SettlePendingPaymentPayload, StartConsultationInput, StartConsultationPayload,
};
use crate::{
    end_date,
    messages::{self, MESSAGES},
    outbox::{
        Redrive,
        store::{self, Redriven},
    },
    reason::{InvalidReason, Reason},
    rules::{FinishRefusal, Finished},
    writers::Consultations,
};

/// Path of the `endDate` argument, for user errors.
const END_DATE: [&str; 2] = ["input", "endDate"];

#[derive(Debug)]
pub struct Mutation;

/// Starting, finishing and cancelling consultations.
// `Option<Result<T>>`, not the other way round: a fault then nulls its own field, not those beside it.
#[Object]
impl Mutation {
    /// Starts a consultation, now or at a date in the past. A patient is in at most one consultation at a time.
    async fn start_consultation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The physician and the patient, and the start.")] input: StartConsultationInput,
    ) -> Option<Result<StartConsultationPayload>> {
        Some(start::start(ctx, input).await)
    }

    /// Finishes a consultation and prices it. Finance records its payment soon after, exactly once.
    async fn finish_consultation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The consultation and its end.")] input: FinishConsultationInput,
    ) -> Option<Result<FinishConsultationPayload>> {
        Some(finish(ctx, input).await)
    }

    /// Ends a consultation in progress without a charge, as when it was started by mistake. That is final.
    async fn cancel_consultation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The consultation, and why.")] input: CancelConsultationInput,
    ) -> Option<Result<CancelConsultationPayload>> {
        Some(cancel::cancel(ctx, input).await)
    }

    /// Sends a pending payment now, even if finance has refused it before.
    async fn retry_pending_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment.")] input: RetryPendingPaymentInput,
    ) -> Option<Result<RetryPendingPaymentPayload>> {
        Some(retry(ctx, input).await)
    }

    /// Lets the amount stand that finance has recorded, for a payment that finance refuses because of it. The amount is read
    /// from finance at that moment and stored beside the price; the payment is not sent any more. It cannot be undone.
    async fn settle_pending_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment, and the reason.")] input: SettlePendingPaymentInput,
    ) -> Option<Result<SettlePendingPaymentPayload>> {
        Some(settle::settle(ctx, input).await)
    }
}

async fn finish(ctx: &Context<'_>, input: FinishConsultationInput) -> Result<FinishConsultationPayload> {
    let time_zone = *ctx.data_unchecked::<Tz>();
    let end_date = input.end_date.map(|end_date| end_date::at(end_date, time_zone, "endDate")).transpose();
    let end_date = end_date.map_err(|message| InvalidInput::new(&END_DATE, message));
    let (id, end_date) = match (consultation_id(&input.consultation_id), end_date) {
        (Ok(id), Ok(end_date)) => (id, end_date),
        (Err(refusal), _) | (_, Err(refusal)) => return Ok(FinishConsultationError::from(refusal).into()),
    };
    let finished = ctx.data_unchecked::<Consultations>().finish(id, end_date, user(ctx)).await;
    if let Ok(Err(FinishRefusal::AlreadyFinished(ended) | FinishRefusal::Cancelled(ended))) = &finished {
        Touched::by(ctx).add([ended.id]);
    }
    Ok(finished.map_err(not_written)?.into())
}

async fn retry(ctx: &Context<'_>, input: RetryPendingPaymentInput) -> Result<RetryPendingPaymentPayload> {
    let id = match consultation_id(&input.consultation_id) {
        Ok(id) => id,
        Err(refusal) => return Ok(RetryPendingPaymentError::from(refusal).into()),
    };
    let redrive = ctx.data_unchecked::<Redrive>();
    let redriven = redrive.one(id, &user(ctx)).await;
    Touched::by(ctx).add([id]);
    if redriven? == Redriven::NothingToSend {
        return Ok(RetryPendingPaymentError::from(NoPendingPayment::new()).into());
    }
    let pending_payment = store::find(&redrive.database.write, id).await?.map(Into::into);
    Ok(RetryPendingPaymentPayload { pending_payment, user_errors: Vec::new() })
}

fn user(ctx: &Context<'_>) -> Arc<str> {
    audit::user(ctx.data_unchecked::<Caller>())
}

fn reason(text: &str) -> Result<Reason, InvalidInput> {
    text.parse().map_err(|invalid: InvalidReason| InvalidInput::new(&["input", "reason"], invalid.message("reason")))
}

fn consultation_id(id: &ID) -> Result<Uuid, InvalidInput> {
    id.parse().map_err(|_| {
        let message = MESSAGES.text("not-a-uuid", &[("argument", &"consultationId")]);
        InvalidInput::new(&["input", "consultationId"], message)
    })
}

impl From<Finished> for FinishConsultationPayload {
    fn from(finished: Finished) -> Self {
        let refusal: FinishConsultationError = match finished {
            Ok(consultation) => return Self { consultation: Some(consultation.into()), ..Self::default() },
            Err(FinishRefusal::NotFound) => ConsultationNotFound::new().into(),
            Err(FinishRefusal::AlreadyFinished(finished)) => ConsultationAlreadyFinished::new(*finished).into(),
            Err(FinishRefusal::Cancelled(cancelled)) => ConsultationCancelled::new(*cancelled).into(),
            Err(FinishRefusal::InvalidEndDate(rule)) => {
                InvalidInput::new(&END_DATE, messages::invalid_end_date(rule, "endDate")).into()
            }
        };
        refusal.into()
    }
}

impl From<FinishConsultationError> for FinishConsultationPayload {
    fn from(refusal: FinishConsultationError) -> Self {
        Self { user_errors: vec![refusal], ..Self::default() }
    }
}

impl From<RetryPendingPaymentError> for RetryPendingPaymentPayload {
    fn from(refusal: RetryPendingPaymentError) -> Self {
        Self { user_errors: vec![refusal], ..Self::default() }
    }
}
