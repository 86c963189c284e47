//! One service's database is restored from an older backup. Afterwards both sides agree again.

use std::{fs, time::Instant};

use rstest::rstest;
use serde_json::json;
use testkit::Backend;
use uuid::Uuid;

use crate::{
    cluster::{Cluster, finish, start},
    delivery::{TEST_TIMEOUT, all_arrive},
    reconcile::{execute, literal},
    settled::conflict,
};

/// Output and exit code of `reconcile` with these arguments.
fn reconcile(cluster: &Cluster, arguments: &[&str]) -> (String, Option<i32>) {
    let output = cluster.run(&[&["reconcile"], arguments].concat());
    (String::from_utf8([output.stdout, output.stderr].concat()).expect("a text"), output.status.code())
}

/// Waits until both sides agree and nothing is in transit.
fn agree(cluster: &Cluster, summary: &str) {
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let (text, exit) = cluster.reconcile();
        if exit == Some(0) && text.ends_with(summary) {
            return;
        }
        assert!(exit == Some(0) && Instant::now() < deadline, "{text}");
    }
}

#[rstest]
#[tokio::test]
async fn a_restored_finance_gets_again_what_it_lacks_and_only_that(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    let backup = cluster.finance_db().backup().await;
    for _ in 0..2 {
        cluster.finish_one().await;
    }
    let settled = conflict(&cluster).await;
    let settle = cluster.run(&["settle", "--consultation", &settled, "--reason", "agreed"]);
    assert!(settle.status.success());
    let (deleted, _) = cluster.finish_one().await;
    let mut before = all_arrive(&cluster, 5).await;
    // As retention does.
    let retained = format!("DELETE FROM pending_payment WHERE appointment_id = {}", literal(backend, &deleted));
    execute(cluster.consultation_db(), &retained).await;

    cluster.kill_finance().await;
    cluster.replace_finance(backup).await;
    let (text, exit) = cluster.reconcile();
    let counts = ["MISSING_PAYMENT", "NO_PENDING_PAYMENT"].map(|code| text.matches(code).count());
    assert_eq!((counts, exit), ([3, 1], Some(1)), "{text}");

    let (text, exit) = reconcile(&cluster, &["--send-again"]);
    assert_eq!((text.matches("SENT_AGAIN").count(), exit), (4, Some(0)), "{text}");
    assert!(text.ends_with("4 in transit, 0 differences, 4 sent again\n"), "{text}");
    agree(&cluster, "5 finished consultations, 5 payments, 0 in transit, 0 differences, 1 settled\n");
    let mut after = cluster.payments().await;
    before.sort();
    after.sort();
    assert_eq!(after, before, "each with its amount, the settled one with finance's");
    let (text, _) = reconcile(&cluster, &["--send-again"]);
    assert!(text.ends_with("0 in transit, 0 differences, 1 settled\n"), "nothing is sent without need: {text}");
}

#[track_caller]
fn assert_says(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[rstest]
#[tokio::test]
async fn a_restored_consultation_adopts_what_finance_has(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    let patient = Uuid::new_v4();
    let open = start(&cluster.consultation.client, patient).await;
    let backup = cluster.consultation_db().backup().await;
    finish(&cluster.consultation.client, &open).await;
    let (lost, _) = cluster.finish_one().await;
    all_arrive(&cluster, 3).await;
    let foreign = Uuid::new_v4().to_string();
    let record = "mutation ($id: UUID!) { recordPayment(input: { appointmentId: $id, totalPrice: \"7.00\" }) { payment { id } } }";
    cluster.finance_client().call(record, json!({ "id": foreign })).await;

    cluster.replace_consultation(backup).await;
    let (text, exit) = cluster.reconcile();
    assert_eq!((text.matches("PAYMENT_WITHOUT_CONSULTATION").count(), exit), (3, Some(1)), "{text}");

    let nobody = Uuid::new_v4();
    let known = tempfile::NamedTempFile::new().expect("a file");
    fs::write(&known, format!("# the laboratory\n{foreign}\n\n{nobody} # an old one\n")).expect("written");
    let known = known.path().to_str().expect("a text");
    let (text, exit) = reconcile(&cluster, &["--adopt", "--known", known]);
    assert_eq!(exit, Some(1), "{text}");
    assert_says(
        &text,
        &[
            &format!("WOULD_FINISH consultation={open} price=200.00 start="),
            &format!("WOULD_ADOPT consultation={lost} price=200.00 start="),
            "1 finished consultations, 4 payments, 0 in transit, 2 differences, 1 known\n",
            "nothing is adopted or finished without --yes\n",
        ],
    );
    let (text, exit) = reconcile(&cluster, &["--adopt", "--yes", "--known", known]);
    assert_eq!(exit, Some(0), "{text}");
    assert_says(
        &text,
        &[
            &format!("FINISHED consultation={open} price=200.00 start="),
            &format!("ADOPTED consultation={lost} price=200.00 start="),
            "3 finished consultations, 4 payments, 0 in transit, 0 differences, 1 known, 2 adopted\n",
            &format!("--known: line 4: no payment without a consultation has the id {nobody}\n"),
        ],
    );
    let (text, exit) = reconcile(&cluster, &["--adopt", "--yes", "--known", known]);
    assert!(exit == Some(0) && text.contains(", 0 differences, 1 known\n"), "nothing is adopted twice: {text}");
    adopted(&cluster, &lost, &open, patient).await;
}

/// What was lost has no patient. What was in progress keeps its own, who may start another.
async fn adopted(cluster: &Cluster, lost: &str, open: &str, patient: Uuid) {
    let query = "query ($id: ID!) { consultation(id: $id) { patientId price pendingPayment { status } } }";
    let adopted = cluster.consultation.client.call(query, json!({ "id": lost })).await;
    let expected = json!({
        "patientId": Uuid::nil(), "price": "200.00", "pendingPayment": { "status": "FINISHED" }
    });
    assert_eq!(adopted["consultation"], expected);
    let finished = cluster.consultation.client.call(query, json!({ "id": open })).await;
    assert_eq!(finished["consultation"]["patientId"], json!(patient), "what was not lost stays");
    start(&cluster.consultation.client, patient).await;
}

#[test]
fn a_file_of_known_payments_with_nonsense_is_a_wrong_setting_that_names_the_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let known = directory.path().join("known");
    fs::write(&known, "\n7.00\n").expect("written");
    for (path, why) in
        [(known.to_str().expect("a text"), "line 2: \"7.00\" is no UUID"), ("/nowhere", "cannot read /nowhere")]
    {
        let output = testkit::Process::command("consultation", &["reconcile", "--known", path], &[]).output();
        let output = output.expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("--known: ") && error.contains(why), "{error}");
    }
}
