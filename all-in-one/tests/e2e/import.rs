//! `finance import` and `consultation import`, beside running services: what fits comes along, and is charged once.

use std::process::Output;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, Process};
use uuid::Uuid;

use crate::{cluster::Cluster, delivery::all_arrive, predecessor::Predecessor};

/// Output on both streams, and exit code.
fn told(output: &Output) -> (String, Option<i32>) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (String::from_utf8(text).expect("a text"), output.status.code())
}

pub(crate) fn import_finance(cluster: &Cluster, from: &Predecessor, more: &[&str]) -> (String, Option<i32>) {
    let settings = [("FINANCE_DATABASE_URL", cluster.finance_db().url()), ("IMPORT_FROM", from.url())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    told(&Process::command("finance", &[&["import"], more].concat(), &settings).output().expect("it runs"))
}

pub(crate) fn import_consultation(cluster: &Cluster, from: &Predecessor, more: &[&str]) -> (String, Option<i32>) {
    told(&cluster.run(&[&["import", "--from", &from.url()], more].concat()))
}

/// The counts that `import` printed, as they stand before their labels.
pub(crate) fn has_counts(text: &str, counts: &[(&str, u32)]) {
    for (label, count) in counts {
        let line = format!("\n{count:>12} {label}\n");
        assert!(text.contains(&line), "{count} {label}, in\n{text}");
    }
}

pub(crate) async fn consultation(cluster: &Cluster, id: Uuid) -> Value {
    let query = "query ($id: ID!) { consultation(id: $id) {
        patientId startDate endDate price pendingPayment { status totalPrice tries } } }";
    cluster.consultation.client.call(query, json!({ "id": id })).await["consultation"].take()
}

/// Consultations of which each is odd in another way.
struct Oddities {
    /// Finished: delivered, delivered but for a crash, not delivered, without a pending payment.
    good: [Uuid; 4],
    /// With its price in its pending payment only.
    priced: Uuid,
    /// Ended without any price.
    unpriced: Uuid,
    /// In progress, of one patient.
    older: Uuid,
    newer: Uuid,
    /// Each with the code by which it is left out.
    left_out: Vec<(&'static str, Uuid)>,
}

pub(crate) const START: &str = "2021-08-02 12:00:00.123456";
pub(crate) const END: &str = "2021-08-02 13:30:00.5";

async fn oddities(from: &Predecessor) -> Oddities {
    let ended = async |price| from.consultation(Uuid::new_v4(), START, Some(END), price).await;
    let open = async |patient, start| from.consultation(patient, start, None, None).await;
    let good =
        [ended(Some("300.00")).await, from.finished("10.10").await, from.finished("0").await, ended(Some("300")).await];
    for (id, price, finished) in [(good[0], "300.00", true), (good[1], "10.10", false), (good[2], "0.00", false)] {
        from.pending(id, price, finished).await;
    }
    for (id, price) in [(good[0], "300.00"), (good[1], "10.10"), (good[1], "10.10"), (good[3], "300.00")] {
        from.payment(id, price).await;
    }
    let [priced, unpriced] = [ended(None).await, ended(None).await];
    from.pending(priced, "7.77", false).await;
    let patient = Uuid::new_v4();
    let [older, newer] = [open(patient, START).await, open(patient, END).await];
    let left_out = vec![
        ("PRICE_DIFFERS", ended(Some("300.00")).await),
        ("SEVERAL_PENDING_PAYMENTS", ended(Some("300.00")).await),
        ("INVALID", ended(Some("-1.00")).await),
        ("END_NOT_AFTER_START", from.consultation(Uuid::new_v4(), END, Some(START), Some("1.00")).await),
        ("START_IN_FUTURE", open(Uuid::new_v4(), "2999-08-02 12:00:00").await),
        ("CHARGED_WITHOUT_END", open(Uuid::new_v4(), START).await),
    ];
    for (_, id) in &left_out {
        from.pending(*id, "1.00", false).await;
    }
    from.pending(left_out[1].1, "300.00", false).await;
    Oddities { good, priced, unpriced, older, newer, left_out }
}

#[rstest]
#[tokio::test]
async fn what_fits_comes_along_and_is_charged_once_and_all_else_is_named(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(Backend::Sqlite, Backend::Postgres)] source: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let Some(from) = Predecessor::empty(source).await else { return };
    let Oddities { good, priced, unpriced, older, newer, left_out } = oddities(&from).await;
    let stray = Uuid::new_v4();
    from.pending(stray, "5.00", false).await;

