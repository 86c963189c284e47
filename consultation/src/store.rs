//! Starting: one insert for a batch; the partial unique index decides who wins, not a prior read.

use std::collections::HashMap;

use chassis::{
    database::{Database, is_about_rows, is_one_of, now},
    write_coalescer::BatchWriter,
};
use chrono::{DateTime, Utc};
use entity::consultation::{Column, Entity as Consultations, Model as Consultation};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, Statement,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use super::Started;

/// How often an insert that lost against a consultation which then ended is tried again.
const MAX_ROUNDS: usize = 3;

/// One statement for batches of every size: a list of values would be another for each, to be planned by each
/// connection anew. Patients in a consultation are left out first: their rows may be locked. A sub-select in a comparison
/// is looked up in the index, row by row; NOT EXISTS would be planned as a join with all consultations in progress.
pub(super) const INSERT_ARRAYS: &str = "
    INSERT INTO consultation (id, physician_id, patient_id, start_date)
    SELECT id, physician_id, patient_id, date_trunc('milliseconds', statement_timestamp())
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS row (id, physician_id, patient_id)
    WHERE (SELECT id FROM consultation WHERE patient_id = row.patient_id AND end_date IS NULL) IS NULL
    ON CONFLICT DO NOTHING RETURNING id, start_date";

/// A consultation to start.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// Made before writing, so that a repeated write recognises itself.
    pub(super) id: Uuid,
    pub(super) physician_id: Uuid,
    pub(super) patient_id: Uuid,
}

/// Writes starts in batches.
#[derive(Debug)]
pub(super) struct StartWriter {
    pub(super) database: Database,
}

impl BatchWriter for StartWriter {
    type Row = Start;
    type Answer = Started;
    type Fault = DbErr;

    async fn write(&self, rows: &[Start]) -> Result<Vec<Option<Started>>, DbErr> {
        for _ in 0..MAX_ROUNDS {
            let mut in_progress = insert(&self.database.write, rows).await?;
            if let Some(answers) = outcomes(rows, &in_progress) {
                return Ok(answers);
            }
            // A separate statement, which sees whom the others lost against.
            // In the session whose commit then waits for the standby: another may lead to another server.
            let transaction = self.database.begin().await?;
            in_progress.extend(find_missing(&transaction, rows, &in_progress).await?);
            if outcomes(rows, &in_progress).is_none() {
                // One that an earlier attempt committed without an answer may have been finished since.
                in_progress.extend(find_own(&transaction, rows).await?);
            }
            transaction.commit_durably().await?;
            if let Some(answers) = outcomes(rows, &in_progress) {
                return Ok(answers);
            }
        }
        Err(DbErr::Custom("a consultation was neither inserted nor found in progress".to_owned()))
    }

    fn is_about_rows(fault: &DbErr) -> bool {
        is_about_rows(fault)
    }
}

impl Start {
    fn started(&self, start_date: DateTime<Utc>) -> Consultation {
        let Self { id, physician_id, patient_id } = self.clone();
        Consultation { id, physician_id, patient_id, start_date, end_date: None, price_cents: None }
    }

    fn outcome(&self, in_progress: &Consultation) -> Started {
        if in_progress.id == self.id {
            Started::Started(in_progress.clone())
        } else {
            Started::PatientInConsultation(in_progress.clone())
        }
    }
}

/// The answer to each row, if the consultation that decides it was found for all.
fn outcomes(rows: &[Start], found: &ByPatient) -> Option<Vec<Option<Started>>> {
    rows.iter().map(|row| Some(Some(row.outcome(found.get(&row.patient_id)?)))).collect()
}

type ByPatient = HashMap<Uuid, Consultation>;

/// Inserts those whose patient is free. Of two rows for one patient the first is inserted.
async fn insert(database: &impl ConnectionTrait, rows: &[Start]) -> Result<ByPatient, DbErr> {
    let mut rows: Vec<_> = rows.iter().collect();
    // The same order in every process (stable within a patient): batches cannot deadlock.
    rows.sort_by_key(|row| row.patient_id);
    if database.get_database_backend() == DbBackend::Postgres {
        return insert_arrays(database, &rows).await;
    }
    let columns = [Column::Id, Column::PhysicianId, Column::PatientId, Column::StartDate];
    let mut insert = Query::insert().into_table(Consultations).columns(columns).to_owned();
    for Start { id, physician_id, patient_id } in rows {
        insert.values_panic([(*id).into(), (*physician_id).into(), (*patient_id).into(), now(DbBackend::Sqlite)]);
    }
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_all();
    let inserted = database.query_all(&insert).await?;
    Ok(by_patient(inserted.iter().map(|row| Consultation::from_query_result(row, "")).collect::<Result<_, _>>()?))
}

async fn insert_arrays(postgres: &impl ConnectionTrait, rows: &[&Start]) -> Result<ByPatient, DbErr> {
    let ids = |of: fn(&Start) -> Uuid| rows.iter().map(|row| of(row)).collect::<Vec<_>>().into();
    let columns = [ids(|row| row.id), ids(|row| row.physician_id), ids(|row| row.patient_id)];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, INSERT_ARRAYS, columns);
    let inserted = postgres.query_all_raw(insert).await?;
    let inserted: HashMap<Uuid, DateTime<Utc>> = inserted
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<_, DbErr>>()?;
    Ok(by_patient(rows.iter().filter_map(|row| Some(row.started(*inserted.get(&row.id)?))).collect()))
}

async fn find_missing(database: &impl ConnectionTrait, rows: &[Start], found: &ByPatient) -> Result<ByPatient, DbErr> {
    let missing: Vec<_> = rows.iter().map(|row| row.patient_id).filter(|id| !found.contains_key(id)).collect();
    if missing.is_empty() {
        return Ok(HashMap::new());
    }
    let of_them = is_one_of(database.get_database_backend(), Column::PatientId, missing);
    let found = Consultations::find_in_progress().filter(of_them).all(database).await?;
    Ok(by_patient(found))
}

async fn find_own(database: &impl ConnectionTrait, rows: &[Start]) -> Result<ByPatient, DbErr> {
    let own = is_one_of(database.get_database_backend(), Column::Id, rows.iter().map(|row| row.id));
    Ok(by_patient(Consultations::find().filter(own).all(database).await?))
}

fn by_patient(consultations: Vec<Consultation>) -> ByPatient {
    consultations.into_iter().map(|consultation| (consultation.patient_id, consultation)).collect()
}
