//! The newest consultation in progress of each patient. The predecessor allowed several; here a patient has one.

use std::collections::HashMap;

use chassis::{database::source::Source, import::Batches};
use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    mapping::{Bounds, Mapped, map, superseded},
    record::{OPEN, Record},
};

/// By patient. It is in memory: a patient takes some 50 bytes.
#[derive(Debug, Default)]
pub(super) struct Newest(HashMap<Uuid, (DateTime<Utc>, Uuid)>);

impl Newest {
    /// Reads all that are in progress. One that does not fit is no patient's newest.
    pub(super) async fn read(source: &mut Source, bounds: Bounds) -> Result<Self, DbErr> {
        let mut newest = Self::default();
        let mut batches = Batches::of(source, &OPEN);
        loop {
            let batch = batches.next().await?;
            if batch.is_empty() {
                return Ok(newest);
            }
            for record in batch.iter().filter_map(|group| Record::of(group).ok()) {
                if map(&record, bounds).is_ok() {
                    newest.add(&record);
                }
            }
        }
    }

    /// Of two that started at once the one with the greater id is the newer.
    pub(super) fn add(&mut self, record: &Record) {
        let this = (record.start_date, record.id);
        let newest = self.0.entry(record.patient_id).or_insert(this);
        *newest = this.max(*newest);
    }

    /// The consultation as mapped, or as a cancelled one if its patient has a newer one in progress.
    pub(super) fn mapped(&self, record: &Record, mapped: Mapped, now: DateTime<Utc>) -> Mapped {
        match self.0.get(&record.patient_id) {
            Some((_, id)) if record.end_date.is_none() && *id != record.id => superseded(record, *id, now),
            _ => mapped,
        }
    }
}
