//! `redelivery`: after finance was restored from an older backup, a confirmed payment that it lacks is delivered again.
//! The confirmation is not taken back but recorded here, with the settlement if there was one, since another may replace
//! it. The row counts its redeliveries. Without counting one more, a finished row stays finished.

use entity::{pending_payment, redelivery};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer_null, integer, string_len, string_len_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
    },
    sea_orm::{ConnectionTrait, DbBackend},
};

use crate::{CALLER_LENGTH, REASON_LENGTH};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// One statement each: SQLite's trigger bodies contain semicolons. `pending_payment_stay` is migration 4's, with the
/// exception. Records of redeliveries are only added.
const SQLITE: [&str; 5] = [
    "DROP TRIGGER pending_payment_stay",
    "CREATE TRIGGER pending_payment_stay BEFORE UPDATE ON pending_payment
     WHEN OLD.finished AND NOT NEW.finished AND NEW.redeliveries <> OLD.redeliveries + 1 OR OLD.id <> NEW.id
       OR OLD.appointment_id <> NEW.appointment_id OR OLD.total_price_cents <> NEW.total_price_cents
     BEGIN SELECT RAISE(ABORT, 'a confirmation is not taken back, and what is sent does not change'); END",
    "CREATE TRIGGER pending_payment_redeliveries_stay BEFORE UPDATE OF redeliveries ON pending_payment
     WHEN NEW.redeliveries <> OLD.redeliveries
       AND NOT (OLD.finished AND NOT NEW.finished AND NEW.redeliveries = OLD.redeliveries + 1)
     BEGIN SELECT RAISE(ABORT, 'redeliveries are counted one by one, as a confirmed payment is sent again'); END",
    "CREATE TRIGGER redelivery_stay BEFORE UPDATE ON redelivery
     BEGIN SELECT RAISE(ABORT, 'the record of a redelivery never changes'); END",
    "CREATE TRIGGER redelivery_keep BEFORE DELETE ON redelivery
     BEGIN SELECT RAISE(ABORT, 'the record of a redelivery is never deleted'); END",
];
const SQLITE_DOWN: [&str; 3] = [
    "DROP TRIGGER pending_payment_redeliveries_stay",
    "DROP TRIGGER pending_payment_stay",
    "CREATE TRIGGER pending_payment_stay BEFORE UPDATE ON pending_payment
     WHEN OLD.finished AND NOT NEW.finished OR OLD.id <> NEW.id
       OR OLD.appointment_id <> NEW.appointment_id OR OLD.total_price_cents <> NEW.total_price_cents
     BEGIN SELECT RAISE(ABORT, 'a confirmation is not taken back, and what is sent does not change'); END",
];

const POSTGRES: [&str; 5] = [
    "DROP TRIGGER pending_payment_stay ON pending_payment",
    "CREATE TRIGGER pending_payment_stay BEFORE UPDATE ON pending_payment FOR EACH ROW
     WHEN (OLD.finished AND NOT NEW.finished AND NEW.redeliveries <> OLD.redeliveries + 1 OR OLD.id <> NEW.id
        OR OLD.appointment_id <> NEW.appointment_id OR OLD.total_price_cents <> NEW.total_price_cents)
     EXECUTE FUNCTION pending_payment_refuse('a confirmation is not taken back, and what is sent does not change')",
    "CREATE TRIGGER pending_payment_redeliveries_stay BEFORE UPDATE OF redeliveries ON pending_payment FOR EACH ROW
     WHEN (NEW.redeliveries <> OLD.redeliveries
       AND NOT (OLD.finished AND NOT NEW.finished AND NEW.redeliveries = OLD.redeliveries + 1))
     EXECUTE FUNCTION
     pending_payment_refuse('redeliveries are counted one by one, as a confirmed payment is sent again')",
    "CREATE TRIGGER redelivery_stay BEFORE UPDATE OR DELETE ON redelivery FOR EACH ROW
     EXECUTE FUNCTION pending_payment_refuse('the record of a redelivery is never changed or deleted')",
    "CREATE TRIGGER redelivery_keep BEFORE TRUNCATE ON redelivery FOR EACH STATEMENT
     EXECUTE FUNCTION pending_payment_refuse('records of redeliveries are never deleted')",
];
const POSTGRES_DOWN: [&str; 3] = [
    "DROP TRIGGER pending_payment_redeliveries_stay ON pending_payment",
    "DROP TRIGGER pending_payment_stay ON pending_payment",
    "CREATE TRIGGER pending_payment_stay BEFORE UPDATE ON pending_payment FOR EACH ROW
     WHEN (OLD.finished AND NOT NEW.finished OR OLD.id <> NEW.id
        OR OLD.appointment_id <> NEW.appointment_id OR OLD.total_price_cents <> NEW.total_price_cents)
     EXECUTE FUNCTION pending_payment_refuse('a confirmation is not taken back, and what is sent does not change')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use redelivery::Column::{
            AppointmentId, ConfirmedAt, Id, RequestedAt, RequestedBy, SettleReason, SettledAt, SettledBy,
            SettledPriceCents,
        };
        let table = Table::create()
            .table(redelivery::Entity)
            .col(uuid(Id).primary_key())
            .col(uuid(AppointmentId))
            .col(timestamp_with_time_zone_null(ConfirmedAt))
            .col(timestamp_with_time_zone(RequestedAt))
            .col(string_len(RequestedBy, CALLER_LENGTH))
            .col(big_integer_null(SettledPriceCents))
            .col(string_len_null(SettleReason, REASON_LENGTH))
            .col(string_len_null(SettledBy, CALLER_LENGTH))
            .col(timestamp_with_time_zone_null(SettledAt))
            .to_owned();
        manager.create_table(table).await?;
        let by_appointment =
            Index::create().name("redelivery_appointment").table(redelivery::Entity).col(AppointmentId).to_owned();
        manager.create_index(by_appointment).await?;
        let redeliveries = pending_payment::Column::Redeliveries;
        let counted = integer(redeliveries).default(0).check(Expr::col(redeliveries).gte(0)).take();
        manager.alter_table(Table::alter().table(pending_payment::Entity).add_column(counted).take()).await?;
        execute(manager, &SQLITE, &POSTGRES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, &SQLITE_DOWN, &POSTGRES_DOWN).await?;
        let redeliveries = pending_payment::Column::Redeliveries;
        manager.alter_table(Table::alter().table(pending_payment::Entity).drop_column(redeliveries).take()).await?;
        manager.drop_table(Table::drop().table(redelivery::Entity).to_owned()).await
    }
}

async fn execute(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let statements = if manager.get_database_backend() == DbBackend::Sqlite { sqlite } else { postgres };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
