//! Payments: one per appointment, recorded once, never changed.

use std::{collections::HashMap, time::Duration};

use chassis::{
    changes::Changes,
    clock,
    database::{Database, is_about_rows, is_one_of, may_be_done, now},
    seeded_bug::is_seeded,
    write_coalescer::BatchWriter,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    Money, MoneyError,
    payment::{Column, Entity as Payments, Model as Payment},
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, Statement,
    sea_query::{OnConflict, Query},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::messages::MESSAGES;

/// How often an insert that lost against a twin which then vanished is tried again. A twin vanishes
/// only when its transaction is rolled back just then.
const MAX_ROUNDS: usize = 3;
/// A payment is sent to the database so soon after its id was made, or not at all: nobody waits for it by then, and the
/// list is in the order of ids. What is sent is there, or never, within the deadlines of a connection and a statement.
const LATEST_WRITE: Duration = Duration::from_secs(20);
/// How long after its id was made a payment can still appear in the list. It leaves 25 s for clocks that differ.
pub(crate) const APPEARS_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// One statement for batches of every size: a list of values would be another for each, to be planned by each
/// connection anew.
const INSERT_ARRAYS: &str = "
    INSERT INTO payment (id, appointment_id, total_price_cents, recorded_at)
    SELECT id, appointment_id, total_price_cents, date_trunc('milliseconds', statement_timestamp())
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS row (id, appointment_id, total_price_cents)
    ON CONFLICT DO NOTHING RETURNING id, recorded_at";

/// A payment to record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Made before writing, so that a repeated write recognises itself.
    id: Uuid,
    made_at: Instant,
    appointment_id: Uuid,
    total_price: Money,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// It is stored.
    New(Payment),
    /// The same appointment was recorded with the same amount before.
    Already(Payment),
    /// It was recorded with another amount, which stands.
    Conflict(Payment),
}

/// Writes payments in batches.
#[derive(Debug)]
pub struct RecordWriter {
    /// Where payments are stored.
    pub database: Database,
    /// Told after each commit which payments were recorded.
    pub recorded: Changes,
}

impl Record {
    /// A payment of `total_price` for an appointment.
    #[must_use]
    pub fn new(appointment_id: Uuid, total_price: Money) -> Self {
        Self { id: clock::new_id(), made_at: Instant::now(), appointment_id, total_price }
    }

    fn recorded(&self, recorded_at: DateTime<Utc>) -> Payment {
        let Self { id, appointment_id, total_price, .. } = self.clone();
        Payment { id, appointment_id, total_price_cents: total_price, recorded_at }
    }

    fn outcome(&self, stored: &Payment) -> Recorded {
        if stored.id == self.id {
            Recorded::New(stored.clone())
        } else if stored.total_price_cents == self.total_price {
            Recorded::Already(stored.clone())
        } else {
            Recorded::Conflict(stored.clone())
        }
    }
}

impl Recorded {
    fn new_id(&self) -> Option<Uuid> {
        if let Self::New(payment) = self { Some(payment.id) } else { None }
    }
}

impl BatchWriter for RecordWriter {
    type Row = Record;
    type Answer = Recorded;
    type Fault = DbErr;

    async fn write(&self, rows: &[Record]) -> Result<Vec<Option<Recorded>>, DbErr> {
        for _ in 0..MAX_ROUNDS {
            if rows.iter().any(|row| row.made_at.elapsed() > LATEST_WRITE) {
                return Err(DbErr::Custom(format!("a payment was not written within {} s", LATEST_WRITE.as_secs())));
            }
            let mut stored = insert(&self.database.write, rows).await?;
            // A separate statement, which sees what a twin has committed since; in the insert's own
            // statement a row that lost against an uncommitted twin would be found nowhere.
            if rows.iter().any(|row| !stored.contains_key(&row.appointment_id)) {
                // Whoever is told that it was recorded before finishes its row, for ever: it is read in the session
                // whose commit then waits, since another may lead to another server.
                let transaction = self.database.begin().await?;
                let found = find_missing(&transaction, rows, &stored).await?;
                transaction.commit_durably().await?;
                stored.extend(found);
            }
            let answers: Option<Vec<_>> =
                rows.iter().map(|row| stored.get(&row.appointment_id).map(|stored| row.outcome(stored))).collect();
            if let Some(answers) = answers {
                self.recorded.publish(&answers.iter().filter_map(Recorded::new_id).collect::<Vec<_>>());
                return Ok(answers.into_iter().map(Some).collect());
            }
        }
        Err(DbErr::Custom("a payment was neither inserted nor found".to_owned()))
    }

