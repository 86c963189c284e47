//! `consultation reconcile` names what does not agree, and only that.

use std::time::Instant;

use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    delivery::{PATIENCE, all_arrive},
};

async fn execute(db: &TestDatabase, sql: &str) {
    db.database.write.execute_unprepared(sql).await.expect("a statement");
}

/// Each lies in both databases as a number of bytes.
fn literal(backend: Backend, id: &str) -> String {
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

    // What is on its way is no difference.
    cluster.kill_finance().await;
    cluster.finish_one().await;
    let (text, code) = cluster.reconcile();
    assert!(text.contains("error: cannot read finance's payments") && text.contains("refused"), "{text}");
    assert_eq!(code, Some(1));
    cluster.consultation.signal(nix::sys::signal::Signal::SIGSTOP);
    cluster.restart_finance().await;
    let in_transit = "4 finished consultations, 3 payments, 1 in transit, 0 differences\n";
    assert_eq!(cluster.reconcile(), (in_transit.to_owned(), Some(0)));
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
    execute(cluster.finance_db(), &format!("DELETE FROM payment WHERE {} OR {}", of(lost), of(gone))).await;
    execute(cluster.finance_db(), &format!("UPDATE payment SET total_price_cents = 1 WHERE {}", of(altered))).await;
    // As retention leaves it where the payment is there, and as nothing may where it is not.
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
async fn more_than_a_page_is_compared(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    futures_util::future::join_all((0..205).map(|_| cluster.finish_one())).await;
    let agrees = "205 finished consultations, 205 payments, 0 in transit, 0 differences\n".to_owned();
    let deadline = Instant::now() + PATIENCE;
    while cluster.reconcile() != (agrees.clone(), Some(0)) {
        assert!(Instant::now() < deadline, "{}", cluster.reconcile().0);
    }
}
