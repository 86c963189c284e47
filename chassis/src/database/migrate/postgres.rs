//! Migrations on PostgreSQL: one session migrates, another one watches its blockers.

use std::{convert::Infallible, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqlxPostgresConnector, Statement,
    TransactionTrait, sqlx::postgres::PgPoolOptions,
};
use sea_orm_migration::MigratorTrait;
use tokio::time::sleep;

use super::{Attempt, Blocked, LockWaits, Waiting, blocker, up};
use crate::database::{
    connections::Connections,
    faults::code,
    options::{Options, Servers},
};

/// Advisory lock of migrations, for replicas that start together.
const MIGRATION_LOCK: i64 = 0x6d69_6772_6174_6531;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Five polls within the second that a lock may take.
const BLOCKER_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Added for an automatic VACUUM: PostgreSQL's default `deadlock_timeout` is a second.
const VACUUM_EXTRA_WAIT: Duration = Duration::from_millis(500);
/// Errors of a wait for a lock: `lock_timeout`, or a deadlock. Detecting a deadlock takes as long.
const LOCK_NOT_AVAILABLE: [&str; 2] = ["55P03", "40P01"];

pub(super) async fn run<M: MigratorTrait>(servers: &Servers, waits: LockWaits) -> Result<Vec<String>, DbErr> {
    // Finds the primary first: SeaORM's pool reports neither the cause of a failure nor the address.
    drop(Connections::new(Options::Postgres(servers.clone()), 1)?.lease().await?);
    let [session, observer] = [connect(servers), connect(servers)];
    let outcome = until_migrated::<M>(&session, &observer, waits).await;
    // An error here would hide the outcome; the connections end with the process anyway.
    let _ = tokio::join!(session.close(), observer.close());
    outcome
}

async fn until_migrated<M: MigratorTrait>(
    session: &DatabaseConnection,
    observer: &DatabaseConnection,
    waits: LockWaits,
) -> Result<Vec<String>, DbErr> {
    let mut applied = Vec::new();
    let mut waiting = Waiting::new(waits);
    let mut lock_timeout = waits.once;
    loop {
        match attempt::<M>(session, observer, lock_timeout).await? {
            Attempt::Migrated(none) if none.is_empty() => return Ok(applied),
            Attempt::Migrated(names) => {
                tracing::info!("applied {}", names.join(", "));
                applied.extend(names);
                // Work is no wait: the next migration has the whole time.
                (waiting, lock_timeout) = (Waiting::new(waits), waits.once);
            }
            Attempt::Blocked(blocked) => {
                waiting.pause(&blocked).await?;
                lock_timeout = if blocked.yields_to_longer_waits { waits.once + VACUUM_EXTRA_WAIT } else { waits.once };
            }
        }
    }
}

async fn attempt<M: MigratorTrait>(
    session: &DatabaseConnection,
    observer: &DatabaseConnection,
    lock_timeout: Duration,
) -> Result<Attempt, DbErr> {
    let transaction = session.begin().await?;
    let pid = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid()");
    let pid = transaction.query_one_raw(pid).await?.ok_or_else(|| DbErr::Custom("no backend".to_owned()))?;
    let pid: i32 = pid.try_get_by_index(0)?;

    let mut blocked = Blocked::default();
    let outcome = tokio::select! {
        outcome = migrate::<M>(&transaction, lock_timeout) => outcome,
        never = watch(observer, pid, &mut blocked) => match never {},
    };
    match outcome {
        Ok(applied) => transaction.commit().await.map(|()| Attempt::Migrated(applied)),
        Err(error) if is_lock_not_available(&error) => {
            transaction.rollback().await?;
            if blocked.by.is_empty() {
                blocked.by = format!("an unknown session ({error})");
            }
            Ok(Attempt::Blocked(blocked))
        }
        Err(error) => {
            // The first error counts; the connection is closed next, which rolls back as well.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Applies the next pending migration.
async fn migrate<M: MigratorTrait>(
    transaction: &DatabaseTransaction,
    lock_timeout: Duration,
) -> Result<Vec<String>, DbErr> {
    // Set here and not at the start of the session: a role or a database may have settings of its own.
    // A migration may read whole tables, for longer than a request may take.
    let lock_timeout = lock_timeout.as_millis();
    let settings = format!(
        "SET LOCAL lock_timeout = {lock_timeout}; SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on;
         SET LOCAL idle_in_transaction_session_timeout = '10s'"
    );
    transaction.execute_unprepared(&settings).await?;
    // The lock belongs to the transaction and ends with it in any case.
    transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    up::<M>(transaction, Some(1)).await
}

/// Keeps `blocked` up to date while the session with this pid waits. The last value stays, since the wait may be over
/// before the next poll.
async fn watch(observer: &DatabaseConnection, pid: i32, blocked: &mut Blocked) -> Infallible {
    loop {
        sleep(BLOCKER_POLL_INTERVAL).await;
        match blocker::of(observer, pid).await {
            Ok(Some(seen)) => *blocked = seen,
            Ok(None) => {}
            // For example without a free connection. The migration works without this information.
            Err(error) => blocked.by = format!("an unknown session (cannot query it: {error})"),
        }
    }
}

fn is_lock_not_available(error: &DbErr) -> bool {
    code(error).is_some_and(|code| LOCK_NOT_AVAILABLE.contains(&code.as_str()))
}

/// One connection to the primary, opened on first use.
fn connect(servers: &Servers) -> DatabaseConnection {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
    let primary = servers.preferred().clone().application_name("migrate");
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connect_lazy_with(primary))
}
