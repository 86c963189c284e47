//! Hints that something is due: within the process after each commit, and across replicas on PostgreSQL by
//! NOTIFY, also after the commit. Never inside the business transaction: there it would serialise commits.
//!
//! Losing every hint costs latency only; the poll is the truth.

use std::{sync::Arc, time::Duration};

use chassis::database::Database;
use sea_orm::{ConnectionTrait, DbBackend, Statement, sqlx};
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::policy::database_delay;

/// The channel of NOTIFY, one in each database.
const CHANNEL: &str = "pending_payment_due";
/// One NOTIFY stands for all finishes of this time.
const COALESCE: Duration = Duration::from_millis(100);

/// The bell that wakes up relays.
#[derive(Clone, Debug)]
pub struct WakeUp {
    here: Arc<Notify>,
    elsewhere: Arc<Notify>,
    /// Tells this process's own notifications from those of others.
    process: Uuid,
}

impl Default for WakeUp {
    fn default() -> Self {
        Self { here: Arc::default(), elsewhere: Arc::default(), process: Uuid::new_v4() }
    }
}

impl WakeUp {
    /// Something is due: wakes up the relay of this process, and soon those of the others.
    pub fn ring(&self) {
        self.here.notify_one();
        self.elsewhere.notify_one();
    }

    /// Waits until it was rung since the last time.
    pub async fn rung(&self) {
        self.here.notified().await;
    }

    /// Passes rings on to the other replicas and theirs to this one, until shutdown.
    pub async fn across_replicas(self, database: Database, shutdown: CancellationToken) {
        if database.write.get_database_backend() == DbBackend::Postgres {
            tokio::join!(self.notify(&database, &shutdown), self.listen(&database, &shutdown));
        } else {
            // A SQLite file has one process.
            shutdown.cancelled().await;
        }
    }

    async fn notify(&self, database: &Database, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = self.elsewhere.notified() => {}
                () = shutdown.cancelled() => return,
            }
            let values = [CHANNEL.into(), self.process.to_string().into()];
            let notify = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_notify($1, $2)", values);
            if let Err(error) = database.write.execute_raw(notify).await {
                tracing::debug!(%error, "other replicas were not notified; they poll");
            }
            pause(COALESCE, shutdown).await;
        }
    }

    async fn listen(&self, database: &Database, shutdown: &CancellationToken) {
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            let heard = tokio::select! {
                // Cancelled between notifications, on a connection of its own that ends with it.
                heard = self.hear(database, &mut failures) => heard,
                () = shutdown.cancelled() => return,
            };
            if let Err(error) = heard {
                tracing::debug!(%error, "does not hear other replicas; trying again");
            }
            // Also after a connection that was closed properly: it may be closed again at once.
            failures += 1;
            pause(database_delay(failures), shutdown).await;
        }
    }

    /// Rings here for each notification of another process, until the connection fails.
    async fn hear(&self, database: &Database, failures: &mut u32) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(database.read.get_postgres_connection_pool()).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        *failures = 0;
        // For what was rung while nobody listened.
        self.here.notify_one();
        while let Some(notification) = listener.try_recv().await? {
            if notification.payload() != self.process.to_string() {
                self.here.notify_one();
            }
        }
        Ok(())
    }
}

async fn pause(duration: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = shutdown.cancelled() => {}
    }
}
