//! What commands change is told to the replicas of the service beside them. Each command is a process.

use std::time::Duration;

use chassis::{
    changes::{Change, Changes},
    health::Heartbeat,
    replicas,
};
use consultation::outbox::store::{self, Due};
use entity::consultation::{Entity as Consultations, Origin};
use futures_util::{Stream, StreamExt};
use sea_orm::EntityTrait;
use testkit::{Backend, Process, TestDatabase};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    outbox::{LEASE, outbox, row},
    pending::park,
    settle::finance,
};

/// Far above the time that a notification takes.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// The changes that a replica receives. It listens when this returns.
async fn replica(db: &TestDatabase) -> impl Stream<Item = Change> + Unpin + use<> {
    let (changes, channel) = Changes::new("consultation_changed");
    let mut told = changes.subscribe();
    let (hears, shutdown) = (Heartbeat::new("hints"), CancellationToken::new());
    tokio::spawn(replicas::connect(vec![channel], db.database.clone(), hears, shutdown));
    assert_eq!(told.next().await, Some(Change::Missed), "what was said before it listened");
    told
}

/// Runs a command beside a finance that has recorded `amount`.
async fn run(db: &TestDatabase, amount: Option<&'static str>, arguments: &[&str]) -> Option<i32> {
    let (url, finance) = (db.url(), finance(amount).await);
    let settings = [("CONSULTATION_DATABASE_URL", url.as_str()), ("CONSULTATION_FINANCE_URL", &finance)];
    let mut command = Process::command("consultation", arguments, &settings);
    tokio::task::spawn_blocking(move || command.output().expect("it runs").status.code()).await.expect("no panic")
}

async fn next(told: &mut (impl Stream<Item = Change> + Unpin)) -> Change {
    timeout(TOLD_WITHIN, told.next()).await.expect("told in time").expect("a change")
}

#[tokio::test]
async fn a_payment_that_a_command_retries_or_settles_is_told_to_the_replicas() {
    let Some(db) = outbox(Backend::Postgres, 1).await else { return };
    let mut told = replica(&db).await;
    let (row, id) = (row(&db).await, row(&db).await.appointment_id);
    let consultation = id.to_string();
    let settle = ["settle", "--consultation", &consultation, "--reason", "agreed"];
    for command in [&["retry", &consultation][..], &["retry", "--parked"], &settle] {
        park(&db, [row.id], "refused").await;
        assert_eq!(run(&db, Some("1.00"), command).await, Some(0), "{command:?}");
        assert_eq!(next(&mut told).await, Change::Of(id), "{command:?}");
    }
}

#[tokio::test]
async fn a_payment_that_reconcile_sends_again_or_adopts_is_told_to_the_replicas() {
    let Some(db) = outbox(Backend::Postgres, 1).await else { return };
    let mut told = replica(&db).await;
    let leases = store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim");
    store::confirm(&db.database.write, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed");
    assert_eq!(run(&db, None, &["reconcile", "--send-again"]).await, Some(0));
    assert_eq!(next(&mut told).await, Change::Of(row(&db).await.appointment_id));

    assert_eq!(
        run(&db, Some("1.00"), &["reconcile", "--adopt", "--yes"]).await,
        Some(1),
        "the other one has another amount"
    );
    let adopted = Consultations::find().all(&db.database.read).await.expect("rows").into_iter();
    let adopted = adopted.filter(|row| row.origin == Some(Origin::Adopted)).map(|row| Change::Of(row.id));
    assert_eq!(adopted.collect::<Vec<_>>(), [next(&mut told).await]);
}

#[tokio::test]
async fn replicas_are_told_that_a_patient_was_forgotten_but_not_in_which_consultations() {
    let Some(db) = outbox(Backend::Postgres, 1).await else { return };
    let mut told = replica(&db).await;
    let patient = Consultations::find().one(&db.database.read).await.expect("read").expect("one").patient_id;
    assert_eq!(run(&db, None, &["forget", "--patient", &patient.to_string(), "--yes"]).await, Some(0));
    assert_eq!(next(&mut told).await, Change::Missed);
}
