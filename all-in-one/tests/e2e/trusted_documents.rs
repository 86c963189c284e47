//! Finance with trusted documents executes the documents that consultation sends.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::json;
use testkit::{Backend, Process};

use crate::{cluster::Cluster, delivery::TEST_TIMEOUT};

const CONSULTATIONS_DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../consultation/documents");

#[rstest]
#[tokio::test]
async fn consultation_needs_no_more_of_finance_than_its_documents(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let documents = Path::new(CONSULTATIONS_DOCUMENTS);
    let Some(cluster) = Cluster::start_trusting(backend, documents).await else { return };
    let refused = cluster.finance_client().send("{ payments(first: 1) { edges { node { id } } } }", json!({})).await;
    assert_eq!((refused.status, refused.code()), (403, "QUERY_NOT_IN_SAFELIST"));

    for _ in 0..2 {
        cluster.finish_one().await;
    }
    let deadline = Instant::now() + TEST_TIMEOUT;
    while cluster.pending_payments().await.iter().any(|(status, _)| status != "FINISHED") {
        assert!(Instant::now() < deadline, "{:?}", cluster.pending_payments().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let agrees = "2 finished consultations, 2 payments, 0 in transit, 0 differences\n";
    assert_eq!(cluster.reconcile(), (agrees.to_owned(), Some(0)));
}

#[test]
fn finance_does_not_start_with_a_directory_that_has_no_documents() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("a path");
    let settings = [
        ("FINANCE_BIND", "127.0.0.1:0"),
        ("FINANCE_DATABASE_URL", "sqlite::memory:"),
        ("FINANCE_TRUSTED_DOCUMENTS", path),
    ];
    let output = Process::command("finance", &[], &settings).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains(&format!("--finance-trusted-documents: {path} has no documents")), "{error}");
}
