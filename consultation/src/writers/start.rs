//! The writer of starts. A row that lost against a consultation in progress is answered with it.

use chassis::{
    changes::Changes,
    database::{Database, is_about_rows, may_be_done},
    write_coalescer::BatchWriter,
};
use entity::consultation::Model as Consultation;
use sea_orm::DbErr;

use crate::{
    rules::{self, Started},
    store::{self, ByPatient, Start},
};

/// Attempts at an insert that lost against a consultation which then ended.
const MAX_ROUNDS: usize = 3;

#[derive(Debug)]
pub(super) struct StartWriter {
    pub(super) database: Database,
    pub(super) changes: Changes,
}

impl BatchWriter for StartWriter {
    type Row = Start;
    type Answer = Started;
    type Fault = DbErr;

    async fn write(&self, rows: &[Start]) -> Result<Vec<Option<Started>>, DbErr> {
        for _ in 0..MAX_ROUNDS {
            let mut stored = store::insert(&self.database.write, rows).await?;
            // At once: what follows may fail.
            self.publish(stored.values());
            if let Some(answers) = start(rows, &stored) {
                return Ok(answers);
            }
            // A separate statement: it sees the consultations against which the others lost.
            // In the session whose commit then waits for the standby: another may lead to another server.
            let transaction = self.database.begin().await?;
            let patients = rows.iter().map(|row| row.patient_id).filter(|id| !stored.contains_key(id)).collect();
            stored.extend(store::find_in_progress(&transaction, patients).await?);
            if start(rows, &stored).is_none() {
                // A start that an earlier attempt committed without an answer may have been finished since.
                stored.extend(store::find_started(&transaction, rows).await?);
            }
            transaction.commit_durably().await?;
            if let Some(answers) = start(rows, &stored) {
                // Those too that an earlier attempt committed without an answer.
                self.publish(answers.iter().flatten().flatten());
                return Ok(answers);
            }
        }
        Err(DbErr::Custom("a consultation was neither inserted nor found in progress".to_owned()))
    }

    fn is_about_rows(fault: &DbErr) -> bool {
        is_about_rows(fault)
    }

    fn may_have_written(fault: &DbErr) -> bool {
        may_be_done(fault)
    }

    fn lost_answers(&self) {
        self.changes.publish_missed();
    }
}

impl StartWriter {
    fn publish<'a>(&self, started: impl Iterator<Item = &'a Consultation>) {
        self.changes.publish(&started.map(|consultation| consultation.id).collect::<Vec<_>>());
    }
}

/// The answer to each row, if the consultation that decides it was found for all.
fn start(rows: &[Start], stored: &ByPatient) -> Option<Vec<Option<Started>>> {
    rows.iter().map(|row| Some(Some(rules::start(row.id, stored.get(&row.patient_id)?)))).collect()
}
