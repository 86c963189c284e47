//! The services of one attack: real processes on a database of their own.

mod databases;
mod launch;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

use anyhow::Context;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Process, free_port};
use uuid::Uuid;

use crate::trial::Options;
pub(crate) use databases::{Databases, Purpose};
use launch::Launch;

/// The development user's header.
pub(crate) const CREDENTIALS: &str = "Basic YWRtaW46dGVzdGUxMjM=";

/// The physician with many consultations, where an attack needs them.
pub(crate) const PHYSICIAN: Uuid = Uuid::from_u128(0xea95_9b03_5577_45c9_b9f7_a45d_3e77_ce82);

/// The set-up of the services for an attack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setup {
    /// Whether the attack needs PostgreSQL.
    pub(crate) needs_postgres: bool,
    /// On PostgreSQL: with the roles of `docker/postgres/roles.sql`.
    pub(crate) has_roles: bool,
    /// Makes the htpasswd file; by default there is the development user.
    pub(crate) users: Option<fn() -> anyhow::Result<String>>,
    /// Limit of consultation's descriptors.
    pub(crate) descriptors: Option<u32>,
    /// Whether the attack answers in finance's place, at [`Stage::hostile_finance`].
    pub(crate) has_hostile_finance: bool,
    /// Number of consultations of [`PHYSICIAN`].
    pub(crate) consultations: u32,
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) consultation: Service,
    pub(crate) finance: Service,
    pub(crate) databases: Databases,
    /// Finance's address for consultation, if the attack answers in its place.
    pub(crate) hostile_finance: SocketAddr,
    programs: Option<PathBuf>,
    directory: TempDir,
}

/// A running service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// The file of its standard error.
    pub(crate) log: PathBuf,
}

impl Service {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn log_text(&self) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }
}

impl Stage {
    /// Prepares the databases and starts both services.
    pub(crate) async fn start(options: &Options, setup: &Setup) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let databases = Databases::prepare(options.backend, setup.has_roles).await?;
        let [port, finance_port, hostile_port] = [free_port(), free_port(), free_port()];
        let finance_url =
            format!("http://127.0.0.1:{}/graphql", if setup.has_hostile_finance { hostile_port } else { finance_port });
        let mut settings: Vec<(String, String)> = vec![
            ("CONSULTATION_FINANCE_URL".to_owned(), finance_url),
            ("CONSULTATION_FINANCE_USERNAME".to_owned(), "admin".to_owned()),
            ("CONSULTATION_FINANCE_PASSWORD".to_owned(), "teste123".to_owned()),
        ];
        if let Some(users) = setup.users {
            fs::write(htpasswd(&directory), users()?)?;
            let file = htpasswd(&directory).display().to_string();
            settings
                .extend(["CONSULTATION", "FINANCE"].map(|prefix| (format!("{prefix}_HTPASSWD_FILE"), file.clone())));
        }

        let launch = Launch { programs: options.programs.as_deref(), directory: directory.path(), settings: &settings };
        let finance = launch.service("finance", finance_port, &databases, None)?;
        let consultation = launch.service("consultation", port, &databases, setup.descriptors)?;
        finance.process.client.until_ready().await;
        consultation.process.client.until_ready().await;
        let hostile_finance = (Ipv4Addr::LOCALHOST, hostile_port).into();
        let programs = options.programs.clone();
        let stage = Self { consultation, finance, databases, hostile_finance, programs, directory };
        if setup.consultations > 0 {
            stage.consultation_of(PHYSICIAN).await?;
            stage.databases.multiply_consultations(PHYSICIAN, setup.consultations).await?;
        }
        Ok(stage)
    }

    /// The htpasswd file, which may be changed while the services run.
    pub(crate) fn htpasswd(&self) -> PathBuf {
        htpasswd(&self.directory)
    }

    /// A command of a service with these settings only.
    pub(crate) fn command(&self, name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        Process::command_in(self.programs.as_deref(), name, arguments, settings)
    }

    /// Starts a consultation of this physician. Returns its id.
    pub(crate) async fn consultation_of(&self, physician: Uuid) -> anyhow::Result<String> {
        let query =
            "mutation ($input: StartConsultationInput!) { startConsultation(input: $input) { consultation { id } } }";
        let input = json!({ "physicianId": physician, "patientId": Uuid::new_v4() });
        let data = self.consultation.process.client.call(query, json!({ "input": input })).await;
        Ok(data["startConsultation"]["consultation"]["id"].as_str().context("started")?.to_owned())
    }

    /// Starts as many consultations as a page holds.
    pub(crate) async fn a_page_of_consultations(&self) -> anyhow::Result<()> {
        for _ in 0..5 {
            let start = |number| {
                let [physician, patient] = [Uuid::new_v4(), Uuid::new_v4()];
                format!(
                    r#"s{number}: startConsultation(input: {{ physicianId: "{physician}", patientId: "{patient}" }}) {{ userErrors {{ __typename }} }}"#
                )
            };
            let starts: Vec<_> = (0..20).map(start).collect();
            self.consultation.process.client.call(&format!("mutation {{ {} }}", starts.join("\n")), Value::Null).await;
        }
        Ok(())
    }
}

fn htpasswd(directory: &TempDir) -> PathBuf {
    directory.path().join("htpasswd")
}
