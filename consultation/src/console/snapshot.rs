//! What the overview reads from the database, in few statements of bounded size.

use std::time::Duration;

use chassis::database::{Database, is_unavailable};
use entity::reconciliation;
use migration::consultation::Migrator;
use sea_orm::DbErr;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    outbox::{
        State,
        store::{self, Backlog, Listed},
    },
    reconcile,
};

/// Rows of a table. For more there is `consultation pending`.
pub(super) const ROWS: u64 = 25;
/// A person waits. A backlog of 100,000 payments takes less than a second.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The state of the outbox.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) backlog: Backlog,
    /// The oldest parked payments.
    pub(super) parked: Vec<Listed>,
    /// The oldest payments that wait.
    pub(super) pending: Vec<Listed>,
    pub(super) reconciled: Option<reconciliation::Model>,
    /// Names of migrations that are not applied.
    pub(super) migrations: Vec<String>,
}

impl Snapshot {
    pub(super) async fn read(database: &Database) -> Result<Self, DbErr> {
        let read = async {
            Ok(Self {
                backlog: store::backlog(&database.count).await?,
                parked: store::oldest(&database.read, State::Parked, ROWS).await?,
                pending: store::oldest(&database.read, State::Pending, ROWS).await?,
                reconciled: reconcile::last(&database.read).await?,
                migrations: database.pending_migrations::<Migrator>().await?,
            })
        };
        in_time(read).await
    }

    /// The consultations of the payments in the tables.
    pub(super) fn consultations(&self) -> Vec<Uuid> {
        self.parked.iter().chain(&self.pending).map(|listed| listed.row.appointment_id).collect()
    }
}

/// Gives up what the database does not answer in time.
pub(super) async fn in_time<T>(read: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    let late = || DbErr::Custom(format!("the database has not answered in {} s", READ_TIMEOUT.as_secs()));
    timeout(READ_TIMEOUT, read).await.unwrap_or_else(|_| Err(late()))
}

/// Logs why a page has no answer. The readiness check logs an outage, once.
pub(super) fn tell(error: &DbErr) {
    if is_unavailable(error) {
        tracing::debug!(%error, "the console cannot use the database");
    } else {
        tracing::warn!(%error, "the console cannot use the database");
    }
}
