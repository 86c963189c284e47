//! The access log: a line for each request and each operation over a WebSocket, without what they carry.

use std::{fs, path::PathBuf, process::Stdio};

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Answer, Backend, GraphqlClient, Process, Socket, TestDatabase, free_port};
use tokio::time::{Duration, sleep, timeout};
use uuid::Uuid;

use crate::{cluster, delivery::TEST_TIMEOUT};

const POLL_INTERVAL: Duration = Duration::from_millis(5);
const CHANGES: &str = "subscription ($id: ID!) { consultationChanged(id: $id) { status } }";

/// A consultation service that writes an access log.
struct Logged {
    client: GraphqlClient,
    log: PathBuf,
    process: Process,
    directory: TempDir,
    _db: TestDatabase,
}

impl Logged {
    async fn start(backend: Backend, settings: &[(&str, &str)]) -> Option<Self> {
        let db = TestDatabase::empty(backend).await?;
        let directory = tempfile::tempdir().expect("a directory");
        let (log, port, url) = (directory.path().join("access.log"), free_port(), db.url());
        let settings = [&[("CONSULTATION_DATABASE_URL", url.as_str())], settings].concat();
        let command = |arguments: &[&str]| {
            let mut command = Process::command("consultation", arguments, &settings);
            command.env("CONSULTATION_BIND", format!("127.0.0.1:{port}")).stdout(Stdio::null());
            if !settings.iter().any(|(name, _)| *name == "ACCESS_LOG") {
                command.env("ACCESS_LOG", &log);
            }
            command
        };
        assert!(command(&["migrate"]).stderr(Stdio::null()).status().expect("it runs").success());
        let errors = fs::File::create(directory.path().join("errors")).expect("a file");
        let process = Process::spawn(command(&[]).stderr(errors), port);
        process.client.until_ready().await;
        Some(Self { client: process.client.clone(), log, process, directory, _db: db })
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// So many lines. They are written after the responses were sent.
    async fn lines(&self, count: usize) -> String {
        let written = async {
            while self.text().matches('\n').count() < count {
                sleep(POLL_INTERVAL).await;
            }
        };
        timeout(TEST_TIMEOUT, written).await.expect("in time");
        self.text()
    }

    /// The next line, without what differs from run to run.
    async fn next(&self) -> Value {
        let text = self.lines(1).await;
        fs::write(&self.log, "").expect("emptied");
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).expect("JSON");
        let fields = line.as_object_mut().expect("an object");
        assert!(fields.remove("time").is_some() && fields.remove("duration_ms").is_some_and(|ms| ms.is_number()));
        assert_eq!(fields.remove("target"), Some(json!("access")));
        assert_eq!(fields.remove("service"), Some(json!("consultation")));
        assert_eq!(fields.remove("address"), Some(json!("127.0.0.1")));
        assert!(fields.remove("request_id").is_some_and(|id| !id.as_str().unwrap_or_default().is_empty()));
        fields.remove("bytes");
        line
    }
}

/// The line of a POST to `/graphql` with status 200.
fn posted(operation: &str, field: &str, outcome: &str) -> Value {
    json!({ "user": "admin", "method": "POST", "route": "/graphql", "operation": operation, "field": field,
        "status": 200, "outcome": outcome })
}

