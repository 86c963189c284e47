//! One process of a service, as an orchestrator keeps it: started again whenever it ended.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testkit::Process;

const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Replica {
    /// As in `consultation-1`.
    pub(crate) name: String,
    pub(crate) program: &'static str,
    pub(crate) port: u16,
    pub(crate) settings: Vec<(String, String)>,
    /// The variable and the URL of its database.
    pub(crate) database: (String, String),
    pub(crate) logs: PathBuf,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    child: Option<Child>,
    starts: u32,
    /// Whether a fault has it: then nobody starts it.
    held: bool,
}

impl Replica {
    /// Brings the schema up to date.
    pub(crate) fn migrate(&self) -> anyhow::Result<()> {
        let mut settings: Vec<_> = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        settings.push((&self.database.0, &self.database.1));
        let output = Process::command(self.program, &["migrate"], &settings).output()?;
        anyhow::ensure!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Starts it unless it runs or is held. Whether it had ended by itself.
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
        let url = self.url(state.starts);
        let mut settings: Vec<_> = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        settings.push((&self.database.0, &url));
        let log = File::options().create(true).append(true).open(self.logs.join(format!("{}.log", self.name)))?;
        let mut command = Process::command(self.program, &[], &settings);
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        state.child = Some(child.with_context(|| self.name.clone())?);
        Ok(ended.is_some())
    }

    /// On PostgreSQL each start is a writer of its own.
    fn url(&self, start: u32) -> String {
        let url = &self.database.1;
        if url.starts_with("sqlite:") { url.clone() } else { format!("{url}?application_name={}.{start}", self.name) }
    }

    /// Ends it as a crash would.
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

    /// Asks it to end, and gives the exit code, or nothing if it had to be killed after `limit`.
    pub(crate) async fn end(&self, limit: Duration) -> Option<i32> {
        self.state.lock().expect("state").held = true;
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + limit;
        let mut code = None;
        while Instant::now() < deadline {
            let ended = self.state.lock().expect("state").child.as_mut().map(Child::try_wait);
            if let Some(Ok(Some(status))) = ended {
                code = status.code();
                break;
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
        self.kill();
        self.state.lock().expect("state").held = false;
        code
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}
