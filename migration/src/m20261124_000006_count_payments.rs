//! Row count for the total of finance's list.

use sea_orm_migration::prelude::*;

use crate::row_count;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        row_count::keep(manager, "payment").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        row_count::drop(manager, "payment").await
    }
}
