//! The databases, read directly: the checker trusts no service.

use std::time::Duration;

use anyhow::Context;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    Statement, TransactionTrait,
};
use tokio::time::{sleep, timeout};

/// Name of the checker's sessions, which no fault may end.
const CHECKER: &str = "checker";
/// Time for a killed cluster, or one on a full disk, to answer again. After it the campaign fails.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// One service's database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    connection: DatabaseConnection,
}

impl Store {
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(3).sqlx_logging(false).connect_lazy(true);
        options.map_sqlx_postgres_opts(|options| options.application_name(CHECKER));
        Ok(Self { connection: sea_orm::Database::connect(options).await? })
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.connection.get_database_backend() == DbBackend::Sqlite
    }

    /// A UUID column as text.
    pub(crate) fn text(&self, column: &str) -> String {
        if self.is_sqlite() { format!("lower(hex({column}))") } else { format!("replace({column}::text, '-', '')") }
    }

    /// A time column in seconds since 1970.
    pub(crate) fn seconds(&self, column: &str) -> String {
        if self.is_sqlite() {
            // Exact: a Julian day as a float is off by some 20 microseconds.
            format!("round((julianday({column}) - 2440587.5) * 86400.0, 3)")
        } else {
            format!("extract(epoch FROM {column})::double precision")
        }
    }

    /// The rows of a query, repeated while the server is killed.
    pub(crate) async fn rows<T: FromQueryResult>(&self, sql: &str) -> anyhow::Result<Vec<T>> {
        let statement = || Statement::from_string(self.connection.get_database_backend(), sql);
        self.retried(async || T::find_by_statement(statement()).all(&self.connection).await)
            .await
            .context(sql.to_owned())
    }

    /// The same, asked once.
    pub(crate) async fn rows_now<T: FromQueryResult>(&self, sql: &str) -> Result<Vec<T>, DbErr> {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        T::find_by_statement(statement).all(&self.connection).await
    }

    /// The number in the column `n` of a query with one row.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        #[derive(FromQueryResult)]
        struct Number {
            n: i64,
        }
        let rows: Vec<Number> = self.rows(sql).await?;
        Ok(rows.first().context("no number")?.n)
    }

    /// A transaction of the checker. It holds its locks until it is dropped.
    pub(crate) async fn begin(&self) -> anyhow::Result<DatabaseTransaction> {
        Ok(self.connection.begin().await?)
    }

    /// A read transaction. Until it is dropped, SQLite must keep the write-ahead log that it saw.
    pub(crate) async fn pin(&self) -> anyhow::Result<DatabaseTransaction> {
        let transaction = self.begin().await?;
        transaction.execute_unprepared("SELECT count(*) FROM sqlite_schema").await?;
        Ok(transaction)
    }

    /// Runs a script that may be run twice.
    pub(crate) async fn run(&self, sql: &str) -> anyhow::Result<()> {
        self.retried(async || self.connection.execute_unprepared(sql).await.map(drop)).await.context(sql.to_owned())
    }

    async fn retried<T>(&self, query: impl AsyncFn() -> Result<T, DbErr>) -> anyhow::Result<T> {
        let mut last = None;
        let answer = timeout(STATEMENT_TIMEOUT, async {
            loop {
                match query().await {
                    Ok(answer) => return answer,
                    Err(error) => last = Some(error),
                }
                sleep(POLL_INTERVAL).await;
            }
        });
        let answer = answer.await;
        answer.map_err(|_| last.map_or_else(|| anyhow::anyhow!("no answer"), anyhow::Error::from))
    }
}
