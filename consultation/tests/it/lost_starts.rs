//! Starts that were committed and whose answer was lost: who follows the list learns that it missed changes.

use chassis::{
    changes::{Change, Changes},
    clock,
    database::Database,
    health::Heartbeat,
    metrics::WriterMeter,
    write_coalescer::WriteError,
};
use chrono::TimeDelta;
use consultation::{outbox::WakeUp, rules::Rules, writers::Consultations};
use entity::{Money, consultation as consultations};
use futures_util::StreamExt;
use migration::consultation::Migrator;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, Statement};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

const WAITING: &str = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

#[tokio::test]
async fn a_start_whose_answer_was_lost_is_told_as_missed() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.migrate::<Migrator>().await.expect("migrated");
    let (url, proxy) = db.through_proxy().await;
    let database = Database::connect(&url).await.expect("a database");
    let changes = Changes::new("consultation_changed").0;
    let mut told = changes.subscribe();
    let [longest, longest_backdate] = [TimeDelta::hours(24); 2];
    let rules = Rules { price_per_hour: Money::MAX, longest, longest_backdate };
    let beside = ["starts", "finishes"].map(|name| (Heartbeat::new(name), WriterMeter::default()));
    let (consultations, writers) = Consultations::new(&database, rules, WakeUp::default(), changes, beside);
    for writer in writers {
        tokio::spawn(writer);
    }

    // Another start for the patient that is not committed.
    let patient = Uuid::new_v4();
    let rival = db.database.begin().await.expect("a transaction");
    let row = consultations::ActiveModel {
        id: Set(clock::new_id()),
        physician_id: Set(Uuid::new_v4()),
        patient_id: Set(patient),
        start_date: Set(clock::now()),
        ..Default::default()
    };
    row.insert(&rival).await.expect("inserted");
    let lost = tokio::spawn(async move { consultations.start(Uuid::new_v4(), patient, None, "ana".into()).await });
    while db
        .database
        .read
        .query_one_raw(Statement::from_string(DbBackend::Postgres, WAITING))
        .await
        .expect("read")
        .is_none()
    {}
    proxy.silence();
    rival.rollback().await.expect("out of the way");
    let answer = lost.await.expect("no panic");
    assert!(matches!(answer, Err(WriteError::Failed(_))), "{answer:?}");
    assert_eq!(consultations::Entity::find().all(&db.database.read).await.expect("rows").len(), 1, "it was started");
    assert_eq!(told.next().await, Some(Change::Missed));
}
