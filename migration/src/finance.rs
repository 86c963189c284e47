//! Tables of the finance service.

use sea_orm_migration::prelude::*;

use crate::{
    CountOnDemand, m20261124_000003_create_payment, m20261124_000006_count_payments,
    m20261124_000008_create_finance_instance, m20261127_000010_keep_payments, m20261127_000012_name_recorder,
    m20261128_000020_order_payments,
};

/// Counts payments when a total is read, instead of keeping a row count.
pub const COUNT_ON_DEMAND: CountOnDemand = CountOnDemand(&[("payment", None)]);

/// Migrates `payment`, its row count, and `finance_instance`.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000003_create_payment::Migration),
            Box::new(m20261124_000006_count_payments::Migration),
            Box::new(m20261124_000008_create_finance_instance::Migration),
            Box::new(m20261127_000010_keep_payments::Migration),
            Box::new(m20261127_000012_name_recorder::Migration),
            Box::new(m20261128_000020_order_payments::migration()),
        ]
    }

    fn migration_table_name() -> DynIden {
        "finance_migration".into_iden()
    }
}
