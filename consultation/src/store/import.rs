//! The statements of an import: consultations with their pending payments, in one transaction.

mod postgres;
mod sqlite;

use chassis::database::Database;
use chrono::{DateTime, Utc};
use entity::Money;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use uuid::Uuid;

/// A consultation to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) id: Uuid,
    pub(crate) physician_id: Uuid,
    pub(crate) patient_id: Uuid,
    pub(crate) start_date: DateTime<Utc>,
    /// `None` of one in progress.
    pub(crate) ended: Option<Ended>,
}

/// How a consultation has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Finished { end_date: DateTime<Utc>, price: Money, payment: Delivery },
    Cancelled { end_date: DateTime<Utc>, reason: String },
}

/// State of a pending payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) tries: i64,
    /// Finance has confirmed it. Otherwise it is due at once.
    pub(crate) finished: bool,
}

impl Ended {
    pub(crate) fn date(&self) -> DateTime<Utc> {
        match self {
            Self::Finished { end_date, .. } | Self::Cancelled { end_date, .. } => *end_date,
        }
    }
}

impl Imported {
    fn end_date(&self) -> Option<DateTime<Utc>> {
        self.ended.as_ref().map(Ended::date)
    }

    fn finished(&self) -> Option<(Money, Delivery)> {
        match self.ended {
            Some(Ended::Finished { price, payment, .. }) => Some((price, payment)),
            _ => None,
        }
    }

    fn cancel_reason(&self) -> Option<&str> {
        match &self.ended {
            Some(Ended::Cancelled { reason, .. }) => Some(reason),
            _ => None,
        }
    }
}

/// Inserts the consultations that are not there and whose patient is free, each with its pending payment. Returns their
/// ids. A unique index decides, not a prior read.
pub(crate) async fn insert(database: &Database, rows: &[&Imported]) -> Result<Vec<Uuid>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = rows.to_vec();
    // The order of starts: batches of a service beside it cannot deadlock with this one.
    rows.sort_by_key(|row| row.patient_id);
    match database.write.get_database_backend() {
        DbBackend::Postgres => postgres::insert(&database.write, &rows).await,
        _ => sqlite::insert(database.begin().await?, &rows).await,
    }
}
