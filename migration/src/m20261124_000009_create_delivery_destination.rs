//! `delivery_destination`: the instance id of the finance that receives payments, at most one row. Empty until the
//! relay has reached a finance.

use entity::delivery_destination;
use sea_orm_migration::{
    prelude::*,
    schema::{boolean, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use delivery_destination::Column::{AcceptedAt, InstanceId, Singleton};
        let table = Table::create()
            .table(delivery_destination::Entity)
            .col(boolean(Singleton).primary_key())
            .col(uuid(InstanceId))
            .col(timestamp_with_time_zone(AcceptedAt))
            .check(Expr::col(Singleton).eq(true))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(delivery_destination::Entity).to_owned()).await
    }
}
