//! Starting, finishing and cancelling on SQLite: one writer at a time, whose transaction has locked the database.

use chassis::database::{Transaction, now};
use chrono::{DateTime, Utc};
use entity::{
    consultation::{Column, Entity as Consultations, Model as Consultation},
    pending_payment,
};
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult,
    sea_query::{Expr, ExprTrait, IntoIden, OnConflict, Query, SimpleExpr, TableRef, ValueTuple},
};
use uuid::Uuid;

use super::{ByPatient, Ended, Start, cancel::Cancellation};

pub(super) async fn insert(sqlite: &impl ConnectionTrait, rows: Vec<&Start>) -> Result<ByPatient, DbErr> {
    let columns = [Column::Id, Column::PhysicianId, Column::PatientId, Column::StartDate, Column::StartedBy];
    let mut insert = Query::insert().into_table(Consultations).columns(columns).to_owned();
    for Start { id, physician_id, patient_id, date, started_by } in rows {
        let start_date = date.map_or_else(|| now(sqlite.get_database_backend()), time);
        let started_by = started_by.as_ref().into();
        insert.values_panic([(*id).into(), (*physician_id).into(), (*patient_id).into(), start_date, started_by]);
    }
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_all();
    let inserted = sqlite.query_all(&insert).await?;
    let started = inserted.iter().map(|row| {
        let consultation = Consultation::from_query_result(row, "")?;
        Ok((consultation.patient_id, consultation))
    });
    started.collect()
}

/// A time in the form in which [`now`] writes it, so that the order of the texts is that of the times.
fn time(time: DateTime<Utc>) -> SimpleExpr {
    time.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string().into()
}

/// Cancels a consultation that was found in progress in this transaction.
pub(super) async fn cancel(
    transaction: &Transaction,
    row: &Cancellation,
    end: DateTime<Utc>,
) -> Result<Consultation, DbErr> {
    let Cancellation { consultation_id, reason, cancelled_by } = row;
    let cancel = Query::update()
        .table(Consultations)
        .value(Column::EndDate, time(end))
        .value(Column::CancelReason, reason.as_str())
        .value(Column::CancelledBy, cancelled_by.as_ref())
        .and_where(Expr::col(Column::Id).eq(*consultation_id))
        .returning_all()
        .to_owned();
    let row = transaction.query_one(&cancel).await?;
    let row = row.ok_or_else(|| DbErr::Custom("a consultation that was found was not updated".to_owned()))?;
    Consultation::from_query_result(&row, "")
}

/// Finishes consultations that were found in progress in this transaction, and returns their ids.
pub(super) async fn finish(transaction: Transaction, rows: &[Ended]) -> Result<Vec<Uuid>, DbErr> {
    if !rows.is_empty() {
        end(&transaction, rows).await?;
        enqueue(&transaction, rows).await?;
    }
    transaction.commit().await?;
    Ok(rows.iter().map(|row| row.consultation_id).collect())
}

/// Writes end, price and caller of all in one statement.
async fn end(transaction: &Transaction, rows: &[Ended]) -> Result<(), DbErr> {
    let values = rows.iter().map(|Ended { consultation_id, end, finished_by, .. }| {
        let [date, price, by] = [end.date.into(), end.price.cents().into(), finished_by.as_ref().into()];
        ValueTuple::Many(vec![(*consultation_id).into(), date, price, by])
    });
    // Both databases name the columns of a VALUES list so.
    let value = |column: &'static str| Expr::col(("finished", column));
    let update = Query::update()
        .table(Consultations)
        .from(TableRef::ValuesList(values.collect(), "finished".into_iden()))
        .value(Column::EndDate, value("column2"))
        .value(Column::PriceCents, value("column3"))
        .value(Column::FinishedBy, value("column4"))
        .and_where(Expr::col((Consultations, Column::Id)).eq(value("column1")))
        .to_owned();
    let updated = transaction.execute(&update).await?.rows_affected();
    match usize::try_from(updated) {
        Ok(updated) if updated == rows.len() => Ok(()),
        _ => Err(DbErr::Custom(format!("{updated} consultations were updated instead of {}", rows.len()))),
    }
}

/// Adds the pending payments, which are due at once.
async fn enqueue(database: &impl ConnectionTrait, rows: &[Ended]) -> Result<(), DbErr> {
    use pending_payment::Column::{AppointmentId, CreatedAt, Id, NextAttemptAt, TotalPriceCents, TraceParent};
    let now = || now(database.get_database_backend());
    let columns = [Id, AppointmentId, TotalPriceCents, NextAttemptAt, CreatedAt, TraceParent];
    let mut insert = Query::insert().into_table(pending_payment::Entity).columns(columns).to_owned();
    for Ended { consultation_id, end, pending_payment_id, created, .. } in rows {
        let (id, price) = ((*pending_payment_id).into(), end.price.cents().into());
        let trace_parent = created.trace_parent().into();
        insert.values_panic([id, (*consultation_id).into(), price, now(), now(), trace_parent]);
    }
    database.execute(&insert).await.map(drop)
}