    fn is_about_rows(fault: &DbErr) -> bool {
        is_about_rows(fault)
    }

    fn may_have_written(fault: &DbErr) -> bool {
        may_be_done(fault)
    }

    fn lost_answers(&self) {
        // Sent again they are found, and are no news: nobody would ever be told.
        self.recorded.publish_missed();
    }
}

/// Why an amount was refused, for people who call it `argument`.
pub(crate) fn explain(refusal: MoneyError, argument: &str) -> String {
    let message = match refusal {
        MoneyError::Negative => "negative",
        MoneyError::TooLarge => "too-large",
        MoneyError::TooPrecise => "too-precise",
    };
    MESSAGES.text(message, &[("argument", &argument), ("maximum", &Money::MAX)])
}

type ByAppointment = HashMap<Uuid, Payment>;

/// Inserts what is not there yet. Of two rows for one appointment the first is inserted.
async fn insert(database: &impl ConnectionTrait, rows: &[Record]) -> Result<ByAppointment, DbErr> {
    let mut rows: Vec<_> = rows.iter().collect();
    // The same order in every process (stable within an appointment): batches cannot deadlock.
    rows.sort_by_key(|row| row.appointment_id);
    if database.get_database_backend() == DbBackend::Postgres && !is_seeded("upsert") {
        return insert_arrays(database, &rows).await;
    }
    let columns = [Column::Id, Column::AppointmentId, Column::TotalPriceCents, Column::RecordedAt];
    let mut insert = Query::insert().into_table(Payments).columns(columns).to_owned();
    for Record { id, appointment_id, total_price, .. } in rows {
        let recorded_at = now(database.get_database_backend());
        insert.values_panic([(*id).into(), (*appointment_id).into(), total_price.cents().into(), recorded_at]);
    }
    let mut on_conflict = OnConflict::new();
    on_conflict.do_nothing();
    if is_seeded("upsert") {
        on_conflict = OnConflict::column(Column::AppointmentId);
        on_conflict.update_column(Column::TotalPriceCents);
    }
    insert.on_conflict(on_conflict).returning_all();
    let inserted = database.query_all(&insert).await?;
    Ok(by_appointment(inserted.iter().map(|row| Payment::from_query_result(row, "")).collect::<Result<_, _>>()?))
}

async fn insert_arrays(postgres: &impl ConnectionTrait, rows: &[&Record]) -> Result<ByAppointment, DbErr> {
    let ids = |of: fn(&Record) -> Uuid| rows.iter().map(|row| of(row)).collect::<Vec<_>>().into();
    let total_prices: Vec<_> = rows.iter().map(|row| row.total_price.cents()).collect();
    let columns = [ids(|row| row.id), ids(|row| row.appointment_id), total_prices.into()];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, INSERT_ARRAYS, columns);
    let inserted = postgres.query_all_raw(insert).await?;
    let inserted: HashMap<Uuid, DateTime<Utc>> = inserted
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<_, DbErr>>()?;
    Ok(by_appointment(rows.iter().filter_map(|row| Some(row.recorded(*inserted.get(&row.id)?))).collect()))
}

async fn find_missing(
    database: &impl ConnectionTrait,
    rows: &[Record],
    stored: &ByAppointment,
) -> Result<ByAppointment, DbErr> {
    let missing: Vec<_> = rows.iter().map(|row| row.appointment_id).filter(|id| !stored.contains_key(id)).collect();
    if missing.is_empty() {
        return Ok(HashMap::new());
    }
    let of_them = is_one_of(database.get_database_backend(), Column::AppointmentId, missing);
    let found = Payments::find().filter(of_them).all(database).await?;
    Ok(by_appointment(found))
}

fn by_appointment(payments: Vec<Payment>) -> ByAppointment {
    payments.into_iter().map(|payment| (payment.appointment_id, payment)).collect()
}
