//! Notifications of due rows: they reach other replicas, survive a lost connection, and are not needed.

use std::time::Duration;

use chassis::{clock, database::Database, health::Heartbeat, replicas};
use consultation::outbox::{
    WakeUp,
    store::{self, Enqueue},
};
use entity::{Money, pending_payment};
use rstest::rstest;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Set, Statement};
use testkit::{Backend, TestDatabase};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    finance_stub::FinanceStub,
    outbox::{outbox, relay, row},
};

/// The wake-up of a replica that listens.
async fn listening(db: &TestDatabase) -> (WakeUp, DropGuard) {
    let ((wake_up, channel), shutdown) = (WakeUp::new(), CancellationToken::new());
    // A pool of its own, as each process has.
    let database = Database::connect(&db.url).await.expect("a database");
    tokio::spawn(replicas::connect(vec![channel], database, Heartbeat::new("hints"), shutdown.clone()));
    // It notifies once when it has begun to listen.
    wake_up.notified().await;
    (wake_up, shutdown.drop_guard())
}

#[tokio::test]
async fn a_notification_reaches_the_other_replicas() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (one, _one) = listening(&db).await;
    let (other, _other) = listening(&db).await;
    for _ in 0..3 {
        one.notify();
        other.notified().await;
    }
    other.notify();
    one.notified().await;
}

#[tokio::test]
async fn a_replica_whose_connection_was_cut_listens_again() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (one, _one) = listening(&db).await;
    let (other, _other) = listening(&db).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let database = &db.database.write;
    let cut = database.query_all_raw(Statement::from_string(database.get_database_backend(), cut)).await;
    assert_eq!(cut.expect("cut").len(), 2);
    // It notifies when it listens again, for notifications that it may have missed.
    other.notified().await;
    one.notified().await;
    one.notify();
    other.notified().await;
}

#[rstest]
#[tokio::test]
async fn without_any_hint_the_poll_delivers(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([]).await;
    let mut relay = relay(&db, &finance);
    relay.policy.poll_interval = Duration::from_millis(10);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay.run(shutdown.clone()));
    finance.arrived().await;

    // Another payment, without a notification.
    let now = clock::now();
    let delivered = row(&db).await;
    let first = entity::consultation::Entity::find_by_id(delivered.appointment_id).one(&db.database.read).await;
    let mut second = first.expect("a row").expect("a consultation").into_active_model();
    let id = clock::id_at(now);
    (second.id, second.patient_id) = (Set(id), Set(id));
    let database = &db.database.write;
    entity::consultation::Entity::insert(second.reset_all()).exec(database).await.expect("inserted");
    let payment = Enqueue { id, appointment_id: id, total_price: Money::MAX };
    store::enqueue(database, &[payment]).await.expect("enqueued");
    finance.arrived().await;
    shutdown.cancel();
    running.await.expect("it ends");
    let row = pending_payment::Entity::find_by_id(id).one(database).await.expect("a row");
    assert!(row.is_some_and(|row| row.finished));
}
