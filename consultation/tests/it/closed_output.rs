//! Commands whose output nobody reads any more, as with `| head -1`, or that is on a full disk.

use std::{
    fs::File,
    io::{self, PipeWriter},
    process::Stdio,
};

use rstest::rstest;
use testkit::{Backend, Process, TestDatabase};

use crate::{
    outbox::outbox,
    pending::{in_order, park},
};

/// A pipe without a reader.
fn closed() -> PipeWriter {
    io::pipe().expect("a pipe").1
}

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("a device")
}

fn code(database: &str, arguments: &[&str], out: impl Into<Stdio>, err: impl Into<Stdio>) -> Option<i32> {
    let mut command = Process::command("consultation", arguments, &[("CONSULTATION_DATABASE_URL", database)]);
    command.stdout(out).stderr(err).status().expect("it runs").code()
}

async fn with_rows(count: usize) -> TestDatabase {
    outbox(Backend::Sqlite, count).await.expect("a database")
}

#[tokio::test]
async fn a_reader_of_pending_that_has_seen_enough_is_a_success() {
    let db = with_rows(2).await;
    for arguments in [&["pending"][..], &["pending", "--json"], &["pending", "--limit", "1"]] {
        assert_eq!(code(&db.url(), arguments, closed(), closed()), Some(0), "{arguments:?}");
    }
    assert_eq!(code(&db.url(), &["pending"], full(), Stdio::null()), Some(1), "the lines are on no disk");
}

#[tokio::test]
async fn messages_that_cannot_be_written_change_no_exit_code() {
    let (empty, filled) = (with_rows(0).await, with_rows(2).await);
    park(&filled, [in_order(&filled).await[0].id], "refused").await;
    let more = ["pending", "--limit", "1"];
    for (database, arguments, expected) in [
        (empty.url(), &["pending"][..], 0),
        (filled.url(), &more, 0),
        (filled.url(), &["retry", "--parked"], 0),
        ("sqlite:///nowhere/file".to_owned(), &["pending"], 1),
        ("sqlite:///nowhere/file".to_owned(), &["reconcile"], 2),
        ("nonsense".to_owned(), &["pending"], 2),
    ] {
        assert_eq!(code(&database, arguments, Stdio::null(), full()), Some(expected), "{arguments:?}, full");
        assert_eq!(code(&database, arguments, Stdio::null(), closed()), Some(expected), "{arguments:?}, closed");
    }
}

#[rstest]
fn a_result_that_nobody_reads_is_a_failure_and_no_panic(
    #[values("completions bash", "man", "config", "schema")] arguments: &str,
) {
    let arguments: Vec<_> = arguments.split(' ').collect();
    assert_eq!(code("sqlite:///nowhere/file", &arguments, closed(), closed()), Some(1));
}
