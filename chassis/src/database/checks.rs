//! State of a database, for readiness and people: migrations, clock, and whether it can be written.

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Formatter},
    sync::PoisonError,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, sea_query::Query};
use sea_orm_migration::MigratorTrait;

use super::{Connections, Database, WRITE_TO_LOG, faults, served_file::ServedFile, wal};
use crate::clock;

/// State of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MigrationState {
    Applied,
    Pending,
    /// Applied by a newer version, which alone knows it.
    Newer,
}

impl Display for MigrationState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Newer => "newer",
        })
    }
}

impl Database {
    /// Returns the names of migrations that have not been applied, as clients read: it takes nothing from the readiness
    /// check.
    pub async fn pending_migrations<M: MigratorTrait>(&self) -> Result<Vec<String>, DbErr> {
        Ok(pending(self.migrations::<M>().await?))
    }

    /// The same for the readiness check.
    pub(crate) async fn check_migrations<M: MigratorTrait>(&self) -> Result<Vec<String>, DbErr> {
        Ok(pending(migrations::<M>(self.for_check().await).await?))
    }

    /// Returns each migration in the order of application, then those that a newer version has applied. Nothing is
    /// changed.
    pub(crate) async fn migrations<M: MigratorTrait>(&self) -> Result<Vec<(String, MigrationState)>, DbErr> {
        migrations::<M>(&self.read).await
    }

    /// Returns by how much, at least, this process's clock is ahead of the database's. Fails also if the database is
    /// read-only.
    pub(crate) async fn clock_difference(&self) -> Result<TimeDelta, DbErr> {
        if self.check.get_database_backend() == DbBackend::Sqlite {
            return Ok(TimeDelta::zero());
        }
        let database = self.for_check().await;
        let asked_at = clock::now();
        let question = "SELECT clock_timestamp(), current_setting('transaction_read_only')::boolean";
        let answer = database.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await?;
        let answer = answer.ok_or_else(|| DbErr::Custom("the database returned no time".to_owned()))?;
        if answer.try_get_by_index(1)? {
            return Err(DbErr::Custom(faults::READ_ONLY.to_owned()));
        }
        // The database read its clock between the two readings here. A difference within that interval does not count.
        let theirs = answer.try_get_by_index::<DateTime<Utc>>(0)?;
        let (ahead, behind) = (asked_at - theirs, clock::now() - theirs);
        Ok(if ahead > TimeDelta::zero() { ahead } else { behind.min(TimeDelta::zero()) })
    }

    /// Writes as a client's request would. On PostgreSQL it waits for a synchronous standby. On SQLite it fails for a
    /// full disk, a read-only file or directory, and a lost log.
    pub(crate) async fn try_write(&self) -> Result<(), DbErr> {
        if self.served.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(ServedFile::has_lost_log) {
            return Err(DbErr::Custom(
                "its write-ahead log was deleted: stop the service, which saves its content".to_owned(),
            ));
        }
        match self.write.get_database_backend() {
            DbBackend::Sqlite => wal::mark_again(&self.write).await,
            backend => {
                let write = Statement::from_string(backend, WRITE_TO_LOG);
                self.for_check().await.execute_raw(write).await.map(drop)
            }
        }
    }

    /// Closes connections that were idle for `idle`, except for one per pool.
    pub(crate) fn close_idle(&self, idle: Duration) {
        self.read.close_idle(idle);
        self.count.close_idle(idle);
        self.write.close_idle(idle);
        self.background.close_idle(idle);
        self.replica.iter().for_each(|replica| replica.close_idle(idle));
    }

    /// The connection of the check, or the writers' where the server has no room for one more.
    async fn for_check(&self) -> &Connections {
        match self.check.lease().await {
            Ok(lease) => {
                drop(lease.end(Ok(())));
                &self.check
            }
            // Not the readers': the service is ready, however many reads wait.
            Err(_) => &self.write,
        }
    }
}

fn pending(migrations: Vec<(String, MigrationState)>) -> Vec<String> {
    migrations.into_iter().filter(|(_, state)| *state == MigrationState::Pending).map(|(name, _)| name).collect()
}

async fn migrations<M: MigratorTrait>(database: &Connections) -> Result<Vec<(String, MigrationState)>, DbErr> {
    // Not the migrator's own list: it makes the table, and fails where a newer version has applied more. During an upgrade
    // the old replicas must stay ready until they are replaced.
    let mut applied = applied_migrations::<M>(database).await?;
    let migrations = M::migrations().into_iter().map(|migration| {
        let state = if applied.remove(migration.name()) { MigrationState::Applied } else { MigrationState::Pending };
        (migration.name().to_owned(), state)
    });
    let mut migrations: Vec<_> = migrations.collect();
    migrations.extend(applied.into_iter().map(|name| (name, MigrationState::Newer)));
    Ok(migrations)
}

async fn applied_migrations<M: MigratorTrait>(database: &Connections) -> Result<BTreeSet<String>, DbErr> {
    if !has_table(database, &M::migration_table_name().to_string()).await? {
        return Ok(BTreeSet::new());
    }
    let applied = Query::select().column("version").from(M::migration_table_name()).to_owned();
    database.query_all(&applied).await?.iter().map(|row| row.try_get("", "version")).collect()
}

async fn has_table(database: &Connections, name: &str) -> Result<bool, DbErr> {
    let backend = database.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
        _ => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
    };
    let found = database.query_one_raw(Statement::from_sql_and_values(backend, sql, [name.into()])).await?;
    Ok(found.is_some())
}
