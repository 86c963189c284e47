//! Owned by the finance service: the instance id of its database, one row for ever.

use sea_orm::entity::prelude::*;

/// The instance id, made once by the migration. It never changes, and a restored backup keeps it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "finance_instance")]
pub struct Model {
    /// Always true: the key of the only row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: bool,
    /// Random.
    pub id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
