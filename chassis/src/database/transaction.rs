//! A write transaction. COMMIT is a statement of its own, and its result alone decides. After any failure the
//! connection is closed, so that none returns to the pool inside a transaction.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::async_trait::async_trait;
use tokio::sync::Mutex;

use super::connections::{Connections, Lease};

/// A transaction; dropping it rolls it back.
#[derive(Debug)]
pub struct Transaction {
    connections: Connections,
    /// `None` after a failed statement: the transaction is over and cannot be committed.
    lease: Mutex<Option<Lease>>,
}

impl Transaction {
    /// On SQLite it takes the write lock at once: a transaction that begins with a read would fail, not wait, when
    /// another writer was faster.
    pub(super) async fn begin(connections: &Connections) -> Result<Self, DbErr> {
        let begin = match connections.get_database_backend() {
            DbBackend::Sqlite => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        };
        let transaction =
            Self { lease: Mutex::new(Some(connections.lease().await?)), connections: connections.clone() };
        transaction.execute_unprepared(begin).await?;
        Ok(transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// When an earlier statement failed, or the commit itself: then its result is unknown.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.end("COMMIT").await
    }

    /// Commits, and waits until everything read in it is as durable as a commit made now. After a restart PostgreSQL
    /// shows commits that a synchronous standby has not confirmed, and that standby may yet take over without them.
    /// SQLite has synced everything that other connections can read.
    pub async fn commit_durably(self) -> Result<(), DbErr> {
        if self.connections.get_database_backend() == DbBackend::Postgres {
            self.execute_raw(Statement::from_string(DbBackend::Postgres, super::WRITE_TO_LOG)).await?;
        }
        self.commit().await
    }

    /// Rolls back. A failure closes the connection, which rolls back too.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.end("ROLLBACK").await
    }

    async fn end(self, sql: &str) -> Result<(), DbErr> {
        self.connections.observe_statement(sql);
        let mut lease = self.lease.into_inner().ok_or_else(is_over)?;
        match lease.session()?.execute_unprepared(sql).await {
            Ok(ended) => lease.end(Ok(ended)).map(drop),
            // Even after an error about the statement alone: it leaves the transaction open.
            Err(error) => Err(lease.close_after(error)),
        }
    }
}

/// Runs a statement; a failure closes the connection.
macro_rules! within {
    ($transaction:expr, $sql:expr, $session:ident => $run:expr) => {{
        $transaction.connections.observe_statement($sql);
        let mut place = $transaction.lease.lock().await;
        let mut lease = place.take().ok_or_else(is_over)?;
        let $session = lease.session()?;
        match $run.await {
            Ok(result) => {
                *place = Some(lease);
                Ok(result)
            }
            Err(error) => Err(lease.close_after(error)),
        }
    }};
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.connections.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        within!(self, &statement.sql, session => session.execute(statement))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        within!(self, sql, session => session.execute_unprepared(sql))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        within!(self, &statement.sql, session => session.query_one(statement))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        within!(self, &statement.sql, session => session.query_all(statement))
    }
}

fn is_over() -> DbErr {
    DbErr::Custom("a statement of the transaction failed: it is rolled back".to_owned())
}
