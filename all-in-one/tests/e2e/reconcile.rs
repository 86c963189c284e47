//! `consultation reconcile` reports differences, and nothing else.

use std::time::Instant;

use nix::sys::signal::Signal;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Backend, Process, TestDatabase, free_port};
use uuid::Uuid;

use crate::{
    cluster::{Cluster, finish_one},
    delivery::{TEST_TIMEOUT, all_arrive},
};

pub(crate) async fn execute(db: &TestDatabase, sql: &str) {
    db.database.write.execute_unprepared(sql).await.expect("a statement");
}

/// As a table's owner or a restored backup may do, and the services' roles cannot.
pub(crate) async fn lift_protection(backend: Backend, finance: &TestDatabase) {
    for trigger in ["payment_stay", "payment_keep"] {
        let on = if backend == Backend::Sqlite { "" } else { " ON payment" };
        execute(finance, &format!("DROP TRIGGER {trigger}{on}")).await;
    }
}

/// Stops consultation, but not during a write: its lock would last as long.
async fn stop_between_writes(cluster: &Cluster) {
    let write = "UPDATE pending_payment SET tries = tries";
    loop {
        cluster.consultation.signal(Signal::SIGSTOP);
        if cluster.consultation_db().database.write.execute_unprepared(write).await.is_ok() {
            return;
        }
        cluster.consultation.signal(Signal::SIGCONT);
    }
}

/// An id as a literal: SQLite stores ids as bytes.
pub(crate) fn literal(backend: Backend, id: &str) -> String {
    if backend == Backend::Sqlite { format!("x'{}'", id.replace('-', "")) } else { format!("'{id}'") }
}

#[rstest]
#[tokio::test]
async fn what_was_finished_and_charged_agrees(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    for _ in 0..3 {
        cluster.finish_one().await;
    }
    all_arrive(&cluster, 3).await;
    let agrees = "3 finished consultations, 3 payments, 0 in transit, 0 differences\n";
    assert_eq!(cluster.reconcile(), (agrees.to_owned(), Some(0)));

    // A payment in delivery is no difference.
    cluster.kill_finance().await;
    cluster.finish_one().await;
    let (text, code) = cluster.reconcile();
    assert!(text.contains("error: cannot read finance's") && text.contains("refused"), "{text}");
    assert_eq!(code, Some(2), "a side that cannot be read is told from a difference");
    stop_between_writes(&cluster).await;
    cluster.restart_finance().await;
    let in_transit = "4 finished consultations, 3 payments, 1 in transit, 0 differences\n";
    assert_eq!(cluster.reconcile(), (in_transit.to_owned(), Some(0)));

    // Unless the delivery takes suspiciously long.
    execute(cluster.consultation_db(), "UPDATE pending_payment SET created_at = '2021-08-02T12:00:00+00:00'").await;
    let (text, code) = cluster.reconcile();
    assert_eq!((text.matches("IN_TRANSIT_FOR_LONG").count(), code), (1, Some(3)), "{text}");
    lift_protection(backend, cluster.finance_db()).await;
    let lost = "DELETE FROM payment WHERE id IN (SELECT id FROM payment LIMIT 1)";
    execute(cluster.finance_db(), lost).await;
    let (text, code) = cluster.reconcile();
    let counts = ["MISSING_PAYMENT", "IN_TRANSIT_FOR_LONG"].map(|line| text.matches(line).count());
    assert_eq!((counts, code), ([1, 1], Some(1)), "a difference wins: {text}");
}

#[rstest]
#[tokio::test]
async fn each_difference_is_named(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let mut finished = Vec::new();
    for _ in 0..4 {
        finished.push(cluster.finish_one().await.0);
    }
    all_arrive(&cluster, 4).await;
    let [lost, altered, gone, delivered] = &finished[..] else { unreachable!() };
    let of = |id: &String| format!("appointment_id = {}", literal(backend, id));
    lift_protection(backend, cluster.finance_db()).await;
    execute(cluster.finance_db(), &format!("DELETE FROM payment WHERE {} OR {}", of(lost), of(gone))).await;
    execute(cluster.finance_db(), &format!("UPDATE payment SET total_price_cents = 1 WHERE {}", of(altered))).await;
    // Retention leaves this where the payment exists; nothing may leave it where it does not.
    let left = format!("DELETE FROM pending_payment WHERE {} OR {}", of(gone), of(delivered));
    execute(cluster.consultation_db(), &left).await;
    let stranger = Uuid::new_v4().to_string();
    let record = "mutation ($id: UUID!) { recordPayment(input: { appointmentId: $id, totalPrice: \"7.00\" }) { payment { id } } }";
    cluster.finance_client().call(record, json!({ "id": stranger })).await;

    let (text, code) = cluster.reconcile();
    for line in [
        format!("MISSING_PAYMENT consultation={lost} price=200.00"),
        format!("WRONG_AMOUNT consultation={altered} price=200.00 payment=0.01"),
        format!("NO_PENDING_PAYMENT consultation={gone} price=200.00"),
        format!("appointment={stranger} amount=7.00"),
        "4 finished consultations, 3 payments, 0 in transit, 4 differences".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} in\n{text}");
    }
    assert_eq!((text.matches("consultation=").count(), code), (3, Some(1)), "{text}");
}

#[rstest]
#[tokio::test]
async fn more_than_a_page_is_compared_while_it_is_delivered(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    futures_util::future::join_all((0..205).map(|_| cluster.finish_one())).await;
    let agrees = "205 finished consultations, 205 payments, 0 in transit, 0 differences\n".to_owned();
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let (text, code) = cluster.reconcile();
        assert_eq!(code, Some(0), "nothing on its way is a difference: {text}");
        if text == agrees {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
}

#[test]
fn what_cannot_be_read_and_what_cannot_be_set_end_with_another_code_than_a_difference() {
    let nobody = "postgres://clinic:secret@127.0.0.1:9/clinic";
    for (variable, value, why) in [
        ("CONSULTATION_DATABASE_URL", nobody, "cannot read the database"),
        ("CONSULTATION_DATABASE_URL", "mysql://clinic", "the database URL must begin with"),
        ("CONSULTATION_FINANCE_PASSWORD_FILE", "/does/not/exist", "--consultation-finance-password-file"),
    ] {
        let output = Process::command("consultation", &["reconcile"], &[(variable, value)]).output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(why) && !error.contains("secret"), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn all_in_one_reconciles_its_own_two_services() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = |name| format!("sqlite://{}/{name}.sqlite", directory.path().display());
    let (consultation_url, finance_url) = (url("consultation"), url("finance"));
    let (port, finance_port) = (free_port(), free_port());
    let (bind, finance_bind) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{finance_port}"));
    let settings = [
        ("CONSULTATION_BIND", bind.as_str()),
        ("CONSULTATION_DATABASE_URL", &consultation_url),
        ("FINANCE_BIND", &finance_bind),
        ("FINANCE_DATABASE_URL", &finance_url),
    ];
    let running = Process::start("all-in-one", port, &settings).await;
    finish_one(&running.client).await;
    let output = Process::command("all-in-one", &["reconcile"], &settings).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.starts_with("1 finished consultations"), "{text}");
}
