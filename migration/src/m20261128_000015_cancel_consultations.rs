//! An end without a price: a cancelled consultation has the reason in its place, and the time of the cancellation is its
//! end. So what ends a consultation, for the unique index and for the versions before, stays one column.

use entity::consultation;
use sea_orm_migration::{
    prelude::*,
    schema::string_len_null,
    sea_orm::{ConnectionTrait, DbBackend},
};

use crate::{
    CALLER_LENGTH, REASON_LENGTH,
    row_count::{self, Valued},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What an end wanted until now, as the first migration wrote it, and what it wants from now on.
const PRICED: &str = r#"CHECK (("end_date" IS NULL) = ("price_cents" IS NULL))"#;
const PRICED_OR_CANCELLED: &str = r#"CHECK (("end_date" IS NULL) = ("price_cents" IS NULL AND "cancel_reason" IS NULL) AND ("price_cents" IS NULL OR "cancel_reason" IS NULL) AND ("cancelled_by" IS NULL OR "cancel_reason" IS NOT NULL) AND ("finished_by" IS NULL OR "cancel_reason" IS NULL))"#;

/// `forget` may replace the text of a reason; all else about a cancellation stays.
const SQLITE_TRIGGER: &str = "CREATE TRIGGER consultation_cancellation_stays BEFORE UPDATE ON consultation
     WHEN (NEW.cancel_reason IS NULL) <> (OLD.cancel_reason IS NULL) AND OLD.end_date IS NOT NULL
       OR NEW.cancelled_by IS NOT OLD.cancelled_by AND OLD.end_date IS NOT NULL
     BEGIN SELECT RAISE(ABORT, 'a cancellation is not taken back, and what is finished is not cancelled'); END";
const POSTGRES_TRIGGER: &str =
    "CREATE TRIGGER consultation_cancellation_stays BEFORE UPDATE ON consultation FOR EACH ROW
     WHEN ((NEW.cancel_reason IS NULL) <> (OLD.cancel_reason IS NULL) AND OLD.end_date IS NOT NULL
        OR NEW.cancelled_by IS DISTINCT FROM OLD.cancelled_by AND OLD.end_date IS NOT NULL)
     EXECUTE FUNCTION consultation_refuse('a cancellation is not taken back, and what is finished is not cancelled')";

/// For the total of finished ones.
pub(crate) const COUNTED: Valued = Valued { column: "cancel_reason", count: "cancelled_count" };

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use consultation::Column::{CancelReason, CancelledBy};
        for column in [string_len_null(CancelReason, REASON_LENGTH), string_len_null(CancelledBy, CALLER_LENGTH)] {
            manager.alter_table(Table::alter().table(consultation::Entity).add_column(column).take()).await?;
        }
        // For new rows first; migration 21 validates it beside reads and writes.
        replace_check(manager, PRICED, PRICED_OR_CANCELLED, " NOT VALID").await?;
        row_count::keep_valued(manager, "consultation", COUNTED).await?;
        let trigger = if is_sqlite(manager) { SQLITE_TRIGGER } else { POSTGRES_TRIGGER };
        manager.get_connection().execute_unprepared(trigger).await.map(drop)
    }

    /// Fails while a consultation is cancelled.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use consultation::Column::{CancelReason, CancelledBy};
        let on_table = if is_sqlite(manager) { "" } else { " ON consultation" };
        let drop = format!("DROP TRIGGER consultation_cancellation_stays{on_table}");
        manager.get_connection().execute_unprepared(&drop).await?;
        row_count::drop_valued(manager, "consultation", COUNTED).await?;
        replace_check(manager, PRICED_OR_CANCELLED, PRICED, "").await?;
        for column in [CancelledBy, CancelReason] {
            manager.alter_table(Table::alter().table(consultation::Entity).drop_column(column).take()).await?;
        }
        Ok(())
    }
}

/// PostgreSQL drops a constraint by its name. SQLite cannot, so the text of the table is changed, by the procedure that
/// its documentation gives for constraints (<https://www.sqlite.org/lang_altertable.html#otheralter>).
async fn replace_check(manager: &SchemaManager<'_>, old: &str, new: &str, validity: &str) -> Result<(), DbErr> {
    let database = manager.get_connection();
    if !is_sqlite(manager) {
        let name = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'consultation'::regclass
                    AND pg_get_constraintdef(oid) LIKE '%end_date IS NULL%'";
        let replace = format!(
            "DO $$ BEGIN EXECUTE format('ALTER TABLE consultation DROP CONSTRAINT %I', ({name}));
             ALTER TABLE consultation ADD CONSTRAINT consultation_end {new}{validity}; END $$"
        );
        return database.execute_unprepared(&replace).await.map(std::mem::drop);
    }
    let (old, new) = (old.replace('\'', "''"), new.replace('\'', "''"));
    let replace = format!(
        "UPDATE sqlite_schema SET sql = replace(sql, '{old}', '{new}') WHERE type = 'table' AND name = 'consultation'"
    );
    database.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let replaced = database.execute_unprepared(&replace).await;
    // RESET: other than OFF it also has this connection read the schema again.
    database.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    replaced.map(std::mem::drop)
}

fn is_sqlite(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Sqlite
}
