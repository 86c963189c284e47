//! The start of a service, with a migrated database, a log file and a limit of descriptors.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::ensure;
use testkit::Process;

use super::{Databases, Purpose, Service};

/// The settings by which the services of a stage start.
pub(super) struct Launch<'a> {
    pub(super) programs: Option<&'a Path>,
    pub(super) directory: &'a Path,
    pub(super) settings: &'a [(String, String)],
}

impl Launch<'_> {
    /// Migrates the database, and starts the service.
    pub(super) fn service(
        &self,
        name: &str,
        port: u16,
        databases: &Databases,
        descriptors: Option<u32>,
    ) -> anyhow::Result<Service> {
        let prefix = name.to_uppercase();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (bind, url) = (format!("{prefix}_BIND"), format!("{prefix}_DATABASE_URL"));
        let command = |arguments: &[&str], purpose| {
            let (address, database) = (address.to_string(), databases.url(name, purpose));
            let own = [(bind.as_str(), address.as_str()), (url.as_str(), database.as_str())];
            // A service ignores the other one's settings.
            let settings = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let settings: Vec<_> = settings.chain(own).collect();
            Process::command_in(self.programs, name, arguments, &settings)
        };
        let migrated = command(&["migrate"], Purpose::Migrate).output()?;
        ensure!(migrated.status.success(), "{name} migrate: {}", String::from_utf8_lossy(&migrated.stderr));
        let mut serve = command(&[], Purpose::Serve);
        if let Some(descriptors) = descriptors {
            serve = limited(&serve, descriptors);
        }
        let log = self.directory.join(format!("{name}.log"));
        serve.stdout(Stdio::null()).stderr(File::create(&log)?);
        Ok(Service { process: Process::spawn(&mut serve, port), address, log })
    }
}

/// The same command with a limit of descriptors.
fn limited(command: &Command, descriptors: u32) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n \"$0\"; exec \"$@\"", &descriptors.to_string()]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
}
