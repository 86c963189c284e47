//! A nested transaction that fails to begin rolls back the outer one, whose commit then succeeds without effect.

use sea_orm::{
    ConnectOptions, ConnectionTrait, TransactionTrait,
    sqlx::{self, Connection, PgConnection},
};
use testkit::{Backend, TestDatabase};

use super::{SLOW, Store, cancel, insert, keep_busy, keep_session_busy};

#[tokio::test]
async fn refused_on_sqlite() {
    let store = Store::new().await;
    let mut outer = store.pool.begin().await.expect("begun");
    insert(&mut outer, 1).await;
    outer.begin_with("BEGIN IMMEDIATE").await.expect_err("not inside a transaction");
    outer.commit().await.expect("acknowledged");
    assert_eq!(store.committed().await, [0; 0], "and lost");
}

#[tokio::test]
async fn cancelled_on_sqlite() {
    let store = Store::new().await;
    let mut outer = store.pool.begin().await.expect("begun");
    insert(&mut outer, 1).await;
    keep_busy(&mut outer);
    cancel(outer.begin());
    outer.commit().await.expect("acknowledged");
    assert_eq!(store.committed().await, [0; 0], "and lost");
}

#[tokio::test]
async fn refused_or_cancelled_on_postgresql() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let mut connection = PgConnection::connect(&db.url()).await.expect("a connection");
    sqlx::raw_sql("CREATE TABLE visit (id integer)").execute(&mut connection).await.expect("a table");
    for refused in [true, false] {
        let mut outer = connection.begin().await.expect("begun");
        sqlx::raw_sql("INSERT INTO visit VALUES (1)").execute(&mut *outer).await.expect("inserted");
        if refused {
            outer.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await.expect_err("not inside a transaction");
        } else {
            keep_session_busy(&mut outer);
            cancel(outer.begin());
        }
        outer.commit().await.expect("acknowledged");
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM visit").fetch_one(&mut connection).await.expect("a count");
    assert_eq!(rows, 0, "and lost");
}

#[tokio::test]
async fn cancelled_through_sea_orm() {
    let store = Store::new().await;
    let url = format!("sqlite://{}", store.directory.path().join("store.sqlite").display());
    let mut options = ConnectOptions::new(url);
    let database = sea_orm::Database::connect(options.max_connections(1).to_owned()).await.expect("a connection");
    let outer = database.begin().await.expect("begun");
    outer.execute_unprepared("INSERT INTO visit (id) VALUES (1)").await.expect("inserted");
    cancel(outer.execute_unprepared(SLOW));
    cancel(outer.begin());
    outer.commit().await.expect("acknowledged");
    assert_eq!(store.committed().await, [0; 0], "and lost");
}
