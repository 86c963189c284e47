//! The subcommand `forget`: replaces a patient's id by random ones, another in each consultation. Prices and payments
//! stay.
//!
//! The rows are chosen and locked by one statement, and changed under these locks. So a consultation that starts
//! meanwhile is not changed, whether it ends or not: it is of a patient who came after. A finish or cancellation of a
//! chosen row waits, or comes first.

use std::io::{self, Write};

use anyhow::Context;
use chassis::{
    audit::{self, Outcome},
    changes::Changes,
    cli,
    config::Server,
    database::Database,
};
use clap::Args;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use uuid::Uuid;

use crate::{
    app::CHANGE_FEED,
    config::{COMMAND_OPTIONS, patient_id},
    store::patient::{lock_of_patient, replace_patients, replace_settle_reasons},
};

/// Rows in one statement: SQLite takes 32,766 values, and a statement has 6 s.
const BATCH: usize = 1_000;

/// The end of `--help`.
pub const HELP: &str = "\
In each of the patient's consultations the patient's id is replaced by a random UUID of its own, and the reason of a \
cancellation or of a settlement by the word forgotten. Nothing else changes: consultations, prices and payments \
stay, and belong to nobody. That cannot be undone, so --yes is required; without it the command says what it would do. All \
consultations are changed, or none. While the patient is in a consultation nothing is changed.

Run it with the settings of the service and beside it. Run it again after a failure, and after a backup from before was \
restored. SQLite files are rewritten, so that the id is in no free space of theirs: writes of a running service wait \
meanwhile, and space for two more copies is needed. On PostgreSQL run `VACUUM (FULL, ANALYZE) consultation, pending_payment, redelivery` \
afterwards, as the tables' owner, at a quiet time. docs/privacy.md says where else the id may be.

Exit code: 0 if no consultation has the patient's id any more, 2 without --yes or for a wrong flag or setting, 1 \
otherwise.";

/// The arguments of the subcommand.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Id of the patient, a UUID
    #[arg(long, value_name = "ID", value_parser = patient_id, help_heading = COMMAND_OPTIONS)]
    patient: Uuid,
    /// Do it: it cannot be undone
    #[arg(long, help_heading = COMMAND_OPTIONS)]
    yes: bool,
}

/// Why the patient was not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum NotForgotten {
    /// The patient is in a consultation, which has this id.
    #[error("nothing changed: the patient is in consultation {0}; finish or cancel it, then run this again")]
    InConsultation(Uuid),
    /// The command was not confirmed.
    #[error("nothing changed: this would replace the patient's id in {0} consultations for ever; with --yes it does")]
    NotConfirmed(usize),
    /// The database failed.
    #[error("nothing changed: the database failed: {0}")]
    Database(#[from] DbErr),
    /// The database did not answer to COMMIT: all may be changed, or nothing.
    #[error("run this again: the database did not confirm the change: {0}")]
    NotCommitted(DbErr),
}

/// Forgets the patient and prints the number of changed consultations.
///
/// # Errors
/// [`NotForgotten`], or when a SQLite file could not be rewritten.
pub async fn run(server: &Server, Arguments { patient, yes }: Arguments) -> anyhow::Result<()> {
    let database = cli::connect_beside(server).await?;
    let forgotten = Changes::beside(CHANGE_FEED, &database, async |changes| {
        let forgotten = forget(&database, patient, yes).await;
        if matches!(forgotten, Ok(1..) | Err(NotForgotten::NotCommitted(_))) {
            // Without ids, which would tell which consultations are of one patient.
            changes.publish_missed();
        }
        forgotten
    })
    .await;
    // Also if nothing was found: an earlier run may have ended before this.
    let erased = if yes && forgotten.is_ok() { database.erase_deleted().await } else { Ok(()) };
    let (count, outcome) = match &forgotten {
        Ok(count) => (*count, Outcome::from(&erased)),
        Err(NotForgotten::NotConfirmed(count)) => (*count, Outcome::Refused),
        Err(NotForgotten::InConsultation(_)) => (0, Outcome::Refused),
        Err(NotForgotten::Database(_) | NotForgotten::NotCommitted(_)) => (0, Outcome::Failed),
    };
    // Without ids, as in an export.
    audit::command(server.name, "forget", &[], count, outcome);
    let done = match forgotten {
        Ok(0) => "no consultation of this patient is stored; nothing changed".to_owned(),
        Ok(count) => format!("replaced the patient's id in {count} consultations{}", advice(&database)),
        Err(error @ NotForgotten::NotConfirmed(_)) => return Err(cli::wrong_setting(error.into())),
        Err(error) => return Err(error.into()),
    };
    erased.context("the patient's id was replaced, but is in the free space of the file; run this again")?;
    writeln!(io::stdout(), "{done}").context("cannot write")
}

/// Replaces the patient's id. Returns the number of changed consultations.
///
/// # Errors
/// See [`NotForgotten`].
pub async fn forget(database: &Database, patient: Uuid, confirmed: bool) -> Result<usize, NotForgotten> {
    let transaction = database.begin().await?;
    let consultations = lock_of_patient(&transaction, patient).await?;
    if let Some((id, _)) = consultations.iter().find(|(_, end_date)| end_date.is_none()) {
        return Err(NotForgotten::InConsultation(*id));
    }
    if !confirmed && !consultations.is_empty() {
        return Err(NotForgotten::NotConfirmed(consultations.len()));
    }
    for batch in consultations.chunks(BATCH) {
        replace_patients(&transaction, batch.iter().map(|(id, _)| (*id, Uuid::new_v4()))).await?;
        replace_settle_reasons(&transaction, batch.iter().map(|(id, _)| *id)).await?;
    }
    transaction.commit().await.map_err(NotForgotten::NotCommitted)?;
    Ok(consultations.len())
}

fn advice(database: &Database) -> &'static str {
    match database.write.get_database_backend() {
        DbBackend::Postgres => {
            "; the old rows are in PostgreSQL's files until the tables' owner runs \
             `VACUUM (FULL, ANALYZE) consultation, pending_payment, redelivery`"
        }
        _ => "",
    }
}
