//! The statements of finance, behind one interface for both databases. Every function fails when the database fails.

mod postgres;
mod sqlite;

use std::{collections::HashMap, sync::Arc};

use chassis::{
    clock,
    database::{Connections, Database, is_one_of},
};
use entity::{
    Money,
    finance_instance::Entity as FinanceInstances,
    payment::{Column, Entity as Payments, Model as Payment},
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter};
use tokio::time::Instant;
use uuid::Uuid;

/// A payment to record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Made before the row is written, so that a repeated write finds its own row.
    pub(crate) id: Uuid,
    pub(crate) made_at: Instant,
    pub(crate) appointment_id: Uuid,
    pub(crate) total_price: Money,
    pub(crate) recorded_by: Arc<str>,
}

impl Record {
    /// A payment of `total_price` for an appointment, which the caller of this name records.
    #[must_use]
    pub fn new(appointment_id: Uuid, total_price: Money, recorded_by: Arc<str>) -> Self {
        Self { id: clock::new_id(), made_at: Instant::now(), appointment_id, total_price, recorded_by }
    }
}

pub(crate) type ByAppointment = HashMap<Uuid, Payment>;

/// Inserts the payments of appointments that have none. Of two rows for one appointment the first is inserted.
pub(crate) async fn insert(database: &Connections, rows: &[Record]) -> Result<ByAppointment, DbErr> {
    let mut rows: Vec<_> = rows.iter().collect();
    // The same order in every process (stable within an appointment): batches cannot deadlock.
    rows.sort_by_key(|row| row.appointment_id);
    match database.get_database_backend() {
        DbBackend::Postgres => postgres::insert(database, &rows).await,
        _ => sqlite::insert(database, rows).await,
    }
}

pub(crate) async fn find(database: &impl ConnectionTrait, appointment_ids: Vec<Uuid>) -> Result<ByAppointment, DbErr> {
    let these = is_one_of(database.get_database_backend(), Column::AppointmentId, appointment_ids);
    let found = Payments::find().filter(these).all(database).await?;
    Ok(found.into_iter().map(|payment| (payment.appointment_id, payment)).collect())
}

/// Reads the instance id, a random id of this database. By it consultation notices that it calls another finance. It is
/// read at each call, since connections may lead to another database from one moment to the next.
pub(crate) async fn instance_id(database: &Database) -> Result<Uuid, DbErr> {
    let row = FinanceInstances::find().one(&database.write).await?;
    Ok(row.ok_or_else(|| DbErr::RecordNotFound("finance_instance has no row".to_owned()))?.id)
}
