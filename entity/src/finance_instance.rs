//! Owned by the finance service: the identity of its books, one row for ever.

use sea_orm::entity::prelude::*;

/// Which finance this is. Made once by the migration, never changed; a restored backup keeps it.
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
