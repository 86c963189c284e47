//! Locks of an upgrade on PostgreSQL, beside services of the version before: their statements wait for 2 s.

use migration::{MigratorTrait, consultation::Migrator};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, TransactionTrait};
use testkit::{Backend, TestDatabase};

/// The migrations that were there before lists were in the order of times.
const BEFORE: u32 = 9;
const ROWS: &str = "
    INSERT INTO consultation (id, physician_id, patient_id, start_date, end_date, price_cents)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now() - interval '1 hour', now(), 20000
    FROM generate_series(1, 9);
    INSERT INTO pending_payment
        (id, appointment_id, total_price_cents, tries, processing, finished, next_attempt_at, claim_seq, rejections, created_at)
    SELECT gen_random_uuid(), id, price_cents, 0, false, false, end_date, 0, 0, end_date FROM consultation";

/// Tables with the rows that this session has read of them, which it adds up for a while.
const READ: &str = "SELECT relname::text || ' ' || seq_tup_read + COALESCE(idx_tup_fetch, 0)
     FROM pg_stat_xact_user_tables WHERE relname IN ('consultation', 'pending_payment')";
/// Tables that nobody else may read.
const CLOSED: &str = "SELECT relation::regclass::text FROM pg_locks
     WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'AccessExclusiveLock'
         AND relation IN ('consultation'::regclass, 'pending_payment'::regclass)";

async fn texts(transaction: &DatabaseTransaction, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(transaction.get_database_backend(), sql);
    let rows = transaction.query_all_raw(statement).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

#[tokio::test]
async fn no_reader_waits_for_a_migration_that_reads_a_table() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let session = db.for_migrations().await;
    Migrator::up(&session, Some(BEFORE)).await.expect("migrated");
    session.execute_unprepared(ROWS).await.expect("inserted");

    let mut reading = Vec::new();
    for pending in Migrator::get_pending_migrations(&session).await.expect("an answer") {
        let transaction = session.begin().await.expect("a transaction");
        let before = texts(&transaction, READ).await;
        Migrator::up(&transaction, Some(1)).await.expect("migrated");
        let (after, closed) = (texts(&transaction, READ).await, texts(&transaction, CLOSED).await);
        transaction.commit().await.expect("committed");
        let name = pending.name();
        if after != before {
            assert!(closed.is_empty(), "{name} keeps readers out of {closed:?} while it reads: {before:?}, {after:?}");
            reading.push(name["m20261128_".len()..][..6].to_owned());
        }
    }
    reading.dedup();
    assert_eq!(reading, ["000019", "000021"], "what reads a table is seen");
}

#[tokio::test]
async fn an_upgraded_database_has_no_check_for_new_rows_only() {
    let Some(db) = crate::rows::migrated(Backend::Postgres).await else { return };
    let unchecked = "SELECT 1 FROM pg_constraint WHERE NOT convalidated";
    let unchecked = Statement::from_string(db.database.read.get_database_backend(), unchecked);
    assert!(db.database.read.query_one_raw(unchecked).await.expect("an answer").is_none());
}
