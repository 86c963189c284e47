//! Metrics of both services, as Prometheus reads them: values after known calls.

mod certificates;
mod series;

use nix::sys::signal::Signal;
use rstest::rstest;
use serde_json::json;
use testkit::{Backend, Process, Socket, TestDatabase, free_port};
use uuid::Uuid;

use crate::{
    cluster::{finish_one, start},
    processes::hold_a_request,
};

/// Both services in one process, and the addresses of their metrics.
struct Measured {
    process: Process,
    consultation: String,
    finance: String,
    _db: TestDatabase,
}

impl Measured {
    async fn start(backend: Backend) -> Option<Self> {
        Self::start_with(backend, &[]).await
    }

    async fn start_with(backend: Backend, further: &[(&str, &str)]) -> Option<Self> {
        let db = TestDatabase::empty(backend).await?;
        let url = db.url();
        let [port, finance, metrics, finance_metrics] = [(); 4].map(|()| format!("127.0.0.1:{}", free_port()));
        let settings = [
            ("CONSULTATION_BIND", port.as_str()),
            ("CONSULTATION_METRICS_BIND", &metrics),
            ("CONSULTATION_DATABASE_URL", &url),
            ("FINANCE_BIND", &finance),
            ("FINANCE_METRICS_BIND", &finance_metrics),
            ("FINANCE_DATABASE_URL", &url),
        ];
        let settings = [&settings, further].concat();
        let port = port.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let process = Process::start("all-in-one", port, &settings).await;
        Some(Self { process, consultation: metrics, finance: finance_metrics, _db: db })
    }
}

async fn scrape(address: &str) -> String {
    let response = reqwest::get(format!("http://{address}/metrics")).await.expect("a response");
    let content_type = &response.headers()["content-type"];
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.text().await.expect("a text")
}

/// The value of a series.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// The metrics once this series has this value.
async fn until(address: &str, series: &str, expected: f64) -> String {
    let deadline = tokio::time::Instant::now() + tokio::time::Duration::from_secs(20);
    loop {
        let text = scrape(address).await;
        if value(&text, series) == Some(expected) {
            return text;
        }
        assert!(tokio::time::Instant::now() < deadline, "{series} is not {expected}: {text}");
        tokio::time::sleep(tokio::time::Duration::from_millis(50)).await;
    }
}

#[rstest]
#[tokio::test]
async fn each_metric_of_a_delivered_payment_has_its_value(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = Measured::start(backend).await else { return };
    let client = &service.process.client;
    finish_one(client).await;
    client.send("{ nothing }", json!({})).await;
    let text = until(&service.consultation, "outbox_outcomes_total{outcome=\"confirmed\"}", 1.0).await;
    let expected = [
        ("build_info{service=\"consultation\",version=\"0.1.0\"}", 1.0),
        ("graphql_operations_total{type=\"mutation\",field=\"startConsultation\",outcome=\"ok\"}", 1.0),
        ("graphql_operations_total{type=\"mutation\",field=\"finishConsultation\",outcome=\"ok\"}", 1.0),
        ("graphql_operations_total{type=\"query\",field=\"introspection\",outcome=\"invalid\"}", 1.0),
        ("graphql_operation_duration_seconds_count{type=\"mutation\",field=\"finishConsultation\"}", 1.0),
        ("graphql_operations_total{type=\"mutation\",field=\"retryPendingPayment\",outcome=\"fault\"}", 0.0),
        ("authentications_total{method=\"basic\",result=\"throttled\"}", 0.0),
        ("graphql_errors_total{code=\"GRAPHQL_VALIDATION_FAILED\"}", 1.0),
        ("graphql_subscriptions{transport=\"sse\"}", 0.0),
        ("write_batch_rows_sum{writer=\"finish\"}", 1.0),
        ("write_batch_duration_seconds_count{writer=\"start\"}", 1.0),
        ("outbox_delivery_delay_seconds_count", 1.0),
        ("outbox_outcomes_total{outcome=\"parked\"}", 0.0),
        ("outbox_breaker_open", 0.0),
        ("outbox_requests_in_flight", 0.0),
    ];
    for (series, expected) in expected {
        assert_eq!(value(&text, series), Some(expected), "{series}: {text}");
    }
    let (pool, most) = if backend == Backend::Sqlite { ("write", 1.0) } else { ("all", 16.0) };
    let connections = format!("db_client_connection_max{{db_client_connection_pool_name=\"{pool}\"}}");
    assert_eq!(value(&text, &connections), Some(most), "{text}");
    assert!(value(&text, "process_resident_memory_bytes").is_some_and(|bytes| bytes > 1e6), "{text}");
    assert!(text.ends_with("# EOF\n"));

    until(&service.consultation, "outbox_payments{state=\"pending\"}", 0.0).await;
    let text = scrape(&service.finance).await;
    assert_eq!(value(&text, "build_info{service=\"finance\",version=\"0.1.0\"}"), Some(1.0), "{text}");
    let recorded = "graphql_operations_total{type=\"mutation\",field=\"recordPayments\",outcome=\"ok\"}";
    assert_eq!(value(&text, recorded), Some(1.0), "{text}");
    assert_eq!(value(&text, "write_batch_rows_sum{writer=\"record\"}"), Some(1.0), "{text}");
}

