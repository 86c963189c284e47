//! What a collector that is down, refuses or hangs costs, and trace ids in the log.

use std::{fs, process::Stdio};

use nix::sys::signal::Signal;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Backend, Behaviour, Collector, Process, TestDatabase, TracedSpan, free_port};
use tokio::time::{Duration, Instant};

use crate::cluster::finish_one;

/// The drain of idle services, the two seconds for the last spans, and what a busy machine takes.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// A request that waited for an export would take as long.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Both services in one process, which log to a file.
struct Logging {
    process: Process,
    directory: TempDir,
    db: TestDatabase,
}

impl Logging {
    async fn start(backend: Backend, settings: &[(&str, &str)]) -> Option<Self> {
        let db = TestDatabase::empty(backend).await?;
        let directory = tempfile::tempdir().expect("a directory");
        let (port, url) = (free_port(), db.url());
        let binds = [format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port())];
        let mut command = Process::command("all-in-one", &[], settings);
        command.env("CONSULTATION_BIND", &binds[0]).env("CONSULTATION_DATABASE_URL", &url);
        command.env("FINANCE_BIND", &binds[1]).env("FINANCE_DATABASE_URL", &url);
        command.env("OTEL_TRACES_SAMPLER", "always_on").env("OTEL_BSP_SCHEDULE_DELAY", "50").stdout(Stdio::null());
        command.stderr(fs::File::create(directory.path().join("log")).expect("a file"));
        let process = Process::spawn(&mut command, port);
        process.client.until_ready().await;
        Some(Self { process, directory, db })
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).expect("a log")
    }
}

#[rstest]
#[case::that_is_down(None)]
#[case::that_refuses(Some(Behaviour::Refuses))]
#[case::that_hangs(Some(Behaviour::Hangs))]
#[tokio::test]
async fn a_collector_costs_no_request_and_two_seconds_of_a_shutdown(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] behaviour: Option<Behaviour>,
) {
    let collector = match behaviour {
        Some(behaviour) => Some(Collector::start(behaviour).await),
        None => None,
    };
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let endpoint = collector.as_ref().map_or(nobody, |collector| collector.endpoint.clone());
    // More spans than the queue of the exporter takes.
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_MAX_QUEUE_SIZE", "8")];
    let Some(mut service) = Logging::start(backend, &settings).await else { return };
    let began = Instant::now();
    for _ in 0..20 {
        finish_one(&service.process.client).await;
    }
    assert!(began.elapsed() < EXPORT_TIMEOUT, "{:?}", began.elapsed());
    if let Some(collector) = &collector {
        collector.until_called().await;
    }
    let signalled = Instant::now();
    service.process.signal(Signal::SIGTERM);
    assert_eq!(service.process.exit_code().await, Some(0));
    assert!(signalled.elapsed() < SHUTDOWN_LIMIT, "{:?}", signalled.elapsed());
    let log = service.log();
    assert!(log.matches("traces are lost").count() <= 2, "more than a line a service: {log}");
    assert!(!log.contains("SpanDroppingStarted"), "each loss is counted: {log}");
    assert!(log.contains("traces are lost") || log.contains("the last traces were not sent"), "{log}");
}

#[tokio::test]
async fn spans_and_credentials_go_to_the_collector_alone() {
    let other = Collector::start(Behaviour::Accepts).await;
    let port = other.endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let collector = Collector::start(Behaviour::Redirects(port)).await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=s3cret"),
        ("HTTP_PROXY", &other.endpoint),
    ];
    let Some(mut service) = Logging::start(Backend::Sqlite, &settings).await else { return };
    finish_one(&service.process.client).await;
    collector.until_called().await;
    service.process.signal(Signal::SIGTERM);
    assert_eq!(service.process.exit_code().await, Some(0));
    assert!(!other.is_called(), "by a redirect, or as a proxy");
    assert!(service.log().contains("traces are lost"), "{}", service.log());
}

#[tokio::test]
async fn a_line_of_the_log_has_the_ids_of_its_span() {
    let collector = Collector::start(Behaviour::Accepts).await;
    let nobody = format!("http://127.0.0.1:{}/graphql", free_port());
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let settings = [
        endpoint,
        ("CONSULTATION_FINANCE_URL", &nobody),
        ("LOG_FORMAT", "json"),
        ("RUST_LOG", "error,consultation=info"),
    ];
    let Some(service) = Logging::start(Backend::Sqlite, &settings).await else { return };
    let client = &service.process.client;
    finish_one(client).await;
    let broken = service.db.database.write.execute_unprepared("ALTER TABLE consultation_count RENAME TO gone").await;
    broken.expect("renamed");
    client.send("query Count { consultations { totalCount } }", json!({})).await;
    let is_counted =
        |span: &&TracedSpan| span.attributes.get("graphql.operation.name").is_some_and(|name| name == "Count");
    let is_sent = |span: &&TracedSpan| span.name == "send payments";
    let spans = collector.spans_once(|spans| spans.iter().any(|s| is_counted(&s)) && spans.iter().any(|s| is_sent(&s)));
    let spans = spans.await;
    let log = service.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (counted, sent) = (spans.iter().find(is_counted).expect("a span"), spans.iter().find(is_sent).expect("a span"));
    for (span, message) in [(counted, "a fault was masked"), (sent, "finance failed; the payments are sent again")] {
        assert!(span.failure.is_some(), "{span:?}");
        let line = lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{log}"));
        assert_eq!((&line["span"]["trace_id"], &line["span"]["span_id"]), (&json!(span.trace), &json!(span.id)));
    }
}

#[test]
fn a_wrong_setting_of_traces_is_named() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "no URL"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "user:s3cret@collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:s3cret@collector:4318/a b"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "5 %"),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let mut command = Process::command("all-in-one", &["--finance-bind=127.0.0.1:0"], &[]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318").env(variable, value);
        let output = command.current_dir(directory.path()).output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(variable) && !error.contains("s3cret"), "{error}");
    }
}
