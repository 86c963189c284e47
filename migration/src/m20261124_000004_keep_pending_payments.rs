//! Triggers that protect the outbox: no undelivered payment is deleted, no confirmation withdrawn, no sent value
//! changed. They are triggers, since no constraint sees a deletion. Their conditions are checked without a function
//! call, so ordinary updates pay next to nothing.
//!
//! SQLite's REPLACE deletes without firing the triggers of deletion; those of insertion and update refuse it.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// One statement each: SQLite's trigger bodies contain semicolons.
const SQLITE: [&str; 3] = [
    "CREATE TRIGGER pending_payment_keep BEFORE DELETE ON pending_payment WHEN NOT OLD.finished
     BEGIN SELECT RAISE(ABORT, 'a payment that finance has not confirmed must not be deleted'); END",
    "CREATE TRIGGER pending_payment_keep_place BEFORE INSERT ON pending_payment
     WHEN EXISTS (SELECT 1 FROM pending_payment WHERE id = NEW.id AND NOT finished)
       OR EXISTS (SELECT 1 FROM pending_payment WHERE appointment_id = NEW.appointment_id AND NOT finished)
     BEGIN SELECT RAISE(ABORT, 'a payment that finance has not confirmed must not be replaced'); END",
    "CREATE TRIGGER pending_payment_stay BEFORE UPDATE ON pending_payment
     WHEN OLD.finished AND NOT NEW.finished OR OLD.id <> NEW.id
       OR OLD.appointment_id <> NEW.appointment_id OR OLD.total_price_cents <> NEW.total_price_cents
     BEGIN SELECT RAISE(ABORT, 'a confirmation is not taken back, and what is sent does not change'); END",
];
const SQLITE_DOWN: [&str; 3] = [
    "DROP TRIGGER pending_payment_stay",
    "DROP TRIGGER pending_payment_keep_place",
    "DROP TRIGGER pending_payment_keep",
];

const POSTGRES: [&str; 5] = [
    "CREATE FUNCTION pending_payment_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE FUNCTION pending_payment_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
     DECLARE undelivered boolean;
     BEGIN
         EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE NOT finished)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
             INTO undelivered;
         IF undelivered THEN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END IF;
         RETURN NULL;
     END $$",
    "CREATE TRIGGER pending_payment_keep BEFORE DELETE ON pending_payment FOR EACH ROW WHEN (NOT OLD.finished)
     EXECUTE FUNCTION pending_payment_refuse('a payment that finance has not confirmed must not be deleted')",
    "CREATE TRIGGER pending_payment_keep_all BEFORE TRUNCATE ON pending_payment FOR EACH STATEMENT
     EXECUTE FUNCTION pending_payment_refuse_truncate('payments that finance has not confirmed must not be deleted')",
    "CREATE TRIGGER pending_payment_stay BEFORE UPDATE ON pending_payment FOR EACH ROW
     WHEN (OLD.finished AND NOT NEW.finished OR OLD.id <> NEW.id
        OR OLD.appointment_id <> NEW.appointment_id OR OLD.total_price_cents <> NEW.total_price_cents)
     EXECUTE FUNCTION pending_payment_refuse('a confirmation is not taken back, and what is sent does not change')",
];
const POSTGRES_DOWN: [&str; 5] = [
    "DROP TRIGGER pending_payment_stay ON pending_payment",
    "DROP TRIGGER pending_payment_keep_all ON pending_payment",
    "DROP TRIGGER pending_payment_keep ON pending_payment",
    "DROP FUNCTION pending_payment_refuse_truncate",
    "DROP FUNCTION pending_payment_refuse",
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
    let database = manager.get_connection();
    let statements = if manager.get_database_backend() == DbBackend::Sqlite { sqlite } else { postgres };
    for statement in statements {
        database.execute_unprepared(statement).await?;
    }
    Ok(())
}
