//! A claim costs what is pending, not what was delivered. `cargo bench --bench claim_cost` measures it.

use consultation::outbox::store::{self, Due};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::Backend;

use crate::outbox::{LEASE, outbox};

/// Enough that a planner does not read the whole table because it is tiny.
const DELIVERED: usize = 2_000;
const PENDING: usize = 10;

#[rstest]
#[tokio::test]
async fn a_claim_reads_the_index_of_what_is_due_in_its_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, DELIVERED + PENDING).await else { return };
    let database = &db.database.write;
    let leases = store::claim(database, Due::All, DELIVERED as u64, LEASE).await.expect("a claim");
    store::confirm(database, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed");
    database.execute_unprepared("ANALYZE").await.expect("analysed");

    let backend = database.get_database_backend();
    let (explain, column) = match backend {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        _ => ("EXPLAIN", "QUERY PLAN"),
    };
    let sql = format!("{explain} {}", store::claim_sql(backend));
    let values = [10_i64.into(), LEASE.as_secs_f64().into(), false.into()];
    let plan = database.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await.expect("a plan");
    let lines: Vec<String> = plan.iter().map(|row| row.try_get("", column).expect("a line")).collect();
    let plan = lines.join("\n");
    assert!(plan.contains("pending_payment_due"), "{plan}");
    for costly in ["Seq Scan", "SCAN pending_payment", "Sort", "TEMP B-TREE"] {
        assert!(!plan.contains(costly), "{plan}");
    }
}

/// Then no index needs a new entry, since a claim changes nothing that one holds.
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
