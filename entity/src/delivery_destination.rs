//! Owned by the consultation service: the instance of finance that payments go to, at most one row.

use sea_orm::entity::prelude::*;

/// The instance that was met first, or accepted by an operator since. Payments go to no other.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_destination")]
pub struct Model {
    /// Always true: the key of the only row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: bool,
    /// Instance id of finance.
    pub instance_id: Uuid,
    /// Time of the acceptance, by the database's clock.
    pub accepted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
