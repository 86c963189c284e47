//! The cost of claiming 100 rows beside 0, 1 and 10 million delivered ones: time, and buffers on PostgreSQL. Then the
//! same beside 100,000 parked rows, and beside 100,000 rows that were delivered while another session holds a snapshot:
//! their index entries are dead but cannot be removed.
//!
//! `cargo bench -p consultation --bench claim_cost`, or with other sizes of the history, or of the latter only:
//! `cargo bench -p consultation --bench claim_cost -- 0 1000000`, `... -- pinned`.

use std::time::{Duration, Instant};

use chassis::database::Database;
use consultation::outbox::store::{self, Due};
use migration::consultation::Migrator;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, Statement, TransactionTrait,
};
use testkit::{Backend, TestDatabase};

const HISTORIES: [u64; 3] = [0, 1_000_000, 10_000_000];
const PENDING: u64 = 100;
const ROUNDS: usize = 1_000;
/// Parked rows, and rows delivered under a pinned snapshot.
const PINNED: u64 = 100_000;
/// Few: rows that are delivered here are recent, and their entries stay too.
const PINNED_ROUNDS: usize = 100;
const LEASE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    // Cargo passes --bench.
    let given: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let histories = if given.is_empty() { HISTORIES.to_vec() } else { given };
    println!("| database | delivered rows | claim p50 | claim p99 | buffers of a claim |\n|---|---|---|---|---|");
    let pinned_only = std::env::args().any(|argument| argument == "pinned");
    for backend in [Backend::Postgres, Backend::Sqlite] {
        for &history in histories.iter().filter(|_| !pinned_only) {
            let Some(db) = prepared(backend).await else { continue };
            let filler = filler(&db).await;
            fill(&filler, 0, history, "delivered").await;
            tidy(&filler).await;
            measure(&db, &history.to_string(), history, Due::All, ROUNDS).await;
        }
    }
    for (claims, due) in [("a poll's", Due::All), ("a hint's", Due::Recent)] {
        let Some(db) = prepared(Backend::Postgres).await else { continue };
        let filler = filler(&db).await;
        fill(&filler, 0, PINNED, "parked").await;
        fill(&filler, PINNED, PINNED, "waited").await;
        tidy(&filler).await;
        let pinned = pin_a_snapshot(&db).await;
        let deliver =
            "UPDATE pending_payment SET finished = true, finished_at = clock_timestamp() WHERE rejections = 0";
        filler.execute_unprepared(deliver).await.expect("delivered");
        let history = format!("{PINNED} under a snapshot, {PINNED} parked; {claims} claims");
        measure(&db, &history, 2 * PINNED, due, PINNED_ROUNDS).await;
        pinned.rollback().await.expect("ended");
    }
}

async fn prepared(backend: Backend) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    Some(db)
}

/// Without the time limits of the service's sessions.
async fn filler(db: &TestDatabase) -> DatabaseConnection {
    sea_orm::Database::connect(db.url()).await.expect("a connection")
}

/// As a long report or a dump holds one.
async fn pin_a_snapshot(db: &TestDatabase) -> DatabaseTransaction {
    let isolation = Some(IsolationLevel::RepeatableRead);
    let pinned = filler(db).await.begin_with_config(isolation, None).await.expect("a transaction");
    let read = "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT count(*) FROM pending_payment";
    pinned.execute_unprepared(read).await.expect("a snapshot");
    pinned
}

/// Claims and delivers rows from number `first` on, beside the existing rows.
async fn measure(db: &TestDatabase, history: &str, first: u64, due: Due, rounds: usize) {
    let (filler, database) = (filler(db).await, &db.database.write);
    let mut times = Vec::with_capacity(rounds);
    let mut buffers = "-".to_owned();
    for round in 0..rounds {
        fill(&filler, first + round as u64 * PENDING, PENDING, "due").await;
        if round == rounds / 2 && database.get_database_backend() == DbBackend::Postgres {
            buffers = buffers_of_a_claim(&db.database, due).await;
        }
        let begin = Instant::now();
        let leases = store::claim(database, due, PENDING, LEASE).await.expect("a claim");
        times.push(begin.elapsed());
        assert_eq!(leases.len() as u64, PENDING);
        store::confirm(database, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed");
    }
    times.sort_unstable();
    let (p50, p99) = (times[rounds / 2], times[rounds * 99 / 100]);
    println!("| {:?} | {history} | {p50:.2?} | {p99:.2?} | {buffers} |", database.get_database_backend());
}

/// Adds rows number `from` to `from + count`: delivered, due, due for a minute ("waited") or parked.
async fn fill(database: &impl ConnectionTrait, from: u64, count: u64, state: &str) {
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
    let (finished, finished_at) = if state == "delivered" { (true, now) } else { (false, "NULL") };
    let (rejections, next_attempt_at) = match state {
        "parked" => (9, "clock_timestamp() + interval '30 minutes'"),
        "waited" => (0, "clock_timestamp() - interval '1 minute'"),
        _ => (0, now),
    };
    for insert in [
        format!(
            "{numbers} INSERT INTO consultation (id, physician_id, patient_id, start_date, end_date, price_cents)
             SELECT {id}, {id}, {id}, '2021-08-02T12:00:00+00:00', '2021-08-02T13:00:00+00:00', 20000 FROM numbers"
        ),
        format!(
            "{numbers} INSERT INTO pending_payment
                 (id, appointment_id, total_price_cents, next_attempt_at, created_at, finished, finished_at, rejections)
             SELECT {id}, {id}, 20000, {next_attempt_at}, {now}, {finished}, {finished_at}, {rejections} FROM numbers"
        ),
    ] {
        let values = [from.cast_signed().into(), count.cast_signed().into()];
        database.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await.expect("inserted");
    }
}

/// Runs the database's own maintenance.
async fn tidy(database: &impl ConnectionTrait) {
    let sqlite = database.get_database_backend() == DbBackend::Sqlite;
    for tidy in if sqlite { ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"] } else { ["VACUUM ANALYZE", "CHECKPOINT"] } {
        database.execute_unprepared(tidy).await.expect("tidied");
    }
}

/// Buffers by EXPLAIN (ANALYZE, BUFFERS), in a transaction that is rolled back.
async fn buffers_of_a_claim(database: &Database, due: Due) -> String {
    let transaction = database.begin().await.expect("a transaction");
    let sql = format!("EXPLAIN (ANALYZE, BUFFERS) {}", store::claim_sql(DbBackend::Postgres, due));
    let values = [PENDING.cast_signed().into(), LEASE.as_secs_f64().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let plan = transaction.query_all_raw(statement).await.expect("a plan");
    transaction.rollback().await.expect("rolled back");
    let lines = plan.iter().map(|row| row.try_get::<String>("", "QUERY PLAN").expect("a line"));
    let buffers = lines.map(|line| line.trim().to_owned()).find(|line| line.starts_with("Buffers:"));
    buffers.unwrap_or_default().replace("Buffers: shared ", "")
}
