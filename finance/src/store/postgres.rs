//! Recording on PostgreSQL.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::payment::Model as Payment;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use uuid::Uuid;

use super::{ByAppointment, Record};

/// Arrays make one statement for batches of every size. Each connection would plan a list of values anew for each size.
const INSERT: &str = "
    INSERT INTO payment (id, appointment_id, total_price_cents, recorded_by, recorded_at)
    SELECT id, appointment_id, total_price_cents, recorded_by, date_trunc('milliseconds', statement_timestamp())
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[])
        AS row (id, appointment_id, total_price_cents, recorded_by)
    ON CONFLICT DO NOTHING RETURNING id, recorded_at";

pub(super) async fn insert(postgres: &impl ConnectionTrait, rows: &[&Record]) -> Result<ByAppointment, DbErr> {
    let ids = |of: fn(&Record) -> Uuid| rows.iter().map(|row| of(row)).collect::<Vec<_>>().into();
    let total_prices: Vec<_> = rows.iter().map(|row| row.total_price.cents()).collect();
    let recorded_by: Vec<_> = rows.iter().map(|row| row.recorded_by.as_ref().to_owned()).collect();
    let columns = [ids(|row| row.id), ids(|row| row.appointment_id), total_prices.into(), recorded_by.into()];
    let inserted = postgres.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, INSERT, columns)).await?;
    let dates: HashMap<Uuid, DateTime<Utc>> = inserted
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<_, DbErr>>()?;
    let recorded = |row: &&Record| {
        let Record { id, appointment_id, total_price: total_price_cents, .. } = **row;
        let (recorded_at, recorded_by) = (*dates.get(&id)?, Some(row.recorded_by.as_ref().to_owned()));
        Some((appointment_id, Payment { id, appointment_id, total_price_cents, recorded_at, recorded_by }))
    };
    Ok(rows.iter().filter_map(recorded).collect())
}
