//! A copy of a SQLite database while a service writes to it: one moment of it, checked before it gets its name.
//!
//! To copy the file is wrong: what was committed last is in `FILE-wal`, and a checkpoint may change both during the copy.

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

use crate::database::wal;
use target::Target;

/// What a backup wrote.
#[derive(Debug)]
pub struct Backup {
    /// Where it is.
    pub file: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The rows of each table, by name.
    pub rows: Vec<(String, i64)>,
    /// How long it took.
    pub duration: Duration,
}

/// Writes the state of the SQLite database at `url` to `file`, readable by its owner alone. Either all of it is there under
/// that name, checked and on the disk, or nothing is; what a killed backup leaves beside it, `FILE.partial...`, the next one
/// removes.
///
/// # Errors
/// When `file` exists, the database or `file` cannot be read or written, or the copy is damaged. On PostgreSQL always: the
/// error tells the command to use.
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
    /// Says on standard output what was written.
    ///
    /// # Errors
    /// When nobody reads it.
    pub fn print(&self) -> io::Result<()> {
        // Not println!, which panics then.
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

/// The command that backs up the PostgreSQL database, without its password: `pg_dump` asks for it, or reads PGPASSWORD or
/// ~/.pgpass.
fn pg_dump(url: &str, file: &Path) -> anyhow::Result<String> {
    // Without the driver's text, which quotes a malformed URL and its password.
    let Ok(options) = url.parse::<PgConnectOptions>() else { bail!("the database URL is malformed") };
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    let (port, file) = (options.get_port(), file.display().to_string());
    Ok(format!(
        "pg_dump --host={} --port={port} --username={} --dbname={} --format=custom --file={}",
        quoted(&host),
        quoted(user),
        quoted(database),
        quoted(&file)
    ))
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
