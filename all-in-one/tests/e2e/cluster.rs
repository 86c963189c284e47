//! A consultation and a finance process, each with a database of its own or both with one.

mod services;

use std::{path::Path, process::Output};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient, Process, TestDatabase, free_port};
use uuid::Uuid;

use services::{start_consultation, start_finance};

pub(crate) struct Cluster {
    pub(crate) consultation: Process,
    pub(crate) finance: Option<Process>,
    finance_port: u16,
    trusted_documents: Option<&'static Path>,
    /// Further settings of both.
    settings: Vec<(&'static str, String)>,
    finance_db: TestDatabase,
    consultation_db: Option<TestDatabase>,
}

impl Cluster {
    /// Starts both; `None` without PostgreSQL.
    pub(crate) async fn start(backend: Backend) -> Option<Self> {
        let (consultation_db, finance_db) = (TestDatabase::empty(backend).await?, TestDatabase::empty(backend).await?);
        Some(Self::on(Some(consultation_db), finance_db, None, Vec::new()).await)
    }

    /// Starts both with further settings.
    pub(crate) async fn start_with(backend: Backend, settings: Vec<(&'static str, String)>) -> Option<Self> {
        let (consultation_db, finance_db) = (TestDatabase::empty(backend).await?, TestDatabase::empty(backend).await?);
        Some(Self::on(Some(consultation_db), finance_db, None, settings).await)
    }

    /// Starts both. Finance executes only the trusted documents of a directory.
    pub(crate) async fn start_trusting(backend: Backend, documents: &'static Path) -> Option<Self> {
        let (consultation_db, finance_db) = (TestDatabase::empty(backend).await?, TestDatabase::empty(backend).await?);
        Some(Self::on(Some(consultation_db), finance_db, Some(documents), Vec::new()).await)
    }

    /// Starts both on one shared database.
    pub(crate) async fn start_shared(backend: Backend) -> Option<Self> {
        Some(Self::on(None, TestDatabase::empty(backend).await?, None, Vec::new()).await)
    }

    async fn on(
        consultation_db: Option<TestDatabase>,
        finance_db: TestDatabase,
        trusted_documents: Option<&'static Path>,
        settings: Vec<(&'static str, String)>,
    ) -> Self {
        let (port, finance_port) = (free_port(), free_port());
        let finance = start_finance(&finance_db, finance_port, trusted_documents, &settings).await;
        let own_db = consultation_db.as_ref().unwrap_or(&finance_db);
        let consultation = start_consultation(own_db, port, finance_port, &settings).await;
        let finance = Some(finance);
        Self { consultation, finance, finance_port, trusted_documents, settings, finance_db, consultation_db }
    }

    /// Output and exit code of `consultation reconcile`.
    pub(crate) fn reconcile(&self) -> (String, Option<i32>) {
        self.subcommand("reconcile")
    }

    /// Output and exit code of a subcommand of consultation.
    pub(crate) fn subcommand(&self, name: &str) -> (String, Option<i32>) {
        let output = self.run(&[name]);
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&text).into_owned(), output.status.code())
    }

    /// Runs a subcommand of consultation.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let finance_url = format!("http://127.0.0.1:{}/graphql", self.finance_port);
        let url = self.consultation_db().url();
        let settings = [("CONSULTATION_DATABASE_URL", url.as_str()), ("CONSULTATION_FINANCE_URL", &finance_url)];
        Process::command("consultation", arguments, &settings).output().expect("it runs")
    }

    pub(crate) fn consultation_db(&self) -> &TestDatabase {
        self.consultation_db.as_ref().unwrap_or(&self.finance_db)
    }

    pub(crate) fn finance_db(&self) -> &TestDatabase {
        &self.finance_db
    }

    /// Kills finance, as a crash would.
    pub(crate) async fn kill_finance(&mut self) {
        self.finance.take().expect("finance runs").kill().await;
    }

