//! Cancelling a consultation.

use async_graphql::{Context, Result};
use chassis::graphql::not_written;
use graphql_http::observer::Touched;

use super::{
    super::types::{
        CancelConsultationError, CancelConsultationInput, CancelConsultationPayload, ConsultationAlreadyFinished,
        ConsultationCancelled, ConsultationNotFound,
    },
    consultation_id, reason, user,
};
use crate::{
    rules::{CancelRefusal, Cancelled},
    writers::Consultations,
};

pub(super) async fn cancel(ctx: &Context<'_>, input: CancelConsultationInput) -> Result<CancelConsultationPayload> {
    let (id, reason) = match (consultation_id(&input.consultation_id), reason(&input.reason)) {
        (Ok(id), Ok(reason)) => (id, reason),
        (Err(refusal), _) | (_, Err(refusal)) => return Ok(CancelConsultationError::from(refusal).into()),
    };
    let cancelled = ctx.data_unchecked::<Consultations>().cancel(id, reason, user(ctx)).await;
    if let Ok(Err(CancelRefusal::AlreadyFinished(ended) | CancelRefusal::Cancelled(ended))) = &cancelled {
        Touched::by(ctx).add([ended.id]);
    }
    Ok(cancelled.map_err(not_written)?.into())
}

impl From<Cancelled> for CancelConsultationPayload {
    fn from(cancelled: Cancelled) -> Self {
        let refusal: CancelConsultationError = match cancelled {
            Ok(consultation) => return Self { consultation: Some(consultation.into()), ..Self::default() },
            Err(CancelRefusal::NotFound) => ConsultationNotFound::new().into(),
            Err(CancelRefusal::AlreadyFinished(finished)) => ConsultationAlreadyFinished::new(*finished).into(),
            Err(CancelRefusal::Cancelled(cancelled)) => ConsultationCancelled::new(*cancelled).into(),
        };
        refusal.into()
    }
}

impl From<CancelConsultationError> for CancelConsultationPayload {
    fn from(refusal: CancelConsultationError) -> Self {
        Self { user_errors: vec![refusal], ..Self::default() }
    }
}
