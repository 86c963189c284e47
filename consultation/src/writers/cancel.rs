//! Cancelling. It is rare, so it shares no commits: each call is a statement or transaction of its own.

use std::{sync::Arc, time::Duration};

use chassis::{database::may_be_done, write_coalescer::WriteError};
use sea_orm::DbErr;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Consultations;
use crate::{
    reason::Reason,
    rules::Cancelled,
    store::cancel::{Cancellation, cancel},
};

/// Time for which a locked row is retried, and the interval: as for the rows of other mutations.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);

impl Consultations {
    /// Cancels a consultation for the caller of this name, now by the database's clock.
    ///
    /// # Errors
    /// When it could not be written; after [`WriteError::Failed`] it may have been.
    pub async fn cancel(
        &self,
        consultation_id: Uuid,
        reason: Reason,
        cancelled_by: Arc<str>,
    ) -> Result<Cancelled, WriteError<DbErr>> {
        let row = Cancellation { consultation_id, reason, cancelled_by };
        let began = Instant::now();
        loop {
            let outcome = cancel(&self.database, &row).await;
            if matches!(&outcome, Ok(Some(Ok(_)))) || outcome.as_ref().is_err_and(may_be_done) {
                self.changes.publish(&[consultation_id]);
            }
            match outcome {
                Ok(Some(cancelled)) => return Ok(cancelled),
                Err(fault) => return Err(WriteError::Failed(fault)),
                Ok(None) if began.elapsed() > LOCK_TIMEOUT => return Err(WriteError::Locked),
                Ok(None) => sleep(LOCK_RETRY_INTERVAL).await,
            }
        }
    }
}
