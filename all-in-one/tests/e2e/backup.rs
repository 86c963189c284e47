//! `consultation backup` and `all-in-one backup`, beside services that write.

use std::{
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::{Backend, GraphqlClient, Process};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{Cluster, finish_one},
    delivery::all_arrive,
};

/// Finishes consultations one after the other and counts the acknowledged ones.
async fn finish_until(client: GraphqlClient, enough: CancellationToken, acknowledged: Arc<AtomicI64>) {
    while !enough.is_cancelled() {
        finish_one(&client).await;
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("no panic")
}

async fn number(copy: &Path, sql: &str) -> i64 {
    let copy = sea_orm::Database::connect(format!("sqlite://{}?mode=ro", copy.display())).await.expect("it opens");
    let row = copy.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.expect("an answer");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_busy_service_has_every_acknowledged_finish_with_its_pending_payment() {
    let cluster = Cluster::start(Backend::Sqlite).await.expect("SQLite is always there");
    let (enough, acknowledged) = (CancellationToken::new(), Arc::new(AtomicI64::new(0)));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let client = GraphqlClient::new(cluster.consultation.client.base.clone());
            tokio::spawn(finish_until(client, enough.clone(), Arc::clone(&acknowledged)))
        })
        .collect();
    let directory = tempfile::tempdir().expect("a directory");
    let url = cluster.consultation_db().url();
    for n in 1..=3 {
        while acknowledged.load(Ordering::SeqCst) < n * 20 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let copy = directory.path().join(format!("{n}.sqlite"));
        let settings = [("CONSULTATION_DATABASE_URL", url.as_str())];
        let backup = Process::command("consultation", &["backup", copy.to_str().expect("UTF-8")], &settings);
        let backup = output(backup).await;
        let text = String::from_utf8_lossy(&backup.stdout);
        assert!(backup.status.success(), "{text}{}", String::from_utf8_lossy(&backup.stderr));

        let finished = number(&copy, "SELECT count(*) FROM consultation WHERE end_date IS NOT NULL").await;
        assert!(finished >= before, "{finished} of {before}");
        let charged = "SELECT count(*) FROM consultation JOIN pending_payment ON appointment_id = consultation.id
                       WHERE end_date IS NOT NULL AND price_cents = total_price_cents";
        assert_eq!(number(&copy, charged).await, finished);
        assert_eq!(number(&copy, "SELECT count(*) FROM pending_payment").await, finished);
        assert!(text.contains(&format!("pending_payment {finished}")), "{text}");
    }
    enough.cancel();
    for client in clients {
        client.await.expect("no finish failed");
    }
}

#[tokio::test]
async fn services_on_the_copies_of_both_databases_agree() {
    let cluster = Cluster::start(Backend::Sqlite).await.expect("SQLite is always there");
    for _ in 0..3 {
        cluster.finish_one().await;
    }
    all_arrive(&cluster, 3).await;
    let directory = tempfile::tempdir().expect("a directory");
    let mut backup = Command::new(env!("CARGO_BIN_EXE_all-in-one"));
    backup.arg("backup").arg(directory.path().join("monday")).env_clear();
    backup.env("CONSULTATION_DATABASE_URL", cluster.consultation_db().url());
    backup.env("FINANCE_DATABASE_URL", cluster.finance_db().url());
    let backup = output(backup).await;
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    drop(cluster);

    let copy = |name: &str| format!("sqlite://{}/monday/{name}.sqlite", directory.path().display());
    let port = testkit::free_port();
    let (bind, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/graphql"));
    let settings = [("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &copy("finance"))];
    let _finance = Process::start("finance", port, &settings).await;
    let settings = [("CONSULTATION_DATABASE_URL", &*copy("consultation")), ("CONSULTATION_FINANCE_URL", &url)];
    let report = output(Process::command("consultation", &["reconcile"], &settings)).await;
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert_eq!(report, "3 finished consultations, 3 payments, 0 in transit, 0 differences\n");
}
