//! Migrations, on connections of their own that end with the command. They wait for locks briefly and often: later
//! statements on a table queue behind one that waits for PostgreSQL's exclusive lock.

mod blocker;
mod lock_files;
mod postgres;
mod schema;
mod sqlite;

use std::{fmt::Display, time::Duration};

use sea_orm::{DatabaseTransaction, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

pub(crate) use schema::url_of;

use super::options::Options;

/// Waiting times of a migration for locks that others hold.
#[derive(Clone, Copy, Debug)]
pub struct LockWaits {
    /// For one lock. Other statements wait at most as long behind the migration.
    pub once: Duration,
    /// Between attempts, while the others' statements run. Up to half of it is added at random, so that migrations of
    /// several replicas do not collide again.
    pub pause: Duration,
    /// In total. After it the migration fails.
    pub total: Duration,
}

impl Default for LockWaits {
    fn default() -> Self {
        // A second is below the `lock_timeout` of the services' sessions, so their statements succeed. A transaction
        // that is open for a minute has been forgotten.
        Self { once: Duration::from_secs(1), pause: Duration::from_secs(1), total: Duration::from_mins(1) }
    }
}

/// What an operator may choose beside the migrations. Nothing is changed that was not chosen.
#[derive(Default)]
pub(crate) struct Choices<'a> {
    /// The schema, which the URL leads to; it is created if it is missing.
    pub(crate) schema: Option<&'a str>,
    /// A migration that is applied, or taken back, whenever it is chosen. It does nothing where that is done already.
    pub(crate) optional: Option<(&'a dyn MigrationTrait, Chosen)>,
}

/// What becomes of an optional migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    Up,
    Down,
}

/// Result of one attempt.
enum Attempt {
    /// Applied migrations.
    Migrated(Vec<String>),
    /// Rolled back: others hold a lock.
    Blocked(Blocked),
}

/// The holders of the lock.
#[derive(Default)]
struct Blocked {
    /// Description for people: session, age, query.
    by: String,
    /// Instruction to end them.
    remedy: String,
    /// Whether a longer wait would help: PostgreSQL cancels an automatic VACUUM in the way, but only after
    /// `deadlock_timeout`.
    yields_to_longer_waits: bool,
}

/// Applies the pending migrations of `M` and returns their names. Migrations of several processes take turns. On SQLite
/// all are one transaction. On PostgreSQL each has its own, so that no lock is held while a later one reads a long table;
/// after a failure those before stay.
///
/// # Errors
/// When the database cannot be reached, a migration fails, or others hold a lock for longer than `waits.total`: the
/// error names them.
pub async fn run<M: MigratorTrait>(url: &SecretString, waits: LockWaits) -> Result<Vec<String>, DbErr> {
    run_with::<M>(url, waits, &Choices::default()).await
}

/// The same with choices, which are for PostgreSQL.
pub(crate) async fn run_with<M: MigratorTrait>(
    url: &SecretString,
    waits: LockWaits,
    choices: &Choices<'_>,
) -> Result<Vec<String>, DbErr> {
    let url = url.expose_secret();
    match Options::of(url)? {
        options @ Options::Sqlite(_) => sqlite::run::<M>(url, &options, waits).await,
        Options::Postgres(servers) => postgres::run::<M>(&servers, waits, choices).await,
    }
}

/// Applies or takes back a migration that is no part of a migrator.
async fn apply(
    transaction: &DatabaseTransaction,
    (migration, chosen): (&dyn MigrationTrait, Chosen),
) -> Result<(), DbErr> {
    let manager = SchemaManager::new(transaction);
    match chosen {
        Chosen::Up => migration.up(&manager).await,
        Chosen::Down => migration.down(&manager).await,
    }
}

/// Applies pending migrations, at most `steps`, and returns their names.
async fn up<M: MigratorTrait>(transaction: &DatabaseTransaction, steps: Option<u32>) -> Result<Vec<String>, DbErr> {
    let missing = M::get_pending_migrations(transaction).await?;
    M::up(transaction, steps).await?;
    let applied = missing.iter().take(steps.map_or(usize::MAX, |steps| steps as usize));
    Ok(applied.map(|migration| migration.name().to_owned()).collect())
}

/// Time that a migration has spent waiting, and has left.
struct Waiting {
    waits: LockWaits,
    begun: Instant,
}

impl Waiting {
    fn new(waits: LockWaits) -> Self {
        Self { waits, begun: Instant::now() }
    }

    /// Logs the lock holders and pauses, or fails when no time is left for another attempt.
    async fn pause(&self, blocked: &Blocked) -> Result<(), DbErr> {
        let Blocked { by, remedy, .. } = blocked;
        let pause = self.waits.pause.mul_f64(1.0 + fastrand::f64() / 2.0);
        let waited = self.begun.elapsed();
        if waited + pause > self.waits.total {
            return Err(gave_up(waited, by, remedy));
        }
        tracing::warn!("the migration waits for {by}; it is rolled back and retried for {:?}", self.waits.total);
        sleep(pause).await;
        Ok(())
    }
}

fn gave_up(waited: Duration, by: impl Display, remedy: impl Display) -> DbErr {
    DbErr::Custom(format!(
        "the migration was rolled back: after {} s a lock is still held by {by}. {remedy}",
        waited.as_secs()
    ))
}
