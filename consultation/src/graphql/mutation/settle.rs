//! Settling a payment that finance refuses.

use async_graphql::{Context, Result};
use graphql_http::{
    observer::Touched,
    refusal::{Refusal, UNAVAILABLE},
};

use super::{
    super::types::{SettlePendingPaymentError, SettlePendingPaymentInput, SettlePendingPaymentPayload},
    consultation_id, reason, user,
};
use crate::{
    messages::finance_failed,
    outbox::{NotSettled, Settlements},
};

pub(super) async fn settle(ctx: &Context<'_>, input: SettlePendingPaymentInput) -> Result<SettlePendingPaymentPayload> {
    let (id, reason) = match (consultation_id(&input.consultation_id), reason(&input.reason)) {
        (Ok(id), Ok(reason)) => (id, reason),
        (Err(refusal), _) | (_, Err(refusal)) => return Ok(SettlePendingPaymentError::from(refusal).into()),
    };
    let settled = ctx.data_unchecked::<Settlements>().settle(id, &reason, &user(ctx)).await;
    Touched::by(ctx).add([id]);
    match settled {
        Ok(settled) => Ok(settled.into()),
        Err(NotSettled::Database(error)) => Err(error.into()),
        Err(NotSettled::Finance(error)) => {
            tracing::warn!(%error, "a payment was not settled: finance does not say what it has recorded");
            Err(Refusal { message: finance_failed(&error), code: UNAVAILABLE }.into())
        }
    }
}
