//! A new database per test: a SQLite file, or a database on the test run's PostgreSQL server.

use std::{
    net::Ipv4Addr,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chassis::{
    config::{Access, DEVELOPMENT_PASSWORD, DEVELOPMENT_USERNAME, Server},
    database::{DEFAULT_CONNECTIONS, Database},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, sqlx::postgres::PgConnectOptions};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use crate::{
    postgres::{Postgres, postgres},
    proxy::Proxy,
};

/// The services' default.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(2);

/// Kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file with several connections: a database in memory would hide every race.
    Sqlite,
    /// A server.
    Postgres,
}

/// A database of one test. It is removed with its directory: the test's own, or the test run's.
#[derive(Debug)]
pub struct TestDatabase {
    /// Connections to it.
    pub database: Database,
    /// URL for processes that connect themselves.
    pub url: SecretString,
    _directory: Option<TempDir>,
}

impl TestDatabase {
    /// A new, empty database; `None` without PostgreSQL. The test then has to return, and the end of the test run
    /// reports that tests were skipped.
    pub async fn empty(backend: Backend) -> Option<Self> {
        let (url, directory) = match backend {
            Backend::Sqlite => {
                let directory = tempfile::tempdir().expect("a directory");
                (format!("sqlite://{}/test.sqlite", directory.path().display()), Some(directory))
            }
            Backend::Postgres => (create_database().await?, None),
        };
        Some(Self { _directory: directory, ..Self::at(url).await })
    }

    /// A database that somebody else has made and removes.
    pub async fn at(url: impl Into<SecretString>) -> Self {
        let url = url.into();
        let database = Database::connect(&url).await.expect("a database");
        Self { database, url, _directory: None }
    }

    /// Settings of a service on this database, with the development user.
    #[must_use]
    pub fn server(&self, name: &'static str) -> Server {
        Server {
            name,
            metrics_bind: None,
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            database_url: self.url.clone(),
            max_connections: None,
            database_connections: DEFAULT_CONNECTIONS,
            read_replica: None,
            max_clock_difference: MAX_CLOCK_DIFFERENCE,
            access: Access::User { username: DEVELOPMENT_USERNAME.to_owned(), password: DEVELOPMENT_PASSWORD.into() },
            token_issuer: None,
            trusted_proxies: chassis::gate::client_address::TrustedProxies::default(),
            development: false,
            tls: None,
            api: chassis::config::Api::default(),
            browsers: chassis::gate::browsers::Browsers::default(),
        }
    }

    /// A copy of it as it is now, as a backup has it.
    ///
    /// # Panics
    /// When `pg_dump` or `psql` is missing, or the copy fails.
    pub async fn backup(&self) -> Self {
        let url = self.url();
        let (copy, directory) = if url.starts_with("sqlite:") {
            let directory = tempfile::tempdir().expect("a directory");
            let file = directory.path().join("test.sqlite");
            self.database.write.execute_unprepared(&format!("VACUUM INTO '{}'", file.display())).await.expect("copied");
            (format!("sqlite://{}", file.display()), Some(directory))
        } else {
            let copy = create_database().await.expect("a server");
            let dump = "pg_dump \"$0\" | psql -q -v ON_ERROR_STOP=1 -o /dev/null \"$1\"";
            let dumped = Command::new("sh").args(["-c", dump, &url, &copy]).status().expect("a shell");
            assert!(dumped.success(), "{url} was not copied");
            (copy, None)
        };
        let url = SecretString::from(copy);
        let database = Database::connect(&url).await.expect("a database");
        Self { database, url, _directory: directory }
    }

    /// Records the statements that later clones of this database send.
    pub fn record_statements(&mut self) -> Arc<Mutex<Vec<String>>> {
        let statements = Arc::new(Mutex::new(Vec::new()));
        for connection in [&mut self.database.read, &mut self.database.count, &mut self.database.write] {
            let statements = Arc::clone(&statements);
            connection.observe(move |sql| statements.lock().expect("no panic").push(sql.to_owned()));
        }
        statements
    }

    /// A connection of SeaORM's own, for its migrator.
    pub async fn for_migrations(&self) -> DatabaseConnection {
        sea_orm::Database::connect(self.url.expose_secret()).await.expect("a connection")
    }

    /// The same PostgreSQL database through a proxy.
    pub async fn through_proxy(&self) -> (SecretString, Proxy) {
        let server: PgConnectOptions = self.url.expose_secret().parse().expect("a URL");
        let proxy = Proxy::before(&server).await;
        (self.url_as(server.get_username(), &format!("127.0.0.1:{}", proxy.port)), proxy)
    }

    /// URL of the same PostgreSQL database for this user (with a password if needed) at this address.
    #[must_use]
    pub fn url_as(&self, user: &str, address: &str) -> SecretString {
        let server: PgConnectOptions = self.url.expose_secret().parse().expect("a URL");
        format!("postgres://{user}@{address}/{}", server.get_database().expect("a name")).into()
    }

    /// URL of a schema of the same PostgreSQL database.
    #[must_use]
    pub fn url_of_schema(&self, schema: &str) -> SecretString {
        format!("{}&options=-csearch_path%3D{schema}", self.url()).into()
    }

    /// URL for the environment of a process.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.expose_secret().to_owned()
    }
}

async fn create_database() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Postgres::At(server) = postgres() else { return None };
    let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let connection = sea_orm::Database::connect(server).await.expect("PostgreSQL answers");
    connection.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.expect("drop a left-over");
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("create a database");
    connection.close().await.expect("close");
    let (start, parameters) = server.split_once('?').map_or((server.as_str(), ""), |(start, rest)| (start, rest));
    let start = start.rsplit_once('/').map_or(start, |(start, _)| start);
    Some(format!("{start}/{name}?{parameters}"))
}
