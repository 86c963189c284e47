//! A database outage: clients receive a retryable error, and the log reports it once.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use testkit::{Answer, GraphqlClient, Process, free_port};
use uuid::Uuid;

/// A port without a listener.
const AWAY: &str = "postgres://clinic:hunter2@127.0.0.1:9/clinic";
/// Above the longest retry delay of a loop.
const OUTAGE: Duration = Duration::from_secs(7);

const START: &str = "mutation ($a: UUID!, $b: UUID!) { startConsultation(input: { physicianId: $a, patientId: $b }) {
    consultation { id } } }";

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
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
    let log = tempfile::NamedTempFile::new().expect("a file");
    let port = free_port();
    let bind = format!("127.0.0.1:{port}");
    let settings = [("CONSULTATION_BIND", bind.as_str()), ("CONSULTATION_DATABASE_URL", AWAY)];
    let mut command = Process::command("consultation", &[], &settings);
    let output = Stdio::from(log.reopen().expect("a file"));
    let _running = Running(command.stderr(output).spawn().expect("it runs"));
    let client = GraphqlClient::new(format!("http://{bind}"));
    while client.get("/livez").send().await.is_err() {}
    let began = Instant::now();

    let queries = [START, "{ consultations { totalCount } }", "{ pendingPayments { edges { node { tries } } } }"];
    let modern = queries.iter().cycle().take(30).map(|query| ask(&client, "application/graphql-response+json", query));
    for answer in join_all(modern).await {
        assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{}", answer.body);
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(answer.body.get("data").is_none() && !answer.body.to_string().contains("127.0.0.1"), "{}", answer.body);
    }
    for answer in join_all(queries.map(|query| ask(&client, "application/json", query))).await {
        assert_eq!((answer.status, answer.code()), (200, "UNAVAILABLE"), "{}", answer.body);
        assert_eq!(answer.headers["retry-after"], "1");
    }
    let answer = start_by_rest(&client).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(Answer::of(client.get("/readyz")).await.status, 503);

    tokio::time::sleep(OUTAGE.saturating_sub(began.elapsed())).await;
    let log = fs::read_to_string(log.path()).expect("a log");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("127.0.0.1:9") && lines[0].contains("refused"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn a_database_that_accepts_connections_and_says_nothing_is_away_too() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let (bind, url) = (format!("127.0.0.1:{}", free_port()), format!("postgres://clinic:hunter2@{address}/clinic"));
    let settings = [("CONSULTATION_BIND", bind.as_str()), ("CONSULTATION_DATABASE_URL", url.as_str())];
    let mut command = Process::command("consultation", &[], &settings);
    let output = Stdio::from(log.reopen().expect("a file"));
    let _running = Running(command.stderr(output).spawn().expect("it runs"));
    let client = GraphqlClient::new(format!("http://{bind}"));
    while client.get("/livez").send().await.is_err() {}
    let began = Instant::now();

    let totals = (0..10).map(|_| ask(&client, "application/graphql-response+json", "{ consultations { totalCount } }"));
    for answer in join_all(totals).await {
        assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{}", answer.body);
    }

    tokio::time::sleep(OUTAGE.saturating_sub(began.elapsed())).await;
    let log = fs::read_to_string(log.path()).expect("a log");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains(&address) && !log.contains("hunter2"), "{log}");
}
