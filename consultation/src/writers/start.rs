//! The writer of starts. A row that lost against a consultation in progress is answered with it.

use std::collections::HashMap;

use chassis::{
    changes::Changes,
    database::{Database, is_about_rows, may_be_done},
    write_coalescer::BatchWriter,
};
use entity::consultation::Model as Consultation;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    rules::{self, InvalidStartDate, Rules, StartRefusal, Started},
    store::{self, ByPatient, Start},
};

/// Attempts at an insert that lost against a consultation which then ended.
const MAX_ROUNDS: usize = 3;

#[derive(Debug)]
pub(super) struct StartWriter {
    pub(super) database: Database,
    pub(super) rules: Rules,
    pub(super) changes: Changes,
}

impl BatchWriter for StartWriter {
    type Row = Start;
    type Answer = Started;
    type Fault = DbErr;

    async fn write(&self, rows: &[Start]) -> Result<Vec<Option<Started>>, DbErr> {
        if rows.iter().all(|row| row.date.is_none()) {
            return self.insert(rows).await;
        }
        let refusals = self.refusals(rows).await?;
        let accepted: Vec<_> = rows.iter().filter(|row| !refusals.contains_key(&row.id)).cloned().collect();
        let mut answers = self.insert(&accepted).await?.into_iter();
        let refused = |rule| Some(Err(StartRefusal::InvalidStartDate(rule)));
        let answers = rows.iter().map(|row| match refusals.get(&row.id) {
            Some(rule) => refused(*rule),
            None => answers.next().flatten(),
        });
        Ok(answers.collect())
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
    /// Refuses start dates that break a rule by the database's clock.
    async fn refusals(&self, rows: &[Start]) -> Result<HashMap<Uuid, InvalidStartDate>, DbErr> {
        let now = store::time(&self.database.write).await?;
        let refusal = |row: &Start| Some((row.id, rules::check_start_date(row.date?, now, &self.rules).err()?));
        let mut refusals: HashMap<_, _> = rows.iter().filter_map(refusal).collect();
        if !refusals.is_empty() {
            // An earlier attempt may have been committed without an answer when the date broke no rule yet.
            let transaction = self.database.begin().await?;
            let started = store::find_started(&transaction, refusals.keys().copied()).await?;
            transaction.commit_durably().await?;
            refusals.retain(|id, _| started.values().all(|consultation| consultation.id != *id));
        }
        Ok(refusals)
    }

    /// Inserts rows whose dates break no rule.
    async fn insert(&self, rows: &[Start]) -> Result<Vec<Option<Started>>, DbErr> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
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
                stored.extend(store::find_started(&transaction, rows.iter().map(|row| row.id)).await?);
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

    fn publish<'a>(&self, started: impl Iterator<Item = &'a Consultation>) {
        self.changes.publish(&started.map(|consultation| consultation.id).collect::<Vec<_>>());
    }
}

/// The answer to each row, if the consultation that decides it was found for all.
fn start(rows: &[Start], stored: &ByPatient) -> Option<Vec<Option<Started>>> {
    rows.iter().map(|row| Some(Some(rules::start(row.id, stored.get(&row.patient_id)?)))).collect()
}
