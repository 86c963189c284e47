//! Starting and finishing on SQLite: one writer at a time, whose transaction has locked the database.

use chassis::database::{Transaction, now};
use entity::consultation::{Column, Entity as Consultations, Model as Consultation};
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult,
    sea_query::{Expr, ExprTrait, IntoIden, OnConflict, Query, TableRef, ValueTuple},
};
use uuid::Uuid;

use super::{ByPatient, Ended, Start};
use crate::outbox::store::{Enqueue, enqueue};

pub(super) async fn insert(sqlite: &impl ConnectionTrait, rows: Vec<&Start>) -> Result<ByPatient, DbErr> {
    let columns = [Column::Id, Column::PhysicianId, Column::PatientId, Column::StartDate];
    let mut insert = Query::insert().into_table(Consultations).columns(columns).to_owned();
    for Start { id, physician_id, patient_id } in rows {
        let now = now(sqlite.get_database_backend());
        insert.values_panic([(*id).into(), (*physician_id).into(), (*patient_id).into(), now]);
    }
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_all();
    let inserted = sqlite.query_all(&insert).await?;
    let started = inserted.iter().map(|row| {
        let consultation = Consultation::from_query_result(row, "")?;
        Ok((consultation.patient_id, consultation))
    });
    started.collect()
}

/// Finishes consultations that were found in progress in this transaction, and returns their ids.
pub(super) async fn finish(transaction: Transaction, rows: &[Ended]) -> Result<Vec<Uuid>, DbErr> {
    if !rows.is_empty() {
        end(&transaction, rows).await?;
        let payments: Vec<_> = rows.iter().map(Enqueue::from).collect();
        enqueue(&transaction, &payments).await?;
    }
    transaction.commit().await?;
    Ok(rows.iter().map(|row| row.consultation_id).collect())
}

/// Writes end and price of all in one statement.
async fn end(transaction: &Transaction, rows: &[Ended]) -> Result<(), DbErr> {
    let values = rows.iter().map(|Ended { consultation_id, end, .. }| {
        ValueTuple::Three((*consultation_id).into(), end.date.into(), end.price.cents().into())
    });
    // Both databases name the columns of a VALUES list so.
    let value = |column: &'static str| Expr::col(("finished", column));
    let update = Query::update()
        .table(Consultations)
        .from(TableRef::ValuesList(values.collect(), "finished".into_iden()))
        .value(Column::EndDate, value("column2"))
        .value(Column::PriceCents, value("column3"))
        .and_where(Expr::col((Consultations, Column::Id)).eq(value("column1")))
        .to_owned();
    let updated = transaction.execute(&update).await?.rows_affected();
    match usize::try_from(updated) {
        Ok(updated) if updated == rows.len() => Ok(()),
        _ => Err(DbErr::Custom(format!("{updated} consultations were updated instead of {}", rows.len()))),
    }
}

impl From<&Ended> for Enqueue {
    fn from(Ended { consultation_id, end, pending_payment_id }: &Ended) -> Self {
        Self { id: *pending_payment_id, appointment_id: *consultation_id, total_price: end.price }
    }
}
