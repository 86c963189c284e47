//! `payment`. An appointment has at most one.

use entity::{Money, payment};
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use payment::Column::{AppointmentId, Id, RecordedAt, TotalPriceCents};
        let table = Table::create()
            .table(payment::Entity)
            .col(uuid(Id).primary_key())
            .col(uuid(AppointmentId).unique_key())
            .col(big_integer(TotalPriceCents))
            .col(timestamp_with_time_zone(RecordedAt))
            .check(Expr::col(TotalPriceCents).between(0, Money::MAX.cents()))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(payment::Entity).to_owned()).await
    }
}
