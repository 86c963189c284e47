//! What the overview reads from the database, in few statements of bounded size.

use std::time::Duration;

use chassis::database::{Database, is_unavailable};
use entity::reconciliation;
use migration::consultation::Migrator;
use sea_orm::{DbErr, error::ConnAcquireErr};
use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use super::layout::say;
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
    /// The last comparison with finance. An error is logged, and keeps no payment from being shown.
    pub(super) reconciled: Result<Option<reconciliation::Model>, Unread>,
}

/// Why the database has given nothing.
#[derive(Debug, Error)]
pub(super) enum Unread {
    /// Without these migrations statements may fail.
    #[error("the database lacks the migrations {}", .0.join(", "))]
    NotMigrated(Vec<String>),
    #[error("the database has not answered in {} s", READ_TIMEOUT.as_secs())]
    Late,
    #[error(transparent)]
    Failed(#[from] DbErr),
}

impl Snapshot {
    pub(super) async fn read(database: &Database) -> Result<Self, Unread> {
        let read = async {
            let missing = database.pending_migrations::<Migrator>().await?;
            if !missing.is_empty() {
                return Err(Unread::NotMigrated(missing));
            }
            Ok(Self {
                backlog: backlog(database).await?,
                parked: store::oldest(&database.read, State::Parked, ROWS).await?,
                pending: store::oldest(&database.read, State::Pending, ROWS).await?,
                reconciled: reconcile::last(&database.read).await.map_err(Unread::from).inspect_err(Unread::tell),
            })
        };
        in_time(read).await
    }

    /// The consultations of the payments in the tables.
    pub(super) fn consultations(&self) -> Vec<Uuid> {
        self.parked.iter().chain(&self.pending).map(|listed| listed.row.appointment_id).collect()
    }
}

impl Unread {
    /// What people read. An error of a statement is for the log.
    pub(super) fn text(&self) -> String {
        say(match self {
            Self::NotMigrated(_) => "console-not-migrated",
            Self::Failed(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) => "console-overloaded",
            Self::Failed(error) if !is_unavailable(error) => "console-database-failed",
            Self::Late | Self::Failed(_) => "console-no-database",
        })
    }

    /// Logs why a page has no answer. The readiness check logs an outage and missing migrations, once.
    pub(super) fn tell(&self) {
        match self {
            Self::Failed(error) if !is_unavailable(error) => {
                tracing::warn!(%error, "the console cannot use the database");
            }
            error => tracing::debug!(%error, "the console cannot use the database"),
        }
    }
}

/// Counts the outbox among reads: clients' totals of long periods may keep the few places of counts for seconds each.
pub(super) async fn backlog(database: &Database) -> Result<Backlog, DbErr> {
    store::backlog(&database.read).await
}

/// Gives up what the database does not answer in time.
pub(super) async fn in_time<T, E: Into<Unread>>(read: impl Future<Output = Result<T, E>>) -> Result<T, Unread> {
    match timeout(READ_TIMEOUT, read).await {
        Ok(read) => read.map_err(E::into),
        Err(_) => Err(Unread::Late),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sea_orm::{ConnectionTrait, Statement};
    use testkit::{Backend, TestDatabase};

    use super::*;

    #[rstest]
    #[tokio::test]
    async fn totals_that_take_long_keep_no_page_waiting(
        #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    ) {
        let Some(db) = TestDatabase::empty(backend).await else { return };
        db.database.migrate::<Migrator>().await.expect("migrated");
        // Together far beyond the wait for a place.
        let long = "SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
            WHERE i < 1000000) SELECT i FROM n) AS numbers";
        let long = Statement::from_string(db.database.count.get_database_backend(), long);
        let mut totals = Vec::new();
        for _ in 0..20 {
            let (count, long) = (db.database.count.clone(), long.clone());
            totals.push(tokio::spawn(async move { count.query_one_raw(long).await }));
        }
        tokio::task::yield_now().await;
        Snapshot::read(&db.database).await.expect("a place");
        assert!(totals.iter().any(|total| !total.is_finished()), "two at once");
        totals.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
