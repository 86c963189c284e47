//! The product's promise: a finished consultation is charged exactly once.

use std::time::{Duration, Instant};

use rstest::rstest;
use testkit::Backend;

use crate::cluster::Cluster;

/// Above every promised time; a test that waits this long has failed.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Other tests of this process measure times, so a wait leaves them the cores.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// First success after finance returns: the delay after a failure, a poll, and a call.
const RECOVERY: Duration = Duration::from_secs(6);

/// Waits until finance has `count` payments and every pending payment is finished.
pub(crate) async fn all_arrive(cluster: &Cluster, count: usize) -> Vec<(String, String)> {
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let payments = cluster.payments().await;
        let finished = cluster.pending_payments().await.iter().filter(|(status, _)| status == "FINISHED").count();
        if payments.len() >= count && finished >= count {
            return payments;
        }
        assert!(Instant::now() < deadline, "{} of {count} payments arrived", payments.len());
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

#[rstest]
#[tokio::test]
async fn a_finished_consultation_becomes_one_payment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let finished = cluster.finish_one().await;
    assert_eq!(all_arrive(&cluster, 1).await, [finished]);
    assert_eq!(cluster.pending_payments().await, [("FINISHED".to_owned(), 1)]);
}

#[rstest]
#[tokio::test]
async fn both_services_work_in_one_shared_database(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(cluster) = Cluster::start_shared(backend).await else { return };
    let finished = cluster.finish_one().await;
    assert_eq!(all_arrive(&cluster, 1).await, [finished]);
}

#[rstest]
#[tokio::test]
async fn payments_of_ten_consultations_survive_a_crash_of_finance(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    cluster.kill_finance().await;
    let mut finished = Vec::new();
    for _ in 0..10 {
        finished.push(cluster.finish_one().await);
    }
    // Each failed once before finance returns.
    let deadline = Instant::now() + TEST_TIMEOUT;
    while cluster.pending_payments().await.iter().any(|(_, tries)| *tries == 0) {
        assert!(Instant::now() < deadline, "not every payment was tried");
    }
    cluster.restart_finance().await;
    let back = Instant::now();
    let payments = all_arrive(&cluster, 10).await;
    assert!(back.elapsed() < RECOVERY + Duration::from_secs(1), "recovery took {:?}", back.elapsed());
    assert_eq!(sorted(payments), sorted(finished));
    assert!(cluster.pending_payments().await.iter().any(|(_, tries)| *tries > 1));
}
