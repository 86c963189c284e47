//! The plain loop on SQLite: one connection, one transaction after the other.

use std::{ops::Range, path::Path, time::Duration};

use chassis::clock;
use sea_orm::sqlx::{
    self, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{figures::Latencies, operation::Operation};

const START: &str = "INSERT INTO consultation (id, physician_id, patient_id, start_date, started_by)
    VALUES (?1, ?2, ?2, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'), 'admin') ON CONFLICT DO NOTHING RETURNING *";
const RECORD: &str = "INSERT INTO payment (id, appointment_id, total_price_cents, recorded_by, recorded_at)
    VALUES (?1, ?2, 21600, 'admin', strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')) ON CONFLICT DO NOTHING RETURNING *";
const FIND: &str = "SELECT * FROM consultation WHERE id = ?1";
const UPDATE: &str = "UPDATE consultation
    SET end_date = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'), price_cents = 20000,
        finished_by = 'admin' WHERE id = ?1";
const ENQUEUE: &str = "INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at)
    VALUES (?1, ?2, 20000, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))";

pub(crate) struct PlainLoop {
    connection: SqliteConnection,
}

impl PlainLoop {
    /// Opens the file, as durable as the services'.
    pub(crate) async fn connect(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(file).foreign_keys(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        Ok(Self { connection: SqliteConnection::connect_with(&options).await? })
    }

    pub(crate) async fn run(
        &mut self,
        operation: Operation,
        mut rows: Range<u64>,
        lasts: Duration,
    ) -> anyhow::Result<Latencies> {
        let end = Instant::now() + lasts;
        let mut times = Vec::new();
        let mut begin = Instant::now();
        while begin < end {
            match operation {
                Operation::Start => self.insert(START).await?,
                Operation::Record => self.insert(RECORD).await?,
                Operation::Finish => self.finish(rows.next()).await?,
                Operation::Mixed | Operation::CreateRow => anyhow::bail!("not one of the services' transactions"),
            }
            let now = Instant::now();
            times.push(now - begin);
            begin = now;
        }
        Ok(times.into_iter().collect())
    }

    async fn insert(&mut self, sql: &'static str) -> anyhow::Result<()> {
        let insert = sqlx::query(sql).bind(clock::id_at(clock::now())).bind(Uuid::new_v4());
        insert.fetch_one(&mut self.connection).await?;
        Ok(())
    }

    async fn finish(&mut self, row: Option<u64>) -> anyhow::Result<()> {
        let id = Uuid::from_u128(row.ok_or_else(|| anyhow::anyhow!("all prepared are finished"))?.into());
        let connection = &mut self.connection;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        sqlx::query(FIND).bind(id).fetch_one(&mut *connection).await?;
        sqlx::query(UPDATE).bind(id).execute(&mut *connection).await?;
        sqlx::query(ENQUEUE).bind(clock::id_at(clock::now())).bind(id).execute(&mut *connection).await?;
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(())
    }
}
