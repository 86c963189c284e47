//! Detection of a lost write-ahead log, as opposed to a proper close and to a killed process.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chassis::database::{
    backup,
    wal::{self, Keeper, LogFile, PreviousExit},
};
use sea_orm::sqlx::{
    self, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    SqliteConnection::connect_with(&options).await.expect("a connection")
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect("executed");
}

async fn count(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM visit").fetch_one(connection).await.expect("a count")
}

/// A running service with a file of its own and one committed row.
struct Service {
    directory: TempDir,
    writer: SqliteConnection,
}

impl Service {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = connect(&directory.path().join("store.sqlite")).await;
        assert_eq!(
            opened(&mut writer, &directory.path().join("store.sqlite")).await,
            PreviousExit::Closed,
            "a new file"
        );
        execute(&mut writer, "CREATE TABLE visit (id INTEGER PRIMARY KEY); INSERT INTO visit VALUES (1)").await;
        Self { directory, writer }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("store.sqlite")
    }

    /// The state after a kill at this moment: copies of the file and its log.
    fn killed(&self) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["store.sqlite", "store.sqlite-wal"] {
            fs::copy(self.directory.path().join(name), directory.path().join(name)).expect("a copy");
        }
        let file = directory.path().join("store.sqlite");
        (directory, file)
    }
}

async fn opened(writer: &mut SqliteConnection, file: &Path) -> PreviousExit {
    wal::mark_in_use(writer, file).await.expect("opened")
}

async fn restarted(file: &Path) -> PreviousExit {
    opened(&mut connect(file).await, file).await
}

fn log_of(file: &Path) -> PathBuf {
    file.with_extension("sqlite-wal")
}

#[tokio::test]
async fn a_file_that_was_closed_properly_has_no_log_and_lacks_nothing() {
    let mut service = Service::start().await;
    let file = service.file();
    assert!(!wal::is_missing(&file), "it is in use");
    wal::mark_closed(&mut service.writer).await.expect("closed");
    service.writer.close().await.expect("closed");
    assert!(wal::is_missing(&file));
    assert_eq!(restarted(&file).await, PreviousExit::Closed);
}

#[tokio::test]
async fn a_file_whose_process_was_killed_lacks_nothing() {
    let service = Service::start().await;
    let (_directory, file) = service.killed();
    let mut writer = connect(&file).await;
    assert_eq!(opened(&mut writer, &file).await, PreviousExit::Killed);
    assert_eq!(count(&mut writer).await, 1);
}

#[tokio::test]
async fn a_process_that_is_killed_before_it_writes_has_lost_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut writer = connect(&directory.path().join("store.sqlite")).await;
    opened(&mut writer, &directory.path().join("store.sqlite")).await;
    let service = Service { directory, writer };
    let (_directory, file) = service.killed();
    assert_eq!(restarted(&file).await, PreviousExit::Killed);
}

#[tokio::test]
async fn a_log_that_was_deleted_after_a_crash_is_noticed() {
    let service = Service::start().await;
    let (_directory, file) = service.killed();
    fs::remove_file(log_of(&file)).expect("deleted");
    assert_eq!(restarted(&file).await, PreviousExit::LogLost);
    // Reported once: the service continues with the file as it is.
    let (_directory, file) = service.killed();
    fs::write(log_of(&file), "").expect("emptied");
    let mut writer = connect(&file).await;
    assert_eq!(opened(&mut writer, &file).await, PreviousExit::LogLost, "an empty log is none");
    wal::mark_closed(&mut writer).await.expect("closed");
    writer.close().await.expect("closed");
    assert_eq!(restarted(&file).await, PreviousExit::Closed);
}

#[tokio::test]
async fn a_log_that_is_deleted_before_the_end_is_complete_is_noticed() {
    let mut service = Service::start().await;
    wal::mark_closed(&mut service.writer).await.expect("closed");
    let (_directory, file) = service.killed();
    assert_eq!(restarted(&file).await, PreviousExit::Closed, "with its log");
    let (_directory, file) = service.killed();
    fs::remove_file(log_of(&file)).expect("deleted");
    assert_eq!(restarted(&file).await, PreviousExit::LogLost, "without");
}

#[tokio::test]
async fn a_command_between_a_crash_and_the_start_leaves_mark_and_log_alone() {
    let service = Service::start().await;
    let (_directory, file) = service.killed();
    let keeper = Keeper::of_used_log(&file).await.expect("opened").expect("the log is in use");
    let mut command = connect(&file).await;
    execute(&mut command, "INSERT INTO visit VALUES (2)").await;
    command.close().await.expect("closed");
    keeper.close().await;
    let mut writer = connect(&file).await;
    assert_eq!(opened(&mut writer, &file).await, PreviousExit::Killed);
    assert_eq!(count(&mut writer).await, 2);
}

#[tokio::test]
async fn a_backup_after_a_crash_has_all_and_leaves_mark_and_log_alone() {
    let service = Service::start().await;
    let (directory, file) = service.killed();
    let url = format!("sqlite://{}", file.display()).into();
    backup::run(&url, &directory.path().join("copy")).await.expect("a backup");
    let mut copy = connect(&directory.path().join("copy")).await;
    assert_eq!(count(&mut copy).await, 1);
    assert_eq!(opened(&mut copy, &directory.path().join("copy")).await, PreviousExit::Closed, "the copy is complete");
    assert_eq!(restarted(&file).await, PreviousExit::Killed);
}

#[tokio::test]
async fn a_command_on_a_file_that_was_closed_leaves_no_log() {
    let mut service = Service::start().await;
    let file = service.file();
    wal::mark_closed(&mut service.writer).await.expect("closed");
    service.writer.close().await.expect("closed");
    assert!(Keeper::of_used_log(&file).await.expect("looked").is_none());
    connect(&file).await.close().await.expect("closed");
    assert!(wal::is_missing(&file));
}

#[tokio::test]
async fn a_keeper_hinders_neither_writers_nor_checkpoints() {
    let mut service = Service::start().await;
    let keeper = Keeper::open(&service.file()).await.expect("opened");
    execute(&mut service.writer, "INSERT INTO visit VALUES (2)").await;
    let truncated: (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut service.writer).await.expect("an answer");
    assert_eq!(truncated, (0, 0, 0), "all was moved");
    keeper.close().await;
}

#[tokio::test]
async fn a_log_that_is_deleted_or_replaced_while_the_service_runs_is_noticed() {
    let mut service = Service::start().await;
    let file = service.file();
    let log = LogFile::of(&file).expect("a log");
    execute(&mut service.writer, "INSERT INTO visit VALUES (2)").await;
    assert!(!log.is_gone());
    fs::rename(log_of(&file), file.with_extension("moved")).expect("moved");
    assert!(log.is_gone());
    // As the next connection of SQLite does.
    fs::write(log_of(&file), "").expect("another");
    assert!(log.is_gone() && !wal::is_missing(&file));
}
