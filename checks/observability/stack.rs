//! Both services as processes, with a database each.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use testkit::{Process, TestDatabase, free_port};

use crate::{Backend, certificate::Certificate};

/// Few, so that a fault uses them all.
pub(crate) const CONNECTIONS: u32 = 4;
const PASSWORD: &str = "teste123";
/// The year in which a valid certificate ends: the last that the format knows in two digits.
pub(crate) const VALID_UNTIL: u16 = 2049;

pub(crate) struct Stack {
    pub(crate) consultation: Option<Process>,
    pub(crate) finance: Option<Process>,
    /// Ports of their metrics.
    pub(crate) consultation_metrics: u16,
    pub(crate) finance_metrics: u16,
    pub(crate) consultation_database: TestDatabase,
    finance_port: u16,
    settings: Vec<(String, String)>,
    /// Shown to finance.
    pub(crate) certificate: Certificate,
    /// The password by which consultation calls finance.
    password: PathBuf,
    _finance_database: TestDatabase,
}

impl Stack {
    /// Migrates the databases and starts both; `None` without PostgreSQL.
    pub(crate) async fn start(backend: Backend, directory: &Path) -> Option<Self> {
        let backend = if backend == Backend::Sqlite { testkit::Backend::Sqlite } else { testkit::Backend::Postgres };
        let (consultation, finance) = (TestDatabase::empty(backend).await?, TestDatabase::empty(backend).await?);
        let [port, finance_port, consultation_metrics, finance_metrics, issuer] = [(); 5].map(|()| free_port());
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| directory.join(name));
        let certificate = Certificate { certificate, key };
        certificate.renew(VALID_UNTIL).expect("a certificate");
        let password = directory.join("finance-password");
        fs::write(&password, PASSWORD).expect("a file");
        let at = |port: u16| format!("127.0.0.1:{port}");
        let settings = [
            ("CONSULTATION_BIND", at(port)),
            ("CONSULTATION_METRICS_BIND", at(consultation_metrics)),
            ("CONSULTATION_DATABASE_URL", consultation.url()),
            ("CONSULTATION_DATABASE_CONNECTIONS", CONNECTIONS.to_string()),
            ("CONSULTATION_FINANCE_URL", format!("http://{}/graphql", at(finance_port))),
            ("CONSULTATION_FINANCE_PASSWORD_FILE", password.display().to_string()),
            ("CONSULTATION_FINANCE_TLS_CERTIFICATE_FILE", certificate.certificate.display().to_string()),
            ("CONSULTATION_FINANCE_TLS_KEY_FILE", certificate.key.display().to_string()),
            // Nobody answers there.
            ("FINANCE_TOKEN_ISSUER", format!("http://{}", at(issuer))),
            ("FINANCE_TOKEN_AUDIENCE", "finance".to_owned()),
            ("FINANCE_USERNAME", "admin".to_owned()),
            ("FINANCE_PASSWORD", PASSWORD.to_owned()),
            ("FINANCE_BIND", at(finance_port)),
            ("FINANCE_METRICS_BIND", at(finance_metrics)),
            ("FINANCE_DATABASE_URL", finance.url()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let mut stack = Self {
            consultation: None,
            finance: None,
            consultation_metrics,
            finance_metrics,
            consultation_database: consultation,
            finance_port,
            settings,
            certificate,
            password,
            _finance_database: finance,
        };
        for service in ["consultation", "finance"] {
            let migrated = stack.subcommand(service, &["migrate"]);
            assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        }
        stack.start_finance().await;
        stack.consultation = Some(Process::start("consultation", port, &stack.borrowed()).await);
        Some(stack)
    }

    pub(crate) async fn start_finance(&mut self) {
        self.finance = Some(Process::start("finance", self.finance_port, &self.borrowed()).await);
    }

    /// The consultation service.
    pub(crate) fn consultation(&self) -> &Process {
        self.consultation.as_ref().expect("it runs")
    }

    /// Finance, where it runs.
    pub(crate) fn finance(&self) -> &Process {
        self.finance.as_ref().expect("it runs")
    }

    /// Runs a subcommand with the settings of the services.
    pub(crate) fn subcommand(&self, service: &str, arguments: &[&str]) -> Output {
        Process::command(service, arguments, &self.borrowed()).output().expect("it runs")
    }

    /// Makes consultation call finance with a wrong password from now on, or with the right one.
    pub(crate) fn set_password_is_right(&self, is_right: bool) {
        fs::write(&self.password, if is_right { PASSWORD } else { "not this one" }).expect("a file");
    }

    fn borrowed(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
