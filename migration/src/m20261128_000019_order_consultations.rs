//! Indexes of the lists of consultations and of pending payments, by time and id. Ids alone do not have the order of
//! times: they are made before the rows are written, by the clocks of replicas, and imported consultations keep theirs.
//!
//! Which list reads which index:
//!
//! | filter | by start | by end |
//! |---|---|---|
//! | none, or finished ones: the others between them are skipped | `consultation_start` | `consultation_end` |
//! | a physician, likewise | `consultation_physician_start` | `consultation_physician_end` |
//! | in progress | `consultation_open` | refused |
//! | in progress, a physician | `consultation_physician_open` | refused |
//! | cancelled | `consultation_cancelled_start` | `consultation_cancelled_end` |
//! | cancelled, a physician | `consultation_cancelled_physician_start` | `consultation_cancelled_physician_end` |
//! | a patient | `consultation_patient_start` | the same, sorted |
//!
//! A patient is in one consultation at a time and so has few: each finish would pay more for an index of their ends than it
//! saves. A period is a range of the index by start. Partial indexes cost only the rows in them.

use sea_orm_migration::prelude::*;

use crate::time_index::{self, Index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const CONSULTATIONS: [Index; 11] = [
    Index::new("consultation_start", None, "start_date", None),
    Index::new("consultation_physician_start", Some("physician_id"), "start_date", None),
    Index::new("consultation_patient_start", Some("patient_id"), "start_date", None),
    Index::new("consultation_end", None, "end_date", Some(ENDED)),
    Index::new("consultation_physician_end", Some("physician_id"), "end_date", Some(ENDED)),
    Index::new("consultation_open", None, "start_date", Some(IN_PROGRESS)),
    Index::new("consultation_physician_open", Some("physician_id"), "start_date", Some(IN_PROGRESS)),
    Index::new("consultation_cancelled_start", None, "start_date", Some(CANCELLED)),
    Index::new("consultation_cancelled_end", None, "end_date", Some(CANCELLED)),
    Index::new("consultation_cancelled_physician_start", Some("physician_id"), "start_date", Some(CANCELLED)),
    Index::new("consultation_cancelled_physician_end", Some("physician_id"), "end_date", Some(CANCELLED)),
];
const PENDING_PAYMENTS: [Index; 2] = [
    Index::new("pending_payment_created", None, "created_at", None),
    Index::new("pending_payment_undelivered_created", None, "created_at", Some("NOT finished")),
];
const ENDED: &str = "end_date IS NOT NULL";
const IN_PROGRESS: &str = "end_date IS NULL";
const CANCELLED: &str = "cancel_reason IS NOT NULL";

/// The indexes in the order of ids, which these replace.
const BY_ID: [(&str, &str); 2] = [("consultation_patient", "patient_id"), ("consultation_physician", "physician_id")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        time_index::create(manager, "consultation", &CONSULTATIONS).await?;
        time_index::create(manager, "pending_payment", &PENDING_PAYMENTS).await?;
        for (name, _) in BY_ID {
            time_index::drop(manager, name).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in BY_ID {
            let by_id = sea_query::Index::create().name(name).table("consultation").col(column).col("id").to_owned();
            manager.create_index(by_id).await?;
        }
        for index in CONSULTATIONS.iter().chain(&PENDING_PAYMENTS) {
            time_index::drop(manager, index.name).await?;
        }
        Ok(())
    }
}
