//! Who started and finished a consultation, and who last retried its payment: names of callers, which triggers protect.
//! Null for rows of earlier versions, which go on writing without them.

use entity::{consultation, pending_payment};
use sea_orm_migration::{
    prelude::*,
    schema::string_len_null,
    sea_orm::{ConnectionTrait, DbBackend},
};

use crate::CALLER_LENGTH;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// One statement each: SQLite's trigger bodies contain semicolons.
const SQLITE: [&str; 3] = [
    "CREATE TRIGGER consultation_callers_come BEFORE INSERT ON consultation
     WHEN NEW.finished_by IS NOT NULL AND NEW.end_date IS NULL
     BEGIN SELECT RAISE(ABORT, 'nobody has finished a consultation without an end'); END",
    "CREATE TRIGGER consultation_callers_stay BEFORE UPDATE ON consultation
     WHEN NEW.started_by IS NOT OLD.started_by
       OR OLD.end_date IS NOT NULL AND NEW.end_date IS NULL
       OR NEW.finished_by IS NOT OLD.finished_by AND (OLD.end_date IS NOT NULL OR NEW.end_date IS NULL)
     BEGIN SELECT RAISE(ABORT, 'who started or finished a consultation does not change, nor is it in progress again'); END",
    "CREATE TRIGGER pending_payment_caller_stays BEFORE UPDATE ON pending_payment
     WHEN OLD.retried_by IS NOT NULL AND NEW.retried_by IS NULL
     BEGIN SELECT RAISE(ABORT, 'who retried a payment is not forgotten'); END",
];
const SQLITE_DOWN: [&str; 3] = [
    "DROP TRIGGER pending_payment_caller_stays",
    "DROP TRIGGER consultation_callers_stay",
    "DROP TRIGGER consultation_callers_come",
];

const POSTGRES: [&str; 4] = [
    "CREATE FUNCTION consultation_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER consultation_callers_come BEFORE INSERT ON consultation FOR EACH ROW
     WHEN (NEW.finished_by IS NOT NULL AND NEW.end_date IS NULL)
     EXECUTE FUNCTION consultation_refuse('nobody has finished a consultation without an end')",
    "CREATE TRIGGER consultation_callers_stay BEFORE UPDATE ON consultation FOR EACH ROW
     WHEN (NEW.started_by IS DISTINCT FROM OLD.started_by
        OR OLD.end_date IS NOT NULL AND NEW.end_date IS NULL
        OR NEW.finished_by IS DISTINCT FROM OLD.finished_by AND (OLD.end_date IS NOT NULL OR NEW.end_date IS NULL))
     EXECUTE FUNCTION consultation_refuse('who started or finished a consultation does not change, nor is it in progress again')",
    "CREATE TRIGGER pending_payment_caller_stays BEFORE UPDATE ON pending_payment FOR EACH ROW
     WHEN (OLD.retried_by IS NOT NULL AND NEW.retried_by IS NULL)
     EXECUTE FUNCTION pending_payment_refuse('who retried a payment is not forgotten')",
];
const POSTGRES_DOWN: [&str; 4] = [
    "DROP TRIGGER pending_payment_caller_stays ON pending_payment",
    "DROP TRIGGER consultation_callers_stay ON consultation",
    "DROP TRIGGER consultation_callers_come ON consultation",
    "DROP FUNCTION consultation_refuse",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use consultation::Column::{FinishedBy, StartedBy};
        for column in [StartedBy, FinishedBy] {
            let add =
                Table::alter().table(consultation::Entity).add_column(string_len_null(column, CALLER_LENGTH)).take();
            manager.alter_table(add).await?;
        }
        let retried_by = string_len_null(pending_payment::Column::RetriedBy, CALLER_LENGTH);
        manager.alter_table(Table::alter().table(pending_payment::Entity).add_column(retried_by).take()).await?;
        execute(manager, &SQLITE, &POSTGRES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use consultation::Column::{FinishedBy, StartedBy};
        execute(manager, &SQLITE_DOWN, &POSTGRES_DOWN).await?;
        let retried_by = pending_payment::Column::RetriedBy;
        manager.alter_table(Table::alter().table(pending_payment::Entity).drop_column(retried_by).take()).await?;
        for column in [FinishedBy, StartedBy] {
            manager.alter_table(Table::alter().table(consultation::Entity).drop_column(column).take()).await?;
        }
        Ok(())
    }
}

async fn execute(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let statements = if manager.get_database_backend() == DbBackend::Sqlite { sqlite } else { postgres };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
