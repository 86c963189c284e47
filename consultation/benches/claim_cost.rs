//! What a claim of 100 rows costs beside 0, 1 and 10 million delivered ones: time, and buffers on PostgreSQL.
//!
//! `cargo bench -p consultation --bench claim_cost`, or with other sizes of the history:
//! `cargo bench -p consultation --bench claim_cost -- 0 1000000`.

use std::time::{Duration, Instant};

use chassis::database::Database;
use consultation::outbox::store::{self, Due};
use migration::consultation::Migrator;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::{Backend, TestDatabase};

const HISTORIES: [u64; 3] = [0, 1_000_000, 10_000_000];
const PENDING: u64 = 100;
const ROUNDS: usize = 1_000;
const LEASE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    // Cargo passes --bench.
    let given: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let histories = if given.is_empty() { HISTORIES.to_vec() } else { given };
    println!("| database | delivered rows | claim p50 | claim p99 | buffers of a claim |\n|---|---|---|---|---|");
    for backend in [Backend::Postgres, Backend::Sqlite] {
        for &history in &histories {
            let Some(db) = TestDatabase::empty(backend).await else { continue };
            measure(&db, history).await;
        }
    }
}

async fn measure(db: &TestDatabase, history: u64) {
    db.database.migrate::<Migrator>().await.expect("migrated");
    // Without the time limits of the service's sessions.
    let filler = sea_orm::Database::connect(db.url()).await.expect("a connection");
    fill(&filler, 0, history, true).await;
    tidy(&filler).await;
    let database = &db.database.write;
    let mut times = Vec::with_capacity(ROUNDS);
    let mut buffers = "-".to_owned();
    for round in 0..ROUNDS {
        fill(&filler, history + round as u64 * PENDING, PENDING, false).await;
        if round == ROUNDS / 2 && database.get_database_backend() == DbBackend::Postgres {
            buffers = buffers_of_a_claim(&db.database).await;
        }
        let begin = Instant::now();
        let leases = store::claim(database, Due::All, PENDING, LEASE).await.expect("a claim");
        times.push(begin.elapsed());
        assert_eq!(leases.len() as u64, PENDING);
        store::confirm(database, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed");
    }
    times.sort_unstable();
    let (p50, p99) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
    println!("| {:?} | {history} | {p50:.2?} | {p99:.2?} | {buffers} |", database.get_database_backend());
}

/// Adds rows number `from` to `from + count`, delivered or due.
async fn fill(database: &impl ConnectionTrait, from: u64, count: u64, delivered: bool) {
    let backend = database.get_database_backend();
    let (numbers, id, now) = match backend {
        DbBackend::Sqlite => (
            "WITH RECURSIVE numbers(n) AS (SELECT ?1 WHERE ?2 > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1 + ?2)",
            "unhex(printf('%032x', n))",
            "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
        ),
        _ => (
            "WITH numbers AS (SELECT generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n)",
            "lpad(to_hex(n), 32, '0')::uuid",
            "clock_timestamp()",
        ),
    };
    let finished_at = if delivered { now } else { "NULL" };
    for insert in [
        format!(
            "{numbers} INSERT INTO consultation (id, physician_id, patient_id, start_date, end_date, price_cents)
             SELECT {id}, {id}, {id}, '2021-08-02T12:00:00+00:00', '2021-08-02T13:00:00+00:00', 20000 FROM numbers"
        ),
        format!(
            "{numbers} INSERT INTO pending_payment
                 (id, appointment_id, total_price_cents, next_attempt_at, created_at, finished, finished_at)
             SELECT {id}, {id}, 20000, {now}, {now}, {delivered}, {finished_at} FROM numbers"
        ),
    ] {
        let values = [from.cast_signed().into(), count.cast_signed().into()];
        database.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await.expect("inserted");
    }
}

/// As the database's own maintenance leaves it.
async fn tidy(database: &impl ConnectionTrait) {
    let sqlite = database.get_database_backend() == DbBackend::Sqlite;
    for tidy in if sqlite { ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"] } else { ["VACUUM ANALYZE", "CHECKPOINT"] } {
        database.execute_unprepared(tidy).await.expect("tidied");
    }
}

/// As EXPLAIN (ANALYZE, BUFFERS) counts them, in a transaction that is rolled back.
async fn buffers_of_a_claim(database: &Database) -> String {
    let transaction = database.begin().await.expect("a transaction");
    let sql = format!("EXPLAIN (ANALYZE, BUFFERS) {}", store::claim_sql(DbBackend::Postgres));
    let values = [PENDING.cast_signed().into(), LEASE.as_secs_f64().into(), false.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let plan = transaction.query_all_raw(statement).await.expect("a plan");
    transaction.rollback().await.expect("rolled back");
    let lines = plan.iter().map(|row| row.try_get::<String>("", "QUERY PLAN").expect("a line"));
    let buffers = lines.map(|line| line.trim().to_owned()).find(|line| line.starts_with("Buffers:"));
    buffers.unwrap_or_default().replace("Buffers: shared ", "")
}
