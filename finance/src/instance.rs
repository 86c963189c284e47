//! Which finance this is: the instance id of its books, by which consultation notices that it calls another.

use std::sync::Arc;

use chassis::database::Database;
use entity::finance_instance::Entity as FinanceInstances;
use sea_orm::{DbErr, EntityTrait};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Reads the instance id once: the database refuses to change it, and recording a payment pays no statement for it.
#[derive(Clone, Debug)]
pub struct Instance {
    database: Database,
    id: Arc<OnceCell<Uuid>>,
}

impl Instance {
    /// That of the finance whose books are in `database`.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, id: Arc::default() }
    }

    /// The instance id.
    ///
    /// # Errors
    /// When the database fails, or was not migrated.
    pub async fn id(&self) -> Result<Uuid, DbErr> {
        let read = async || {
            let row = FinanceInstances::find().one(&self.database.write).await?;
            Ok(row.ok_or_else(|| DbErr::RecordNotFound("finance_instance has no row".to_owned()))?.id)
        };
        self.id.get_or_try_init(read).await.copied()
    }
}
