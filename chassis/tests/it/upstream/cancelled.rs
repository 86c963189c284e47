//! Futures that are dropped before they complete.

use sea_orm::sqlx::{self, Connection, PgConnection};
use sqlx_core::transaction::TransactionManager;
use testkit::{Backend, TestDatabase};

use super::{SqliteManager, Store, cancel, insert, keep_busy, keep_session_busy, state};

#[tokio::test]
async fn a_begin_is_rolled_back_on_sqlite_as_it_should() {
    let store = Store::new().await;
    let mut connection = store.pool.acquire().await.expect("a connection");
    keep_busy(&mut connection);
    cancel(connection.begin());
    assert_eq!(state(&mut connection).await, (0, false));
}

#[tokio::test]
async fn a_begin_leaves_a_transaction_open_on_postgresql() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let mut connection = PgConnection::connect(&db.url()).await.expect("a connection");
    keep_session_busy(&mut connection);
    cancel(connection.begin());
    // Inside a transaction the clock stands still.
    let times = "SELECT now() = statement_timestamp()";
    let _: bool = sqlx::query_scalar(times).fetch_one(&mut connection).await.expect("an answer");
    let outside: bool = sqlx::query_scalar(times).fetch_one(&mut connection).await.expect("an answer");
    assert!(!outside, "what is written on this connection is not committed");
}

#[tokio::test]
async fn a_commit_is_done_and_not_rolled_back_on_sqlite_as_it_should() {
    let store = Store::new().await;
    let mut transaction = store.pool.begin().await.expect("begun");
    insert(&mut transaction, 1).await;
    keep_busy(&mut transaction);
    cancel(transaction.commit());
    assert_eq!(store.state().await, (0, false));
    assert_eq!(store.committed().await, [1]);
}

#[tokio::test]
async fn after_a_commit_without_a_guard_the_next_rollback_is_ignored() {
    let store = Store::new().await;
    let mut connection = store.pool.acquire().await.expect("a connection");
    SqliteManager::begin(&mut connection, None).await.expect("begun");
    insert(&mut connection, 1).await;
    keep_busy(&mut connection);
    // The driver expects a guard to request the rollback, as `Transaction` does.
    cancel(SqliteManager::commit(&mut connection));
    let mut transaction = connection.begin().await.expect("begun");
    insert(&mut transaction, 2).await;
    drop(transaction);
    assert_eq!(state(&mut connection).await, (1, true), "the second transaction goes on");
}
