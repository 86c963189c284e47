//! A release process of a service.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testkit::free_port;
use tokio::time::{Instant, sleep};

use crate::{
    http::{Connection, Request},
    token::Token,
};

const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Short, since start-up times are measured with it.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) program: PathBuf,
    pub(crate) port: u16,
    settings: Vec<(String, String)>,
    /// Directory of other programs, and more settings, for the next start.
    other_programs: Option<PathBuf>,
    more: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Service {
    fn new(program: PathBuf, port: u16, settings: Vec<(String, String)>, log: PathBuf) -> Self {
        Self { program, port, settings, other_programs: None, more: Vec::new(), log, child: None }
    }

    /// Brings the schema of its database up to date, or of another.
    fn migrate(&self, url: Option<&str>) -> anyhow::Result<()> {
        let mut command = self.command();
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        command.envs(url.map(|url| (format!("{name}_DATABASE_URL"), url)));
        let output = command.arg("migrate").output()?;
        ensure!(output.status.success(), "migrate: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Starts it. Returns the time until it was ready.
    pub(crate) async fn start(&mut self) -> anyhow::Result<Duration> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let begin = Instant::now();
        let child = self.command().stdout(Stdio::null()).stderr(log).spawn();
        self.child = Some(child.with_context(|| self.program.display().to_string())?);
        while !self.is_ready().await {
            ensure!(begin.elapsed() < START_TIMEOUT, "{} is not ready after {START_TIMEOUT:?}", self.program.display());
            sleep(POLL_INTERVAL).await;
        }
        Ok(begin.elapsed())
    }

    /// Ends it by SIGTERM.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)?;
            child.wait()?;
        }
        Ok(())
    }

    /// The process id, if it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn command(&self) -> Command {
        let name = self.program.file_name().unwrap_or_default();
        let program = self.other_programs.as_ref().map_or(self.program.clone(), |directory| directory.join(name));
        let mut command = Command::new(program);
        let no_metrics = ["CONSULTATION_METRICS_BIND", "FINANCE_METRICS_BIND"].map(|name| (name, "none"));
        command
            .env_clear()
            .envs(no_metrics)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.port).await else { return false };
        connection.exchange(Request::get("/readyz").bytes()).await.is_ok()
    }
}

/// Both services; consultation's relay uses this finance.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) consultation: Service,
    pub(crate) finance: Service,
}

impl Services {
    /// Both services, not started. `url` gives their databases; `directory` has their logs and files.
    pub(crate) fn new(programs: &Path, url: impl Fn(&str) -> String, directory: &Path) -> Self {
        let service = |name: &str, finance: Option<u16>| {
            let (port, prefix) = (free_port(), name.to_uppercase());
            let mut settings = vec![
                (format!("{prefix}_BIND"), format!("127.0.0.1:{port}")),
                (format!("{prefix}_DATABASE_URL"), url(name)),
            ];
            let finance = finance.map(|port| format!("http://127.0.0.1:{port}/graphql"));
            settings.extend(finance.map(|url| (format!("{prefix}_FINANCE_URL"), url)));
            Service::new(programs.join(name), port, settings, directory.join(format!("{name}.log")))
        };
        let finance = service("finance", None);
        Self { consultation: service("consultation", Some(finance.port)), finance }
    }

    /// The same services, which accept a bearer token beside the development user.
    pub(crate) fn accepting(mut self, token: &Token) -> Self {
        for (service, prefix) in [(&mut self.consultation, "CONSULTATION"), (&mut self.finance, "FINANCE")] {
            let settings = token.settings().into_iter().chain([("USERNAME", "admin"), ("PASSWORD", "teste123")]);
            service.settings.extend(settings.map(|(name, value)| (format!("{prefix}_{name}"), value.to_owned())));
        }
        self
    }

    /// Migrates their databases, or another one with both schemas.
    pub(crate) fn migrate(&self, url: Option<&str>) -> anyhow::Result<()> {
        self.finance.migrate(url)?;
        self.consultation.migrate(url)
    }

    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        self.migrate(None)?;
        self.finance.start().await?;
        self.consultation.start().await?;
        Ok(())
    }

    /// Starts them again with more settings, or other programs of the same names.
    pub(crate) async fn restart(
        &mut self,
        programs: Option<&Path>,
        more: &[(&'static str, String)],
    ) -> anyhow::Result<()> {
        for service in [&mut self.consultation, &mut self.finance] {
            service.stop()?;
            service.other_programs = programs.map(Path::to_owned);
            more.clone_into(&mut service.more);
            service.start().await?;
        }
        Ok(())
    }

    /// Both services in one process, which migrates at its start.
    pub(crate) fn together(&self, programs: &Path) -> Service {
        let (consultation, finance) = (&self.consultation, &self.finance);
        let settings = [&consultation.settings[..], &finance.settings].concat();
        Service::new(programs.join("all-in-one"), consultation.port, settings, consultation.log.clone())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
