//! The use of a database by a service, from its start to its end.

use std::sync::PoisonError;

use sea_orm::DbErr;

use super::{Database, options::Options, served_file::ServedFile};

impl Database {
    /// Marks the database as used by a service: a SQLite file gets a mark, and its log is watched. Fails also when a
    /// pooler is before PostgreSQL that the service cannot work with. A server that is down is no error.
    pub async fn begin_service(&self) -> Result<(), DbErr> {
        self.options.check_pooler().await?;
        if let Some(file) = self.options.file() {
            let served = ServedFile::open(&self.write, file).await?;
            *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        }
        Ok(())
    }

    /// Ends the use by a service, after the last write, and closes all connections. After a failure the SQLite file
    /// looks like that of a killed service, which loses nothing.
    pub async fn end_service(&self) -> Result<(), DbErr> {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner).take();
        match self.options {
            Options::Postgres(_) => self.check.close().await,
            Options::Sqlite(_) => drop(tokio::join!(self.background.close(), self.count.close())),
        }
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
        self.read.close().await;
        if let Some(served) = served {
            served.close(&self.write).await?;
        }
        self.write.close().await;
        Ok(())
    }
}
