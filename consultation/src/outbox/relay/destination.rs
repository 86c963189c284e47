//! The instance of finance that payments go to, and its failures.

use chassis::traces::Span;
use graphql_http::TaskContext;
use sea_orm::DbErr;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    super::{
        breaker::Hint,
        shortened,
        store::{self, Lease},
    },
    Relay,
};
use crate::finance_client::DestinationFailed;

/// The instance of finance that rows go to, or the failure to meet it.
pub(super) type Destination = Result<Uuid, DestinationFailed>;

impl Relay {
    /// Returns the instance that rows go to: the accepted one, else the first that was reached. All replicas agree on
    /// it.
    pub(super) async fn destination(&self, lease: &Lease) -> Result<Option<Destination>, DbErr> {
        if let Some(accepted) = lease.destination {
            return Ok(Some(Ok(accepted)));
        }
        match self.traces.unsampled().scope(self.finance.instance_id()).await {
            Ok(met) => store::meet(&self.database.write, met).await.map(|stored| Some(Ok(stored))),
            Err(failed) => Ok(Some(Err(failed))),
        }
    }

    /// Updates the breaker and logs the failure. The begin and the end of an outage, and wrong settings, stand out.
    pub(super) fn note(&self, failure: Option<&DestinationFailed>) {
        let Some(failure) = failure else {
            if self.breaker().succeeded() {
                tracing::info!("finance is back");
            }
            return;
        };
        let hint = Hint::from(failure);
        // The message may quote an answer, and goes to the log only.
        Span::current().fail(match hint {
            Hint::Misconfigured => "a setting is wrong",
            Hint::RetryAfter(_) => "finance asks for a pause",
            Hint::None => "finance failed",
        });
        let error = shortened(&failure.message);
        let opened = self.breaker().failed(hint, Instant::now());
        match (opened, hint) {
            (_, Hint::Misconfigured) => tracing::error!(%error, "no payment arrives until this is fixed"),
            (true, Hint::RetryAfter(pause)) => tracing::warn!(%error, ?pause, "finance asks for a pause"),
            (true, Hint::None) => tracing::warn!(%error, "finance is down; each 5 s one payment is tried"),
            (false, _) => tracing::info!(%error, "finance failed; the payments are sent again"),
        }
    }
}
