//! The cost of a claim: it grows with due rows, not with delivered or parked ones. `cargo bench --bench claim_cost`
//! measures it. The cost of a batch of rows: it grows with the batch alone.

use std::time::Duration;

use consultation::outbox::{
    State,
    store::{self, Due, Failure},
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, QueryTrait, Statement, Value};
use testkit::{Backend, TestDatabase};

use crate::outbox::{LEASE, outbox};

/// Enough that a planner does not read the whole table because it is tiny.
const DELIVERED: usize = 2_000;
const PENDING: usize = 10;

/// The plan of a statement, line by line; with ANALYZE it is executed.
async fn plan(
    database: &impl ConnectionTrait,
    explain: &str,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> String {
    let backend = database.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, format!("{explain} {sql}"), values);
    let plan = database.query_all_raw(statement).await.expect("a plan");
    let column = if backend == DbBackend::Sqlite { "detail" } else { "QUERY PLAN" };
    let lines: Vec<String> = plan.iter().map(|row| row.try_get("", column).expect("a line")).collect();
    lines.join("\n")
}

/// The plan of a claim that is executed and rolled back, with the pages that each step read.
async fn executed(db: &TestDatabase, due: Due) -> String {
    let transaction = db.database.begin().await.expect("a transaction");
    let values = [100_i64.into(), LEASE.as_secs_f64().into()];
    let sql = store::claim_sql(DbBackend::Postgres, due);
    let plan = plan(&transaction, "EXPLAIN (ANALYZE, BUFFERS)", &sql, values).await;
    transaction.rollback().await.expect("rolled back");
    plan
}

/// Pages that a plan's uppermost step and those below it read.
fn pages(plan: &str) -> u64 {
    let line = plan.lines().find(|line| line.trim().starts_with("Buffers:")).expect("buffers");
    let counts = line.split_whitespace().filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
    counts.map(|count| count.parse::<u64>().expect("a number")).sum()
}

async fn deliver(db: &TestDatabase, count: usize) {
    let database = &db.database.write;
    let leases = store::claim(database, Due::All, count as u64, LEASE).await.expect("a claim");
    assert_eq!(store::confirm(database, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed"), count as u64);
}

fn explain(db: &TestDatabase) -> &'static str {
    let is_sqlite = db.database.write.get_database_backend() == DbBackend::Sqlite;
    if is_sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" }
}

#[rstest]
#[case::all(Due::All, &["next_attempt_at <"])]
#[case::recent(Due::Recent, &["next_attempt_at <", "next_attempt_at >"])]
#[case::never_refused(Due::NeverRefused, &["next_attempt_at <"])]
#[tokio::test]
async fn a_claim_reads_a_range_of_the_index_of_what_is_due_in_its_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] due: Due,
    #[case] bounds: &[&str],
) {
    let Some(db) = outbox(backend, DELIVERED + PENDING).await else { return };
    deliver(&db, DELIVERED).await;
    let database = &db.database.write;
    database.execute_unprepared("ANALYZE").await.expect("analysed");
    let sql = store::claim_sql(database.get_database_backend(), due);
    let plan = plan(database, explain(&db), &sql, [10_i64.into(), LEASE.as_secs_f64().into()]).await;
    assert!(plan.contains("pending_payment_due"), "{plan}");
    for costly in ["Seq Scan", "SCAN pending_payment", "Sort", "TEMP B-TREE"] {
        assert!(!plan.contains(costly), "{plan}");
    }
    // SQLite writes them without blanks: (next_attempt_at>? AND next_attempt_at<?).
    let is_condition = |line: &&str| line.contains("Index Cond") || line.contains("USING");
    let condition = plan.lines().filter(is_condition).collect::<String>().replace(' ', "");
    for bound in bounds {
        assert!(condition.contains(&bound.replace(' ', "")), "{bound} in {plan}");
    }
}

#[rstest]
#[tokio::test]
async fn a_rescue_reads_a_range_of_the_index_of_what_is_due(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, DELIVERED).await else { return };
    let database = &db.database.write;
    database.execute_unprepared("ANALYZE").await.expect("analysed");
    let sql = store::rescue_sql(database.get_database_backend());
    let plan = plan(database, explain(&db), sql, store::rescue_values(1_000)).await;
    assert!(plan.contains("pending_payment_due") && !plan.contains("Seq Scan") && !plan.contains("Sort"), "{plan}");
    let condition = if backend == Backend::Sqlite { "(next_attempt_at>?)" } else { "Index Cond: (next_attempt_at > " };
    assert!(plan.contains(condition), "{plan}");
}

