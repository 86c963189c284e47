//! The statements of the writers, behind one interface for both databases. PostgreSQL finishes without a transaction,
//! SQLite within one; this module has the common part. Every function fails when the database fails.

pub(crate) mod cancel;
pub(crate) mod import;
pub(crate) mod patient;
mod postgres;
mod sqlite;

use std::{collections::HashMap, sync::Arc};

use chassis::{
    database::{Connections, Database, Transaction, is_one_of, now},
    traces::Span,
};
use chrono::{DateTime, Utc};
use entity::{
    consultation::{Column, Entity as Consultations, Model as Consultation},
    pending_payment,
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QuerySelect,
    sea_query::Query,
};
use uuid::Uuid;

use crate::rules::End;

/// The column with the database's clock.
const NOW: &str = "now";

/// A consultation to start.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Made before the row is written, so that a repeated write finds its own row.
    pub(crate) id: Uuid,
    pub(crate) physician_id: Uuid,
    pub(crate) patient_id: Uuid,
    /// Its start. By default the database's time at which it is inserted.
    pub(crate) date: Option<DateTime<Utc>>,
    pub(crate) started_by: Arc<str>,
}

pub(crate) type ByPatient = HashMap<Uuid, Consultation>;

/// Inserts the consultations whose patient is free: the partial unique index decides, not a prior read. Of two rows for
/// one patient the first is inserted.
pub(crate) async fn insert(database: &Connections, rows: &[Start]) -> Result<ByPatient, DbErr> {
    let mut rows: Vec<_> = rows.iter().collect();
    // The same order in every process (stable within a patient): batches cannot deadlock.
    rows.sort_by_key(|row| row.patient_id);
    match database.get_database_backend() {
        DbBackend::Postgres => postgres::insert(database, &rows).await,
        _ => sqlite::insert(database, rows).await,
    }
}

/// Reads the database's clock.
pub(crate) async fn time(database: &impl ConnectionTrait) -> Result<DateTime<Utc>, DbErr> {
    let clock = Query::select().expr_as(now(database.get_database_backend()), NOW).to_owned();
    let row = database.query_one(&clock).await?;
    row.ok_or_else(|| DbErr::Custom("the database's clock gave no row".to_owned()))?.try_get("", NOW)
}

/// Finds the consultations in progress of these patients.
pub(crate) async fn find_in_progress(
    database: &impl ConnectionTrait,
    patient_ids: Vec<Uuid>,
) -> Result<ByPatient, DbErr> {
    let of_patients = is_one_of(database.get_database_backend(), Column::PatientId, patient_ids);
    Ok(by_patient(Consultations::find_in_progress().filter(of_patients).all(database).await?))
}

/// Finds the consultations that earlier attempts to write the rows with these ids have started.
pub(crate) async fn find_started(database: &Transaction, ids: impl Iterator<Item = Uuid>) -> Result<ByPatient, DbErr> {
    let own = is_one_of(database.get_database_backend(), Column::Id, ids);
    Ok(by_patient(Consultations::find().filter(own).all(database).await?))
}

fn by_patient(consultations: Vec<Consultation>) -> ByPatient {
    consultations.into_iter().map(|consultation| (consultation.patient_id, consultation)).collect()
}

/// Consultations by their ids.
#[derive(Debug)]
pub(crate) struct Found {
    /// Each with the database's time at which it was read.
    pub(crate) consultations: HashMap<Uuid, (Consultation, DateTime<Utc>)>,
    /// The pending payments of the finished consultations, whose ids tell which request finished them.
    pub(crate) pending_payments: HashMap<Uuid, Uuid>,
}

impl Found {
    pub(crate) fn is_in_progress(&self, id: Uuid) -> bool {
        self.consultations.get(&id).is_some_and(|(consultation, _)| consultation.end_date.is_none())
    }
}

pub(crate) async fn find(database: &impl ConnectionTrait, ids: impl Iterator<Item = Uuid>) -> Result<Found, DbErr> {
    let backend = database.get_database_backend();
    let these = Consultations::find().filter(is_one_of(backend, Column::Id, ids)).column_as(now(backend), NOW);
    let rows = these.into_model::<ConsultationNow>().all(database).await?;
    let finished = rows.iter().filter(|row| row.consultation.price_cents.is_some());
    let pending_payments = pending_payment_ids(database, finished.map(|row| row.consultation.id).collect()).await?;
    let consultations = rows.into_iter().map(|row| (row.consultation.id, (row.consultation, row.now))).collect();
    Ok(Found { consultations, pending_payments })
}

/// The ids of the pending payments of these consultations, by consultation.
async fn pending_payment_ids(
    database: &impl ConnectionTrait,
    consultation_ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, Uuid>, DbErr> {
    use pending_payment::Column::{AppointmentId, Id};
    if consultation_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let of_them = is_one_of(database.get_database_backend(), AppointmentId, consultation_ids);
    let ids = pending_payment::Entity::find().select_only().columns([AppointmentId, Id]).filter(of_them);
    Ok(ids.into_tuple::<(Uuid, Uuid)>().all(database).await?.into_iter().collect())
}

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

/// The end of a consultation, and the id of the payment that is enqueued with it.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) consultation_id: Uuid,
    pub(crate) end: End,
    pub(crate) pending_payment_id: Uuid,
    pub(crate) finished_by: Arc<str>,
    /// The span in which the pending payment is made: the parent of what is done with it later.
    pub(crate) created: Span,
}

/// Reads consultations, then ends them.
#[derive(Debug)]
pub(crate) struct FinishSession<'a> {
    connections: &'a Connections,
    /// On SQLite a transaction. It locks the whole database when it begins. On PostgreSQL none: locks between reading
    /// and writing would take three more round trips. Of the values read, only whether a consultation is in progress
    /// can change, and the write itself checks that.
    lock: Option<Transaction>,
}

impl<'a> FinishSession<'a> {
    pub(crate) async fn begin(database: &'a Database) -> Result<Self, DbErr> {
        let lock = match database.write.get_database_backend() {
            DbBackend::Postgres => None,
            _ => Some(database.begin().await?),
        };
        Ok(Self { connections: &database.write, lock })
    }

    /// Whether no other session can have finished the consultations since they were read.
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    pub(crate) async fn find(&self, ids: impl Iterator<Item = Uuid>) -> Result<Found, DbErr> {
        match &self.lock {
            None => find(self.connections, ids).await,
            Some(transaction) => find(transaction, ids).await,
        }
    }

    /// Ends the consultations, enqueues their payments, and commits. Returns the ids of those that were in progress
    /// until then.
    pub(crate) async fn commit(self, ended: &[Ended]) -> Result<Vec<Uuid>, DbErr> {
        match self.lock {
            None => postgres::finish(self.connections, ended).await,
            Some(transaction) => sqlite::finish(transaction, ended).await,
        }
    }
}
