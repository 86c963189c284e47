//! Backups of a SQLite database in use.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chassis::database::{Database, backup, wal};
use sea_orm::{
    ConnectionTrait,
    sqlx::{self, Connection, SqliteConnection, sqlite::SqliteConnectOptions},
};
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

/// A write as services do it: two rows in two tables, or none.
const TABLES: &str = "CREATE TABLE visit (id INTEGER PRIMARY KEY);
                      CREATE TABLE bill (id INTEGER PRIMARY KEY, visit_id INTEGER NOT NULL REFERENCES visit (id))";

async fn database() -> (TestDatabase, PathBuf) {
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("SQLite is always there");
    db.database.write.execute_unprepared(TABLES).await.expect("tables");
    let directory = wal::file_of(&db.url()).expect("a file").parent().expect("a directory").to_owned();
    (db, directory)
}

async fn write_until(database: Database, enough: CancellationToken, committed: Arc<AtomicI64>) {
    while !enough.is_cancelled() {
        let transaction = database.begin().await.expect("begun");
        let id = committed.load(Ordering::SeqCst) + 1;
        transaction.execute_unprepared(&format!("INSERT INTO visit VALUES ({id})")).await.expect("written");
        transaction.execute_unprepared(&format!("INSERT INTO bill VALUES ({id}, {id})")).await.expect("written");
        transaction.commit().await.expect("committed");
        committed.store(id, Ordering::SeqCst);
    }
}

async fn number(copy: &Path, sql: &'static str) -> i64 {
    let options = SqliteConnectOptions::new().filename(copy).read_only(true);
    let mut copy = SqliteConnection::connect_with(&options).await.expect("it opens");
    sqlx::query_scalar(sql).fetch_one(&mut copy).await.expect("a number")
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> =
        names.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_during_writes_holds_one_moment_and_all_that_was_committed_before() {
    let (db, directory) = database().await;
    let (enough, committed) = (CancellationToken::new(), Arc::new(AtomicI64::new(0)));
    let writer = tokio::spawn(write_until(db.database.clone(), enough.clone(), Arc::clone(&committed)));
    for n in 0..5 {
        let before = committed.load(Ordering::SeqCst);
        // Each backup runs during writes.
        while committed.load(Ordering::SeqCst) < before + 20 {
            tokio::task::yield_now().await;
        }
        let before = committed.load(Ordering::SeqCst);
        let file = directory.join(format!("copy-{n}"));
        let backup = backup::run(&db.url, &file).await.expect("a backup");
        let after = committed.load(Ordering::SeqCst) + 1;
        let visits = number(&file, "SELECT count(*) FROM visit").await;
        assert!((before..=after).contains(&visits), "{before} <= {visits} <= {after}");
        assert_eq!(number(&file, "SELECT max(id) FROM visit").await, visits, "none is missing in between");
        assert_eq!(number(&file, "SELECT count(*) FROM bill").await, visits, "none lacks its bill");
        assert_eq!(backup.rows, [("bill".to_owned(), visits), ("visit".to_owned(), visits)]);
        assert_eq!(backup.size, fs::metadata(&file).expect("a file").len());
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(number(&file, "PRAGMA user_version").await, 0, "it was closed properly");
    }
    enough.cancel();
    writer.await.expect("no writer was held up");
    assert!(names(&directory).iter().all(|name| name.starts_with("test.sqlite") || name.len() == "copy-0".len()));
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let (db, directory) = database().await;
    let file = directory.join("copy");
    fs::write(&file, "yesterday's").expect("written");
    let error = backup::run(&db.url, &file).await.expect_err("it exists").to_string();
    assert!(error.contains("copy exists"), "{error}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "yesterday's");
    assert!(!directory.join("copy.partial").exists());
}

#[tokio::test]
async fn a_backup_replaces_what_a_killed_one_left() {
    let (db, directory) = database().await;
    let archived = directory.join("archived");
    fs::write(&archived, "half of something").expect("written");
    // Killed before its last step, a backup leaves a second name of the complete file.
    fs::hard_link(&archived, directory.join("copy.partial")).expect("linked");
    fs::write(directory.join("copy.partial-journal"), "half of a journal").expect("written");
    backup::run(&db.url, &directory.join("copy")).await.expect("a backup");
    assert_eq!(fs::read_to_string(archived).expect("a file"), "half of something");
    assert!(!directory.join("copy.partial").exists() && !directory.join("copy.partial-journal").exists());
}

#[tokio::test]
async fn two_backups_to_one_file_do_not_meet() {
    let (db, directory) = database().await;
    let other = fs::File::create(directory.join("copy.partial")).expect("created");
    other.lock().expect("locked");
    let error = backup::run(&db.url, &directory.join("copy")).await.expect_err("one is under way").to_string();
    assert!(error.contains("under way"), "{error}");
    assert!(directory.join("copy.partial").exists());
}

#[tokio::test]
async fn a_copy_with_a_fault_is_no_backup() {
    let (db, directory) = database().await;
    let orphan = "PRAGMA foreign_keys = OFF; INSERT INTO bill VALUES (1, 7)";
    db.database.write.execute_unprepared(orphan).await.expect("written");
    let error = backup::run(&db.url, &directory.join("copy")).await.expect_err("a bill of no visit");
    let error = format!("{error:#}");
    assert!(error.contains("bill row 1 refers to nothing in visit"), "{error}");
    assert!(names(&directory).iter().all(|name| name.starts_with("test.sqlite")), "{:?}", names(&directory));
}

#[tokio::test]
async fn a_database_that_is_missing_is_not_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/none.sqlite", directory.path().display());
    let error =
        backup::run(&url.into(), &directory.path().join("copy")).await.expect_err("nothing to copy").to_string();
    assert!(error.contains("none.sqlite"), "{error}");
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn on_postgresql_the_command_to_use_is_told_without_the_password() {
    let url = "postgres://reader:hunter2@db.example:5433/store".to_owned();
    let error = backup::run(&url.into(), Path::new("my copy")).await.expect_err("not for PostgreSQL").to_string();
    let command =
        "pg_dump --host=db.example --port=5433 --username=reader --dbname=store --format=custom --file='my copy'";
    assert!(error.ends_with(command), "{error}");
    let malformed = "postgres://reader:hunter2/x@db".to_owned();
    let error = backup::run(&malformed.into(), Path::new("copy")).await.expect_err("malformed").to_string();
    assert!(!error.contains("hunter2"), "{error}");
}