#[rstest]
#[case::of_a_list(None)]
#[case::of_a_retry(Some(State::Parked))]
#[tokio::test]
async fn a_batch_reads_its_rows_by_their_ids_and_not_all_that_is_undelivered(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] state: Option<State>,
) {
    let Some(db) = outbox(backend, DELIVERED).await else { return };
    let database = &db.database.write;
    database.execute_unprepared("ANALYZE").await.expect("analysed");
    let ids = store::ids(database, None, 100).await.expect("ids");
    let batch = store::still(database.get_database_backend(), state, &ids).build(database.get_database_backend());
    let plan = plan(database, explain(&db), &batch.sql, batch.values.into_iter().flatten()).await;
    let by_id = if backend == Backend::Sqlite { "(id=?)" } else { "pending_payment_pkey" };
    assert!(plan.contains(by_id), "{plan}");
    for costly in ["Seq Scan", "SCAN", "pending_payment_due"] {
        assert!(!plan.contains(costly), "{plan}");
    }
}

#[tokio::test]
async fn parked_rows_that_are_not_due_are_not_walked() {
    let Some(db) = outbox(Backend::Postgres, DELIVERED).await else { return };
    let database = &db.database.write;
    let leases = store::claim(database, Due::All, DELIVERED as u64, LEASE).await.expect("a claim");
    let failure = |lease| Failure { lease, delay: Duration::from_mins(30), error: "no".to_owned() };
    store::park(database, &leases.iter().map(failure).collect::<Vec<_>>()).await.expect("parked");
    database.execute_unprepared("VACUUM ANALYZE pending_payment").await.expect("tidied");
    for due in [Due::All, Due::NeverRefused, Due::Recent] {
        let plan = executed(&db, due).await;
        assert!(!plan.contains("Rows Removed"), "{plan}");
        assert!(pages(&plan) < 50, "{plan}");
    }
}

#[tokio::test]
async fn a_claim_that_follows_a_hint_does_not_walk_what_was_delivered_under_a_pinned_snapshot() {
    let Some(db) = outbox(Backend::Postgres, DELIVERED).await else { return };
    let database = &db.database.write;
    let a_minute_ago = "UPDATE pending_payment SET next_attempt_at = next_attempt_at - interval '1 minute'";
    database.execute_unprepared(a_minute_ago).await.expect("aged");
    database.execute_unprepared("VACUUM ANALYZE pending_payment").await.expect("tidied");
    let pinned = db.database.begin().await.expect("a transaction");
    pinned.execute_unprepared("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await.expect("set");
    pinned.execute_unprepared("SELECT count(*) FROM pending_payment").await.expect("a snapshot");
    deliver(&db, DELIVERED).await;

    let walked = [pages(&executed(&db, Due::All).await), pages(&executed(&db, Due::Recent).await)];
    assert!(walked[0] > 10 * walked[1] && walked[1] < 50, "{walked:?}");
    pinned.rollback().await.expect("ended");
}

#[rstest]
#[tokio::test]
async fn what_a_hint_does_not_tell_of_is_found_by_the_poll(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let database = &db.database.write;
    let claim = async |due| store::claim(database, due, 10, LEASE).await.expect("a claim").len();
    let a_minute_ago = match database.get_database_backend() {
        DbBackend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-60 seconds')",
        _ => "statement_timestamp() - interval '1 minute'",
    };
    let age = format!("UPDATE pending_payment SET next_attempt_at = {a_minute_ago}");
    database.execute_unprepared(&age).await.expect("aged");
    assert_eq!((claim(Due::Recent).await, claim(Due::All).await), (0, 1));
}

/// A claim changes no indexed column, so no index needs a new entry.
#[tokio::test]
async fn a_claim_writes_beside_its_row() {
    let Some(db) = outbox(Backend::Postgres, DELIVERED).await else { return };
    let database = &db.database.write;
    let pages = async || {
        let pages = "SELECT split_part(ctid::text, ',', 1) FROM pending_payment ORDER BY id";
        let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, pages)).await.expect("pages");
        rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a page")).collect::<Vec<_>>()
    };
    let before = pages().await;
    for _ in 0..DELIVERED / 100 {
        store::claim(database, Due::All, 100, LEASE).await.expect("a claim");
    }
    assert_eq!(pages().await, before);
}
