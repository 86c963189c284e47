//! Two clinics in one PostgreSQL database: a schema each, and services of their own.

use serde_json::{Value, json};
use testkit::{Backend, Process, TestDatabase, free_port};
use uuid::Uuid;

const CLINICS: [&str; 2] = ["clinic 1", "clinic_2"];
const SERVICES: [&str; 2] = ["finance", "consultation"];
const START: &str = "mutation ($physician: UUID!, $patient: UUID!) {
    startConsultation(input: { physicianId: $physician, patientId: $patient }) { consultation { id } } }";
const FINISH: &str =
    "mutation ($id: ID!) { finishConsultation(input: { consultationId: $id }) { consultation { price } } }";
const TOTALS: &str = "{ consultations { totalCount } pendingPayments(filter: { status: FINISHED }) { totalCount } }";

/// The services of a clinic.
struct Clinic {
    finance: Process,
    consultation: Process,
    settings: Vec<(String, String)>,
}

impl Clinic {
    async fn start(url: &str) -> Self {
        let ports = SERVICES.map(|_| free_port());
        let mut settings: Vec<_> = SERVICES
            .iter()
            .zip(ports)
            .flat_map(|(service, port)| {
                let service = service.to_uppercase();
                [
                    (format!("{service}_BIND"), format!("127.0.0.1:{port}")),
                    (format!("{service}_DATABASE_URL"), url.to_owned()),
                ]
            })
            .collect();
        settings.push(("CONSULTATION_FINANCE_URL".to_owned(), format!("http://127.0.0.1:{}/graphql", ports[0])));
        let of_processes = borrowed(&settings);
        let finance = Process::start("finance", ports[0], &of_processes).await;
        let consultation = Process::start("consultation", ports[1], &of_processes).await;
        Self { finance, consultation, settings }
    }

    /// Starts and finishes a consultation, and waits until it is paid. Returns its id.
    async fn consultation(&self) -> Value {
        let client = &self.consultation.client;
        let who = json!({ "physician": Uuid::new_v4(), "patient": Uuid::new_v4() });
        let id = client.call(START, who).await["startConsultation"]["consultation"]["id"].take();
        client.call(FINISH, json!({ "id": id })).await;
        let paid = "query ($id: UUID!) { payments(filter: { appointmentIds: [$id] }) { totalCount } }";
        while self.finance.client.call(paid, json!({ "id": id })).await["payments"]["totalCount"] != 1 {}
        id
    }

    async fn payments(&self) -> Value {
        self.finance.client.call("{ payments { totalCount } }", json!({})).await["payments"]["totalCount"].take()
    }

    fn reconcile(&self) -> Option<i32> {
        let settings = borrowed(&self.settings);
        Process::command("consultation", &["reconcile"], &settings).output().expect("it runs").status.code()
    }
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Exit code and output of `migrate`.
fn migrate(service: &str, url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let variable = format!("{}_DATABASE_URL", service.to_uppercase());
    let arguments = [&["migrate"], arguments].concat();
    let output = Process::command(service, &arguments, &[(&variable, url)]).output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[tokio::test]
async fn two_clinics_in_one_database_have_a_schema_each() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    for service in SERVICES {
        for (clinic, row_counts) in CLINICS.iter().zip(["none", "kept"]) {
            let (code, text) = migrate(service, &db.url(), &["--schema", clinic, "--row-counts", row_counts]);
            assert_eq!((code, text.contains("applied m")), (Some(0), true), "{text}");
            assert_eq!(migrate(service, &db.url(), &["--schema", clinic, "--status"]).0, Some(0));
        }
        assert_eq!(migrate(service, &db.url(), &["--status"]).0, Some(1), "nothing is in the schema of the URL");
    }
    let urls = ["%22clinic%5C%201%22", "clinic_2"].map(|path| format!("{}&options=-csearch_path%3D{path}", db.url()));
    let [one, two] = [Clinic::start(&urls[0]).await, Clinic::start(&urls[1]).await];
    let of_one = one.consultation().await;
    two.consultation().await;
    two.consultation().await;
    for (clinic, count) in [(&one, 1), (&two, 2)] {
        assert_eq!(clinic.payments().await, count);
        assert_eq!(clinic.reconcile(), Some(0));
        // Finance had it before consultation wrote that it has.
        let expected = json!({ "consultations": { "totalCount": count }, "pendingPayments": { "totalCount": count } });
        while clinic.consultation.client.call(TOTALS, json!({})).await != expected {}
    }
    let node = "query ($id: ID!) { consultation(id: $id) { id } }";
    assert_eq!(two.consultation.client.call(node, json!({ "id": of_one })).await["consultation"], Value::Null);
}

#[tokio::test]
async fn row_counts_are_switched_while_the_service_runs() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    for service in SERVICES {
        assert_eq!(migrate(service, &db.url(), &[]).0, Some(0));
    }
    let clinic = Clinic::start(&db.url()).await;
    for (number, row_counts) in (1..).zip(["none", "none", "kept", "kept", "none"]) {
        for service in SERVICES {
            assert_eq!(migrate(service, &db.url(), &["--row-counts", row_counts]).0, Some(0));
        }
        clinic.consultation().await;
        assert_eq!(clinic.payments().await, number, "{row_counts}");
        let totals = clinic.consultation.client.call(TOTALS, json!({})).await;
        assert_eq!(totals["consultations"]["totalCount"], number, "{row_counts}");
    }
}

#[test]
fn choices_of_postgresql_are_refused_on_sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("finance.sqlite");
    let url = format!("sqlite://{}", file.display());
    for choice in [["--schema", "clinic_1"], ["--row-counts", "none"]] {
        let (code, text) = migrate("finance", &url, &choice);
        assert_eq!((code, text.contains("is for PostgreSQL"), file.exists()), (Some(2), true, false), "{text}");
    }
    assert_eq!(migrate("finance", &url, &["--row-counts", "kept"]).0, Some(0));
}