    dry_runs_change_nothing(&cluster, &from, good[0]).await;
    let (text, code) = import_finance(&cluster, &from, &["--yes"]);
    assert!(text.contains(&format!("DUPLICATE {}", good[1])) && code == Some(0), "{text}");
    has_counts(&text, &[("appointments read", 3), ("payments", 3), ("left out", 0)]);
    let (text, code) = import_consultation(&cluster, &from, &["--yes", "--skip-invalid"]);
    assert_eq!(code, Some(0), "{text}");
    let noted = [
        ("WITHOUT_PENDING_PAYMENT", good[3]),
        ("PRICE_OF_PENDING_PAYMENT", priced),
        ("ENDED_WITHOUT_PRICE", unpriced),
        ("NEWER_IN_PROGRESS", older),
        ("IN_PROGRESS_FOR_LONG", newer),
    ];
    for (code, id) in left_out.iter().map(|(code, id)| (*code, *id)).chain(noted) {
        assert!(text.contains(&format!("{code} {id}: ")), "{code} {id} in\n{text}");
    }
    assert!(text.contains("WITHOUT_CONSULTATION") && text.contains(&stray.to_string()), "{text}");
    has_counts(&text, &[("consultations read", 14), ("finished", 5), ("in progress", 1), ("in progress for long", 1)]);
    has_counts(&text, &[("cancelled", 2)]);
    has_counts(&text, &[("payments delivered before", 1), ("payments to deliver", 4), ("left out", 7)]);

    // Two of them are there; each is delivered or confirmed once.
    let mut payments = all_arrive(&cluster, 5).await;
    payments.sort();
    let prices = [(good[0], "300.00"), (good[1], "10.10"), (good[2], "0.00"), (good[3], "300.00"), (priced, "7.77")];
    let mut expected = prices.map(|(id, price)| (id.to_string(), price.to_owned()));
    expected.sort();
    assert_eq!(payments, expected);
    let agrees = "5 finished consultations, 5 payments, 0 in transit, 0 differences\n";
    assert_eq!(cluster.reconcile(), (agrees.to_owned(), Some(0)));

    let first = consultation(&cluster, good[0]).await;
    assert_eq!([&first["startDate"], &first["endDate"]], ["2021-08-02T12:00:00.123Z", "2021-08-02T13:30:00.500Z"]);
    assert_eq!(first["pendingPayment"], json!({ "status": "FINISHED", "totalPrice": "300.00", "tries": 3 }));
    let second = consultation(&cluster, good[1]).await;
    assert_eq!(second["pendingPayment"]["tries"], 4, "tries go on from the predecessor's: {second}");
    assert!(consultation(&cluster, newer).await["endDate"].is_null());

    a_repetition_changes_nothing(&cluster, &from, &noted).await;
}

async fn dry_runs_change_nothing(cluster: &Cluster, from: &Predecessor, delivered: Uuid) {
    let (text, code) = import_finance(cluster, from, &[]);
    assert!(text.contains("nothing was changed") && code == Some(0), "{text}");
    let (text, code) = import_consultation(cluster, from, &[]);
    assert!(text.contains("nothing was changed") && text.contains("7 rows of the source are left out"), "{text}");
    assert!(text.contains("finance lacks 1 of 1 payments") && code == Some(1), "{text}");
    assert!(consultation(cluster, delivered).await.is_null() && cluster.payments().await.is_empty());
}

/// Nothing but what it says again: of a run that was killed the operator may have seen nothing.
async fn a_repetition_changes_nothing(cluster: &Cluster, from: &Predecessor, noted: &[(&str, Uuid)]) {
    let (text, _) = import_consultation(cluster, from, &["--yes", "--skip-invalid"]);
    for (code, id) in noted {
        assert!(text.contains(&format!("{code} {id}: ")), "{code} {id} in\n{text}");
    }
    has_counts(&text, &[("consultations read", 14), ("there already", 8), ("finished", 0), ("left out", 7)]);
    let (text, code) = import_finance(cluster, from, &["--yes"]);
    assert!(text.contains("DUPLICATE"), "{text}");
    has_counts(&text, &[("there already", 3), ("payments", 0)]);
    assert_eq!((code, all_arrive(cluster, 5).await.len()), (Some(0), 5), "{text}");
}
