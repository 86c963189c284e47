//! Who recorded a payment: the name of a caller. Null for payments of earlier versions, which go on recording without it.
//! A recorded payment never changes, this column included.

use entity::payment;
use sea_orm_migration::{prelude::*, schema::string_len_null};

use crate::CALLER_LENGTH;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recorded_by = string_len_null(payment::Column::RecordedBy, CALLER_LENGTH);
        manager.alter_table(Table::alter().table(payment::Entity).add_column(recorded_by).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recorded_by = payment::Column::RecordedBy;
        manager.alter_table(Table::alter().table(payment::Entity).drop_column(recorded_by).take()).await
    }
}
