//! Backup of a SQLite database, also while a service writes to it: a consistent snapshot, checked before it gets its
//! name.
//!
//! Copying the file would be wrong: the latest commits are in `FILE-wal`, and a checkpoint may change both during the
//! copy.

mod copy;
mod target;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use sea_orm::sqlx::postgres::PgConnectOptions;
use secrecy::{ExposeSecret, SecretString};

use crate::database::{options::Options, wal};
use target::Target;

/// A completed backup.
#[derive(Debug)]
pub struct Backup {
    /// Its path.
    pub file: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Tables, by name, with their number of rows.
    pub rows: Vec<(String, i64)>,
    /// Duration of the backup.
    pub duration: Duration,
}

/// Writes a snapshot of the SQLite database at `url` to `file`, readable by its owner alone. The name appears only once
/// the whole snapshot is checked and synced. A killed backup leaves `FILE.partial...`, which the next one removes.
///
/// # Errors
/// When `file` exists, the database or `file` cannot be read or written, or the copy is damaged. Always on PostgreSQL:
/// the error names the command to use.
pub async fn run(url: &SecretString, file: &Path) -> anyhow::Result<Backup> {
    let begun = Instant::now();
    let url = url.expose_secret();
    if !url.starts_with("sqlite:") {
        bail!("this is for SQLite; on PostgreSQL use: {}", pg_dump(url, file)?);
    }
    let database = wal::file_of(url)?;
    ensure!(database.is_file(), "there is no database at {}", database.display());
    let target = Target::new(file)?;
    copy::write(&database, target.partial()).await.context("cannot copy the database")?;
    let rows = copy::check(target.partial()).await.context("the copy cannot be used, and was deleted")?;
    let size = target.finish().with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Backup { file: file.to_owned(), size, rows, duration: begun.elapsed() })
}

impl Backup {
    /// Prints a summary to standard output.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn print(&self) -> io::Result<()> {
        // Not println!, which would panic.
        io::Write::write_fmt(&mut io::stdout(), format_args!("{self}\n"))
    }
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, size, rows, duration } = self;
        let rows: Vec<_> = rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
        write!(f, "{}: {size} bytes, checked, in {:.1} s; rows: ", file.display(), duration.as_secs_f64())?;
        f.write_str(&rows.join(", "))
    }
}

/// The `pg_dump` command for the PostgreSQL database, without the password: `pg_dump` asks for it, or reads PGPASSWORD
/// or ~/.pgpass.
fn pg_dump(url: &str, file: &Path) -> anyhow::Result<String> {
    let Options::Postgres(servers) = Options::of(url)? else { bail!("the database URL is not of PostgreSQL") };
    let host = |server: &PgConnectOptions| {
        server.get_socket().map_or_else(|| server.get_host().to_owned(), |path| path.display().to_string())
    };
    let all =
        |each: &dyn Fn(&PgConnectOptions) -> String| servers.each().iter().map(each).collect::<Vec<_>>().join(",");
    let (hosts, ports) = (all(&host), all(&|server| server.get_port().to_string()));
    let user = servers.preferred().get_username();
    let database = servers.preferred().get_database().unwrap_or(user);
    Ok(format!(
        "pg_dump --host={} --port={ports} --username={} --dbname={} --format=custom --file={}",
        quoted(&hosts),
        quoted(user),
        quoted(database),
        quoted(&file.display().to_string())
    ))
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
