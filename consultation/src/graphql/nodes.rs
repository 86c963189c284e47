//! Objects by their ids: one statement for each table that may have them.

use std::collections::HashMap;

use async_graphql::{Context, ID, Result};
use chassis::database::Database;
use entity::{consultation, pending_payment};
use graphql_http::{
    observer::Touched,
    refusal::{parse_id, parse_ids},
};
use sea_orm::EntityTrait;

use super::{
    loader::{ConsultationId, PendingPaymentId, SharedLoader},
    types::{Consultation, Node, PendingPayment},
};

pub(super) async fn consultation(ctx: &Context<'_>, id: &ID) -> Result<Option<Consultation>> {
    let row = consultation::Entity::find_by_id(parse_id("id", id)?);
    let row = row.one(&ctx.data_unchecked::<Database>().read).await?;
    Touched::by(ctx).add(row.iter().map(|row| row.id));
    Ok(row.map(Consultation::from))
}

pub(super) async fn node(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    if let Some(consultation) = consultation(ctx, id).await? {
        return Ok(Some(Node::Consultation(consultation)));
    }
    let row = pending_payment::Entity::find_by_id(parse_id("id", id)?);
    let row = row.one(&ctx.data_unchecked::<Database>().read).await?;
    Touched::by(ctx).add(row.iter().map(|row| row.appointment_id));
    Ok(row.map(|row| Node::PendingPayment(row.into())))
}

/// The objects in the order of the ids. Most are consultations, so the other table is asked for the rest.
pub(super) async fn nodes(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    let ids = parse_ids("ids", ids)?;
    let loader = ctx.data_unchecked::<SharedLoader>();
    let consultations = loader.load_many(ids.iter().copied().map(ConsultationId)).await?;
    let mut others = ids.iter().copied().map(ConsultationId).filter(|id| !consultations.contains_key(id)).peekable();
    let payments = match others.peek() {
        Some(_) => loader.load_many(others.map(|ConsultationId(id)| PendingPaymentId(id))).await?,
        None => HashMap::new(),
    };
    let touched = consultations.values().map(|row| row.id).chain(payments.values().map(|row| row.appointment_id));
    Touched::by(ctx).add(touched);
    let node = |id| {
        let consultation = consultations.get(&ConsultationId(id)).cloned().map(Consultation::from);
        let payment = || payments.get(&PendingPaymentId(id)).cloned().map(PendingPayment::from);
        consultation.map(Node::Consultation).or_else(|| payment().map(Node::PendingPayment))
    };
    Ok(ids.into_iter().map(node).collect())
}
