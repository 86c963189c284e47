//! `consultation export` and `consultation forget`, beside running services.

use std::{fs, process::Output};

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use testkit::{Backend, Process};
use uuid::Uuid;

use crate::{
    cluster::{Cluster, finish, finish_one, start},
    delivery::all_arrive,
    patient_ids::holds,
};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a text")
}

fn run(cluster: &Cluster, subcommand: &str, patient: Uuid, more: &[&str]) -> Output {
    let patient = patient.to_string();
    cluster.run(&[&[subcommand, "--patient", &patient], more].concat())
}

/// The line that a command has written to this audit log, without what differs from run to run.
fn audited(log: &NamedTempFile) -> Value {
    let mut line: Value = fs::read_to_string(log).expect("a log").parse().expect("one line");
    let fields = line.as_object_mut().expect("an object");
    assert!(fields.remove("time").is_some());
    assert!(fields.remove("user").is_some_and(|user| user.as_str().expect("a text").starts_with("uid ")));
    line
}

fn command(name: &str, count: usize) -> Value {
    json!({ "target": "audit", "service": "consultation", "event": "command", "operation": name, "outcome": "permitted",
        "ids": [], "count": count })
}

/// Two delivered consultations of the patient, and one of another.
async fn after_two_visits(backend: Backend) -> Option<(Cluster, Uuid, [String; 2])> {
    let (cluster, patient) = (Cluster::start(backend).await?, Uuid::new_v4());
    let visit = async || {
        let id = start(&cluster.consultation.client, patient).await;
        finish(&cluster.consultation.client, &id).await;
        id
    };
    let visits = [visit().await, visit().await];
    cluster.finish_one().await;
    all_arrive(&cluster, 3).await;
    Some((cluster, patient, visits))
}

#[rstest]
#[tokio::test]
async fn an_export_is_complete_or_nothing_is_written(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((mut cluster, patient, visits)) = after_two_visits(backend).await else { return };
    let open = start(&cluster.consultation.client, patient).await;
    let audit_log = NamedTempFile::new().expect("a file");
    let path = audit_log.path().to_str().expect("a text");
    let output = run(&cluster, "export", patient, &["--audit-log", path]);
    assert_eq!(audited(&audit_log), command("export", 3));
    assert!(!text(&output.stderr).contains(&patient.to_string()), "{}", text(&output.stderr));
    let export: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let exported = export["consultations"].as_array().expect("a list");
    let ids: Vec<_> = exported.iter().map(|consultation| &consultation["id"]).collect();
    assert_eq!(ids, [&json!(visits[0]), &json!(visits[1]), &json!(open)], "{}", text(&output.stderr));
    for visit in &exported[..2] {
        let amounts = [&visit["price"], &visit["pendingPayment"]["totalPrice"], &visit["payment"]["totalPrice"]];
        assert_eq!(amounts, ["200.00"; 3]);
        assert_eq!([&visit["startedBy"], &visit["finishedBy"]], ["admin"; 2]);
        assert!(visit["payment"]["recordedAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{visit}");
    }
    assert_eq!([&exported[2]["endDate"], &exported[2]["pendingPayment"]], [&Value::Null; 2]);

    cluster.kill_finance().await;
    let output = run(&cluster, "export", patient, &[]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    assert!(text(&output.stderr).contains("finance"), "{}", text(&output.stderr));
    let output = run(&cluster, "export", patient, &["--without-finance"]);
    let export: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&export["withFinance"], export["consultations"].as_array().map(Vec::len)), (&json!(false), Some(3)));
}

#[test]
fn an_unknown_patient_has_an_empty_export_and_is_forgotten_already() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/consultation.sqlite", directory.path().display());
    let patient = Uuid::new_v4().to_string();
    let run = |arguments: &[&str]| {
        let settings = [("CONSULTATION_DATABASE_URL", url.as_str())];
        Process::command("consultation", arguments, &settings).output().expect("it runs")
    };
    assert!(run(&["migrate"]).status.success());
    let export = run(&["export", "--patient", &patient, "--without-finance"]);
    let document: Value = serde_json::from_slice(&export.stdout).expect("JSON");
    assert_eq!((&document["consultations"], export.status.code()), (&json!([]), Some(0)));
    assert!(text(&export.stderr).contains("no consultation of this patient"));
    for arguments in [&["forget", "--patient", &patient][..], &["forget", "--patient", &patient, "--yes"]] {
        let forget = run(arguments);
        assert_eq!(text(&forget.stdout), "no consultation of this patient is stored; nothing changed\n");
        assert_eq!(forget.status.code(), Some(0));
    }
    let refused = run(&["forget", "--patient", "Ana", "--yes"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("want a UUID"), "{}", text(&refused.stderr));
}

#[rstest]
#[tokio::test]
async fn a_forgotten_patient_is_in_no_table_and_no_sqlite_file_and_all_is_charged_as_before(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((cluster, patient, _)) = after_two_visits(backend).await else { return };
    let open = start(&cluster.consultation.client, patient).await;
    let refused = run(&cluster, "forget", patient, &["--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains(&open), "{}", text(&refused.stderr));
    finish(&cluster.consultation.client, &open).await;
    let audit_log = NamedTempFile::new().expect("a file");
    let path = audit_log.path().to_str().expect("a text");
    let unconfirmed = run(&cluster, "forget", patient, &["--audit-log", path]);
    let mut line = command("forget", 3);
    line["outcome"] = "refused".into();
    assert_eq!(audited(&audit_log), line);
    assert_eq!(unconfirmed.status.code(), Some(2));
    assert!(text(&unconfirmed.stderr).contains("3 consultations"), "{}", text(&unconfirmed.stderr));
    assert!(holds(&cluster, patient).await, "or the search finds nothing");

    let audit_log = NamedTempFile::new().expect("a file");
    let path = audit_log.path().to_str().expect("a text");
    let forgotten = run(&cluster, "forget", patient, &["--yes", "--audit-log", path]);
    assert_eq!(forgotten.status.code(), Some(0), "{}", text(&forgotten.stderr));
    assert!(text(&forgotten.stdout).starts_with("replaced the patient's id in 3 consultations"));
    assert_eq!(audited(&audit_log), command("forget", 3));
    assert!(!text(&forgotten.stderr).contains(&patient.to_string()), "{}", text(&forgotten.stderr));
    assert!(!holds(&cluster, patient).await);
    let again = run(&cluster, "forget", patient, &["--yes"]);
    assert!(again.status.success() && text(&again.stdout).starts_with("no consultation"), "{again:?}");

    all_arrive(&cluster, 4).await;
    let agrees = "4 finished consultations, 4 payments, 0 in transit, 0 differences\n";
    assert_eq!(cluster.reconcile(), (agrees.to_owned(), Some(0)));
    start(&cluster.consultation.client, patient).await;
    assert!(holds(&cluster, patient).await, "the patient may come again");
    finish_one(&cluster.consultation.client).await;
}
