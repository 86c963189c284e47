//! An import into SQLite: one transaction, which has locked the database.

use std::collections::HashSet;

use chassis::{
    clock,
    database::{Transaction, now},
};
use entity::{
    consultation::{Column, Entity as Consultations, Origin},
    pending_payment,
};
use sea_orm::{
    ActiveEnum, ConnectionTrait, DbErr,
    sea_query::{Expr, OnConflict, Query},
};
use uuid::Uuid;

use super::Imported;

pub(super) async fn insert(transaction: Transaction, rows: &[&Imported]) -> Result<Vec<Uuid>, DbErr> {
    let ids = insert_consultations(&transaction, rows).await?;
    let inserted: HashSet<_> = ids.iter().copied().collect();
    insert_pending(&transaction, rows.iter().copied().filter(|row| inserted.contains(&row.id))).await?;
    transaction.commit().await?;
    Ok(ids)
}

async fn insert_consultations(transaction: &Transaction, rows: &[&Imported]) -> Result<Vec<Uuid>, DbErr> {
    use Column::{CancelReason, EndDate, Id, PatientId, PhysicianId, PriceCents, StartDate};
    let columns = [Id, PhysicianId, PatientId, StartDate, EndDate, PriceCents, CancelReason, Column::Origin];
    let mut insert = Query::insert().into_table(Consultations).columns(columns).to_owned();
    for row in rows {
        let price = row.finished().map(|(price, _)| price.cents());
        insert.values_panic([
            row.id.into(),
            row.physician_id.into(),
            row.patient_id.into(),
            row.start_date.into(),
            row.end_date().into(),
            price.into(),
            row.cancel_reason().map(str::to_owned).into(),
            Origin::Imported.to_value().into(),
        ]);
    }
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_col(Id);
    transaction.query_all(&insert).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Adds the pending payments of those that are finished.
async fn insert_pending(database: &Transaction, rows: impl Iterator<Item = &Imported>) -> Result<(), DbErr> {
    use pending_payment::Column::{
        AppointmentId, CreatedAt, Finished, FinishedAt, Id, NextAttemptAt, TotalPriceCents, Tries,
    };
    let columns = [Id, AppointmentId, TotalPriceCents, Tries, Finished, FinishedAt, NextAttemptAt, CreatedAt];
    let mut insert = Query::insert().into_table(pending_payment::Entity).columns(columns).to_owned();
    let now = || now(database.get_database_backend());
    let mut is_empty = true;
    for (id, (price, payment)) in rows.filter_map(|row| Some((row.id, row.finished()?))) {
        let finished_at = if payment.finished { now() } else { Expr::null() };
        insert.values_panic([
            clock::new_id().into(),
            id.into(),
            price.cents().into(),
            payment.tries.into(),
            payment.finished.into(),
            finished_at,
            now(),
            now(),
        ]);
        is_empty = false;
    }
    if is_empty { Ok(()) } else { database.execute(&insert).await.map(drop) }
}
