//! Following payments.

use async_graphql::{Context, Result, Subscription};
use chassis::changes::Changes;
use futures_util::{Stream, StreamExt};
use graphql_http::observer::Touched;
use uuid::Uuid;

use super::{
    loader::{PaymentId, SharedLoader},
    types::Payment,
};

const MISSED: &str = "Payments were missed: subscribe again, then list what was recorded in between";

#[derive(Debug)]
pub struct Subscription;

/// Following payments.
#[Subscription]
impl Subscription {
    /// Sends each payment as soon as it is recorded. The subscription ends with the error `EVENTS_MISSED` when payments
    /// were missed: the client was too slow, or replicas lost each other. Then subscribe again, and list the payments
    /// recorded in between. On SQLite, imported payments are not sent.
    async fn payment_recorded<'ctx>(&self, ctx: &Context<'ctx>) -> impl Stream<Item = Result<Payment>> + use<'ctx> {
        let loader = ctx.data_unchecked::<SharedLoader>();
        let payments = ctx.data_unchecked::<Changes>().follow(MISSED, move |ids| read(loader, ids));
        let touched = Touched::by(ctx);
        payments.inspect(move |payment| touched.add(payment.iter().map(|payment| payment.appointment_id.0)))
    }
}

async fn read(loader: &SharedLoader, ids: Vec<Uuid>) -> Result<Vec<Payment>> {
    let mut rows = loader.load_many(ids.iter().copied().map(PaymentId)).await?;
    Ok(ids.into_iter().filter_map(|id| rows.remove(&PaymentId(id))).map(Payment::from).collect())
}
