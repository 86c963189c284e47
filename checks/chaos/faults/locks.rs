//! Locks of another session: on one row, and on a table that a migration waits for.

use std::{
    ops::Range,
    process::{Output, Stdio},
    time::Duration,
};

use fastrand::Rng;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    client::Entry,
    invariants::names::{MIGRATE_SAYS, MIGRATE_WAITS, ROW_LOCKED},
    world::World,
};

/// The normal latency is measured for this time before the lock.
const MEASURED_BEFORE: Duration = Duration::from_secs(5);
const LOCKED_FOR: Duration = Duration::from_secs(12);
/// Clients that ask for the locked row repeatedly.
const CLIENTS: usize = 4;
/// The 95th percentile of other calls stays below.
const MAX_OTHERS_P95: Duration = Duration::from_millis(500);
/// A migration that waits delays a call by at most 2 s. The rest is for a busy machine.
const MAX_DELAY_BY_MIGRATION: Duration = Duration::from_millis(2_500);
/// Calls that began under the lock end within this time.
const MEASURED_AFTER: Duration = Duration::from_secs(3);
/// Undoes the migration that counts rows. Its triggers need a lock that waits for writers of the tables.
const UNDO_A_MIGRATION: &str = "
    DROP TABLE IF EXISTS consultation_count, pending_payment_count;
    DROP FUNCTION IF EXISTS consultation_count_insert, consultation_count_delete, consultation_count_truncate,
        pending_payment_count_insert, pending_payment_count_delete, pending_payment_count_truncate CASCADE;
    DELETE FROM consultation_migration WHERE version LIKE '%_count_consultations';";

/// A consultation is locked while clients finish it. Only these clients may wait.
pub(super) async fn row(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    let Some(entry) = world.load.start(random).await else { return Ok(()) };
    let before = Instant::now();
    sleep(MEASURED_BEFORE).await;
    let locked = Instant::now();
    let lock = world.stack.consultation_store.begin().await?;
    lock.execute_unprepared(&format!("SELECT id FROM consultation WHERE id = '{}' FOR UPDATE", entry.id)).await?;
    world.seen.count("one row locked while its clients ask again");
    let unlock = async {
        sleep(LOCKED_FOR).await;
        lock.rollback().await
    };
    tokio::join!(unlock, finish_repeatedly(world, entry)).0?;
    sleep(MEASURED_AFTER).await;
    let normal = world.load.waits(before..locked);
    let waits = world.load.waits(locked..locked + LOCKED_FOR);
    world.seen.case(ROW_LOCKED, delayed(&normal, &waits));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "thousands of calls")]
fn delayed(normal: &[Duration], waits: &[Duration]) -> Option<String> {
    let per_second = |calls: &[Duration], time: Duration| calls.len() as f64 / time.as_secs_f64();
    let [before, during] = [per_second(normal, MEASURED_BEFORE), per_second(waits, LOCKED_FOR)];
    let p95 = waits.get(waits.len() * 95 / 100).copied().unwrap_or_default();
    let is_slow = p95 > MAX_OTHERS_P95 || during < before / 2.0;
    is_slow.then(|| format!("p95 of the others {p95:.1?}, {during:.0} calls a second instead of {before:.0}"))
}

/// Several clients repeat one finish until it is answered.
async fn finish_repeatedly(world: &World, entry: Entry) {
    let until = Instant::now() + LOCKED_FOR + MEASURED_AFTER;
    let id = entry.id.to_string();
    let asking = (0..CLIENTS).map(|number| {
        let (id, mut entry) = (&id, entry.clone());
        async move {
            let replica = &world.stack.consultation[number % world.stack.consultation.len()];
            let asking = async {
                loop {
                    let answer = world.api.finish(replica.port, id, None).await;
                    entry.ended(&answer);
                    if answer.is_ok() {
                        return;
                    }
                }
            };
            let _ = timeout_at(until, asking).await;
            entry
        }
    });
    join_all(asking).await.into_iter().for_each(|entry| world.load.record(entry));
}

/// A migration waits for a forgotten transaction. Other calls do not wait for the migration.
pub(super) async fn migration(world: &World) -> anyhow::Result<()> {
    let store = &world.stack.consultation_store;
    store.run(UNDO_A_MIGRATION).await?;
    let forgotten = store.begin().await?;
    let write = "UPDATE consultation SET physician_id = physician_id WHERE id = (SELECT id FROM consultation LIMIT 1)";
    forgotten.execute_unprepared(write).await?;
    let pid = pid(&forgotten).await?;
    world.seen.count("migrate behind a forgotten transaction");
    let began = Instant::now();
    let forget = async {
        sleep(LOCKED_FOR).await;
        forgotten.rollback().await
    };
    let (ended, output) = tokio::join!(forget, migrate(world));
    ended?;
    let output = output?;
    let time = began..began + LOCKED_FOR;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    world.seen.case(MIGRATE_SAYS, (!said.contains(&pid)).then(|| format!("session {pid} is not named in: {said}")));
    if !output.status.success() {
        migrate(world).await?;
    }
    sleep(MEASURED_AFTER).await;
    world.seen.case(MIGRATE_WAITS, longest(world, time));
    Ok(())
}

async fn pid(session: &DatabaseTransaction) -> anyhow::Result<String> {
    use sea_orm::{DbBackend, Statement};
    let statement = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid()::text AS pid");
    let row = session.query_one_raw(statement).await?;
    Ok(row.ok_or_else(|| anyhow::anyhow!("no session"))?.try_get("", "pid")?)
}

async fn migrate(world: &World) -> anyhow::Result<Output> {
    let mut command = world.stack.consultation[0].migration();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

fn longest(world: &World, time: Range<Instant>) -> Option<String> {
    let waits = world.load.waits(time);
    let longest = waits.last().copied().unwrap_or_default();
    (longest > MAX_DELAY_BY_MIGRATION || waits.is_empty()).then(|| format!("{longest:.1?}, of {} calls", waits.len()))
}
