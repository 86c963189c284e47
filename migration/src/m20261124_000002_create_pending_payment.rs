//! `pending_payment`, the outbox. Its index holds pending rows only, so the cost of a claim does not grow with
//! delivered ones. The lease columns are unindexed, so a claim updates no index.

use entity::{Money, consultation, pending_payment};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, boolean, integer, string_len_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use pending_payment::Column::{
            AppointmentId, ClaimSeq, CreatedAt, Finished, FinishedAt, Id, LastError, LeaseUntil, NextAttemptAt,
            ParkedAt, Processing, Rejections, TotalPriceCents, Tries,
        };
        let column = |column: pending_payment::Column| Expr::col(column);
        let table = Table::create()
            .table(pending_payment::Entity)
            .col(uuid(Id).primary_key())
            .col(uuid(AppointmentId).unique_key())
            .col(big_integer(TotalPriceCents))
            .col(big_integer(Tries).default(0))
            .col(boolean(Processing).default(false))
            .col(boolean(Finished).default(false))
            .col(timestamp_with_time_zone(NextAttemptAt))
            .col(timestamp_with_time_zone_null(LeaseUntil))
            .col(big_integer(ClaimSeq).default(0))
            .col(string_len_null(LastError, 500))
            .col(integer(Rejections).default(0))
            .col(timestamp_with_time_zone_null(ParkedAt))
            .col(timestamp_with_time_zone(CreatedAt))
            .col(timestamp_with_time_zone_null(FinishedAt))
            .check(column(TotalPriceCents).between(0, Money::MAX.cents()))
            .check(column(Tries).gte(0))
            .check(column(Processing).and(column(Finished)).not())
            .check(column(Finished).eq(column(FinishedAt).is_not_null()))
            .check(column(Processing).eq(column(LeaseUntil).is_not_null()))
            .foreign_key(
                ForeignKey::create()
                    .from(pending_payment::Entity, AppointmentId)
                    .to(consultation::Entity, consultation::Column::Id),
            )
            .to_owned();
        manager.create_table(table).await?;

        let due = Index::create()
            .name("pending_payment_due")
            .table(pending_payment::Entity)
            .col(NextAttemptAt)
            .col(Id)
            .and_where(column(Finished).not())
            .to_owned();
        manager.create_index(due).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(pending_payment::Entity).to_owned()).await
    }
}
