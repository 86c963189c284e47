//! Replicas that tell each other what has changed, and notice what they were not told.

use std::time::Duration;

use chassis::{
    database::Database,
    health::Heartbeat,
    replicas::{self, Heard, Publisher},
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

/// Three times the silence after which a connection is asked for a notification, and connecting.
const FOUND_DEAD_WITHIN: Duration = Duration::from_secs(13);

/// A replica, and what it hears.
fn replica(database: Database) -> (Publisher, UnboundedReceiver<Heard>) {
    let (publisher, heard, _) = started(database);
    (publisher, heard)
}

fn started(database: Database) -> (Publisher, UnboundedReceiver<Heard>, JoinHandle<()>) {
    let (hear, heard) = unbounded_channel();
    let (publisher, channel) = replicas::channel("changed", move |what| drop(hear.send(what)));
    let heartbeat = Heartbeat::new("hints");
    let task = tokio::spawn(replicas::connect(vec![channel], database, heartbeat, CancellationToken::new()));
    (publisher, heard, task)
}

#[tokio::test]
async fn a_silent_connection_for_notifications_is_replaced_and_what_it_missed_is_told() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (url, proxy) = db.through_proxy().await;
    let (_, mut heard) = replica(Database::connect(&url).await.expect("a database"));
    let (other, _) = replica(db.database.clone());
    assert_eq!(heard.recv().await, Some(Heard::Missed), "it listens");

    let [before, during, after] = [(); 3].map(|()| Uuid::new_v4());
    other.send(&[before]);
    assert_eq!(heard.recv().await, Some(Heard::Changed(vec![before])));
    proxy.silence();
    other.send(&[during]);
    let began = Instant::now();
    let missed = timeout(FOUND_DEAD_WITHIN, heard.recv()).await;
    assert_eq!(missed, Ok(Some(Heard::Missed)), "after {:?}", began.elapsed());
    other.send(&[after]);
    assert_eq!(heard.recv().await, Some(Heard::Changed(vec![after])));
}

#[tokio::test]
async fn a_replica_that_is_killed_before_it_told_something_is_noticed() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut heard) = replica(db.database.clone());
    assert_eq!(heard.recv().await, Some(Heard::Missed), "it listens");
    let (other, _heard, task) = started(Database::connect(&db.url).await.expect("a database"));
    let told = Uuid::new_v4();
    other.send(&[told]);
    assert_eq!(heard.recv().await, Some(Heard::Changed(vec![told])));
    task.abort();
    other.send(&[Uuid::new_v4()]);
    assert_eq!(timeout(FOUND_DEAD_WITHIN, heard.recv()).await, Ok(Some(Heard::Missed)));
}

#[tokio::test]
async fn what_was_published_before_the_end_is_told_before_the_end() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut heard) = replica(db.database.clone());
    assert_eq!(heard.recv().await, Some(Heard::Missed), "it listens");
    let (publisher, channel) = replicas::channel("changed", |_| ());
    let shutdown = CancellationToken::new();
    let database = Database::connect(&db.url).await.expect("a database");
    let ending = tokio::spawn(replicas::connect(vec![channel], database, Heartbeat::new("hints"), shutdown.clone()));
    let [first, last] = [(); 2].map(|()| Uuid::new_v4());
    publisher.send(&[first]);
    assert_eq!(heard.recv().await, Some(Heard::Changed(vec![first])));
    // A shutdown begins, and a writer commits once more.
    shutdown.cancel();
    publisher.send(&[last]);
    drop(publisher);
    assert_eq!(heard.recv().await, Some(Heard::Changed(vec![last])));
    ending.await.expect("it ends by itself");
}

#[tokio::test]
async fn changes_that_were_not_told_one_by_one_are_told_as_missed() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut heard) = replica(db.database.clone());
    assert_eq!(heard.recv().await, Some(Heard::Missed), "it listens");
    let (other, _) = replica(Database::connect(&db.url).await.expect("a database"));
    for _ in 0..2_000 {
        other.send(&[Uuid::new_v4()]);
    }
    assert_eq!(heard.recv().await, Some(Heard::Missed));
}

#[tokio::test]
async fn a_flood_of_forged_notifications_is_handed_over_ten_times_a_second() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (_listening, mut heard) = replica(db.database.clone());
    assert_eq!(heard.recv().await, Some(Heard::Missed), "it listens");
    let began = Instant::now();
    let forge = "DO $$ BEGIN
        FOR n IN 1..2000 LOOP
            PERFORM pg_notify('changed', gen_random_uuid() || ' ' || gen_random_uuid());
            COMMIT;
        END LOOP;
    END $$";
    db.database.write.execute_unprepared(forge).await.expect("forged");
    let mut handed_over = 0;
    let mut ids = 0;
    while ids < 2_000 {
        let Some(Heard::Changed(some)) = heard.recv().await else { panic!("nothing is missed") };
        (ids, handed_over) = (ids + some.len(), handed_over + 1);
    }
    let limit = began.elapsed().as_millis() / 100 + 2;
    assert!(handed_over <= limit, "{handed_over} times in {:?}", began.elapsed());
}