    /// Restarts finance on the same database and port.
    pub(crate) async fn restart_finance(&mut self) {
        let (db, port) = (&self.finance_db, self.finance_port);
        self.finance = Some(start_finance(db, port, self.trusted_documents, &self.settings).await);
    }

    /// Restarts finance with a further setting.
    pub(crate) async fn restart_finance_with(&mut self, setting: (&'static str, String)) {
        self.kill_finance().await;
        self.settings.push(setting);
        self.restart_finance().await;
    }

    /// Starts another instance of finance at the same port, on a database of its own.
    pub(crate) async fn replace_finance(&mut self, finance_db: TestDatabase) {
        self.finance_db = finance_db;
        self.restart_finance().await;
    }

    /// Kills consultation, and starts it on another database.
    pub(crate) async fn replace_consultation(&mut self, db: TestDatabase) {
        self.consultation.signal(Signal::SIGKILL);
        let started = start_consultation(&db, free_port(), self.finance_port, &self.settings).await;
        std::mem::replace(&mut self.consultation, started).kill().await;
        self.consultation_db = Some(db);
    }

    pub(crate) fn finance_client(&self) -> &GraphqlClient {
        &self.finance.as_ref().expect("finance runs").client
    }

    /// Starts and finishes a consultation. Returns its id and price.
    pub(crate) async fn finish_one(&self) -> (String, String) {
        finish_one(&self.consultation.client).await
    }

    /// Payments in finance, as (appointment, amount).
    pub(crate) async fn payments(&self) -> Vec<(String, String)> {
        let query = "{ payments(first: 100) { edges { node { appointmentId totalPrice } } } }";
        let data = self.finance_client().call(query, json!({})).await;
        let edges = data["payments"]["edges"].as_array().expect("edges").clone();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        edges.iter().map(|edge| (text(&edge["node"]["appointmentId"]), text(&edge["node"]["totalPrice"]))).collect()
    }

    /// The last errors of pending payments.
    pub(crate) async fn last_errors(&self) -> Vec<String> {
        let query = "{ pendingPayments(first: 100) { edges { node { lastError } } } }";
        let data = self.consultation.client.call(query, json!({})).await;
        let edges = data["pendingPayments"]["edges"].as_array().expect("edges").clone();
        edges.iter().filter_map(|edge| Some(edge["node"]["lastError"].as_str()?.to_owned())).collect()
    }

    /// All pending payments, as (status, tries).
    pub(crate) async fn pending_payments(&self) -> Vec<(String, i64)> {
        let query = "{ pendingPayments(first: 100) { edges { node { status tries } } } }";
        let data = self.consultation.client.call(query, json!({})).await;
        let edges = data["pendingPayments"]["edges"].as_array().expect("edges").clone();
        let node = |edge: &Value| {
            (
                edge["node"]["status"].as_str().expect("a status").to_owned(),
                edge["node"]["tries"].as_i64().expect("tries"),
            )
        };
        edges.iter().map(node).collect()
    }
}

pub(crate) async fn finish_one(client: &GraphqlClient) -> (String, String) {
    let id = start(client, Uuid::new_v4()).await;
    let price = finish(client, &id).await;
    (id, price)
}

/// Starts a consultation of this patient. Returns its id.
pub(crate) async fn start(client: &GraphqlClient, patient: Uuid) -> String {
    let start = "mutation ($a: UUID!, $b: UUID!) { startConsultation(input: { physicianId: $a, patientId: $b }) {
        consultation { id } } }";
    let started = client.call(start, json!({ "a": Uuid::new_v4(), "b": patient })).await;
    started["startConsultation"]["consultation"]["id"].as_str().expect("an id").to_owned()
}

/// Finishes a consultation. Returns its price.
pub(crate) async fn finish(client: &GraphqlClient, id: &str) -> String {
    let finish =
        "mutation ($id: ID!) { finishConsultation(input: { consultationId: $id }) { consultation { price } } }";
    let finished = client.call(finish, json!({ "id": id })).await;
    finished["finishConsultation"]["consultation"]["price"].as_str().expect("a price").to_owned()
}
