//! The database of another program, to read from: one snapshot of it, each value as a text.
//!
//! It is never written: the file of SQLite and the transaction of PostgreSQL are read-only. Texts need no knowledge of
//! the columns' types, and a value that cannot be parsed is a matter of its row alone. Rows are streamed, so a table of
//! any length takes the memory of one batch. There is no deadline: sorting a long table takes its time.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use sea_orm::{
    DbErr,
    sqlx::{
        AssertSqlSafe, ColumnIndex, ConnectOptions, Decode, Error, Executor, Row, Type,
        postgres::PgConnection,
        sqlite::{SqliteConnectOptions, SqliteConnection},
    },
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{faults, options::Options};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Times as UTC in ISO form, no limits, and the planner as its authors meant it.
const SESSION: [(&str, &str); 7] = [
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("enable_seqscan", "on"),
];

/// Columns of a statement, and what follows them: `FROM` and so on. Both databases understand it.
#[derive(Debug)]
pub struct Query {
    /// Columns as SQL. By these texts their values are found.
    pub columns: &'static [&'static str],
    /// The rest of the statement.
    pub rest: &'static str,
}

/// Values of a row, in the order of its columns.
pub(crate) type Texts = Vec<Option<String>>;

/// A snapshot of the database.
#[derive(Debug)]
pub struct Source(Connection);

#[derive(Debug)]
enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Source {
    /// Connects and takes the snapshot. Fails also when the URL is malformed, or a SQLite file does not exist.
    pub async fn open(url: &SecretString) -> Result<Self, DbErr> {
        let options = Options::of(url.expose_secret())?;
        let address = options.address();
        let connected = timeout(CONNECT_TIMEOUT, connect(options, url)).await;
        let silence = || faults::about_connecting(&address, format!("no answer in {} s", CONNECT_TIMEOUT.as_secs()));
        connected.map_err(|_| silence())?.map(Self).map_err(|error| faults::about_connecting(&address, error))
    }

    /// Number of rows of a table.
    pub async fn count(&mut self, table: &str) -> Result<u64, DbErr> {
        let mut counts = self.texts(format!("SELECT CAST(count(*) AS text) FROM {table}"));
        let count = counts.try_next().await?.and_then(|row| row.into_iter().next()?);
        count.and_then(|count| count.parse().ok()).ok_or_else(|| DbErr::Custom(format!("{table} has no count")))
    }

    /// The rows of the query.
    pub(crate) fn rows(&mut self, query: &Query) -> BoxStream<'_, Result<Texts, DbErr>> {
        let columns: Vec<_> = query.columns.iter().map(|column| format!("CAST({column} AS text)")).collect();
        self.texts(format!("SELECT {} {}", columns.join(", "), query.rest))
    }

    fn texts(&mut self, sql: String) -> BoxStream<'_, Result<Texts, DbErr>> {
        // Safe: it is made of constants.
        let sql = AssertSqlSafe(sql);
        let rows = match &mut self.0 {
            Connection::Sqlite(sqlite) => sqlite.fetch(sql).map(|row| texts(&row?)).boxed(),
            Connection::Postgres(postgres) => postgres.fetch(sql).map(|row| texts(&row?)).boxed(),
        };
        rows.map_err(faults::about_statement).boxed()
    }
}

async fn connect(options: Options, url: &SecretString) -> Result<Connection, Error> {
    match options {
        // Of the URL again: the options of a service would change the file's journal.
        Options::Sqlite(_) => {
            let sqlite: SqliteConnectOptions = url.expose_secret().parse()?;
            let sqlite = sqlite.create_if_missing(false).read_only(true).disable_statement_logging();
            let mut sqlite = sqlite.connect().await?;
            sqlite.execute("BEGIN").await?;
            Ok(Connection::Sqlite(sqlite))
        }
        Options::Postgres(servers) => {
            let mut postgres = servers.preferred().clone().options(SESSION).connect().await?;
            postgres.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            Ok(Connection::Postgres(postgres))
        }
    }
}

fn texts<'r, R>(row: &'r R) -> Result<Texts, Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    let text = |column| match row.try_get(column) {
        // SQLite takes any bytes for a text. Nobody can parse them, as nobody can this.
        Err(Error::ColumnDecode { .. }) => Ok(Some(char::REPLACEMENT_CHARACTER.to_string())),
        text => text,
    };
    (0..row.len()).map(text).collect()
}
