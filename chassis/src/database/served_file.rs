//! A SQLite file in use by a service: marked, with its log kept and watched.

use std::path::Path;

use sea_orm::{DbErr, sqlx::SqliteConnection};

use super::{
    connections::Connections,
    faults,
    wal::{self, Keeper, LogFile},
};

#[derive(Debug)]
pub(super) struct ServedFile {
    keeper: Keeper,
    log: LogFile,
}

impl ServedFile {
    pub(super) async fn open(writers: &Connections, file: &Path) -> Result<Self, DbErr> {
        on_writer(writers, async |writer| wal::mark_in_use(writer, file).await.map(drop)).await?;
        let keeper = Keeper::open(file).await;
        let keeper = keeper.map_err(|error| faults::about_connecting(writers.address(), error))?;
        let log = LogFile::of(file).map_err(|error| DbErr::Custom(format!("{}-wal: {error}", file.display())))?;
        Ok(Self { keeper, log })
    }

    pub(super) fn has_lost_log(&self) -> bool {
        self.log.is_gone()
    }

    /// Called after the last write; the writers are closed next.
    pub(super) async fn close(self, writers: &Connections) -> Result<(), DbErr> {
        let closed = on_writer(writers, async |writer| wal::mark_closed(writer).await).await;
        self.keeper.close().await;
        closed
    }
}

async fn on_writer(
    writers: &Connections,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<(), sea_orm::sqlx::Error>,
) -> Result<(), DbErr> {
    let mut lease = writers.lease().await?;
    let Some(writer) = lease.session()?.sqlite() else { return Ok(()) };
    let done = work(writer).await;
    lease.end(done)
}
