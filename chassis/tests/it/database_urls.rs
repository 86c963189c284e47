//! Database URLs of operators.

use chassis::database::Database;
use rstest::rstest;

#[rstest]
#[case::two_levels("a/b/store.sqlite", "a/b/store.sqlite")]
#[case::a_blank("my data/store.sqlite", "my data/store.sqlite")]
#[case::an_escaped_blank("my%20data/store.sqlite", "my data/store.sqlite")]
#[case::with_parameters("a/store.sqlite?cache=private", "a/store.sqlite")]
#[tokio::test]
async fn a_sqlite_file_is_created_with_its_directories(
    #[values("sqlite://", "sqlite:")] scheme: &str,
    #[case] path: &str,
    #[case] file: &str,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("{scheme}{}/{path}", directory.path().display());
    Database::connect(&url.into()).await.expect("a database");
    assert!(directory.path().join(file).is_file());
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let url = format!("sqlite://{}/store.sqlite", file.path().display());
    let error = Database::connect(&url.into()).await.expect_err("a file is no directory");
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
}

#[rstest]
#[case::empty("")]
#[case::no_scheme("store.sqlite")]
#[case::another_database("mysql://admin:hunter2@db/store")]
#[case::a_typing_error("postgre://admin:hunter2@db/store")]
#[case::an_unescaped_password("postgres://admin:hunter2/x@db/store")]
#[case::a_port_that_is_no_number("postgres://admin:hunter2@db:x/store")]
#[case::an_unknown_parameter_of_sqlite("sqlite://store.sqlite?mode=hunter2")]
#[tokio::test]
async fn a_malformed_url_is_an_error_that_does_not_tell_the_password(#[case] url: &str) {
    let error = Database::connect(&url.into()).await.expect_err("malformed");
    assert!(url.starts_with("sqlite") || !error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_postgresql_server_that_is_down_is_no_error_yet() {
    assert!(Database::connect(&"postgres://admin@127.0.0.1:9/store".into()).await.is_ok());
}
