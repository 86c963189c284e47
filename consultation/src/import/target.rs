//! What is here already. It is never changed: a consultation that is here with other content is named.

use std::collections::HashMap;

use chassis::{database::Connections, import::Finding};
use chrono::{DateTime, Utc};
use entity::{
    Money,
    consultation::{Model as Consultation, Origin},
};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    mapping::{Mapped, REASON, SUPERSEDED, superseded},
    record::Record,
};
use crate::store::{
    self,
    import::{Ended, Imported},
};

/// Consultations that are here, of those of a batch and of its patients.
#[derive(Debug)]
pub(super) struct Target {
    by_id: HashMap<Uuid, Consultation>,
    /// In progress.
    by_patient: HashMap<Uuid, Consultation>,
}

/// Where a consultation of the source belongs.
#[derive(Debug)]
pub(super) enum Place {
    /// With what is still true of it, so that a run after a failure says it again.
    There(Option<Finding>),
    Missing(Mapped),
    LeftOut(Finding),
}

impl Target {
    pub(super) async fn read(database: &Connections, batch: &[(Mapped, Record)]) -> Result<Self, DbErr> {
        let rows = || batch.iter().map(|(mapped, _)| &mapped.row);
        let found = store::find(database, rows().map(|row| row.id)).await?;
        let by_id = found.consultations.into_iter().map(|(id, (consultation, _))| (id, consultation)).collect();
        let open = rows().filter(|row| row.ended.is_none()).map(|row| row.patient_id).collect();
        Ok(Self { by_id, by_patient: store::find_in_progress(database, open).await? })
    }

    pub(super) fn place(&self, record: &Record, mapped: Mapped, now: DateTime<Utc>) -> Place {
        if let Some(here) = self.by_id.get(&record.id) {
            return match difference(record, &mapped.row, here) {
                None => Place::There(still_true(record, mapped, here)),
                Some(text) => Place::LeftOut(Finding::left_out("CONFLICT", record.id, text)),
            };
        }
        match self.by_patient.get(&record.patient_id) {
            Some(here) if mapped.row.ended.is_none() && here.start_date >= record.start_date => {
                Place::Missing(superseded(record, here.id, now))
            }
            Some(here) if mapped.row.ended.is_none() => {
                let text =
                    format!("its patient is in an older consultation here, {}: end that, then import again", here.id);
                Place::LeftOut(Finding::left_out("PATIENT_IN_CONSULTATION", record.id, text))
            }
            _ => Place::Missing(mapped),
        }
    }
}

/// A start of the patient won the race.
pub(super) fn started_meanwhile(row: &Imported) -> Finding {
    let text = "its patient started another consultation meanwhile, or another import is at work: import again";
    Finding::left_out("PATIENT_IN_CONSULTATION", row.id, text)
}

/// What is noted about a consultation that is here. One that was in progress in the source may have ended here since, or
/// have been cancelled by the import, for another one here or in the source.
fn still_true(record: &Record, mapped: Mapped, here: &Consultation) -> Option<Finding> {
    if record.end_date.is_some() || here.end_date.is_none() {
        return mapped.noted;
    }
    let reason = here.cancel_reason.as_deref().filter(|reason| reason.starts_with(REASON));
    let reason = reason.filter(|_| here.origin == Some(Origin::Imported) && here.cancelled_by.is_none())?;
    Some(Finding::noted(SUPERSEDED, record.id, format!("it became a cancelled one, {reason}")))
}

/// Why a consultation here is not the one of the source. One that was in progress there may have ended here since.
fn difference(record: &Record, row: &Imported, here: &Consultation) -> Option<String> {
    let people = |physician, patient| format!("physician {physician} and patient {patient}");
    if (here.physician_id, here.patient_id) != (record.physician_id, record.patient_id) {
        let here = people(here.physician_id, here.patient_id);
        return Some(format!("here it has {here}, not {}", people(record.physician_id, record.patient_id)));
    }
    if here.start_date != record.start_date {
        return Some(format!("here it started at {}, not at {}", here.start_date, record.start_date));
    }
    let is = match &row.ended {
        None => return None,
        Some(Ended::Cancelled { .. }) if record.end_date.is_none() => {
            let text = "here it is in progress, and its patient has a newer one: end it, then import again";
            return here.end_date.is_none().then(|| text.to_owned());
        }
        Some(Ended::Cancelled { end_date, .. }) => (Some(*end_date), None),
        Some(Ended::Finished { end_date, price, .. }) => (Some(*end_date), Some(*price)),
    };
    let end = |(date, price): (Option<DateTime<Utc>>, Option<Money>)| match (date, price) {
        (None, _) => "is in progress".to_owned(),
        (Some(date), None) => format!("was cancelled at {date}"),
        (Some(date), Some(price)) => format!("ended at {date} with the price {price}"),
    };
    let was = (here.end_date, here.price_cents);
    (was != is).then(|| format!("here it {}, in the source it {}", end(was), end(is)))
}
