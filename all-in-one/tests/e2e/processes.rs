//! Signals, exit codes and probes.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use rstest::rstest;
use testkit::{Answer, Backend, GraphqlClient, Process, TestDatabase, free_port};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::cluster::Cluster;

#[rstest]
#[case::terminated(Signal::SIGTERM)]
#[case::interrupted(Signal::SIGINT)]
#[tokio::test]
async fn a_signal_drains_and_ends_with_zero(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] signal: Signal,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    cluster.finish_one().await;
    cluster.consultation.signal(signal);
    assert_eq!(cluster.consultation.exit_code().await, Some(0));
    let mut finance = cluster.finance.take().expect("finance runs");
    finance.signal(signal);
    assert_eq!(finance.exit_code().await, Some(0));
}

/// Begins a request that keeps a drain from ending while the connection is open.
pub(crate) async fn hold_a_request(client: &GraphqlClient) -> TcpStream {
    let address = client.base.trim_start_matches("http://");
    let mut held = TcpStream::connect(address).await.expect("connected");
    let credentials = "Authorization: Basic YWRtaW46dGVzdGUxMjM=";
    let request_head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\n{credentials}\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    );
    held.write_all(request_head.as_bytes()).await.expect("sent");
    // The server sends 100 Continue once it handles the request.
    let mut interim = [0; 12];
    held.read_exact(&mut interim).await.expect("100 Continue");
    assert_eq!(&interim, b"HTTP/1.1 100");
    held
}

#[tokio::test]
async fn a_second_signal_ends_at_once_with_another_code() {
    let Some(cluster) = Cluster::start(Backend::Sqlite).await else { return };
    let mut finance = cluster.finance.expect("finance runs");
    let _held = hold_a_request(&finance.client).await;
    finance.signal(Signal::SIGTERM);
    // It has received the first signal when it is no longer ready.
    while finance.client.get("/readyz").send().await.is_ok_and(|answer| answer.status().is_success()) {}
    finance.signal(Signal::SIGTERM);
    assert_eq!(finance.exit_code().await, Some(1));
}

#[tokio::test]
async fn a_port_that_is_taken_ends_with_an_error_that_names_it() {
    let Some(cluster) = Cluster::start(Backend::Sqlite).await else { return };
    let taken = cluster.finance_client().base.trim_start_matches("http://").to_owned();
    let settings = [("FINANCE_BIND", taken.as_str()), ("FINANCE_DATABASE_URL", "sqlite::memory:")];
    let output = Process::command("finance", &[], &settings).output().expect("it runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains(&taken));
}

#[rstest]
#[tokio::test]
async fn a_service_is_ready_once_its_database_is_migrated(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let (port, url) = (free_port(), db.url());
    let bind = format!("127.0.0.1:{port}");
    let settings = [("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url)];
    let mut child = Process::command("finance", &[], &settings).spawn().expect("it runs");
    let client = testkit::GraphqlClient::new(format!("http://{bind}"));
    while client.get("/livez").send().await.is_err() {}
    assert_eq!(Answer::of(client.get("/livez")).await.status, 200);
    assert_eq!(Answer::of(client.get("/readyz")).await.status, 503);
    let check =
        |settings: &[(&str, &str)]| Process::command("finance", &["healthcheck"], settings).output().expect("it runs");
    assert!(!check(&settings).status.success());

    let migrated = Process::command("finance", &["migrate"], &settings).status().expect("it runs");
    assert!(migrated.success());
    client.until_ready().await;
    assert!(check(&settings).status.success());
    child.kill().and_then(|()| child.wait()).expect("killed");
}

#[tokio::test]
async fn a_service_without_descriptors_closes_idle_connections_and_says_so_once() {
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("a file");
    let (bind, url) = (format!("127.0.0.1:{}", free_port()), db.url());
    let settings =
        [("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url), ("FINANCE_MAX_CONNECTIONS", "1000")];
    assert!(Process::command("finance", &["migrate"], &settings).status().expect("it runs").success());
    let finance = Process::command("finance", &[], &settings);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 100; exec \"$0\""]).arg(finance.get_program());
    limited.env_clear().envs(settings).env("FINANCE_METRICS_BIND", "none").stderr(Stdio::piped());
    let mut child = limited.spawn().expect("it runs");
    let client = testkit::GraphqlClient::new(format!("http://{bind}"));
    client.until_ready().await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(tokio::net::TcpStream::connect(&bind).await.expect("a connection"));
    }
    // Not on the first client's connection, which is the oldest idle one.
    let newcomers = (0..20).map(|_| async {
        let newcomer = testkit::GraphqlClient::new(client.base.as_str());
        newcomer.send("{ payments { totalCount } }", serde_json::json!({})).await
    });
    let answers = futures_util::future::join_all(newcomers).await;
    child.kill().expect("it runs");
    for answer in answers {
        assert_eq!(answer.body["data"]["payments"]["totalCount"], 0, "{}", answer.body);
    }
    let log = child.wait_with_output().expect("its log").stderr;
    let log = String::from_utf8_lossy(&log);
    assert_eq!(log.matches("cannot take connections").count(), 1, "{log}");
    assert_eq!(log.matches("descriptors are missing").count(), 1, "{log}");
}
