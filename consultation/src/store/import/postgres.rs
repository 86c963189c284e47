//! An import into PostgreSQL: one statement, which is one transaction. With arrays it serves batches of every size.

use chassis::clock;
use entity::consultation::Origin;
use sea_orm::{ActiveEnum, ConnectionTrait, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use super::Imported;

/// An array holds no null: an end at the start, a price of -1 and an empty reason stand for none.
const INSERT: &str = "
    WITH row AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::bigint[],
                $7::text[], $8::uuid[], $9::bigint[], $10::boolean[])
            AS row (id, physician_id, patient_id, start_date, end_date, price_cents, cancel_reason, pending_payment_id,
                tries, finished)
    ), imported AS (
        INSERT INTO consultation
            (id, physician_id, patient_id, start_date, end_date, price_cents, cancel_reason, origin)
        SELECT id, physician_id, patient_id, start_date, NULLIF(end_date, start_date), NULLIF(price_cents, -1),
            NULLIF(cancel_reason, ''), $11
        FROM row
        ON CONFLICT DO NOTHING RETURNING id, price_cents
    ), pending AS (
        INSERT INTO pending_payment (id, appointment_id, total_price_cents, tries, finished, finished_at,
            next_attempt_at, created_at)
        SELECT pending_payment_id, id, imported.price_cents, tries, finished,
            CASE WHEN finished THEN statement_timestamp() END, statement_timestamp(), statement_timestamp()
        FROM imported JOIN row USING (id) WHERE imported.price_cents IS NOT NULL
    )
    SELECT id FROM imported";

pub(super) async fn insert(postgres: &impl ConnectionTrait, rows: &[&Imported]) -> Result<Vec<Uuid>, DbErr> {
    let ids = |of: fn(&Imported) -> Uuid| Value::from(rows.iter().map(|row| of(row)).collect::<Vec<_>>());
    let start_dates: Vec<_> = rows.iter().map(|row| row.start_date).collect();
    let end_dates: Vec<_> = rows.iter().map(|row| row.end_date().unwrap_or(row.start_date)).collect();
    let finished: Vec<_> = rows.iter().map(|row| row.finished()).collect();
    let prices: Vec<_> = finished.iter().map(|row| row.map_or(-1, |(price, _)| price.cents())).collect();
    let tries: Vec<_> = finished.iter().map(|row| row.map_or(0, |(_, payment)| payment.tries)).collect();
    let deliveries: Vec<_> = finished.iter().map(|row| row.is_some_and(|(_, payment)| payment.finished)).collect();
    let reasons: Vec<_> = rows.iter().map(|row| row.cancel_reason().unwrap_or_default().to_owned()).collect();
    let values = [
        ids(|row| row.id),
        ids(|row| row.physician_id),
        ids(|row| row.patient_id),
        start_dates.into(),
        end_dates.into(),
        prices.into(),
        reasons.into(),
        ids(|_| clock::new_id()),
        tries.into(),
        deliveries.into(),
        Origin::Imported.to_value().into(),
    ];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, INSERT, values);
    postgres.query_all_raw(insert).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}
