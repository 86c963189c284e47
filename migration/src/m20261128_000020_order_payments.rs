//! The index of the list of payments, by the time of recording and the id. Ids alone do not have the order of times: they
//! are made before the payments are recorded, by the clocks of replicas.

use sea_orm_migration::prelude::*;

use crate::time_index::{self, Index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const RECORDED: Index = Index::new("payment_recorded", None, "recorded_at", None);

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        time_index::create(manager, "payment", &[RECORDED]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        time_index::drop(manager, RECORDED.name).await
    }
}