#[tokio::test]
async fn open_subscriptions_are_counted_by_their_transport() {
    let Some(service) = Measured::start(Backend::Sqlite).await else { return };
    let client = &service.process.client;
    let id = start(client, Uuid::new_v4()).await;
    let (query, variables) = ("subscription ($id: ID!) { consultationChanged(id: $id) { id } }", json!({ "id": id }));
    let mut events = client.events(query, variables.clone()).await;
    events.next().await.expect("the consultation as it is");
    let mut socket = Socket::introduced(&client.base).await;
    socket.subscribe("a", query, variables).await;
    socket.next().await;
    let text = scrape(&service.consultation).await;
    let [sse, websocket] = ["sse", "websocket"].map(|name| format!("graphql_subscriptions{{transport=\"{name}\"}}"));
    assert_eq!((value(&text, &sse), value(&text, &websocket)), (Some(1.0), Some(1.0)), "{text}");
    drop(events);
    until(&service.consultation, &sse, 0.0).await;
    socket.close().await;
    until(&service.consultation, &websocket, 0.0).await;
}

#[tokio::test]
async fn a_taken_address_of_metrics_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let bind = taken.local_addr().expect("an address").to_string();
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("a file");
    let (own, url) = (format!("127.0.0.1:{}", free_port()), db.url());
    let settings = [("FINANCE_BIND", own.as_str()), ("FINANCE_METRICS_BIND", &bind), ("FINANCE_DATABASE_URL", &url)];
    assert!(Process::command("finance", &["migrate"], &settings).status().expect("it runs").success());
    let output = Process::command("finance", &[], &settings).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains(&format!("cannot listen on {bind} for metrics")), "{error}");
}

#[tokio::test]
async fn metrics_are_shown_until_the_process_ends() {
    let Some(mut service) = Measured::start(Backend::Sqlite).await else { return };
    let held = hold_a_request(&service.process.client).await;
    service.process.signal(Signal::SIGTERM);
    while service.process.client.get("/readyz").send().await.is_ok_and(|answer| answer.status().is_success()) {}
    scrape(&service.consultation).await;
    scrape(&service.finance).await;
    drop(held);
    assert_eq!(service.process.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_foreign_name_that_leads_to_this_machine_reads_no_metrics() {
    let Some(service) = Measured::start(Backend::Sqlite).await else { return };
    let request = chassis::http_client::builder()
        .build()
        .expect("a client")
        .get(format!("http://{}/metrics", service.consultation));
    let response = request.header("Host", "evil.example").send().await.expect("a response");
    assert_eq!((response.status().as_u16(), response.text().await.expect("a text")), (421, String::new()));
}
