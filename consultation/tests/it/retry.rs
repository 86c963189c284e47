//! `consultation retry`, the program itself, beside a relay.

use std::fs;

use consultation::outbox::store::{self, Due};
use rstest::rstest;
use serde_json::Value;
use tempfile::NamedTempFile;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{LEASE, outbox, relay, row, tick},
    pending::{in_order, park, run, text},
};

/// Runs `retry`. Returns its exit code, its output, and the outcome and ids of each line of its audit log.
fn retry(db: &TestDatabase, what: &str) -> (Option<i32>, String, Vec<(String, usize)>) {
    let log = NamedTempFile::new().expect("a file");
    let output = run(db, &["retry", what, "--audit-log", log.path().to_str().expect("a text")]);
    let lines = fs::read_to_string(&log).expect("a log");
    let lines = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&line["event"], &line["operation"]), (&"command".into(), &"retry".into()));
        (line["outcome"].as_str().expect("a text").to_owned(), line["ids"].as_array().expect("ids").len())
    });
    (output.status.code(), text(&[output.stdout, output.stderr].concat()), lines.collect())
}

#[rstest]
#[tokio::test]
async fn a_running_relay_sends_what_an_operator_retries(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([Script::RefuseFirst]).await;
    let mut relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await.parked, 1);
    finance.arrived().await;
    relay.policy.poll_interval = std::time::Duration::from_millis(100);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay.run(shutdown.clone()));

    let id = row(&db).await.appointment_id.to_string();
    let (code, output, audited) = retry(&db, &id);
    assert_eq!((code, output), (Some(0), format!("the payment of consultation {id} is due now\n")));
    assert_eq!(audited, [("permitted".to_owned(), 1)]);
    finance.arrived().await;
    shutdown.cancel();
    running.await.expect("it ends");
    let delivered = row(&db).await;
    assert!(delivered.finished && delivered.retried_by.is_some_and(|name| name.starts_with("uid ")));

    // Its row remains, and there is nothing to send.
    for id in [id, Uuid::new_v4().to_string()] {
        let (code, output, audited) = retry(&db, &id);
        assert_eq!((code, audited), (Some(1), vec![("failed".to_owned(), 1)]));
        assert!(output.contains(&format!("nothing to send: consultation {id} is unknown")), "{output}");
    }
}

#[rstest]
#[tokio::test]
async fn all_parked_payments_are_retried_in_batches_and_no_other(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 207).await else { return };
    let nothing = "no payment is parked; nothing changed\n".to_owned();
    assert_eq!(retry(&db, "--parked"), (Some(0), nothing, Vec::new()));
    let leases = store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim");
    let before = in_order(&db).await;
    let waiting = before.iter().find(|row| !row.processing).expect("a row").id;
    park(&db, before.iter().map(|row| row.id).filter(|id| *id != waiting), "refused").await;

    let batch = |count| ("permitted".to_owned(), count);
    let done = "205 parked payments are due now\n".to_owned();
    assert_eq!(retry(&db, "--parked"), (Some(0), done, vec![batch(100), batch(100), batch(5)]));
    for row in in_order(&db).await {
        let is_sent = row.id == leases[0].id;
        assert_eq!(row.parked_at.is_some(), is_sent, "a row that is being sent stays with its relay");
        assert_eq!(row.retried_by.is_some(), !is_sent && row.id != waiting);
        assert!(is_sent || (row.rejections == 0 && row.next_attempt_at <= chassis::clock::now()), "{row:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_retry_of_a_payment_that_is_being_sent_says_so(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim");
    let id = row(&db).await.appointment_id.to_string();
    let (code, output, audited) = retry(&db, &id);
    let expected = format!(
        "the payment of consultation {id} is being sent at this moment; run this again if finance refuses it\n"
    );
    assert_eq!((code, output, audited), (Some(0), expected, vec![("permitted".to_owned(), 1)]));
}

#[test]
fn a_retry_needs_an_id_or_the_flag() {
    for arguments in [&["retry"][..], &["retry", "one"], &["retry", "--parked", "e4b1f3a2-5c0e-4f0b-9c53-0a0a4b0d1c11"]]
    {
        let output = testkit::Process::command("consultation", arguments, &[]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
