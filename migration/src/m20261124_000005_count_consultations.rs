//! Row counts for the totals of the consultation service's lists.

use sea_orm_migration::prelude::*;

use crate::row_count;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COUNTED: [&str; 2] = ["consultation", "pending_payment"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in COUNTED {
            row_count::keep(manager, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in COUNTED {
            row_count::drop(manager, table).await?;
        }
        Ok(())
    }
}
