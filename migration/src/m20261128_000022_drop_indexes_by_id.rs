//! Drops the indexes of consultations in the order of ids, which those of migration 19 replace. It takes an exclusive
//! lock for a moment, which must not be the last step of a long transaction.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const BY_ID: [(&str, &str); 2] = [("consultation_patient", "patient_id"), ("consultation_physician", "physician_id")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in BY_ID {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in BY_ID {
            let by_id = sea_query::Index::create().name(name).table("consultation").col(column).col("id").to_owned();
            manager.create_index(by_id).await?;
        }
        Ok(())
    }
}
