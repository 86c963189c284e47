//! The order of steps of a move: tables first, then finance, then consultation. Each step out of order says so.

use std::time::Instant;

use rstest::rstest;
use testkit::{Backend, Process, TestDatabase};

use crate::{
    cluster::Cluster,
    delivery::TEST_TIMEOUT,
    import::{consultation, import_consultation, import_finance},
    predecessor::Predecessor,
};

#[rstest]
#[tokio::test]
async fn consultations_are_not_imported_before_finance_has_the_delivered_payments(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    let [delivered, charged] = [from.finished("300.00").await, from.finished("200.00").await];
    from.pending(delivered, "300.00", true).await;
    from.pending(charged, "200.00", false).await;
    // The true amount of the other one.
    for (appointment, amount) in [(delivered, "300.00"), (charged, "150.00")] {
        from.payment(appointment, amount).await;
    }

    let (text, code) = import_consultation(&cluster, &from, &["--yes"]);
    assert!(text.contains("finance lacks 1 of 1 payments") && text.contains(&delivered.to_string()), "{text}");
    assert!(text.contains("nothing was changed") && code == Some(1), "{text}");
    cluster.kill_finance().await;
    assert_eq!(import_finance(&cluster, &from, &["--yes"]).1, Some(0));
    let (text, code) = import_consultation(&cluster, &from, &["--yes"]);
    assert!(text.contains("finance cannot be asked") && text.contains("nothing was changed"), "{text}");
    assert!(code == Some(1) && consultation(&cluster, delivered).await.is_null(), "{text}");
    let (text, code) = import_consultation(&cluster, &from, &["--skip-finance-check"]);
    assert!(text.contains("finance cannot be asked") && code == Some(0), "a dry run only notes it: {text}");

    cluster.restart_finance().await;
    assert_eq!(import_consultation(&cluster, &from, &["--yes"]).1, Some(0));
    let deadline = Instant::now() + TEST_TIMEOUT;
    while consultation(&cluster, charged).await["pendingPayment"]["status"] != "PARKED" {
        assert!(Instant::now() < deadline, "finance refuses the other amount");
    }
    let mut payments = [(delivered.to_string(), "300.00".to_owned()), (charged.to_string(), "150.00".to_owned())];
    payments.sort();
    let mut recorded = cluster.payments().await;
    recorded.sort();
    assert_eq!(recorded, payments);
}

#[rstest]
#[tokio::test]
async fn an_import_without_tables_changes_nothing_and_says_how_to_make_them(
    #[values("consultation", "finance")] program: &str,
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    let database = if program == "finance" { "FINANCE_DATABASE_URL" } else { "CONSULTATION_DATABASE_URL" };
    let run = |url: &str, arguments: &[&str]| {
        let settings = [(database, url), ("IMPORT_FROM", &from.url())];
        let output = Process::command(program, arguments, &settings).output().expect("it runs");
        (String::from_utf8([output.stdout, output.stderr].concat()).expect("a text"), output.status.code())
    };
    for arguments in [&["import"][..], &["import", "--yes"]] {
        let (text, code) = run(&db.url(), arguments);
        assert!(text.contains(&format!("run `{program} migrate` first")) && code == Some(1), "{text}");
        assert!(text.contains("nothing was changed"), "{text}");
        let (text, code) = run("sqlite:///nowhere/own.sqlite", arguments);
        assert!(text.contains("`migrate` makes one") && code == Some(1), "{text}");
    }
}
