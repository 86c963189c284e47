//! Permissions of SQLite files, and errors that name the database's address.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use chassis::database::{
    Database, backup,
    migrate::{self, LockWaits},
};
use rstest::rstest;
use sea_orm::ConnectionTrait;

use crate::health::NoMigrations;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[rstest]
#[tokio::test]
async fn a_new_sqlite_database_and_all_that_belongs_to_it_is_its_owners_alone(
    #[values(false, true)] migrated_first: bool,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("new/data");
    let file = data.join("store.sqlite");
    let url = format!("sqlite://{}", file.display()).into();
    if migrated_first {
        migrate::run::<NoMigrations>(&url, LockWaits::default()).await.expect("migrated");
    }
    let database = Database::connect(&url).await.expect("a database");
    database.begin_service().await.expect("in use");
    database.write.execute_unprepared("CREATE TABLE visit (id integer)").await.expect("written");
    backup::run(&url, &data.join("copy.sqlite")).await.expect("a copy");
    for directory in [directory.path().join("new"), data.clone()] {
        assert_eq!(mode(&directory), 0o700, "{}", directory.display());
    }
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "copy.sqlite"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    database.end_service().await.expect("closed");
}

#[tokio::test]
async fn a_directory_or_file_that_is_there_keeps_its_rights() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("store.sqlite");
    fs::write(&file, "").expect("a file");
    for (path, mode) in [(directory.path(), 0o750), (file.as_path(), 0o640)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }
    Database::connect(&format!("sqlite://{}", file.display()).into()).await.expect("a database");
    assert_eq!((mode(directory.path()), mode(&file)), (0o750, 0o640));
}

#[tokio::test]
async fn a_database_in_memory_leaves_no_file() {
    let before = fs::read_dir(".").expect("a directory").count();
    let database = Database::connect(&"sqlite::memory:".into()).await.expect("a database");
    database.begin_service().await.expect("in use");
    assert_eq!(fs::read_dir(".").expect("a directory").count(), before);
}

/// The errors of each kind of use.
async fn failures(url: &str) -> Vec<String> {
    let url = url.to_owned().into();
    let migrated = migrate::run::<NoMigrations>(&url, LockWaits::default()).await;
    let connected = async { Database::connect(&url).await?.read.execute_unprepared("SELECT 1").await };
    let beside = async { Database::open_beside(&url).await?.read.execute_unprepared("SELECT 1").await };
    let errors = [migrated.err(), connected.await.err(), beside.await.err()];
    errors.map(|error| error.expect("it fails").to_string()).to_vec()
}

#[tokio::test]
async fn a_server_that_refuses_is_named_with_the_cause() {
    for error in Box::pin(failures("postgres://somebody:secret@127.0.0.1:9/store")).await {
        assert!(error.contains("127.0.0.1:9") && error.contains("refused") && !error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_with_the_cause() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), "not a database, but a text that is long enough to be read as the head of one".repeat(9))
        .expect("written");
    let path = file.path().display().to_string();
    for error in Box::pin(failures(&format!("sqlite://{path}"))).await {
        assert!(error.contains(&path) && error.contains("not a database"), "{error}");
        assert_eq!(error.matches("not a database").count(), 1, "said once: {error}");
    }
}
