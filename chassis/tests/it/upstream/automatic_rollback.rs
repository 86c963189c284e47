//! SQLite ended the transaction by itself, and sqlx still counts it.

use rstest::rstest;
use sea_orm::sqlx::{self, Connection, SqliteConnection};

use super::{Store, insert};

/// Causes of a rollback by SQLite itself.
#[derive(Clone, Copy, Debug)]
enum Cause {
    /// `ON CONFLICT ROLLBACK`, `OR ROLLBACK`, `RAISE(ROLLBACK)`.
    Conflict,
    /// SQLITE_FULL, here by a limit of pages instead of a full disk; SQLITE_IOERR and SQLITE_NOMEM take the same way.
    Full,
    /// SQLITE_INTERRUPT.
    Interrupt,
    /// A COMMIT that cannot be written, as on a full disk; here a commit hook refuses it.
    Commit,
}

/// Lets a transaction fail, and drops it.
async fn fail(connection: &mut SqliteConnection, cause: Cause) {
    let mut transaction = connection.begin().await.expect("begun");
    insert(&mut transaction, 100).await;
    let statement = match cause {
        Cause::Conflict => "INSERT OR ROLLBACK INTO visit (id) VALUES (100)",
        Cause::Full => {
            sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut *transaction).await.expect("set");
            "INSERT INTO large VALUES (zeroblob(100000))"
        }
        Cause::Interrupt => {
            transaction.lock_handle().await.expect("a handle").set_progress_handler(1, || false);
            "INSERT INTO visit (id) VALUES (101)"
        }
        Cause::Commit => {
            transaction.lock_handle().await.expect("a handle").set_commit_hook(|| false);
            transaction.commit().await.expect_err("refused");
            connection.lock_handle().await.expect("a handle").remove_commit_hook();
            return;
        }
    };
    sqlx::raw_sql(statement).execute(&mut *transaction).await.expect_err("it fails");
    if matches!(cause, Cause::Interrupt) {
        transaction.lock_handle().await.expect("a handle").remove_progress_handler();
    }
    drop(transaction);
    sqlx::raw_sql("PRAGMA max_page_count = 1000000").execute(connection).await.expect("set");
}

#[rstest]
#[tokio::test]
async fn sqlx_counts_a_transaction_that_sqlite_has_ended(
    #[values(Cause::Conflict, Cause::Full, Cause::Interrupt, Cause::Commit)] cause: Cause,
) {
    let store = Store::new().await;
    fail(&mut store.pool.acquire().await.expect("a connection"), cause).await;
    assert_eq!(store.state().await, (1, false), "after its ROLLBACK failed: no transaction is active");
}

#[tokio::test]
async fn then_one_rollback_more_and_all_commits_are_acknowledged_and_lost() {
    let store = Store::new().await;
    fail(&mut store.pool.acquire().await.expect("a connection"), Cause::Commit).await;

    let mut transaction = store.pool.begin().await.expect("begun: SAVEPOINT, outside of any transaction");
    insert(&mut transaction, 1).await;
    transaction.commit().await.expect("committed: RELEASE of the outermost savepoint");
    assert_eq!(store.committed().await, [1], "so far nothing is wrong");

    let transaction = store.pool.begin().await.expect("begun");
    transaction.rollback().await.expect("rolled back: ROLLBACK TO, which keeps the savepoint");
    assert_eq!(store.state().await, (1, true));

    for id in 2..5 {
        let mut transaction = store.pool.begin().await.expect("begun");
        insert(&mut transaction, id).await;
        transaction.commit().await.expect("acknowledged");
    }
    assert_eq!(store.committed().await, [1], "2, 3 and 4 are in a transaction that nobody ends");
    store.pool.close().await;
    assert_eq!(store.committed().await, [1], "and are lost");
}

#[tokio::test]
async fn what_follows_in_the_same_transaction_is_committed_by_itself() {
    let store = Store::new().await;
    let mut transaction = store.pool.begin().await.expect("begun");
    insert(&mut transaction, 1).await;
    let conflict = sqlx::raw_sql("INSERT OR ROLLBACK INTO visit (id) VALUES (1)");
    conflict.execute(&mut *transaction).await.expect_err("a conflict");
    insert(&mut transaction, 2).await;
    assert_eq!(store.committed().await, [2]);
    transaction.rollback().await.expect_err("no transaction is active");
    assert_eq!(store.committed().await, [2]);
}

#[tokio::test]
async fn a_savepoint_in_it_cannot_be_released_and_the_count_stays_at_two() {
    let store = Store::new().await;
    let mut outer = store.pool.begin().await.expect("begun");
    let mut inner = outer.begin().await.expect("begun");
    insert(&mut inner, 1).await;
    let conflict = sqlx::raw_sql("INSERT OR ROLLBACK INTO visit (id) VALUES (1)");
    conflict.execute(&mut *inner).await.expect_err("a conflict");
    inner.commit().await.expect_err("no such savepoint");
    outer.commit().await.expect_err("no such savepoint: it releases the inner one");
    assert_eq!(store.state().await, (2, false));
}

#[tokio::test]
async fn a_failed_commit_that_leaves_the_transaction_open_is_rolled_back_as_it_should() {
    let store = Store::new().await;
    let mut transaction = store.pool.begin().await.expect("begun");
    let orphan = "PRAGMA defer_foreign_keys = ON; INSERT INTO visit VALUES (1, 7)";
    sqlx::raw_sql(orphan).execute(&mut *transaction).await.expect("inserted");
    transaction.commit().await.expect_err("a foreign key is violated");
    assert_eq!(store.state().await, (0, false));
}
