//! Migrations, on connections of their own that end with the command. They wait for locks briefly and often: while a
//! statement that wants a table for itself waits in PostgreSQL's queue, all later statements on that table wait behind it.

mod blocker;
mod lock_files;
mod postgres;
mod sqlite;

use std::{fmt::Display, time::Duration};

use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

/// How long a migration waits for locks that others hold.
#[derive(Clone, Copy, Debug)]
pub struct LockWaits {
    /// For one lock, and so the longest that others wait because the migration does.
    pub once: Duration,
    /// Between two tries, when the others' statements run; up to half of it is added at random, so that migrations of
    /// several replicas do not meet again.
    pub pause: Duration,
    /// In all. After it the migration fails.
    pub total: Duration,
}

impl Default for LockWaits {
    fn default() -> Self {
        // A second is less than lock_timeout of the services' sessions, whose statements thus succeed. A minute: a
        // transaction that is still open then has been forgotten.
        Self { once: Duration::from_secs(1), pause: Duration::from_secs(1), total: Duration::from_mins(1) }
    }
}

/// What one try came to.
enum Attempt {
    /// These were applied.
    Migrated(Vec<String>),
    /// Rolled back, since others hold a lock.
    Blocked(Blocked),
}

/// Who holds the lock.
#[derive(Default)]
struct Blocked {
    /// For people: who, since when, doing what.
    by: String,
    /// How to end it.
    remedy: String,
    /// PostgreSQL ends an automatic VACUUM that is in the way, but not before the wait has lasted `deadlock_timeout`.
    yields_to_longer_waits: bool,
}

/// Applies the migrations of `M` that the database lacks, in one transaction, and names them. Migrations of several
/// processes take turns.
///
/// # Errors
/// When the database cannot be reached, a migration fails, or others hold a lock for longer than `waits.total`: then the
/// error names them.
pub async fn run<M: MigratorTrait>(url: &SecretString, waits: LockWaits) -> Result<Vec<String>, DbErr> {
    let url = url.expose_secret();
    if url.starts_with("sqlite:") { sqlite::run::<M>(url, waits).await } else { postgres::run::<M>(url, waits).await }
}

/// Applies what is missing, and names it.
async fn up<M: MigratorTrait>(transaction: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
    let missing = M::get_pending_migrations(transaction).await?;
    M::up(transaction, None).await?;
    Ok(missing.iter().map(|migration| migration.name().to_owned()).collect())
}

/// The time that a migration has spent, and has left.
struct Waiting {
    waits: LockWaits,
    begun: Instant,
}

impl Waiting {
    fn new(waits: LockWaits) -> Self {
        Self { waits, begun: Instant::now() }
    }

    /// Says who is in the way and lets others through.
    ///
    /// # Errors
    /// When no time is left for another try.
    async fn pause(&self, blocked: &Blocked) -> Result<(), DbErr> {
        let Blocked { by, remedy, .. } = blocked;
        let pause = self.waits.pause.mul_f64(1.0 + fastrand::f64() / 2.0);
        let waited = self.begun.elapsed();
        if waited + pause > self.waits.total {
            return Err(gave_up(waited, by, remedy));
        }
        tracing::warn!(
            "the migration waits for {by}; rolled back, it tries again until {:?} are over",
            self.waits.total
        );
        sleep(pause).await;
        Ok(())
    }
}

fn gave_up(waited: Duration, by: impl Display, remedy: impl Display) -> DbErr {
    DbErr::Custom(format!("nothing was migrated: after {} s a lock is still held by {by}. {remedy}", waited.as_secs()))
}
