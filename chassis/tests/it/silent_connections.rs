//! A network that drops all data and closes no connection: no call waits longer than its deadline.

use std::time::Duration;

use chassis::database::Database;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use testkit::{Backend, Proxy, TestDatabase};
use tokio::time::Instant;

async fn through_proxy() -> Option<(TestDatabase, Database, Proxy)> {
    let db = TestDatabase::empty(Backend::Postgres).await?;
    let (url, proxy) = db.through_proxy().await;
    let database = Database::connect(&url).await.expect("a database");
    Some((db, database, proxy))
}

async fn timed(database: &Database, sql: &str) -> (Duration, Result<(), DbErr>) {
    let began = Instant::now();
    let result = database.write.execute_unprepared(sql).await;
    (began.elapsed(), result.map(drop))
}

#[tokio::test]
async fn a_statement_on_a_silent_connection_ends_and_the_next_takes_another() {
    let Some((db, database, proxy)) = through_proxy().await else { return };
    let ((took, silent), ()) = tokio::join!(timed(&database, "SELECT pg_sleep(4)"), async {
        while sessions(&db, "state = 'active' AND query LIKE 'SELECT pg_sleep%'").await == 0 {
            tokio::task::yield_now().await;
        }
        proxy.silence();
    });
    let error = silent.expect_err("silence");
    assert!(error.to_string().contains("did not answer"), "{error}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    let (took, answered) = timed(&database, "SELECT 1").await;
    answered.expect("a new connection");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}

#[tokio::test]
async fn a_transaction_on_a_silent_connection_ends_also_on_the_server() {
    let Some((db, database, proxy)) = through_proxy().await else { return };
    let transaction = database.begin().await.expect("a transaction");
    proxy.silence();
    let began = Instant::now();
    transaction.commit().await.expect_err("silence");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // The server would keep it, with its locks, for 10 s after its last statement.
    while sessions(&db, "state LIKE 'idle in%'").await > 0 {
        assert!(began.elapsed() < Duration::from_secs(9), "still there after {:?}", began.elapsed());
        tokio::task::yield_now().await;
    }
}

async fn sessions(db: &TestDatabase, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}");
    let count = Statement::from_string(DbBackend::Postgres, sql);
    let row = db.database.read.query_one_raw(count).await.expect("activity").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

#[tokio::test]
async fn idle_connections_that_are_silent_cost_a_second_together() {
    let Some((_db, database, proxy)) = through_proxy().await else { return };
    let together = (0..16).map(|_| timed(&database, "SELECT pg_sleep(0.3)"));
    assert!(join_all(together).await.iter().all(|(_, result)| result.is_ok()));
    proxy.silence();
    // Above the idle time without a test.
    tokio::time::sleep(Duration::from_millis(600)).await;
    for (took, result) in join_all((0..16).map(|_| timed(&database, "SELECT 1"))).await {
        result.expect("an answer");
        assert!(took < Duration::from_millis(2_500), "{took:?}");
    }
}

#[tokio::test]
async fn below_its_pool_size_a_service_slows_down_and_does_not_stop() {
    let Some((db, database, proxy)) = through_proxy().await else { return };
    // Of the 16 connections the server allows two to this role, which the cluster's other databases share.
    let role = format!("few_{}", std::process::id());
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 2");
    database.write.execute_unprepared(&create).await.expect("a role");
    let url = db.url_as(&format!("{role}:few"), &format!("127.0.0.1:{}", proxy.port));
    let few = Database::connect(&url).await.expect("a database");
    let many = join_all((0..64).map(|_| timed(&few, "SELECT pg_sleep(0.02)"))).await;
    for (took, result) in many {
        result.expect("an answer");
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
}
