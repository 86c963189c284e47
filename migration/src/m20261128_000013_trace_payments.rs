//! The span of the finish that made a pending payment: the trace goes on when the payment is sent, maybe by another
//! process and hours later. Null for rows that are not sampled, and of earlier versions, which go on writing without it.

use entity::pending_payment;
use sea_orm_migration::{
    prelude::*,
    schema::string_len_null,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// Characters of W3C's `traceparent`.
const TRACE_PARENT_LENGTH: u32 = 55;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Of that column only: other updates pay nothing for it.
const SQLITE: &str = "CREATE TRIGGER pending_payment_trace_stays BEFORE UPDATE OF trace_parent ON pending_payment
     WHEN NEW.trace_parent IS NOT OLD.trace_parent
     BEGIN SELECT RAISE(ABORT, 'the trace of a payment does not change'); END";
const POSTGRES: &str =
    "CREATE TRIGGER pending_payment_trace_stays BEFORE UPDATE OF trace_parent ON pending_payment FOR EACH ROW
     WHEN (NEW.trace_parent IS DISTINCT FROM OLD.trace_parent)
     EXECUTE FUNCTION pending_payment_refuse('the trace of a payment does not change')";
const SQLITE_DOWN: &str = "DROP TRIGGER pending_payment_trace_stays";
const POSTGRES_DOWN: &str = "DROP TRIGGER pending_payment_trace_stays ON pending_payment";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let trace_parent = string_len_null(pending_payment::Column::TraceParent, TRACE_PARENT_LENGTH);
        manager.alter_table(Table::alter().table(pending_payment::Entity).add_column(trace_parent).take()).await?;
        execute(manager, SQLITE, POSTGRES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, SQLITE_DOWN, POSTGRES_DOWN).await?;
        let trace_parent = pending_payment::Column::TraceParent;
        manager.alter_table(Table::alter().table(pending_payment::Entity).drop_column(trace_parent).take()).await
    }
}

async fn execute(manager: &SchemaManager<'_>, sqlite: &str, postgres: &str) -> Result<(), DbErr> {
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    manager.get_connection().execute_unprepared(if is_sqlite { sqlite } else { postgres }).await.map(drop)
}
