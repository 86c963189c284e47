//! A clinic's day by its API alone: mistakes, late entries, conflicts, and a finance that comes back from a backup. At its
//! end both services agree, and every cent is explained.

mod desk;
mod ledger;

use rstest::rstest;
use testkit::Backend;

use crate::cluster::Cluster;
use desk::Desk;
use ledger::{Ending, Ledger, Visit};

const PATIENTS: u16 = 200;
/// Cents that somebody recorded by hand for a consultation in progress.
const BY_HAND: i64 = 100;

/// How the visit of the patient with this number goes.
fn plan(number: u16) -> Visit {
    let minutes = i64::from(number);
    match number {
        // Entered after they began, at the length that they had until then.
        0..10 => Visit::new(20 + minutes * 7, Ending::Finished).backdated(),
        20..25 => Visit::new(0, Ending::Cancelled),
        // Two before the backup of finance, one after it.
        40 | 41 | 180 => Visit::new(30, Ending::Settled { recorded_cents: BY_HAND }),
        _ => Visit::new(1 + minutes % 180, Ending::Finished),
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_clinics_day_ends_with_every_cent_explained(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    let mut ledger = Ledger::default();

    let morning = 0..PATIENTS / 2;
    ledger.extend(Desk::of(&cluster).serve(morning.map(plan)).await);
    desk::everything_arrives(&cluster).await;
    Desk::of(&cluster).settle(&mut ledger).await;
    let backup = cluster.finance_db().backup().await;

    let afternoon = PATIENTS / 2..PATIENTS;
    ledger.extend(Desk::of(&cluster).serve(afternoon.map(plan)).await);
    desk::everything_arrives(&cluster).await;
    Desk::of(&cluster).settle(&mut ledger).await;
    let (report, code) = cluster.reconcile();
    assert_eq!(code, Some(0), "{report}");

    // Finance loses the afternoon.
    cluster.kill_finance().await;
    cluster.replace_finance(backup).await;
    let (report, code) = cluster.reconcile();
    let lost = ledger.charged_after(usize::from(PATIENTS / 2));
    assert_eq!((report.matches("MISSING_PAYMENT").count(), code), (lost, Some(1)), "{report}");
    let output = cluster.run(&["reconcile", "--send-again"]);
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!((report.matches("SENT_AGAIN").count(), output.status.code()), (lost, Some(0)), "{report}");
    desk::everything_arrives(&cluster).await;

    let (report, code) = cluster.reconcile();
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report.matches("SETTLED").count(), 3, "the amount that stood is what was sent again: {report}");
    ledger.agrees_with(&cluster).await;
}
