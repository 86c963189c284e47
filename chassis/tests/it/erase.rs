//! Erasure of deleted and replaced values from a SQLite file and its log.

use std::process::Command;

use chassis::database::wal::{self, PreviousExit};
use sea_orm::{
    ConnectionTrait,
    sqlx::{Connection, SqliteConnection},
};
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

const OLD: &str = "the value that is to leave";

/// Whether the file or its log has the bytes of [`OLD`]. Another process reads them: this one would lose SQLite's locks
/// by closing the file.
fn has_old_value(db: &TestDatabase) -> bool {
    let file = wal::file_of(&db.url()).expect("a file");
    let mut search = Command::new("grep");
    search.args(["--quiet", "--text", OLD]).args([&file, &file.with_extension("sqlite-wal")]);
    match search.status().expect("it runs").code() {
        Some(0) => true,
        Some(1) => false,
        code => panic!("grep ended with {code:?}"),
    }
}

async fn execute(db: &TestDatabase, sql: &str) {
    db.database.write.execute_unprepared(sql).await.expect("executed");
}

/// A table whose rows and index entries were moved between pages, as in use.
async fn replaced() -> TestDatabase {
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("SQLite is always there");
    db.database.begin_service().await.expect("in use");
    execute(&db, "CREATE TABLE visit (id INTEGER PRIMARY KEY, who TEXT NOT NULL)").await;
    execute(&db, "CREATE INDEX visit_who ON visit (who)").await;
    for first in [1, 3, 2] {
        let rows = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 500)";
        execute(&db, &format!("{rows} INSERT INTO visit SELECT i * 3 + {first}, i || '{OLD}' FROM n")).await;
    }
    execute(&db, "PRAGMA wal_checkpoint(PASSIVE)").await;
    execute(&db, &format!("UPDATE visit SET who = replace(who, '{OLD}', 'nobody')")).await;
    db
}

#[tokio::test]
async fn replaced_values_leave_the_file_and_its_log() {
    let db = replaced().await;
    assert!(has_old_value(&db), "or the test shows nothing");
    db.database.erase_deleted().await.expect("erased");
    assert!(!has_old_value(&db));
    execute(&db, "INSERT INTO visit VALUES (5000, 'the next')").await;
    let rows = db.database.read.query_all_raw(sea_orm::Statement::from_string(
        sea_orm::DbBackend::Sqlite,
        "SELECT id FROM visit WHERE who = 'the next' OR who = '0nobody'",
    ));
    assert_eq!(rows.await.expect("rows").len(), 4, "the others are as they were");
}

#[tokio::test]
async fn a_service_that_is_killed_after_an_erasure_has_not_lost_its_log() {
    let db = replaced().await;
    db.database.erase_deleted().await.expect("erased");
    let file = wal::file_of(&db.url()).expect("a file");
    let mut next = SqliteConnection::connect(&db.url()).await.expect("a connection");
    assert_eq!(wal::mark_in_use(&mut next, &file).await.expect("opened"), PreviousExit::Killed);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_erased_while_others_write() {
    let db = replaced().await;
    // Large enough that a writer's own checkpoint takes a while.
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
    execute(&db, &format!("{rows} INSERT INTO visit SELECT i + 5000, hex(randomblob(200)) FROM n")).await;
    let (writer, enough) = (db.database.write.clone(), CancellationToken::new());
    let until = enough.clone();
    let writing = tokio::spawn(async move {
        while !until.is_cancelled() {
            writer.execute_unprepared("INSERT INTO visit (who) VALUES ('another')").await.expect("it waits");
        }
    });
    for _ in 0..5 {
        db.database.erase_deleted().await.expect("erased");
    }
    enough.cancel();
    writing.await.expect("no write failed");
    assert!(!has_old_value(&db));
}
