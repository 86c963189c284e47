//! A database outage: clients receive a retryable error, and the log reports it once.

use std::{
    fs,
    net::TcpListener,
    process::Child,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tempfile::NamedTempFile;
use testkit::{Answer, GraphqlClient, Process, free_port};
use uuid::Uuid;

/// A port without a listener.
const AWAY: &str = "postgres://clinic:hunter2@127.0.0.1:9/clinic";
/// Above the longest retry delay of a loop.
const OUTAGE: Duration = Duration::from_secs(7);

const START: &str = "mutation ($a: UUID!, $b: UUID!) { startConsultation(input: { physicianId: $a, patientId: $b }) {
    consultation { id } } }";

/// Consultation on a database that is away. It is killed when this is dropped.
struct Running {
    process: Child,
    client: GraphqlClient,
    log: NamedTempFile,
    began: Instant,
}

impl Running {
    async fn on(database: &str) -> Self {
        let log = NamedTempFile::new().expect("a file");
        let bind = format!("127.0.0.1:{}", free_port());
        let settings = [("CONSULTATION_BIND", bind.as_str()), ("CONSULTATION_DATABASE_URL", database)];
        let mut command = Process::command("consultation", &[], &settings);
        let process = command.stderr(log.reopen().expect("a file")).spawn().expect("it runs");
        let client = GraphqlClient::new(format!("http://{bind}"));
        while client.get("/livez").send().await.is_err() {}
        Self { process, client, log, began: Instant::now() }
    }

    /// The only line of a warning or an error in the log of the whole outage, which has no password.
    async fn only_complaint(&self) -> String {
        tokio::time::sleep(OUTAGE.saturating_sub(self.began.elapsed())).await;
        let log = fs::read_to_string(self.log.path()).expect("a log");
        assert!(!log.contains("hunter2"), "{log}");
        let lines: Vec<_> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
        assert_eq!(lines.len(), 1, "{log}");
        lines[0].to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

async fn ask(client: &GraphqlClient, media_type: &str, query: &str) -> Answer {
    let body = json!({ "query": query, "variables": { "a": Uuid::new_v4(), "b": Uuid::new_v4() } }).to_string();
    let request = client.post().basic_auth("admin", Some("teste123")).header("content-type", "application/json");
    Answer::of(request.header("accept", media_type).body(body)).await
}

async fn start_by_rest(client: &GraphqlClient) -> Answer {
    let body = json!({ "physician_id": Uuid::new_v4(), "patient_id": Uuid::new_v4() }).to_string();
    Answer::of(client.request(axum::http::Method::POST, "/app/consultation/start/").body(body)).await
}

#[tokio::test]
async fn while_the_database_is_away_clients_get_503_and_the_log_one_line_that_names_it() {
    let running = Running::on(AWAY).await;
    let client = &running.client;

    let queries = [START, "{ consultations { totalCount } }", "{ pendingPayments { edges { node { tries } } } }"];
    let modern = queries.iter().cycle().take(30).map(|query| ask(client, "application/graphql-response+json", query));
    for answer in join_all(modern).await {
        assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{}", answer.body);
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(answer.body.get("data").is_none() && !answer.body.to_string().contains("127.0.0.1"), "{}", answer.body);
    }
    for answer in join_all(queries.map(|query| ask(client, "application/json", query))).await {
        assert_eq!((answer.status, answer.code()), (200, "UNAVAILABLE"), "{}", answer.body);
        assert_eq!(answer.headers["retry-after"], "1");
    }
    let answer = start_by_rest(client).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(Answer::of(client.get("/readyz")).await.status, 503);

    let line = running.only_complaint().await;
    assert!(line.contains("127.0.0.1:9") && line.contains("refused"), "{line}");
}

#[tokio::test]
async fn a_database_that_accepts_connections_and_says_nothing_is_away_too() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let running = Running::on(&format!("postgres://clinic:hunter2@{address}/clinic")).await;
    let client = &running.client;

    let totals = (0..10).map(|_| ask(client, "application/graphql-response+json", "{ consultations { totalCount } }"));
    for answer in join_all(totals).await {
        assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{}", answer.body);
    }

    let line = running.only_complaint().await;
    assert!(line.contains(&address), "{line}");
}
