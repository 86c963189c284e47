//! Following a consultation, and lists.

use async_graphql::{Context, ID, Result, Subscription};
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
    loader::{AppointmentId, ConsultationId, SharedLoader},
    types::{Consultation, ConsultationChangeFilter, PendingPayment, PendingPaymentChangeFilter},
};
use crate::messages::MESSAGES;

const MISSED_CONSULTATIONS: &str = "Changes were missed: subscribe again, then list the consultations";
const MISSED_PAYMENTS: &str = "Changes were missed: subscribe again, then list the pending payments";

#[derive(Debug)]
pub struct Subscription;

/// Following a consultation, and lists.
#[Subscription]
impl Subscription {
    /// Sends a consultation as it is now, and again after its finish or cancellation and after each step of its payment.
    /// Steps that follow each other quickly may come as one: each event shows the consultation as it is then.
    /// On SQLite, changes by commands of an operator are not sent.
    async fn consultation_changed<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "Id of the consultation.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Consultation>> + use<'ctx>> {
        let id = parse_id("id", &id)?;
        let loader = ctx.data_unchecked::<SharedLoader>();
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

    /// Sends each consultation after its start, its end and each step of its payment. Steps that follow each other quickly
    /// may come as one, and a step may come twice: each event shows the consultation as it is then. The subscription ends
    /// with the error `EVENTS_MISSED` when changes were missed: the client was too slow, or replicas lost each other. Then
    /// subscribe again, and list the consultations. On SQLite, changes by commands of an operator are not sent.
    async fn consultations_changed<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "Conditions. All consultations by default.")] filter: Option<ConsultationChangeFilter>,
    ) -> impl Stream<Item = Result<Consultation>> + use<'ctx> {
        let loader = ctx.data_unchecked::<SharedLoader>();
        let (filter, touched) = (filter.unwrap_or_default(), Touched::by(ctx));
        let changed =
            ctx.data_unchecked::<Changes>().follow(MISSED_CONSULTATIONS, move |ids| consultations(loader, ids));
        let shown = changed.filter(move |changed| ready(changed.as_ref().map_or(true, |row| filter.matches(row))));
        shown.inspect(move |shown| touched.add(shown.iter().map(|consultation| consultation.row_id)))
    }

    /// Sends each pending payment after the finish of its consultation and after each step of its delivery, as it is then:
    /// confirmed, refused, to be sent again. The begin of a send is no step. As with `consultationsChanged`, steps may come
    /// as one or twice, and the subscription ends with the error `EVENTS_MISSED` when changes were missed. Then subscribe
    /// again, and list the pending payments. On SQLite, changes by commands of an operator are not sent.
    async fn pending_payment_changed<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "Conditions. All pending payments by default.")] filter: Option<PendingPaymentChangeFilter>,
    ) -> impl Stream<Item = Result<PendingPayment>> + use<'ctx> {
        let loader = ctx.data_unchecked::<SharedLoader>();
        let (filter, touched) = (filter.unwrap_or_default(), Touched::by(ctx));
        let changed = ctx.data_unchecked::<Changes>().follow(MISSED_PAYMENTS, move |ids| pending_payments(loader, ids));
        let shown = changed.filter(move |changed| ready(changed.as_ref().map_or(true, |row| filter.matches(row))));
        shown.inspect(move |shown| touched.add(shown.iter().map(|payment| payment.appointment_id)))
    }
}

async fn consultations(loader: &SharedLoader, ids: Vec<Uuid>) -> Result<Vec<Consultation>> {
    let mut rows = loader.load_many(ids.iter().copied().map(ConsultationId)).await?;
    Ok(ids.into_iter().filter_map(|id| rows.remove(&ConsultationId(id))).map(Consultation::from).collect())
}

/// Consultations in progress have none.
async fn pending_payments(loader: &SharedLoader, ids: Vec<Uuid>) -> Result<Vec<PendingPayment>> {
    let mut rows = loader.load_many(ids.iter().copied().map(AppointmentId)).await?;
    Ok(ids.into_iter().filter_map(|id| rows.remove(&AppointmentId(id))).map(PendingPayment::from).collect())
}

async fn read(loader: &SharedLoader, id: Uuid, touched: Touched<'_>) -> Result<Consultation> {
    let row = loader.load_one(ConsultationId(id)).await?;
    touched.add(row.iter().map(|row| row.id));
    row.map(Consultation::from).ok_or_else(|| {
        Refusal { message: MESSAGES.text("consultation-not-found", &[]), code: "CONSULTATION_NOT_FOUND" }.into()
    })
}
