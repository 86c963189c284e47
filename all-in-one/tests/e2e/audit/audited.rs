//! Both services in one process that writes an audit log, and its lines.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use chassis::config::Access;
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Backend, GraphqlClient, Process, RoleUsers, TestDatabase, free_port};
use tokio::time::{Duration, sleep, timeout};

use crate::delivery::TEST_TIMEOUT;

const POLL_INTERVAL: Duration = Duration::from_millis(5);
const ROLES: [&str; 5] = ["reader", "clinician", "finance", "operator", "service"];

/// Both services with an audit log. Payments are not delivered.
pub(super) struct Audited {
    pub(super) db: TestDatabase,
    log: PathBuf,
    access_log: PathBuf,
    pub(super) consultation: GraphqlClient,
    pub(super) finance: GraphqlClient,
    _process: Process,
    _users: RoleUsers,
    _directory: TempDir,
}

impl Audited {
    pub(super) async fn start(backend: Backend) -> Option<Self> {
        let db = TestDatabase::empty(backend).await?;
        let users = RoleUsers::of(&ROLES);
        let Access::HtpasswdFile { users: htpasswd, groups: Some(groups) } = users.access() else { return None };
        let directory = tempfile::tempdir().expect("a directory");
        let [log, access_log] = ["audit.log", "access.log"].map(|name| directory.path().join(name));
        let (port, finance_port) = (free_port(), free_port());
        let mut command =
            Process::command("all-in-one", &[], &[("CONSULTATION_FINANCE_URL", "http://127.0.0.1:9/graphql")]);
        for service in ["CONSULTATION", "FINANCE"] {
            let port = if service == "FINANCE" { finance_port } else { port };
            command.env(format!("{service}_BIND"), format!("127.0.0.1:{port}"));
            command.env(format!("{service}_DATABASE_URL"), db.url());
            command.env(format!("{service}_HTPASSWD_FILE"), &htpasswd).env(format!("{service}_GROUPS_FILE"), &groups);
        }
        // What silences the log does not silence the audit log.
        command.env("AUDIT_LOG", &log).env("ACCESS_LOG", &access_log).env("RUST_LOG", "off");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::spawn(&mut command, port);
        process.client.until_ready().await;
        let (consultation, finance) =
            (process.client.clone(), GraphqlClient::new(format!("http://127.0.0.1:{finance_port}")));
        finance.until_ready().await;
        Some(Self {
            db,
            log,
            access_log,
            consultation,
            finance,
            _process: process,
            _users: users,
            _directory: directory,
        })
    }

    pub(super) fn text(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Waits until a line has this text.
    pub(super) async fn until(&self, text: &str) {
        until(&self.log, text).await;
    }

    /// Waits until the service has given up a request whose client went away.
    pub(super) async fn until_disconnected(&self) {
        until(&self.access_log, "\"outcome\":\"disconnected\"").await;
    }

    /// The lines since the last call, without what differs from run to run.
    pub(super) fn take(&self) -> Vec<Value> {
        let text = self.text();
        fs::write(&self.log, "").expect("emptied");
        let lines = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            let line_object = line.as_object_mut().expect("an object");
            line_object.remove("time").expect("a time");
            assert_eq!(line_object.remove("target").expect("a target"), "audit");
            line_object.remove("request_id");
            if let Some(address) = line_object.remove("address") {
                assert_eq!(address, "127.0.0.1");
            }
            line
        });
        lines.collect()
    }
}

async fn until(log: &Path, text: &str) {
    let written = async {
        while !fs::read_to_string(log).is_ok_and(|lines| lines.contains(text)) {
            sleep(POLL_INTERVAL).await;
        }
    };
    timeout(TEST_TIMEOUT, written).await.unwrap_or_else(|_| panic!("{text} is not in {}", log.display()));
}
