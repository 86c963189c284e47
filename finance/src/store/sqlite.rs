//! Recording on SQLite.

use chassis::database::now;
use entity::payment::{Column, Entity as Payments, Model as Payment};
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult,
    sea_query::{OnConflict, Query},
};

use super::{ByAppointment, Record};

pub(super) async fn insert(sqlite: &impl ConnectionTrait, rows: Vec<&Record>) -> Result<ByAppointment, DbErr> {
    let columns = [Column::Id, Column::AppointmentId, Column::TotalPriceCents, Column::RecordedAt, Column::RecordedBy];
    let mut insert = Query::insert().into_table(Payments).columns(columns).to_owned();
    for Record { id, appointment_id, total_price, recorded_by, .. } in rows {
        let (recorded_at, by) = (now(sqlite.get_database_backend()), recorded_by.as_ref().into());
        insert.values_panic([(*id).into(), (*appointment_id).into(), total_price.cents().into(), recorded_at, by]);
    }
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_all();
    let inserted = sqlite.query_all(&insert).await?;
    let recorded = inserted.iter().map(|row| {
        let payment = Payment::from_query_result(row, "")?;
        Ok((payment.appointment_id, payment))
    });
    recorded.collect()
}
