//! Validates the CHECKs that were added for new rows only: the tables are read once, beside reads and writes.

use sea_orm_migration::prelude::*;

use crate::late_check::validate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        validate(manager, "consultation", &["consultation_end", "consultation_origin_known"]).await?;
        let of_payments = ["pending_payment_settlement_complete", "pending_payment_redeliveries_counted"];
        validate(manager, "pending_payment", &of_payments).await
    }

    /// A valid CHECK is as good for the version before.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
