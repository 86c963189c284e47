//! Which finance this is: the instance id of its books, by which consultation notices that it calls another.

use chassis::database::Database;
use entity::finance_instance::Entity as FinanceInstances;
use sea_orm::{DbErr, EntityTrait};
use uuid::Uuid;

/// Reads the instance id each time it is asked: connections may lead to another database from one moment to the next.
#[derive(Clone, Debug)]
pub struct Instance {
    database: Database,
}

impl Instance {
    /// That of the finance whose books are in `database`.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The instance id.
    ///
    /// # Errors
    /// When the database fails, or was not migrated.
    pub async fn id(&self) -> Result<Uuid, DbErr> {
        let row = FinanceInstances::find().one(&self.database.write).await?;
        Ok(row.ok_or_else(|| DbErr::RecordNotFound("finance_instance has no row".to_owned()))?.id)
    }
}
