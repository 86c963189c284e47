//! Where a consultation comes from, if no client of this service started it. It never changes.

use entity::consultation;
use sea_orm_migration::{
    prelude::*,
    schema::string_len_null,
    sea_orm::{ConnectionTrait, DbBackend},
};

use crate::late_check;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Of that column only: other updates pay nothing for it.
const SQLITE: &str = "CREATE TRIGGER consultation_origin_stays BEFORE UPDATE OF origin ON consultation
     WHEN NEW.origin IS NOT OLD.origin
     BEGIN SELECT RAISE(ABORT, 'the origin of a consultation does not change'); END";
const POSTGRES: &str = "CREATE TRIGGER consultation_origin_stays BEFORE UPDATE OF origin ON consultation FOR EACH ROW
     WHEN (NEW.origin IS DISTINCT FROM OLD.origin)
     EXECUTE FUNCTION consultation_refuse('the origin of a consultation does not change')";

/// Characters of an origin.
const ORIGIN_LENGTH: u32 = 16;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use consultation::Column::Origin;
        let known = Expr::col(Origin).is_in(["ADOPTED", "IMPORTED"]);
        let origin = string_len_null(Origin, ORIGIN_LENGTH);
        late_check::add_column(manager, "consultation", origin, ("consultation_origin_known", known)).await?;
        let trigger = if manager.get_database_backend() == DbBackend::Sqlite { SQLITE } else { POSTGRES };
        manager.get_connection().execute_unprepared(trigger).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let on_table = if manager.get_database_backend() == DbBackend::Sqlite { "" } else { " ON consultation" };
        let drop = format!("DROP TRIGGER consultation_origin_stays{on_table}");
        manager.get_connection().execute_unprepared(&drop).await?;
        let origin = consultation::Column::Origin;
        manager.alter_table(Table::alter().table(consultation::Entity).drop_column(origin).take()).await
    }
}
