//! `reconciliation`: the counts of the last comparison with finance, at most one row. Empty until `reconcile` has run.

use entity::reconciliation;
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, boolean, timestamp_with_time_zone},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use reconciliation::Column::{Consultations, Differences, EndedAt, InTransit, Overdue, Payments, Singleton};
        let mut table = Table::create();
        table.table(reconciliation::Entity).col(boolean(Singleton).primary_key());
        table.col(timestamp_with_time_zone(EndedAt)).check(Expr::col(Singleton).eq(true));
        for count in [Consultations, Payments, InTransit, Overdue, Differences] {
            table.col(big_integer(count));
        }
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(reconciliation::Entity).to_owned()).await
    }
}
