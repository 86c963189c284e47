//! Notifications between replicas, and the detection of lost ones.

use std::time::Duration;

use chassis::{
    database::Database,
    health::Heartbeat,
    replicas::{self, Notification, Publisher},
};
use sea_orm::ConnectionTrait;
use testkit::{Backend, TestDatabase};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// `SILENCE_TIMEOUT`, and reconnecting.
const DETECTION_TIMEOUT: Duration = Duration::from_secs(13);

/// A replica and the notifications that it receives.
fn replica(database: Database) -> (Publisher, UnboundedReceiver<Notification>) {
    let (publisher, received, _) = started(database);
    (publisher, received)
}

fn started(database: Database) -> (Publisher, UnboundedReceiver<Notification>, JoinHandle<()>) {
    let (sender, received) = unbounded_channel();
    let (publisher, channel) = replicas::channel("changed", move |notification| drop(sender.send(notification)));
    let heartbeat = Heartbeat::new("hints");
    let task = tokio::spawn(replicas::connect(vec![channel], database, heartbeat, CancellationToken::new()));
    (publisher, received, task)
}

#[tokio::test]
async fn a_silent_connection_for_notifications_is_replaced_and_what_it_missed_is_told() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (url, proxy) = db.through_proxy().await;
    let (_, mut received) = replica(Database::connect(&url).await.expect("a database"));
    let (other, _) = replica(db.database.clone());
    assert_eq!(received.recv().await, Some(Notification::Missed), "connected");

    let [before, during, after] = [(); 3].map(|()| Uuid::new_v4());
    other.send(&[before]);
    assert_eq!(received.recv().await, Some(Notification::Changed(vec![before])));
    proxy.silence();
    other.send(&[during]);
    let began = Instant::now();
    let missed = timeout(DETECTION_TIMEOUT, received.recv()).await;
    assert_eq!(missed, Ok(Some(Notification::Missed)), "after {:?}", began.elapsed());
    other.send(&[after]);
    assert_eq!(received.recv().await, Some(Notification::Changed(vec![after])));
}

#[tokio::test]
async fn a_replica_that_is_killed_before_it_told_something_is_noticed() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut received) = replica(db.database.clone());
    assert_eq!(received.recv().await, Some(Notification::Missed), "connected");
    let (other, _received, task) = started(Database::connect(&db.url).await.expect("a database"));
    let told = Uuid::new_v4();
    other.send(&[told]);
    assert_eq!(received.recv().await, Some(Notification::Changed(vec![told])));
    task.abort();
    other.send(&[Uuid::new_v4()]);
    assert_eq!(timeout(DETECTION_TIMEOUT, received.recv()).await, Ok(Some(Notification::Missed)));
}

#[tokio::test]
async fn what_was_published_before_the_end_is_told_before_the_end() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut received) = replica(db.database.clone());
    assert_eq!(received.recv().await, Some(Notification::Missed), "connected");
    let (publisher, channel) = replicas::channel("changed", |_| ());
    let shutdown = CancellationToken::new();
    let database = Database::connect(&db.url).await.expect("a database");
    let ending = tokio::spawn(replicas::connect(vec![channel], database, Heartbeat::new("hints"), shutdown.clone()));
    let [first, last] = [(); 2].map(|()| Uuid::new_v4());
    publisher.send(&[first]);
    assert_eq!(received.recv().await, Some(Notification::Changed(vec![first])));
    // A shutdown begins, and a writer commits once more.
    shutdown.cancel();
    publisher.send(&[last]);
    drop(publisher);
    assert_eq!(received.recv().await, Some(Notification::Changed(vec![last])));
    ending.await.expect("a proper end");
}

#[tokio::test]
async fn changes_that_were_not_told_one_by_one_are_told_as_missed() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut received) = replica(db.database.clone());
    assert_eq!(received.recv().await, Some(Notification::Missed), "connected");
    let (other, _) = replica(Database::connect(&db.url).await.expect("a database"));
    for _ in 0..2_000 {
        other.send(&[Uuid::new_v4()]);
    }
    assert_eq!(received.recv().await, Some(Notification::Missed));
}

#[tokio::test]
async fn a_flood_of_forged_notifications_is_handed_over_ten_times_a_second() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut received) = replica(db.database.clone());
    assert_eq!(received.recv().await, Some(Notification::Missed), "connected");
    let began = Instant::now();
    let forge = "DO $$ BEGIN
        FOR n IN 1..2000 LOOP
            PERFORM pg_notify('changed', gen_random_uuid() || ' ' || gen_random_uuid());
            COMMIT;
        END LOOP;
    END $$";
    db.database.write.execute_unprepared(forge).await.expect("forged");
    let mut deliveries = 0;
    let mut ids = 0;
    while ids < 2_000 {
        let Some(Notification::Changed(some)) = received.recv().await else { panic!("nothing is missed") };
        (ids, deliveries) = (ids + some.len(), deliveries + 1);
    }
    let limit = began.elapsed().as_millis() / 100 + 2;
    assert!(deliveries <= limit, "{deliveries} times in {:?}", began.elapsed());
}

#[tokio::test]
async fn replicas_in_another_schema_of_the_database_are_not_heard() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.write.execute_unprepared("CREATE SCHEMA one; CREATE SCHEMA other").await.expect("schemas");
    let in_schema = async |schema| replica(Database::connect(&db.url_of_schema(schema)).await.expect("a database"));
    let ((sender, mut same), (neighbour, mut own)) = (in_schema("one").await, in_schema("other").await);
    let ((_one, mut heard), (_other, mut theirs)) = (in_schema("one").await, in_schema("other").await);
    for received in [&mut same, &mut own, &mut heard, &mut theirs] {
        assert_eq!(received.recv().await, Some(Notification::Missed), "connected");
    }
    let [first, second] = [(); 2].map(|()| Uuid::new_v4());
    sender.send(&[first]);
    assert_eq!(heard.recv().await, Some(Notification::Changed(vec![first])));
    // The database delivers notifications in the order of their commits: the first would come before.
    neighbour.send(&[second]);
    assert_eq!(theirs.recv().await, Some(Notification::Changed(vec![second])));
}
