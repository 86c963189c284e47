//! Owned by the consultation service: the counts of the last reconciliation, at most one row.

use sea_orm::entity::prelude::*;

/// The last complete comparison with finance's payments. A command writes it, and the console shows it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconciliation")]
pub struct Model {
    /// Always true: the key of the only row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: bool,
    /// End of the comparison, by the database's clock.
    pub ended_at: DateTimeUtc,
    /// Finished consultations.
    pub consultations: i64,
    /// Payments in finance.
    pub payments: i64,
    /// Payments that were not delivered yet.
    pub in_transit: i64,
    /// Those of them that were over an hour old.
    pub overdue: i64,
    /// Differences.
    pub differences: i64,
}

impl ActiveModelBehavior for ActiveModel {}