#[rstest]
#[tokio::test]
async fn each_request_is_a_line_of_how_it_ended(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = Logged::start(backend, &[]).await else { return };
    let client = &service.client;
    cluster::start(client, Uuid::new_v4()).await;
    assert_eq!(service.next().await, posted("mutation", "startConsultation", "ok"));
    client.call("{ a: consultations { totalCount } pendingPayments { totalCount } }", json!({})).await;
    assert_eq!(service.next().await, posted("query", "several", "ok"));

    let as_json = client.request(Method::POST, "/graphql").header("content-type", "application/json");
    assert_eq!(Answer::of(as_json.body(r#"{"query":"{ secret( }"}"#)).await.status, 200);
    let unparsable = json!({ "user": "admin", "method": "POST", "route": "/graphql", "status": 200,
        "outcome": "invalid", "code": "GRAPHQL_PARSE_FAILED" });
    assert_eq!(service.next().await, unparsable, "an error under status 200");

    Answer::of(client.post().basic_auth("mallory", Some("gu3ss"))).await;
    let refused = json!({ "method": "POST", "route": "/graphql", "status": 401, "outcome": "forbidden" });
    assert_eq!(service.next().await, refused, "a name that was not checked is not logged");
    Answer::of(client.request("BREW".parse().expect("a method"), "/secret?secret")).await;
    let unknown = json!({ "user": "admin", "method": "_OTHER", "route": "none", "status": 404, "outcome": "invalid" });
    assert_eq!(service.next().await, unknown);
    let by_rest = client.request(Method::POST, "/app/consultation/start/").body("{}");
    assert_eq!(Answer::of(by_rest).await.status, 400);
    let invalid = json!({ "user": "admin", "method": "POST", "route": "/app/consultation/start/", "status": 400,
        "outcome": "invalid" });
    assert_eq!(service.next().await, invalid);
}

#[tokio::test]
async fn a_subscription_is_a_line_at_its_end() {
    let Some(service) = Logged::start(Backend::Sqlite, &[]).await else { return };
    let id = cluster::start(&service.client, Uuid::new_v4()).await;
    service.next().await;
    let mut events = service.client.events(CHANGES, json!({ "id": id })).await;
    events.next().await.expect("the consultation as it is");
    assert_eq!(service.text(), "");
    drop(events);
    assert_eq!(service.next().await, posted("subscription", "consultationChanged", "ok"));

    let mut socket = Socket::introduced(&service.client.base).await;
    assert_eq!(service.next().await, json!({ "method": "GET", "route": "/graphql", "status": 101, "outcome": "ok" }));
    let over_socket = |operation: &str, field: &str, outcome: &str| json!({ "user": "admin", "transport": "websocket", "operation": operation, "field": field, "outcome": outcome });
    socket.subscribe("a", "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    socket.next().await;
    assert_eq!(service.next().await, over_socket("query", "node", "ok"));
    socket.subscribe("wrong", "{ consultation(id: 1) { id } }", json!({})).await;
    let mut refused = over_socket("query", "consultation", "refused");
    refused["code"] = json!("BAD_USER_INPUT");
    assert_eq!(service.next().await, refused);
    socket.subscribe("b", CHANGES, json!({ "id": id })).await;
    while socket.next().await["id"] != "b" {}
    assert_eq!(service.text(), "");
    socket.send(json!({ "type": "complete", "id": "b" })).await;
    assert_eq!(service.next().await, over_socket("subscription", "consultationChanged", "ok"));
}

#[tokio::test]
async fn no_line_holds_what_a_request_carries() {
    let Some(service) = Logged::start(Backend::Sqlite, &[]).await else { return };
    let patient = Uuid::new_v4();
    let query = "query Spy ($patient: UUID!) { nick: consultations(filter: { patientId: $patient }) { totalCount } }";
    service.client.call(query, json!({ "patient": patient })).await;
    Answer::of(service.client.request(Method::GET, "/no/such/path?token=s3cret")).await;
    let text = service.lines(2).await;
    for foreign in [patient.to_string().as_str(), "teste123", "Basic", "Spy", "nick", "such", "s3cret"] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
}

#[tokio::test]
async fn beyond_a_shortest_duration_failures_alone_are_lines() {
    let Some(service) = Logged::start(Backend::Sqlite, &[("ACCESS_LOG_MIN_DURATION", "1h")]).await else { return };
    service.client.call("{ consultations { totalCount } }", json!({})).await;
    assert_eq!(Answer::of(service.client.get("/livez")).await.status, 200);
    service.client.send("{ consultation(id: 1) { id } }", json!({})).await;
    let mut refused = posted("query", "consultation", "refused");
    refused["code"] = json!("BAD_USER_INPUT");
    assert_eq!(service.next().await, refused);
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_the_service_goes_on() {
    let settings = [("ACCESS_LOG", "/dev/full"), ("LOG_FORMAT", "json")];
    let Some(mut service) = Logged::start(Backend::Sqlite, &settings).await else { return };
    for _ in 0..3 {
        service.client.call("{ consultations { totalCount } }", json!({})).await;
    }
    service.process.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(service.process.exit_code().await, Some(0));
    let errors = fs::read_to_string(service.directory.path().join("errors")).expect("a log");
    assert_eq!(errors.matches("the access log cannot be written").count(), 1, "{errors}");
}
