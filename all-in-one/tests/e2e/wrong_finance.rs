//! A consultation service that reaches another finance delivers nothing until an operator accepts it.

use std::time::Instant;

use rstest::rstest;
use testkit::{Backend, TestDatabase};

use crate::{
    cluster::Cluster,
    delivery::{TEST_TIMEOUT, all_arrive},
    settled::conflict,
};

#[rstest]
#[tokio::test]
async fn payments_wait_for_an_operator_when_finance_is_another(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    let (text, code) = cluster.subcommand("accept-finance");
    assert!(code == Some(0) && text.contains("as before; nothing changed"), "{text}");

    cluster.kill_finance().await;
    cluster.replace_finance(TestDatabase::empty(backend).await.expect("as before")).await;
    let (id, price) = cluster.finish_one().await;
    let deadline = Instant::now() + TEST_TIMEOUT;
    while !cluster.last_errors().await.iter().any(|error| error.contains("consultation accept-finance")) {
        assert!(Instant::now() < deadline, "{:?}", cluster.last_errors().await);
    }
    let (text, code) = cluster.reconcile();
    assert!(code == Some(2) && text.contains("these are not the payments of these consultations"), "{text}");
    assert_eq!(cluster.payments().await, []);

    let (text, code) = cluster.subcommand("accept-finance");
    assert!(code == Some(0) && text.contains("no longer to instance"), "{text}");
    let deadline = Instant::now() + TEST_TIMEOUT;
    while cluster.payments().await != [(id.clone(), price.clone())] {
        assert!(Instant::now() < deadline, "the running service did not notice");
    }
    let (text, code) = cluster.reconcile();
    assert!(code == Some(1) && text.matches("MISSING_PAYMENT").count() == 1, "{text}");
}

#[rstest]
#[tokio::test]
async fn a_finance_that_cannot_be_asked_is_not_accepted(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    cluster.kill_finance().await;
    let (text, code) = cluster.subcommand("accept-finance");
    assert!(code == Some(1) && text.contains("nothing changed: the finance at 127.0.0.1:"), "{text}");
}

#[rstest]
#[tokio::test]
async fn commands_take_no_amount_from_a_finance_with_another_currency(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    let id = conflict(&cluster).await;
    cluster.restart_finance_with(("FINANCE_CURRENCY", "USD".to_owned())).await;
    let settle: &[&str] = &["settle", "--consultation", &id, "--reason", "agreed"];
    for (command, code) in [(settle, 1), (&["reconcile", "--adopt"], 2)] {
        let output = cluster.run(command);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        let both = "has payments in USD, and prices are in BRL: set --consultation-currency and --finance-currency";
        assert!(error.contains(both) && output.stdout.is_empty(), "{error}");
    }
    assert!(cluster.pending_payments().await.iter().all(|(status, _)| status == "PARKED"), "nothing was settled");
}
