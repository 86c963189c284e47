//! The statements of exports and of forgetting, on the consultations of one patient and their payments. On SQLite the lock of a row is that
//! of the database, which a write transaction has taken.

use chassis::database::is_one_of;
use chrono::{DateTime, Utc};
use entity::{
    consultation::{Column, Entity as Consultations, Model as Consultation},
    pending_payment::{Column as Payment, Entity as PendingPayments},
    redelivery::{Column as Redelivery, Entity as Redeliveries},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, IntoIden, Keyword, LockType, Query, TableRef, ValueTuple},
};
use uuid::Uuid;

/// What a forgotten patient leaves of a reason. Of that of a settlement the database accepts no other change.
const FORGOTTEN: &str = "forgotten";

/// Finds at most `limit` of the patient's consultations after the id `after`, in the order of their ids.
pub(crate) async fn find_of_patient(
    database: &impl ConnectionTrait,
    patient_id: Uuid,
    after: Uuid,
    limit: u64,
) -> Result<Vec<Consultation>, DbErr> {
    let of_patient = Consultations::find().filter(Column::PatientId.eq(patient_id)).filter(Column::Id.gt(after));
    of_patient.order_by_asc(Column::Id).limit(limit).all(database).await
}

/// Locks the patient's consultations until the end of the transaction. Returns their ids and end dates.
///
/// The order is the same in every process, so that two transactions cannot deadlock.
pub(crate) async fn lock_of_patient(
    transaction: &impl ConnectionTrait,
    patient_id: Uuid,
) -> Result<Vec<(Uuid, Option<DateTime<Utc>>)>, DbErr> {
    let of_patient = Consultations::find().filter(Column::PatientId.eq(patient_id)).order_by_asc(Column::Id);
    let locked = of_patient.lock(LockType::NoKeyUpdate).select_only().columns([Column::Id, Column::EndDate]);
    locked.into_tuple().all(transaction).await
}

/// Gives each of these consultations the id of a patient of its own. The reason of a cancellation is replaced as well:
/// it is free text, which may say whom it is about.
pub(crate) async fn replace_patients(
    transaction: &impl ConnectionTrait,
    replacements: impl Iterator<Item = (Uuid, Uuid)>,
) -> Result<u64, DbErr> {
    let rows = replacements.map(|(id, patient_id)| ValueTuple::Two(id.into(), patient_id.into())).collect();
    // Both databases name the columns of a VALUES list so.
    let value = |column: &'static str| Expr::col(("replacement", column));
    let is_cancelled = Expr::col((Consultations, Column::CancelReason)).is_not_null();
    let update = Query::update()
        .table(Consultations)
        .from(TableRef::ValuesList(rows, "replacement".into_iden()))
        .value(Column::PatientId, value("column2"))
        .value(Column::CancelReason, Expr::case(is_cancelled, FORGOTTEN).finally(Keyword::Null))
        .and_where(Expr::col((Consultations, Column::Id)).eq(value("column1")))
        .to_owned();
    Ok(transaction.execute(&update).await?.rows_affected())
}

/// Replaces the reasons of settlements of these consultations, also of those before a redelivery. They are free text as
/// those of cancellations are.
pub(crate) async fn replace_settle_reasons(
    transaction: &impl ConnectionTrait,
    consultations: impl Iterator<Item = Uuid>,
) -> Result<(), DbErr> {
    let (backend, ids) = (transaction.get_database_backend(), consultations.collect::<Vec<_>>());
    let lost = is_one_of(backend, Redelivery::AppointmentId, ids.clone());
    let theirs = is_one_of(backend, Payment::AppointmentId, ids);
    let settled = PendingPayments::update_many().col_expr(Payment::SettleReason, FORGOTTEN.into());
    settled.filter(theirs).filter(Payment::SettleReason.is_not_null()).exec(transaction).await?;
    let before = Redeliveries::update_many().col_expr(Redelivery::SettleReason, FORGOTTEN.into());
    before.filter(lost).filter(Redelivery::SettleReason.is_not_null()).exec(transaction).await.map(drop)
}
