//! Following payments.

use async_graphql::{Context, Result, Subscription, dataloader::DataLoader};
use chassis::changes::{Change, Changes};
use futures_util::{Stream, StreamExt, stream};
use graphql_http::{observer::Touched, refusal::Refusal};

use super::{
    loader::{Loader, PaymentId},
    types::Payment,
};

/// Payments that are read in one statement, if as many wait to be sent.
const MAX_READ: usize = 100;

#[derive(Debug)]
pub struct Subscription;

/// Following payments.
#[Subscription]
impl Subscription {
    /// Sends each payment as soon as it is recorded. The subscription ends with the error `EVENTS_MISSED` when payments
    /// were missed: the client was too slow, or replicas lost each other. Then subscribe again, and list the payments
    /// recorded in between.
    async fn payment_recorded<'ctx>(&self, ctx: &Context<'ctx>) -> impl Stream<Item = Result<Payment>> + use<'ctx> {
        let loader = ctx.data_unchecked::<DataLoader<Loader>>();
        let changes = ctx.data_unchecked::<Changes>().subscribe().ready_chunks(MAX_READ);
        let payments = stream::unfold(Some(changes), async move |changes| {
            let mut changes = changes?;
            let (payments, ends) = read(loader, &changes.next().await?).await;
            Some((stream::iter(payments), (!ends).then_some(changes)))
        });
        let touched = Touched::by(ctx);
        payments.flatten().inspect(move |payment| touched.add(payment.iter().map(|payment| payment.appointment_id.0)))
    }
}

/// Returns the payments up to a gap, and whether the subscription ends there.
async fn read(loader: &DataLoader<Loader>, changes: &[Change]) -> (Vec<Result<Payment>>, bool) {
    let recorded = changes.iter().map_while(|change| match change {
        Change::Of(id) => Some(PaymentId(*id)),
        Change::Missed => None,
    });
    let recorded: Vec<_> = recorded.collect();
    let mut rows = match loader.load_many(recorded.iter().copied()).await {
        Ok(rows) => rows,
        Err(fault) => return (vec![Err(fault.into())], true),
    };
    let has_gap = recorded.len() < changes.len();
    let mut payments: Vec<_> = recorded.iter().filter_map(|id| Some(Ok(rows.remove(id)?.into()))).collect();
    if has_gap {
        let message = "Payments were missed: subscribe again, then list what was recorded in between";
        payments.push(Err(Refusal { message: message.to_owned(), code: "EVENTS_MISSED" }.into()));
    }
    (payments, has_gap)
}
