//! Starting, finishing and cancelling on PostgreSQL: one statement each, which decides and writes.
//!
//! Arrays make one statement for batches of every size. Each connection would plan a list of values anew for each size.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::consultation::Model as Consultation;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::{ByPatient, Ended, Start, cancel::Cancellation};

/// Patients in a consultation are left out first: their rows may be locked. A sub-select in a comparison is looked up
/// in the index, row by row; NOT EXISTS would be planned as a join with all consultations in progress. MATERIALIZED: what
/// is inserted from a table of Citus it would send to a worker in a form that is no SQL.
const INSERT: &str = "
    WITH row AS MATERIALIZED (
        SELECT *
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS row (id, physician_id, patient_id, started_by)
        WHERE (SELECT id FROM consultation WHERE patient_id = row.patient_id AND end_date IS NULL) IS NULL
    )
    INSERT INTO consultation (id, physician_id, patient_id, started_by, start_date)
    SELECT id, physician_id, patient_id, started_by, date_trunc('milliseconds', statement_timestamp()) FROM row
    ON CONFLICT DO NOTHING RETURNING id, start_date";

/// [`INSERT`] for batches in which a row has a start date of its own. An empty text stands for none: an array holds no
/// null.
const INSERT_BACKDATED: &str = "
    WITH row AS MATERIALIZED (
        SELECT *
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
            AS row (id, physician_id, patient_id, started_by, start_date)
        WHERE (SELECT id FROM consultation WHERE patient_id = row.patient_id AND end_date IS NULL) IS NULL
    )
    INSERT INTO consultation (id, physician_id, patient_id, started_by, start_date)
    SELECT id, physician_id, patient_id, started_by,
        coalesce(NULLIF(start_date, '')::timestamptz, date_trunc('milliseconds', statement_timestamp()))
    FROM row
    ON CONFLICT DO NOTHING RETURNING id, start_date";

/// Ends the consultations that are still in progress and enqueues their payments. Rows that another session has locked
/// are skipped. Rows are locked in the order of their ids, the same in every process: batches cannot deadlock.
const FINISH: &str = "
    WITH in_progress AS MATERIALIZED (
        SELECT id FROM consultation WHERE id = ANY($1::uuid[]) AND end_date IS NULL
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), finished AS (
        UPDATE consultation SET end_date = row.end_date, price_cents = row.price_cents, finished_by = row.finished_by
        FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::uuid[], $5::text[], $6::text[])
            AS row (id, end_date, price_cents, pending_payment_id, finished_by, trace_parent) JOIN in_progress USING (id)
        WHERE consultation.id = row.id
        RETURNING consultation.id, consultation.price_cents, row.pending_payment_id, row.trace_parent
    )
    INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at, trace_parent)
    SELECT pending_payment_id, id, price_cents, statement_timestamp(), statement_timestamp(),
        NULLIF(trace_parent, '')
    FROM finished
    RETURNING appointment_id";

/// [`FINISH`] for one consultation, without arrays: PostgreSQL plans short arrays anew each time, which takes as long
/// as the statement itself.
const FINISH_ONE: &str = "
    WITH in_progress AS MATERIALIZED (
        SELECT id FROM consultation WHERE id = $1::uuid AND end_date IS NULL
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), finished AS (
        UPDATE consultation SET end_date = row.end_date, price_cents = row.price_cents, finished_by = row.finished_by
        FROM (SELECT $1::uuid, $2::timestamptz, $3::bigint, $4::uuid, $5::text, $6::text)
            AS row (id, end_date, price_cents, pending_payment_id, finished_by, trace_parent) JOIN in_progress USING (id)
        WHERE consultation.id = row.id
        RETURNING consultation.id, consultation.price_cents, row.pending_payment_id, row.trace_parent
    )
    INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at, trace_parent)
    SELECT pending_payment_id, id, price_cents, statement_timestamp(), statement_timestamp(),
        NULLIF(trace_parent, '')
    FROM finished
    RETURNING appointment_id";

