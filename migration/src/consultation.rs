//! Tables of the consultation service.

use sea_orm_migration::prelude::*;

use crate::{
    CountOnDemand, m20261124_000001_create_consultation, m20261124_000002_create_pending_payment,
    m20261124_000004_keep_pending_payments, m20261124_000005_count_consultations, m20261124_000007_room_for_claims,
    m20261124_000009_create_delivery_destination, m20261127_000011_name_starters, m20261128_000013_trace_payments,
    m20261128_000014_create_reconciliation, m20261128_000015_cancel_consultations, m20261128_000016_name_origins,
    m20261128_000017_settle_payments, m20261128_000018_redeliver_payments, m20261128_000019_order_consultations,
    m20261128_000021_validate_checks, m20261128_000022_drop_indexes_by_id,
};

/// Counts consultations and pending payments when a total is read, instead of keeping row counts.
pub const COUNT_ON_DEMAND: CountOnDemand =
    CountOnDemand(&[("consultation", Some(m20261128_000015_cancel_consultations::COUNTED)), ("pending_payment", None)]);

/// Migrates `consultation`, `pending_payment`, `delivery_destination`, `reconciliation` and `redelivery`, and the row
/// counts of the first two.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m20261124_000001_create_consultation::Migration),
            Box::new(m20261124_000002_create_pending_payment::Migration),
            Box::new(m20261124_000004_keep_pending_payments::Migration),
            Box::new(m20261124_000005_count_consultations::Migration),
            Box::new(m20261124_000007_room_for_claims::Migration),
            Box::new(m20261124_000009_create_delivery_destination::Migration),
            Box::new(m20261127_000011_name_starters::Migration),
            Box::new(m20261128_000013_trace_payments::Migration),
            Box::new(m20261128_000014_create_reconciliation::Migration),
            Box::new(m20261128_000015_cancel_consultations::Migration),
            Box::new(m20261128_000016_name_origins::Migration),
            Box::new(m20261128_000017_settle_payments::Migration),
            Box::new(m20261128_000018_redeliver_payments::Migration),
        ];
        migrations.extend(m20261128_000019_order_consultations::migrations());
        migrations.push(Box::new(m20261128_000021_validate_checks::Migration));
        migrations.push(Box::new(m20261128_000022_drop_indexes_by_id::Migration));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "consultation_migration".into_iden()
    }
}
