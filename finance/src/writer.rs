//! The writer of payments. It batches: insert, find the rows that lost, apply the [`rules`]. Callers share commits.

use std::time::Duration;

use chassis::{
    changes::Changes,
    database::{Database, is_about_rows, may_be_done},
    write_coalescer::BatchWriter,
};
use chrono::TimeDelta;
use entity::payment::Model as Payment;
use sea_orm::DbErr;

pub use crate::store::Record;
use crate::{
    rules::{self, Recorded},
    store,
};

/// Attempts at an insert that lost against a twin, another payment of the appointment, which then vanished. A twin
/// vanishes only when its transaction is rolled back just then.
const MAX_ROUNDS: usize = 3;
/// Longest time between the making of a payment's id and the start of its write. By then nobody waits for it. A write that
/// was sent is stored within the deadlines of a connection and a statement, or never.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long after its time of recording a payment can still appear in the list: its write, and 25 s for clocks that differ.
/// The time is that of the database, at the begin of the write.
pub(crate) const APPEARS_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Records payments in batches.
#[derive(Debug)]
pub struct RecordWriter {
    /// Where payments are stored.
    pub database: Database,
    /// Receives the ids of recorded payments after each commit.
    pub recorded: Changes,
}

impl BatchWriter for RecordWriter {
    type Row = Record;
    type Answer = Recorded;
    type Fault = DbErr;

    async fn write(&self, rows: &[Record]) -> Result<Vec<Option<Recorded>>, DbErr> {
        for _ in 0..MAX_ROUNDS {
            if rows.iter().any(|row| row.made_at.elapsed() > WRITE_TIMEOUT) {
                return Err(DbErr::Custom(format!("a payment was not written within {} s", WRITE_TIMEOUT.as_secs())));
            }
            let mut stored = store::insert(&self.database.write, rows).await?;
            // At once: what follows may fail.
            self.publish(stored.values());
            let missing = rows.iter().map(|row| row.appointment_id).filter(|id| !stored.contains_key(id));
            let missing: Vec<_> = missing.collect();
            // A separate statement: it sees a twin that was committed since. The insert's own statement would find no
            // row for one that lost against an uncommitted twin.
            if !missing.is_empty() {
                // A caller that receives "recorded before" finishes its row for ever. So the row is read in the session
                // whose commit then waits for the standby: another session may lead to another server.
                let transaction = self.database.begin().await?;
                let found = store::find(&transaction, missing).await?;
                transaction.commit_durably().await?;
                // Those that an earlier attempt committed without an answer.
                self.publish(found.values().filter(|payment| rows.iter().any(|row| row.id == payment.id)));
                stored.extend(found);
            }
            let answer = |row: &Record| {
                let stored = stored.get(&row.appointment_id)?;
                Some(Some(rules::record(row.id, row.total_price, stored)))
            };
            if let Some(answers) = rows.iter().map(answer).collect::<Option<Vec<_>>>() {
                return Ok(answers);
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
        // Payments that are sent again are recorded already, and not published.
        self.recorded.publish_missed();
    }
}

impl RecordWriter {
    fn publish<'a>(&self, recorded: impl Iterator<Item = &'a Payment>) {
        self.recorded.publish(&recorded.map(|payment| payment.id).collect::<Vec<_>>());
    }
}
