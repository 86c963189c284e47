//! PgBouncer before PostgreSQL: works in session mode with the service's settings, and is refused at the start otherwise.

use std::{
    fs::{self, Permissions},
    net::TcpStream,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;
use testkit::{OwnServer, Process, free_port};
use uuid::Uuid;

const PARAMETERS: &str = "ignore_startup_parameters = extra_float_digits, options";
const RECORD: &str = "mutation ($a: UUID!) { recordPayment(input: { appointmentId: $a, totalPrice: \"200.00\" }) {
    payment { totalPrice } } }";

/// A PgBouncer. It is killed when this is dropped.
struct Pooler {
    process: Child,
    port: u16,
    _directory: TempDir,
}

impl Pooler {
    fn before(server: &OwnServer, mode: &str, further: &str) -> Self {
        let (port, directory) = (free_port(), tempfile::tempdir().expect("a directory"));
        let file = directory.path().join("pgbouncer.ini");
        let (_, of_server) =
            server.address().split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a port");
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={of_server} user=finance\n[pgbouncer]\n{further}\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
        );
        fs::write(&file, settings).expect("a file");
        // PgBouncer refuses to run as root.
        let mut command = if fs::metadata(&file).expect("a file").uid() == 0 {
            fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("a mode");
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "pgbouncer"]);
            command
        } else {
            Command::new("pgbouncer")
        };
        let process = command.arg(&file).stderr(Stdio::null()).spawn().expect("pgbouncer is installed");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {}
        Self { process, port, _directory: directory }
    }

    fn url(&self) -> String {
        format!("postgres://finance@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// A server with the role and the tables of finance, of a service's settings if `has_settings`; `None` without programs.
fn server(has_settings: bool) -> Option<OwnServer> {
    let is_required = std::env::var_os("REQUIRE_POSTGRES").is_some();
    if !is_required && Command::new("pgbouncer").arg("--version").output().is_err() {
        return None;
    }
    let server = OwnServer::start()?;
    server.execute("CREATE ROLE finance LOGIN SUPERUSER");
    let direct = format!("postgres://finance@{}/postgres", server.address());
    let migrated = Process::command("finance", &["migrate"], &[("FINANCE_DATABASE_URL", &direct)]).status();
    assert!(migrated.expect("it runs").success());
    if has_settings {
        server.execute_file(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/postgres/pooler.sql")));
    }
    Some(server)
}

#[tokio::test]
async fn a_service_works_behind_pgbouncer_in_session_mode() {
    let Some(server) = server(true) else { return };
    let pooler = Pooler::before(&server, "session", PARAMETERS);
    let (port, url) = (free_port(), pooler.url());
    let bind = format!("127.0.0.1:{port}");
    let settings = [("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url)];
    let finance = Process::start("finance", port, &settings).await;
    let recorded = (0..50).map(|_| finance.client.send(RECORD, json!({ "a": Uuid::new_v4() })));
    for answer in futures_util::future::join_all(recorded).await {
        assert_eq!(answer.body["data"]["recordPayment"]["payment"]["totalPrice"], "200.00", "{}", answer.body);
    }
    assert_eq!(server.value("SELECT count(*) FROM payment"), "50");
    finance.kill().await;
}

#[rstest]
#[case::refuses_settings("session", "", true, "unsupported startup parameter")]
#[case::drops_settings("session", PARAMETERS, false, "statement_timeout is 0 and not 5s")]
#[case::shares_sessions("transaction", PARAMETERS, true, "transaction mode")]
#[tokio::test]
async fn a_service_does_not_start_behind_a_pooler_that(
    #[case] mode: &str,
    #[case] parameters: &str,
    #[case] has_settings: bool,
    #[case] says: &str,
) {
    let Some(server) = server(has_settings) else { return };
    let pooler = Pooler::before(&server, mode, parameters);
    let (bind, url) = (format!("127.0.0.1:{}", free_port()), pooler.url());
    let settings = [("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url)];
    let output = Process::command("finance", &[], &settings).output().expect("it runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains(says) && log.contains("docs/operating.md"), "{log}");
}
