//! Where a patient's id is stored, and where it never is.

use std::{
    fs::{self, File},
    process::Command,
};

use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use testkit::{Backend, Process, TestDatabase, free_port};
use uuid::Uuid;

use crate::cluster::{Cluster, finish, start};

/// Whether the database of either service holds the id.
pub(crate) async fn holds(cluster: &Cluster, patient: Uuid) -> bool {
    let mut found = false;
    for db in [cluster.consultation_db(), cluster.finance_db()] {
        found |= match db.database.read.get_database_backend() {
            DbBackend::Sqlite => file_holds(db.url().trim_start_matches("sqlite://"), patient),
            _ => tables_hold(db, patient).await,
        };
    }
    found
}

/// Looks for the id in the bytes of the file and its log, if it has one, as text and as SQLite stores it. Another process
/// reads them: this one would lose SQLite's locks by closing the file.
fn file_holds(file: &str, patient: Uuid) -> bool {
    let bytes = Command::new("cat").args([file, &format!("{file}-wal")]).output().expect("it runs").stdout;
    assert!(!bytes.is_empty(), "{file} can be read");
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    has(patient.as_bytes()) || has(patient.to_string().as_bytes())
}

async fn tables_hold(db: &TestDatabase, patient: Uuid) -> bool {
    let statement = |sql: String| Statement::from_string(DbBackend::Postgres, sql);
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'".to_owned();
    let tables = db.database.read.query_all_raw(statement(tables)).await.expect("tables");
    assert!(tables.len() > 2);
    for table in tables {
        let table: String = table.try_get_by_index(0).expect("a name");
        let rows = format!("SELECT 1 FROM {table} AS row WHERE row::text LIKE '%{patient}%' LIMIT 1");
        if db.database.read.query_one_raw(statement(rows)).await.expect("an answer").is_some() {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_patient_is_forgotten_in_a_copy_of_a_sqlite_file_too() {
    let cluster = Cluster::start(Backend::Sqlite).await.expect("SQLite is always there");
    let (client, patient) = (&cluster.consultation.client, Uuid::new_v4());
    finish(client, &start(client, patient).await).await;
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.sqlite").display().to_string();
    assert!(cluster.run(&["backup", &copy]).status.success());
    assert!(file_holds(&copy, patient), "or the search finds nothing");
    let arguments = ["forget", "--patient", &patient.to_string(), "--yes"];
    let settings = [("CONSULTATION_DATABASE_URL", format!("sqlite://{copy}"))];
    let settings = settings.each_ref().map(|(name, url)| (*name, url.as_str()));
    let forgotten = Process::command("consultation", &arguments, &settings).output().expect("it runs");
    assert!(forgotten.status.success(), "{forgotten:?}");
    assert!(!file_holds(&copy, patient));
    assert!(holds(&cluster, patient).await, "the copy alone was changed");
}

#[rstest]
#[tokio::test]
async fn the_log_names_no_patient(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let (port, url, patient) = (free_port(), db.url(), Uuid::new_v4());
    let bind = format!("127.0.0.1:{port}");
    let log = tempfile::NamedTempFile::new().expect("a file");
    let settings = [
        ("CONSULTATION_DATABASE_URL", url.as_str()),
        ("CONSULTATION_BIND", &bind),
        ("RUST_LOG", "info,consultation=debug,chassis=debug,graphql_http=debug"),
    ];
    let migrated = Process::command("consultation", &["migrate"], &settings).output();
    assert!(migrated.expect("it runs").status.success());
    let mut command = Process::command("consultation", &[], &settings);
    let process = Process::spawn(command.stderr(File::create(log.path()).expect("a file")), port);
    process.client.until_ready().await;

    let (client, input) = (&process.client, json!({ "patient": patient }));
    let id = start(client, patient).await;
    let again =
        "mutation ($patient: UUID!) { startConsultation(input: { physicianId: $patient, patientId: $patient }) {
        userErrors { ... on UserError { code } } } }";
    for document in [
        again,
        "query ($patient: UUID!) { consultations(filter: { patientId: $patient }) { none } }",
        &format!("{{ consultation(id: \"{patient}\") {{ id price {{ none }} }} }}"),
        &format!("mutation {{ startConsultation(input: {{ patientId: \"{patient}\" ) }}"),
    ] {
        client.send(document, input.clone()).await;
    }
    let visit = json!({ "physicianId": patient, "patientId": patient });
    for body in [visit.to_string(), format!("{visit}}}")] {
        let rest = client.request(reqwest::Method::POST, "/app/consultation/start/");
        rest.header("content-type", "application/json").body(body).send().await.expect("a response");
    }
    finish(client, &id).await;
    let other = start(client, Uuid::new_v4()).await;
    let cancel = "mutation ($id: ID!, $reason: String!) {
        cancelConsultation(input: { consultationId: $id, reason: $reason }) { userErrors { ... on UserError { code } } } }";
    for id in [other.as_str(), other.as_str(), &id, "nonsense"] {
        client.send(cancel, json!({ "id": id, "reason": format!("{patient} did not come") })).await;
    }
    // A fault, whose text the log has.
    db.database.write.execute_unprepared("ALTER TABLE consultation RENAME TO gone").await.expect("renamed");
    client.send(again, input).await;
    client.send(cancel, json!({ "id": id, "reason": patient })).await;
    let text = fs::read_to_string(log.path()).expect("a log");
    assert!(text.contains("a fault was masked"), "{text}");
    assert!(!text.contains(&patient.to_string()) && !text.contains(&patient.simple().to_string()), "{text}");
}
