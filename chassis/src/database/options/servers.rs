//! The servers of a PostgreSQL URL, of which one is the primary. libpq's form for several is
//! `postgres://one:5432,two:5432/name?target_session_attrs=read-write`; sqlx knows one.

use std::{
    fmt::{self, Display, Formatter},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    DbErr,
    sqlx::{
        ConnectOptions, Connection, Error,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use tokio::time::timeout;

use super::poolers;
use crate::database::faults;

/// Longest wait for one of several servers: three that hang still leave time within that for a connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const TARGET: &str = "target_session_attrs=";
/// Values of [`TARGET`] that mean what a service needs in any case.
const WRITABLE: [&str; 2] = ["read-write", "primary"];

/// Which servers a session may lead to, in PostgreSQL's words for `target_session_attrs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::database) enum Target {
    /// Reads of any other may be stale for ever.
    ReadWrite,
    /// Also a standby. What reads there watches how late it is.
    Any,
}

/// Servers with the same database, user and settings. Clones share what is known of them.
#[derive(Clone, Debug)]
pub(in crate::database) struct Servers {
    each: Arc<[PgConnectOptions]>,
    /// Index of the one that is asked first.
    preferred: Arc<AtomicUsize>,
    /// Whether two connections were seen to have two sessions.
    keeps_sessions: Arc<AtomicBool>,
}

impl Servers {
    /// Parses a URL; each server gets the options that `with` adds.
    pub(super) fn of(url: &str, with: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Result<Self, DbErr> {
        let (before, hosts, after) = parts(url);
        let after = without_target(after)?;
        let hosts: Vec<_> = hosts.split(',').collect();
        if hosts.len() > 1 && hosts.iter().any(|host| host.is_empty()) {
            return Err(DbErr::Custom("the database URL has a comma without a host beside it".to_owned()));
        }
        let each = hosts.into_iter().map(|host| {
            let url = format!("{before}{host}{after}");
            // Drivers quote a malformed URL, which may hold a password.
            let without_url = |error: Error| DbErr::Custom(error.to_string().replace(&url, "(the database URL)"));
            url.parse::<PgConnectOptions>().map(&with).map_err(without_url)
        });
        Ok(Self { each: each.collect::<Result<_, _>>()?, preferred: Arc::default(), keeps_sessions: Arc::default() })
    }

    /// The same servers with further settings.
    pub(in crate::database) fn with_settings<const N: usize>(&self, settings: [(&str, &str); N]) -> Self {
        let each = self.each.iter().map(|server| server.clone().options(settings));
        Self { each: each.collect(), preferred: Arc::default(), keeps_sessions: Arc::default() }
    }

    /// All servers, in the order of the URL.
    pub(in crate::database) fn each(&self) -> &[PgConnectOptions] {
        &self.each
    }

    /// The last that was found to be the primary, or the next to be asked.
    pub(in crate::database) fn preferred(&self) -> &PgConnectOptions {
        &self.each[self.preferred.load(Ordering::Relaxed)]
    }

    /// Connects to the primary, or to any server. Fails without the one that is wanted.
    pub(in crate::database) async fn connect(&self, target: Target) -> Result<(PgConnection, poolers::Backend), Error> {
        let (server, connection, backend) = self.find(target).await?;
        if !self.keeps_sessions.load(Ordering::Relaxed) {
            // Without room for a second connection a later one finds out.
            if let Ok((other, others)) = open(server, target).await {
                drop(other.close().await);
                poolers::check_sessions(&backend, &others)?;
                self.keeps_sessions.store(true, Ordering::Relaxed);
            }
        }
        Ok((connection, backend))
    }

    async fn find(&self, target: Target) -> Result<(&PgConnectOptions, PgConnection, poolers::Backend), Error> {
        let (count, first) = (self.each.len(), self.preferred.load(Ordering::Relaxed));
        let mut failures = Vec::new();
        for index in (first..count).chain(0..first) {
            let server = &self.each[index];
            let opened = if count == 1 { open(server, target).await } else { open_in_time(server, target).await };
            match opened {
                Ok((connection, backend)) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok((server, connection, backend));
                }
                // The next attempt, here or after this one was given up, begins with another server.
                Err(error) if count > 1 && faults::is_transient_connecting(&error) => {
                    self.preferred.store((index + 1) % count, Ordering::Relaxed);
                    failures.push((server, error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(summary(&failures))
    }
}

/// Addresses for people: sockets, or hosts and ports.
impl Display for Servers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each.iter().map(address).collect::<Vec<_>>().join(", "))
    }
}

/// One error for those of all servers. It says that the database is read-only if that is true of each.
fn summary(failures: &[(&PgConnectOptions, Error)]) -> Error {
    let is_read_only = |error: &Error| error.to_string().ends_with(faults::READ_ONLY);
    if failures.iter().all(|(_, error)| is_read_only(error)) {
        return faults::read_only();
    }
    let texts = failures.iter().map(|(server, error)| {
        let error = if is_read_only(error) { "read-only".to_owned() } else { error.to_string() };
        format!("{}: {error}", address(server))
    });
    Error::Io(io::Error::other(texts.collect::<Vec<_>>().join("; ")))
}

async fn open_in_time(server: &PgConnectOptions, target: Target) -> Result<(PgConnection, poolers::Backend), Error> {
    let silence = || Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer")));
    timeout(ATTEMPT_TIMEOUT, open(server, target)).await.unwrap_or_else(|_| silence())
}

async fn open(server: &PgConnectOptions, target: Target) -> Result<(PgConnection, poolers::Backend), Error> {
    let mut connection = server.connect().await.map_err(poolers::explain)?;
    let backend = poolers::identify(&mut connection, target).await?;
    Ok((connection, backend))
}

fn address(server: &PgConnectOptions) -> String {
    match server.get_socket() {
        Some(directory) => format!("{}, port {}", directory.display(), server.get_port()),
        None => format!("{}:{}", server.get_host(), server.get_port()),
    }
}

/// A URL up to its hosts, the hosts, and the rest.
fn parts(url: &str) -> (&str, &str, &str) {
    let begin = url.find("://").map_or(0, |end| end + "://".len());
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |length| begin + length);
    let begin = url[begin..end].rfind('@').map_or(begin, |at| begin + at + 1);
    (&url[..begin], &url[begin..end], &url[end..])
}

/// The rest of a URL without [`TARGET`], which sqlx does not know.
fn without_target(rest: &str) -> Result<String, DbErr> {
    let Some((path, parameters)) = rest.split_once('?') else { return Ok(rest.to_owned()) };
    let (targets, others): (Vec<_>, Vec<_>) = parameters.split('&').partition(|pair| pair.starts_with(TARGET));
    match targets.iter().map(|pair| &pair[TARGET.len()..]).find(|value| !WRITABLE.contains(value)) {
        None => Ok(format!("{path}?{}", others.join("&"))),
        Some(other) => Err(DbErr::Custom(format!(
            "the database URL has {TARGET}{other}, but a service writes: {} are possible",
            WRITABLE.join(" and ")
        ))),
    }
}
