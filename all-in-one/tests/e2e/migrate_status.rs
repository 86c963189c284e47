//! `migrate --status` of both services: which migrations are applied, without a change.

use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use testkit::{Backend, Process, TestDatabase};

/// Exit code and output of `migrate --status`.
fn status(service: &str, url: &str) -> (Option<i32>, String) {
    let variable = format!("{}_DATABASE_URL", service.to_uppercase());
    let output = Process::command(service, &["migrate", "--status"], &[(&variable, url)]).output().expect("it runs");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("a text"))
}

async fn tables(db: &TestDatabase) -> i64 {
    let backend = db.database.read.get_database_backend();
    let count = match backend {
        sea_orm::DbBackend::Sqlite => "SELECT count(*) FROM sqlite_schema",
        _ => "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'",
    };
    let row = db.database.read.query_one_raw(Statement::from_string(backend, count)).await.expect("a statement");
    row.expect("a row").try_get_by_index(0).expect("a count")
}

#[rstest]
#[tokio::test]
async fn the_status_of_migrations_is_told_and_nothing_changed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values("consultation", "finance")] service: &str,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let (code, text) = status(service, &db.url());
    let count = text.matches("\npending ").count() + usize::from(text.starts_with("pending "));
    assert_eq!((code, count > 1), (Some(1), true), "{text}");
    assert!(text.ends_with(&format!("error: {count} migrations are pending: run `{service} migrate`\n")), "{text}");
    assert_eq!(tables(&db).await, 0);

    let variable = format!("{}_DATABASE_URL", service.to_uppercase());
    let url = db.url();
    assert!(Process::command(service, &["migrate"], &[(&variable, &url)]).status().expect("it runs").success());
    let (code, text) = status(service, &url);
    assert_eq!((code, text.lines().filter(|line| line.starts_with("applied ")).count()), (Some(0), count), "{text}");
    assert_eq!(text.lines().count(), count, "{text}");

    // The last migration is of a newer version, and the one that this version has is missing.
    let renamed = format!(
        "UPDATE {service}_migration SET version = 'm2099_newer'
         WHERE version = (SELECT max(version) FROM {service}_migration)"
    );
    db.database.write.execute_unprepared(&renamed).await.expect("renamed");
    let (code, text) = status(service, &url);
    assert_eq!((code, text.matches("applied ").count()), (Some(1), count - 1), "{text}");
    assert!(text.contains("\npending m") && text.contains("\nnewer   m2099_newer\n"), "{text}");
}

#[test]
fn the_status_of_a_file_that_is_not_there_makes_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("finance.sqlite");
    let (code, text) = status("finance", &format!("sqlite://{}", file.display()));
    assert_eq!((code, text.contains("there is no database at"), file.exists()), (Some(1), true, false), "{text}");
}