/// Cancels a consultation that is still in progress, unless another session has locked it. Citus refuses to add to a
/// column in the session's time zone.
const CANCEL: &str = "
    WITH in_progress AS MATERIALIZED (
        SELECT id FROM consultation WHERE id = $1::uuid AND end_date IS NULL FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE consultation SET cancel_reason = $2::text, cancelled_by = $3::text,
        end_date = greatest(date_trunc('milliseconds', statement_timestamp()),
            (start_date AT TIME ZONE 'UTC' + interval '1 millisecond') AT TIME ZONE 'UTC')
    FROM in_progress WHERE consultation.id = in_progress.id
    RETURNING consultation.*";

pub(super) async fn insert(postgres: &impl ConnectionTrait, rows: &[&Start]) -> Result<ByPatient, DbErr> {
    let ids = |of: fn(&Start) -> Uuid| rows.iter().map(|row| of(row)).collect::<Vec<_>>().into();
    let started_by: Vec<_> = rows.iter().map(|row| row.started_by.as_ref().to_owned()).collect();
    let columns = [ids(|row| row.id), ids(|row| row.physician_id), ids(|row| row.patient_id), started_by.into()];
    let insert = if rows.iter().any(|row| row.date.is_some()) {
        let start_dates: Vec<_> = rows.iter().map(|row| row.date.map_or_else(String::new, rfc3339)).collect();
        let columns = columns.into_iter().chain([start_dates.into()]);
        Statement::from_sql_and_values(DbBackend::Postgres, INSERT_BACKDATED, columns)
    } else {
        Statement::from_sql_and_values(DbBackend::Postgres, INSERT, columns)
    };
    let inserted = postgres.query_all_raw(insert).await?;
    let start_dates: HashMap<Uuid, DateTime<Utc>> = inserted
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<_, DbErr>>()?;
    let started = |row: &&Start| {
        let Start { id, physician_id, patient_id, .. } = **row;
        let start_date = *start_dates.get(&id)?;
        let started = Consultation {
            id,
            physician_id,
            patient_id,
            start_date,
            started_by: Some(row.started_by.as_ref().to_owned()),
            end_date: None,
            price_cents: None,
            finished_by: None,
            cancel_reason: None,
            cancelled_by: None,
            origin: None,
        };
        Some((patient_id, started))
    };
    Ok(rows.iter().filter_map(started).collect())
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Returns the consultations that were in progress until now.
pub(super) async fn finish(postgres: &impl ConnectionTrait, rows: &[Ended]) -> Result<Vec<Uuid>, DbErr> {
    let (sql, values): (_, [Value; 6]) = match rows {
        [] => return Ok(Vec::new()),
        [Ended { consultation_id, end, pending_payment_id, finished_by, created }] => {
            let (date, price, by) = (end.date.into(), end.price.cents().into(), finished_by.as_ref().into());
            let (id, payment, trace) =
                (*consultation_id, *pending_payment_id, created.trace_parent().unwrap_or_default());
            (FINISH_ONE, [id.into(), date, price, payment.into(), by, trace.into()])
        }
        _ => {
            let ids = |of: fn(&Ended) -> Uuid| rows.iter().map(of).collect::<Vec<_>>();
            let end_dates: Vec<_> = rows.iter().map(|row| row.end.date).collect();
            let prices: Vec<_> = rows.iter().map(|row| row.end.price.cents()).collect();
            let (consultations, payments) = (ids(|row| row.consultation_id), ids(|row| row.pending_payment_id));
            let finished_by: Vec<_> = rows.iter().map(|row| row.finished_by.as_ref().to_owned()).collect();
            // An array holds no null.
            let traces: Vec<_> = rows.iter().map(|row| row.created.trace_parent().unwrap_or_default()).collect();
            let (by, traces) = (finished_by.into(), traces.into());
            (FINISH, [consultations.into(), end_dates.into(), prices.into(), payments.into(), by, traces])
        }
    };
    let finish = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    postgres.query_all_raw(finish).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Returns the cancelled consultation, or `None` if it was not in progress or is locked.
pub(super) async fn cancel(postgres: &impl ConnectionTrait, row: &Cancellation) -> Result<Option<Consultation>, DbErr> {
    let Cancellation { consultation_id, reason, cancelled_by } = row;
    let values = [(*consultation_id).into(), reason.as_str().into(), cancelled_by.as_ref().into()];
    let cancel = Statement::from_sql_and_values(DbBackend::Postgres, CANCEL, values);
    let row = postgres.query_one_raw(cancel).await?;
    row.map(|row| Consultation::from_query_result(&row, "")).transpose()
}

#[cfg(test)]
mod tests {
    use migration::consultation::Migrator;
    use rstest::rstest;
    use testkit::{Backend, TestDatabase};

    use super::*;

    #[rstest]
    #[case::now(INSERT)]
    #[case::backdated(INSERT_BACKDATED)]
    #[tokio::test]
    async fn a_start_looks_up_its_own_patient_however_many_others_are_in_consultations(#[case] insert: &str) {
        let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
        db.database.migrate::<Migrator>().await.expect("migrated");
        let database = &db.database.write;
        let others = "INSERT INTO consultation (id, physician_id, patient_id, start_date)
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now() FROM generate_series(1, 10000)";
        for sql in [others, "ANALYZE"] {
            database.execute_unprepared(sql).await.expect("prepared");
        }
        let [id, physician, patient] = [(); 3].map(|()| vec![Uuid::new_v4()].into());
        let [caller, start_date] = [vec!["ana".to_owned()].into(), vec![String::new()].into()];
        let arrays = [id, physician, patient, caller, start_date].into_iter().take(insert.matches("[]").count());
        let explain = format!("EXPLAIN {insert}");
        let lines = database.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, explain, arrays));
        let lines = lines.await.expect("a plan");
        let plan: String =
            lines.iter().map(|line| line.try_get_by_index::<String>(0).expect("a line") + "\n").collect();
        assert!(plan.contains("Index Cond: (patient_id = ") && !plan.contains("Join"), "{plan}");
    }
}
