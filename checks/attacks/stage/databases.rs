//! The databases of a stage: a SQLite file for each service, or one PostgreSQL database for both. Attacks on roles have
//! the containers' roles.

use std::process::Command;

use anyhow::{Context, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

/// The roles' passwords, for a server of `TEST_DATABASE_URL` that wants them.
const PASSWORD: &str = "attacks";
/// The script by which the containers make the roles.
const ROLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/postgres/roles.sql");
const PASSWORD_VARIABLES: [&str; 4] = [
    "CONSULTATION_DATABASE_PASSWORD",
    "CONSULTATION_OWNER_DATABASE_PASSWORD",
    "FINANCE_DATABASE_PASSWORD",
    "FINANCE_OWNER_DATABASE_PASSWORD",
];

/// The role by which a service connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Migrate,
    Serve,
}

#[derive(Debug)]
pub(crate) struct Databases {
    /// Consultation's and finance's; on PostgreSQL they are one.
    consultation: TestDatabase,
    finance: Option<TestDatabase>,
    has_roles: bool,
}

impl Databases {
    pub(crate) async fn prepare(backend: Backend, has_roles: bool) -> anyhow::Result<Self> {
        let missing = "PostgreSQL is not installed, and TEST_DATABASE_URL is not set";
        let consultation = TestDatabase::empty(backend).await.context(missing)?;
        let is_postgres = backend == Backend::Postgres;
        let finance = if is_postgres { None } else { TestDatabase::empty(backend).await };
        let has_roles = has_roles && is_postgres;
        if has_roles {
            let mut psql = Command::new("psql");
            psql.args(["-X", "-f", ROLES])
                .arg(consultation.url())
                .envs(PASSWORD_VARIABLES.map(|name| (name, PASSWORD)));
            let made = psql.output().context("psql")?;
            ensure!(made.status.success(), "roles.sql: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(Self { consultation, finance, has_roles })
    }

    /// The URL of a service's database, with its role for this purpose.
    pub(crate) fn url(&self, service: &str, purpose: Purpose) -> String {
        let url = self.of(service).url();
        match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
            Some((scheme, server)) if self.has_roles => {
                format!("{scheme}://{}:{PASSWORD}@{server}", role(service, purpose))
            }
            _ => url,
        }
    }

    /// A session with a service's role for this purpose, as after a theft of its container.
    pub(crate) async fn session(&self, service: &str, purpose: Purpose) -> anyhow::Result<DatabaseConnection> {
        let mut options = ConnectOptions::new(self.url(service, purpose));
        options.max_connections(1);
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// Copies the consultation of a physician many times for other patients, past the service.
    pub(crate) async fn multiply_consultations(&self, physician: Uuid, times: u32) -> anyhow::Result<()> {
        let session = self.session("consultation", Purpose::Migrate).await?;
        let is_sqlite = session.get_database_backend() == DbBackend::Sqlite;
        let physician = if is_sqlite { format!("x'{}'", physician.simple()) } else { format!("'{physician}'") };
        let id = if is_sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
        let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})");
        let copies = format!(
            "{numbers} INSERT INTO consultation (id, physician_id, patient_id, start_date)
             SELECT {id}, physician_id, {id}, start_date FROM n, consultation WHERE physician_id = {physician}"
        );
        session.execute_unprepared(&copies).await?;
        Ok(())
    }

    fn of(&self, service: &str) -> &TestDatabase {
        self.finance.as_ref().filter(|_| service == "finance").unwrap_or(&self.consultation)
    }
}

/// The purpose of a connection, which decides its role.
fn role(service: &str, purpose: Purpose) -> String {
    match purpose {
        Purpose::Migrate => format!("{service}_owner"),
        Purpose::Serve => service.to_owned(),
    }
}
