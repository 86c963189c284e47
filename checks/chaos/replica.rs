//! A replica of a service, kept as by an orchestrator: a process that ended is started again.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testkit::{Process, free_port};

use crate::stack::Services;

/// Orchestrators kill a process that has not ended after this time.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A replica's service and number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) number: usize,
}

#[derive(Debug)]
pub(crate) struct Replica {
    /// As in `consultation-1`.
    pub(crate) name: String,
    pub(crate) program: &'static str,
    pub(crate) port: u16,
    settings: Vec<(String, String)>,
    /// The variable and the URL of its database.
    database: (String, String),
    programs: Option<PathBuf>,
    /// The standard error of all its processes.
    pub(crate) log: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    child: Option<Child>,
    starts: u32,
    /// Whether a fault holds it: then it is not started.
    held: bool,
    /// Settings of a fault for its next starts.
    wrong: Vec<(String, String)>,
}

impl Replica {
    /// On the database at `url`, with settings of its own beside the common ones.
    pub(crate) fn new(
        program: Program,
        url: String,
        own: Vec<(&str, String)>,
        services: &Services,
        logs: &Path,
    ) -> Self {
        let Program { name: program, number } = program;
        let (port, prefix, name) = (free_port(), program.to_uppercase(), format!("{program}-{number}"));
        let mut settings = vec![(format!("{prefix}_BIND"), format!("127.0.0.1:{port}"))];
        settings.extend(own.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value)));
        settings.extend(services.mistake.map(|mistake| ("SEEDED_MISTAKE".to_owned(), mistake.setting())));
        Self {
            log: logs.join(format!("{name}.log")),
            name,
            program,
            port,
            settings,
            database: (format!("{prefix}_DATABASE_URL"), url),
            programs: services.programs.clone(),
            state: Mutex::default(),
        }
    }

    /// Brings the schema up to date.
    pub(crate) fn migrate(&self) -> anyhow::Result<()> {
        let output = self.migration().output()?;
        anyhow::ensure!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    pub(crate) fn migration(&self) -> Command {
        self.command(&["migrate"], &self.database.1, &[])
    }

    pub(crate) fn reconciliation(&self) -> Command {
        self.command(&["reconcile"], &self.database.1, &[])
    }

    /// Starts it unless it runs or is held. Returns whether it had ended by itself.
    pub(crate) fn keep(&self) -> anyhow::Result<bool> {
        let mut state = self.state.lock().expect("state");
        if state.held {
            return Ok(false);
        }
        let ended = state.child.as_mut().map(Child::try_wait).transpose()?;
        if ended == Some(None) {
            return Ok(false);
        }
        state.starts += 1;
        let mut command = self.command(&[], &self.url(state.starts), &state.wrong);
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        state.child = Some(child.with_context(|| self.name.clone())?);
        Ok(ended.is_some())
    }

    /// A command of its program with its settings, and `more` that override them.
    fn command(&self, arguments: &[&str], url: &str, more: &[(String, String)]) -> Command {
        let own = (&self.database.0, url);
        let settings = self.settings.iter().map(|(name, value)| (name, value.as_str()));
        let settings = settings.chain([own]).chain(more.iter().map(|(name, value)| (name, value.as_str())));
        let settings: Vec<_> = settings.map(|(name, value)| (name.as_str(), value)).collect();
        Process::command_in(self.programs.as_deref(), self.program, arguments, &settings)
    }

    /// Adds settings, or overrides its own, from its next start on.
    pub(crate) fn set_wrong(&self, settings: Vec<(String, String)>) {
        self.state.lock().expect("state").wrong = settings;
    }

    /// On PostgreSQL each start has a session name of its own.
    fn url(&self, start: u32) -> String {
        let url = &self.database.1;
        if url.starts_with("sqlite:") { url.clone() } else { format!("{url}?application_name={}.{start}", self.name) }
    }

    /// Kills it, as in a crash.
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.state.lock().expect("state").child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(child) = &self.state.lock().expect("state").child {
            let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
        }
    }

    /// Asks it to end. Returns the exit code, or `None` if it did not run or had to be killed.
    pub(crate) async fn end(&self) -> Option<i32> {
        let code = self.hold().await;
        self.release();
        code
    }

    /// As `end`; it is not started again until it is released.
    pub(crate) async fn hold(&self) -> Option<i32> {
        self.state.lock().expect("state").held = true;
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        let mut code = None;
        while Instant::now() < deadline {
            let ended = self.state.lock().expect("state").child.as_mut().map(Child::try_wait);
            match ended {
                // Another fault has killed it: there is no process to wait for, and none is started while it is held.
                None => break,
                Some(Ok(Some(status))) => {
                    code = status.code();
                    break;
                }
                Some(_) => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
        self.kill();
        code
    }

    pub(crate) fn release(&self) {
        self.state.lock().expect("state").held = false;
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}
