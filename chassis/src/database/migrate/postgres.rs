//! Migrations on PostgreSQL: one session migrates, another one watches its blockers.

use std::{convert::Infallible, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqlxPostgresConnector, Statement,
    TransactionTrait, sqlx::postgres::PgPoolOptions,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tokio::time::sleep;

use super::{Attempt, Blocked, Choices, Chosen, LockWaits, Waiting, apply, blocker, schema, up};
use crate::database::{
    connections::Connections,
    faults::code,
    options::{Options, Servers},
};

/// Advisory lock of migrations, for replicas that start together. It is the key of versions before, and the seed of the
/// key of a schema.
const MIGRATION_LOCK: i64 = 0x6d69_6772_6174_6531;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Five polls within the second that a lock may take.
const BLOCKER_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Added for an automatic VACUUM: PostgreSQL's default `deadlock_timeout` is a second.
const VACUUM_EXTRA_WAIT: Duration = Duration::from_millis(500);
/// Errors of a wait for a lock: `lock_timeout`, or a deadlock. Detecting a deadlock takes as long.
const LOCK_NOT_AVAILABLE: [&str; 2] = ["55P03", "40P01"];

/// A part of a migration, in a transaction of its own.
#[derive(Clone, Copy)]
enum Step<'a> {
    CreateSchema(&'a str),
    /// The next pending migration.
    Next,
    Optional(&'a dyn MigrationTrait, Chosen),
}

pub(super) async fn run<M: MigratorTrait>(
    servers: &Servers,
    waits: LockWaits,
    choices: &Choices<'_>,
) -> Result<Vec<String>, DbErr> {
    // Finds the primary first: SeaORM's pool reports neither the cause of a failure nor the address.
    drop(Connections::new(Options::Postgres(servers.clone()), 1)?.lease().await?);
    let [session, observer] = [connect(servers), connect(servers)];
    let steps = choices.schema.map(Step::CreateSchema).into_iter().chain([Step::Next]);
    let steps = steps.chain(choices.optional.map(|(migration, chosen)| Step::Optional(migration, chosen)));
    let outcome = async {
        let mut applied = Vec::new();
        for step in steps {
            applied.extend(until_done::<M>(&session, &observer, waits, step).await?);
        }
        Ok(applied)
    };
    let outcome = outcome.await;
    // An error here would hide the outcome; the connections end with the process anyway.
    let _ = tokio::join!(session.close(), observer.close());
    outcome
}

async fn until_done<M: MigratorTrait>(
    session: &DatabaseConnection,
    observer: &DatabaseConnection,
    waits: LockWaits,
    step: Step<'_>,
) -> Result<Vec<String>, DbErr> {
    let mut applied = Vec::new();
    let mut waiting = Waiting::new(waits);
    let mut lock_timeout = waits.once;
    loop {
        match attempt::<M>(session, observer, lock_timeout, step).await? {
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
    step: Step<'_>,
) -> Result<Attempt, DbErr> {
    let transaction = session.begin().await?;
    let pid = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid()");
    let pid = transaction.query_one_raw(pid).await?.ok_or_else(|| DbErr::Custom("no backend".to_owned()))?;
    let pid: i32 = pid.try_get_by_index(0)?;

    let mut blocked = Blocked::default();
    let outcome = tokio::select! {
        outcome = take::<M>(&transaction, lock_timeout, step) => outcome,
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

/// Takes a step. Returns the names of the migrations that were applied by it; after them comes another step of the kind.
async fn take<M: MigratorTrait>(
    transaction: &DatabaseTransaction,
    lock_timeout: Duration,
    step: Step<'_>,
) -> Result<Vec<String>, DbErr> {
    // Set here and not at the start of the session: a role or a database may have settings of its own.
    // A migration may read whole tables, for longer than a request may take.
    let lock_timeout = lock_timeout.as_millis();
    let settings = format!(
        "SET LOCAL lock_timeout = {lock_timeout}; SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on;
         SET LOCAL idle_in_transaction_session_timeout = '10s'"
    );
    transaction.execute_unprepared(&settings).await?;
    let schema = match step {
        Step::CreateSchema(name) => name.to_owned(),
        Step::Next | Step::Optional(..) => schema::current(transaction).await?,
    };
    take_turn(transaction, &schema).await?;
    match step {
        Step::CreateSchema(name) => schema::create(transaction, name).await.map(|()| Vec::new()),
        Step::Next => up::<M>(transaction, Some(1)).await,
        Step::Optional(migration, chosen) => apply(transaction, (migration, chosen)).await.map(|()| Vec::new()),
    }
}

/// Waits for other migrations of the schema, not for those of others. The locks end with the transaction in any case.
async fn take_turn(transaction: &DatabaseTransaction, schema: &str) -> Result<(), DbErr> {
    // Versions before take this one alone, whatever the schema.
    transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock_shared({MIGRATION_LOCK})")).await?;
    let lock = format!("SELECT pg_advisory_xact_lock(hashtextextended($1, {MIGRATION_LOCK}))");
    let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [schema.into()]);
    transaction.execute_raw(lock).await.map(drop)
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
