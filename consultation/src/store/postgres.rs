//! What finishing reads and writes.

use std::collections::{HashMap, HashSet};

use chassis::database::{is_one_of, now};
use chrono::{DateTime, Utc};
use entity::consultation::{Column, Entity as Consultations, Model as Consultation};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QuerySelect, Statement,
    Value,
    sea_query::{Expr, ExprTrait, IntoIden, Query, TableRef, ValueTuple},
};
use uuid::Uuid;

use super::Finish;
use crate::outbox::store::Enqueue;

/// The column with the database's clock.
const NOW: &str = "now";

/// Ends those that are in progress still and enqueues their payments. Nobody waits for a lock that somebody else has on
/// one of them, and rows are locked in the order of their ids, the same in every process: batches cannot deadlock.
macro_rules! finish {
    (id $is_one_of_ids:literal, $rows:literal) => {
        concat!(
            "WITH in_progress AS MATERIALIZED (
                 SELECT id FROM consultation WHERE id ",
            $is_one_of_ids,
            " AND end_date IS NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
             ), finished AS (
                 UPDATE consultation SET end_date = row.end_date, price_cents = row.price_cents
                 FROM ",
            $rows,
            " AS row (id, end_date, price_cents, pending_payment_id) JOIN in_progress USING (id)
                 WHERE consultation.id = row.id
                 RETURNING consultation.id, consultation.price_cents, row.pending_payment_id
             )
             INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at)
             SELECT pending_payment_id, id, price_cents, statement_timestamp(), statement_timestamp() FROM finished
             RETURNING appointment_id"
        )
    };
}

/// One statement for batches of every size.
const FINISH_ARRAYS: &str =
    finish!(id "= ANY($1::uuid[])", "unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::uuid[])");
/// PostgreSQL would plan short arrays anew each time, which takes as long as to finish one.
const FINISH_ONE: &str = finish!(id "= $1::uuid", "(SELECT $1::uuid, $2::timestamptz, $3::bigint, $4::uuid)");

/// Reads the consultations, and the database's clock.
pub(super) async fn find(
    database: &impl ConnectionTrait,
    rows: &[Finish],
) -> Result<(HashMap<Uuid, Consultation>, Option<DateTime<Utc>>), DbErr> {
    let backend = database.get_database_backend();
    let ids = rows.iter().map(|row| row.consultation_id);
    let these = Consultations::find().filter(is_one_of(backend, Column::Id, ids));
    let found = these.column_as(now(backend), NOW).into_model::<ConsultationNow>().all(database).await?;
    let now = found.first().map(|found| found.now);
    Ok((found.into_iter().map(|found| (found.consultation.id, found.consultation)).collect(), now))
}

/// A consultation, and when it was read.
struct ConsultationNow {
    consultation: Consultation,
    now: DateTime<Utc>,
}

impl FromQueryResult for ConsultationNow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let consultation = Consultation::from_query_result(row, prefix)?;
        Ok(Self { consultation, now: row.try_get(prefix, NOW)? })
    }
}

/// Returns the consultations that were in progress still and are finished now.
pub(super) async fn finish(
    postgres: &impl ConnectionTrait,
    finished: &[(Enqueue, DateTime<Utc>)],
) -> Result<HashSet<Uuid>, DbErr> {
    let (sql, values): (_, [Value; 4]) = match finished {
        [] => return Ok(HashSet::new()),
        [(Enqueue { id, appointment_id, total_price }, end_date)] => {
            (FINISH_ONE, [(*appointment_id).into(), (*end_date).into(), total_price.cents().into(), (*id).into()])
        }
        _ => {
            let ids = |of: fn(&Enqueue) -> Uuid| finished.iter().map(|(payment, _)| of(payment)).collect::<Vec<_>>();
            let end_dates: Vec<_> = finished.iter().map(|(_, end_date)| *end_date).collect();
            let prices: Vec<_> = finished.iter().map(|(payment, _)| payment.total_price.cents()).collect();
            let (appointment_ids, payment_ids) = (ids(|payment| payment.appointment_id), ids(|payment| payment.id));
            (FINISH_ARRAYS, [appointment_ids.into(), end_dates.into(), prices.into(), payment_ids.into()])
        }
    };
    let finish = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    postgres.query_all_raw(finish).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Writes end and price of all in one statement, in a transaction in which they were found in progress.
pub(super) async fn update(
    transaction: &impl ConnectionTrait,
    finished: &[(Enqueue, DateTime<Utc>)],
) -> Result<(), DbErr> {
    let rows = finished.iter().map(|(payment, end_date)| {
        ValueTuple::Three(payment.appointment_id.into(), (*end_date).into(), payment.total_price.cents().into())
    });
    // Both databases call the columns of a VALUES list so.
    let value = |column: &'static str| Expr::col(("finished", column));
    let update = Query::update()
        .table(Consultations)
        .from(TableRef::ValuesList(rows.collect(), "finished".into_iden()))
        .value(Column::EndDate, value("column2"))
        .value(Column::PriceCents, value("column3"))
        .and_where(Expr::col((Consultations, Column::Id)).eq(value("column1")))
        .to_owned();
    let updated = transaction.execute(&update).await?.rows_affected();
    match usize::try_from(updated) {
        Ok(updated) if updated == finished.len() => Ok(()),
        _ => Err(DbErr::Custom(format!("{updated} consultations were updated instead of {}", finished.len()))),
    }
}
