//! Free space in the pages of `pending_payment` for the row version of a claim: a version in the same page needs no new
//! index entry. More than half is free, since a lease makes a row longer. (SQLite updates in place.)

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, "ALTER TABLE pending_payment SET (fillfactor = 45)").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, "ALTER TABLE pending_payment RESET (fillfactor)").await
    }
}

async fn execute(manager: &SchemaManager<'_>, postgres: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(postgres).await?;
    }
    Ok(())
}
