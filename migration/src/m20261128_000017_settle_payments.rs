//! Settlements: an operator lets the amount stand that finance has recorded, instead of ours. It comes with its reason,
//! time and user as a refused row becomes finished, and stays. Once finance has lost that payment and recorded another
//! amount, the row is refused again, and another settlement may take its place.

use entity::{Money, pending_payment};
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, string_len_null, timestamp_with_time_zone_null},
    sea_orm::{ConnectionTrait, DbBackend},
};

use crate::{CALLER_LENGTH, REASON_LENGTH};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The updates fire on these columns only: others pay nothing. A new row has no refusal, so it has no settlement. The
/// amount that was sent is no conflict: a retry delivers it. The price is one after another amount was settled and sent.
const SQLITE: [&str; 3] = [
    "CREATE TRIGGER pending_payment_settlement_comes BEFORE INSERT ON pending_payment
     WHEN NEW.settled_price_cents IS NOT NULL
     BEGIN SELECT RAISE(ABORT, 'only a payment that finance refused is settled'); END",
    "CREATE TRIGGER pending_payment_settlement_stays
     BEFORE UPDATE OF settled_price_cents, settle_reason, settled_by, settled_at ON pending_payment
     WHEN OLD.finished OR OLD.parked_at IS NULL OR NEW.settled_price_cents IS NULL OR NOT NEW.finished
       OR NEW.settled_price_cents = COALESCE(OLD.settled_price_cents, OLD.total_price_cents)
     BEGIN SELECT RAISE(ABORT,
     'only a payment that finance refused is settled, by another amount than was sent, and a settlement stays'); END",
    "CREATE TRIGGER pending_payment_settlement_keep BEFORE DELETE ON pending_payment
     WHEN OLD.settled_price_cents IS NOT NULL
     BEGIN SELECT RAISE(ABORT, 'a settled payment must not be deleted'); END",
];
const SQLITE_DOWN: [&str; 3] = [
    "DROP TRIGGER pending_payment_settlement_keep",
    "DROP TRIGGER pending_payment_settlement_stays",
    "DROP TRIGGER pending_payment_settlement_comes",
];

const POSTGRES: [&str; 3] = [
    "CREATE TRIGGER pending_payment_settlement_comes BEFORE INSERT ON pending_payment FOR EACH ROW
     WHEN (NEW.settled_price_cents IS NOT NULL)
     EXECUTE FUNCTION pending_payment_refuse('only a payment that finance refused is settled')",
    "CREATE TRIGGER pending_payment_settlement_stays
     BEFORE UPDATE OF settled_price_cents, settle_reason, settled_by, settled_at ON pending_payment FOR EACH ROW
     WHEN (OLD.finished OR OLD.parked_at IS NULL OR NEW.settled_price_cents IS NULL OR NOT NEW.finished
       OR NEW.settled_price_cents = COALESCE(OLD.settled_price_cents, OLD.total_price_cents))
     EXECUTE FUNCTION pending_payment_refuse(
     'only a payment that finance refused is settled, by another amount than was sent, and a settlement stays')",
    "CREATE TRIGGER pending_payment_settlement_keep BEFORE DELETE ON pending_payment FOR EACH ROW
     WHEN (OLD.settled_price_cents IS NOT NULL)
     EXECUTE FUNCTION pending_payment_refuse('a settled payment must not be deleted')",
];
const POSTGRES_DOWN: [&str; 3] = [
    "DROP TRIGGER pending_payment_settlement_keep ON pending_payment",
    "DROP TRIGGER pending_payment_settlement_stays ON pending_payment",
    "DROP TRIGGER pending_payment_settlement_comes ON pending_payment",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use pending_payment::Column::{SettleReason, SettledAt, SettledBy, SettledPriceCents};
        // The last column has the rule about all of them: an added column may name those that are there.
        let settled_price = big_integer_null(SettledPriceCents).check(is_complete()).take();
        for column in [
            string_len_null(SettleReason, REASON_LENGTH),
            string_len_null(SettledBy, CALLER_LENGTH),
            timestamp_with_time_zone_null(SettledAt),
            settled_price,
        ] {
            manager.alter_table(Table::alter().table(pending_payment::Entity).add_column(column).take()).await?;
        }
        execute(manager, &SQLITE, &POSTGRES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use pending_payment::Column::{SettleReason, SettledAt, SettledBy, SettledPriceCents};
        execute(manager, &SQLITE_DOWN, &POSTGRES_DOWN).await?;
        for column in [SettledPriceCents, SettledAt, SettledBy, SettleReason] {
            manager.alter_table(Table::alter().table(pending_payment::Entity).drop_column(column).take()).await?;
        }
        Ok(())
    }
}

/// All four columns or none.
fn is_complete() -> SimpleExpr {
    use pending_payment::Column::{SettleReason, SettledAt, SettledBy, SettledPriceCents};
    let price = || Expr::col(SettledPriceCents);
    let alike = |column| price().is_null().eq(Expr::col(column).is_null());
    let is_amount = price().between(0, Money::MAX.cents());
    let all_or_none = alike(SettleReason).and(alike(SettledBy)).and(alike(SettledAt));
    all_or_none.and(price().is_null().or(is_amount))
}

async fn execute(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let statements = if manager.get_database_backend() == DbBackend::Sqlite { sqlite } else { postgres };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
