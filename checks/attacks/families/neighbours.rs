//! Attacks with the database role of a stolen container.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use tokio::{
    io::AsyncWriteExt,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    gauge,
    stage::{CREDENTIALS, Purpose, Setup, Stage},
    wire::websocket,
};

/// Limit for the honest client's first finish and its delivery.
const WORK_TIMEOUT: Duration = Duration::from_secs(6);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) fn attacks() -> Vec<Attack> {
    let roles = Setup { has_roles: true, ..Setup::default() };
    let postgres_roles = Setup { needs_postgres: true, ..roles };
    vec![
        Attack::new("changed-payments", "finance's role changes and deletes payments", |stage| {
            Box::pin(changed_payments(stage))
        })
        .on(roles),
        Attack::new(
            "disabled-trigger",
            "consultation's role disables triggers and deletes undelivered payments",
            |stage| Box::pin(disabled_triggers(stage)),
        )
        .on(Setup { has_hostile_finance: true, ..postgres_roles }),
        Attack::new("forged-notifications", "finance's role sends 2,000 notifications of 200 ids", |stage| {
            Box::pin(forged_notifications(stage))
        })
        .on(postgres_roles),
        Attack::new("migration-lock", "finance's role holds the lock under which consultation migrates", |stage| {
            Box::pin(migration_lock(stage))
        })
        .on(postgres_roles),
    ]
}

async fn changed_payments(stage: &Stage) -> anyhow::Result<Evidence> {
    let session = stage.databases.session("finance", Purpose::Serve).await?;
    until("a payment", || async { count(&session, "payment").await.is_ok_and(|payments| payments > 0) }).await?;
    let evidence = Evidence::of(2);
    let changed = session.execute_unprepared("UPDATE payment SET total_price_cents = 1").await;
    let evidence = evidence.hole_if(changed.is_ok_and(|done| done.rows_affected() > 0), "UPDATE payment works");
    let deleted = session.execute_unprepared("DELETE FROM payment").await;
    Ok(evidence.hole_if(deleted.is_ok_and(|done| done.rows_affected() > 0), "DELETE FROM payment works"))
}

async fn disabled_triggers(stage: &Stage) -> anyhow::Result<Evidence> {
    let session = stage.databases.session("consultation", Purpose::Serve).await?;
    // Finance does not answer in this attack: the honest client's payments stay undelivered.
    let undelivered = "pending_payment WHERE NOT finished";
    until("an undelivered payment", || async { count(&session, undelivered).await.is_ok_and(|rows| rows > 0) }).await?;
    let disabled = session.execute_unprepared("ALTER TABLE pending_payment DISABLE TRIGGER USER").await;
    let evidence = Evidence::of(2).hole_if(disabled.is_ok(), "triggers are disabled");
    let deleted = session.execute_unprepared(&format!("DELETE FROM {undelivered}")).await;
    let is_deleted = deleted.is_ok_and(|done| done.rows_affected() > 0);
    Ok(evidence.hole_if(is_deleted, "undelivered payments are deleted"))
}

async fn forged_notifications(stage: &Stage) -> anyhow::Result<Evidence> {
    const NOTIFICATIONS: u32 = 2_000;
    /// Each reads again whenever it may have missed a notification.
    const FOLLOWERS: usize = 50;
    /// As many as a payload of 8,000 bytes holds.
    const IDS: u32 = 200;
    /// One second of a core, three in a build without optimisation.
    const PROCESSOR_TIME: u64 = if cfg!(debug_assertions) { 300 } else { 100 };
    let session = stage.databases.session("finance", Purpose::Serve).await?;
    let followed = stage.consultation_of(Uuid::new_v4()).await?;
    let mut socket = websocket::introduced(stage.consultation.address, CREDENTIALS).await?;
    for number in 0..FOLLOWERS {
        socket.write_all(&websocket::follow(&number.to_string(), &followed)).await?;
    }
    let process = stage.consultation.process.id();
    let before = gauge::processor_time(process)?;
    let began = Instant::now();
    let sender = Uuid::new_v4();
    for _ in 0..NOTIFICATIONS {
        // A replica's notification with a wrong number: after each, receivers may have missed some.
        let number = Uuid::from_u64_pair(0, fastrand::u64(..));
        let ids = (0..IDS).map(|_| Uuid::new_v4());
        let words: Vec<_> = [sender, number].into_iter().chain(ids).map(|id| id.to_string()).collect();
        for channel in ["consultation_changed", "pending_payment_due"] {
            // Of the schema of the service, as roles.sql makes it.
            let notify = format!(
                "SELECT pg_notify('{channel}.' || oid, '{}') FROM pg_namespace WHERE nspname = 'consultation'",
                words.join(" ")
            );
            ensure!(session.execute_unprepared(&notify).await?.rows_affected() == 1, "nobody was notified");
        }
    }
    sleep(POLL_INTERVAL).await;
    let (used, seconds) = (gauge::processor_time(process)? - before, began.elapsed());
    Ok(Evidence::of(1)
        .hole_if(used > PROCESSOR_TIME, format!("{used} hundredths of a second of processor time in {seconds:.1?}")))
}

/// Advisory locks need no privilege. The service goes on, and the migration ends once the lock is free.
async fn migration_lock(stage: &Stage) -> anyhow::Result<Evidence> {
    const MIGRATION_LOCK: i64 = 7_883_946_363_647_714_609;
    const HELD_FOR: Duration = Duration::from_secs(3);
    const DONE_WITHIN: Duration = Duration::from_secs(10);
    let session = stage.databases.session("finance", Purpose::Serve).await?;
    let transaction = session.begin().await?;
    transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    let database = stage.databases.url("consultation", Purpose::Migrate);
    let mut migration = stage.command("consultation", &["migrate"], &[("CONSULTATION_DATABASE_URL", &database)]);
    let migration = tokio::task::spawn_blocking(move || migration.output());
    sleep(HELD_FOR).await;
    transaction.rollback().await?;
    let migrated =
        timeout(DONE_WITHIN, migration).await.context("the migration waits although the lock is free")???;
    Ok(Evidence::of(1).hole_if(!migrated.status.success(), "the migration failed"))
}

async fn count(session: &DatabaseConnection, rows: &str) -> anyhow::Result<i64> {
    let backend = session.get_database_backend();
    let statement = sea_orm::Statement::from_string(backend, format!("SELECT count(*) AS count FROM {rows}"));
    let row = session.query_one_raw(statement).await?.context("a count")?;
    Ok(row.try_get("", "count")?)
}

/// Waits until the honest client's work has the effect that the attack needs.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so().await {
        ensure!(began.elapsed() < WORK_TIMEOUT, "{what} is not there after {WORK_TIMEOUT:?}");
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}
