//! `consultation`. A patient has at most one in progress.

use entity::{Money, consultation};
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use consultation::Column::{EndDate, Id, PatientId, PhysicianId, PriceCents, StartDate};
        let end_date = || Expr::col(EndDate);
        let table = Table::create()
            .table(consultation::Entity)
            .col(uuid(Id).primary_key())
            .col(uuid(PhysicianId))
            .col(uuid(PatientId))
            .col(timestamp_with_time_zone(StartDate))
            .col(timestamp_with_time_zone_null(EndDate))
            .col(big_integer_null(PriceCents))
            .check(end_date().gt(Expr::col(StartDate)))
            .check(Expr::col(PriceCents).between(0, Money::MAX.cents()))
            .check(end_date().is_null().eq(Expr::col(PriceCents).is_null()))
            .to_owned();
        manager.create_table(table).await?;

        let one_in_progress_per_patient = Index::create()
            .name("consultation_in_progress_patient")
            .table(consultation::Entity)
            .col(PatientId)
            .unique()
            .and_where(end_date().is_null())
            .to_owned();
        manager.create_index(one_in_progress_per_patient).await?;

        // For lists of one patient's or physician's consultations, in the order of the primary key.
        for (name, column) in [("consultation_patient", PatientId), ("consultation_physician", PhysicianId)] {
            let by_person = Index::create().name(name).table(consultation::Entity).col(column).col(Id).to_owned();
            manager.create_index(by_person).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(consultation::Entity).to_owned()).await
    }
}
