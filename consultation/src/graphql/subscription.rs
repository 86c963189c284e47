//! Following a consultation.

use async_graphql::{Context, ID, Result, Subscription, dataloader::DataLoader};
use chassis::changes::{Changes, Watcher};
use futures_util::{
    Stream, StreamExt,
    future::ready,
    stream::{once, unfold},
};
use graphql_http::{
    observer::Touched,
    refusal::{Refusal, parse_id},
};
use uuid::Uuid;

use super::{
    loader::{ConsultationId, Loader},
    types::Consultation,
};
use crate::messages::MESSAGES;

#[derive(Debug)]
pub struct Subscription;

/// Following a consultation.
#[Subscription]
impl Subscription {
    /// Sends a consultation as it is now, and again after its finish or cancellation and after each step of its payment.
    /// Steps that follow each other quickly may come as one: each event shows the consultation as it is then.
    async fn consultation_changed<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "Id of the consultation.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Consultation>> + use<'ctx>> {
        let id = parse_id("id", &id)?;
        let loader = ctx.data_unchecked::<DataLoader<Loader>>();
        // Before the first read: no change after it is lost.
        let watcher = ctx.data_unchecked::<Changes>().watch(id);
        let touched = Touched::by(ctx);
        let first = read(loader, id, touched).await?;
        let later = unfold(watcher, move |mut watcher: Watcher| async move {
            watcher.changed().await;
            Some((read(loader, id, touched).await, watcher))
        });
        Ok(once(ready(Ok(first))).chain(later))
    }
}

async fn read(loader: &DataLoader<Loader>, id: Uuid, touched: Touched<'_>) -> Result<Consultation> {
    let row = loader.load_one(ConsultationId(id)).await?;
    touched.add(row.iter().map(|row| row.id));
    row.map(Consultation::from).ok_or_else(|| {
        Refusal { message: MESSAGES.text("consultation-not-found", &[]), code: "CONSULTATION_NOT_FOUND" }.into()
    })
}
