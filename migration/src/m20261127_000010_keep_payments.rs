//! Triggers that protect recorded payments: none is changed, deleted or truncated.
//!
//! SQLite's REPLACE deletes without firing the triggers of deletion, unless the connection has `recursive_triggers` on.
//! All of ours have. A trigger of insertion, as on the outbox, would also refuse recording's ON CONFLICT DO NOTHING.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// One statement each: SQLite's trigger bodies contain semicolons.
const SQLITE: [&str; 2] = [
    "CREATE TRIGGER payment_stay BEFORE UPDATE ON payment
     BEGIN SELECT RAISE(ABORT, 'a recorded payment never changes'); END",
    "CREATE TRIGGER payment_keep BEFORE DELETE ON payment
     BEGIN SELECT RAISE(ABORT, 'a recorded payment is never deleted'); END",
];
const SQLITE_DOWN: [&str; 2] = ["DROP TRIGGER payment_keep", "DROP TRIGGER payment_stay"];

const POSTGRES: [&str; 4] = [
    "CREATE FUNCTION payment_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER payment_stay BEFORE UPDATE ON payment FOR EACH ROW
     EXECUTE FUNCTION payment_refuse('a recorded payment never changes')",
    "CREATE TRIGGER payment_keep BEFORE DELETE ON payment FOR EACH ROW
     EXECUTE FUNCTION payment_refuse('a recorded payment is never deleted')",
    "CREATE TRIGGER payment_keep_all BEFORE TRUNCATE ON payment FOR EACH STATEMENT
     EXECUTE FUNCTION payment_refuse('recorded payments are never deleted')",
];
const POSTGRES_DOWN: [&str; 4] = [
    "DROP TRIGGER payment_keep_all ON payment",
    "DROP TRIGGER payment_keep ON payment",
    "DROP TRIGGER payment_stay ON payment",
    "DROP FUNCTION payment_refuse",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, &SQLITE, &POSTGRES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, &SQLITE_DOWN, &POSTGRES_DOWN).await
    }
}

async fn execute(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let statements = if manager.get_database_backend() == DbBackend::Sqlite { sqlite } else { postgres };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
