//! A server of a test's own: to be made read-only, stopped or promoted.

use std::{fs, path::Path, process::Command};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Cluster, Postgres, postgres};
use crate::free_port;

/// A PostgreSQL server at a port of its own.
#[derive(Debug)]
pub struct OwnServer {
    cluster: Cluster,
    port: u16,
}

impl OwnServer {
    /// Starts a server; `None` without PostgreSQL. The test then has to return.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::run(None)
    }

    /// Starts a standby of this server: it follows, and can be promoted.
    #[must_use]
    pub fn start_standby(&self) -> Self {
        Self::run(Some(&format!("host=127.0.0.1 port={} user=postgres", self.port))).expect("a standby")
    }

    fn run(primary: Option<&str>) -> Option<Self> {
        if let (Postgres::Missing(_), None) = (postgres(), primary) {
            return None;
        }
        let port = free_port();
        let options = format!("-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c shared_buffers=32MB");
        let arguments: Vec<_> = [options.as_str()].into_iter().chain(primary).collect();
        Some(Self { cluster: Cluster::run(&arguments).expect("it starts"), port })
    }

    /// Its host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Executes statements.
    pub fn execute(&self, sql: &str) {
        self.psql(&["-c", sql]);
    }

    /// Executes the statements of a file.
    pub fn execute_file(&self, file: &Path) {
        self.psql(&["-f", file.to_str().expect("a path")]);
    }

    /// The value that a query returns.
    #[must_use]
    pub fn value(&self, sql: &str) -> String {
        self.psql(&["-c", sql])
    }

    fn psql(&self, arguments: &[&str]) -> String {
        let mut psql = Command::new(self.cluster.programs.join("psql"));
        psql.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "postgres",
            "-AtXq",
            "-v",
            "ON_ERROR_STOP=1",
        ]);
        let output = psql.args(arguments).output().expect("psql");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Makes it read-only, as a standby is, or writable. Sessions in progress end, as at a promotion.
    pub fn set_writable(&self, is_writable: bool) {
        let setting = if is_writable { "off" } else { "on" };
        self.execute(&format!("ALTER SYSTEM SET default_transaction_read_only = {setting}"));
        self.execute("SELECT pg_reload_conf()");
        while self.value("SHOW default_transaction_read_only") != setting {}
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.execute("SELECT pg_promote()");
    }

    /// Stops all its processes: it keeps its connections, and answers nothing until the guard is dropped.
    #[must_use]
    pub fn hang(&self) -> Hanging {
        let pid_file = fs::read_to_string(self.cluster.directory.join("data/postmaster.pid")).expect("it runs");
        let postmaster: i32 = pid_file.lines().next().and_then(|pid| pid.parse().ok()).expect("a pid");
        // Itself first: it then starts no others.
        signal(postmaster, Signal::SIGSTOP);
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).expect("Linux");
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        let processes: Vec<i32> = [postmaster].into_iter().chain(children).collect();
        for process in &processes {
            signal(*process, Signal::SIGSTOP);
        }
        Hanging(processes)
    }
}

/// A server that hangs.
#[derive(Debug)]
pub struct Hanging(Vec<i32>);

impl Drop for Hanging {
    fn drop(&mut self) {
        for process in &self.0 {
            signal(*process, Signal::SIGCONT);
        }
    }
}

/// A child may have ended by itself.
fn signal(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}
