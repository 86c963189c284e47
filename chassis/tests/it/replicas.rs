//! Replicas that tell each other what has changed, and a connection that goes silent meanwhile.

use std::time::Duration;

use chassis::{
    database::Database,
    health::Heartbeat,
    replicas::{self, Channel, Heard},
};
use testkit::{Backend, TestDatabase};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Three times the silence after which a connection is asked for a notification, and connecting.
const FOUND_DEAD_WITHIN: Duration = Duration::from_secs(13);

/// A replica that listens, and what it hears.
fn replica(database: Database) -> (Channel, UnboundedReceiver<Heard>) {
    let (hear, heard) = unbounded_channel();
    let channel = Channel::new("changed", move |what| drop(hear.send(what)));
    let (channels, heartbeat) = (vec![channel.clone()], Heartbeat::new("hints"));
    tokio::spawn(replicas::connect(channels, database, heartbeat, CancellationToken::new()));
    (channel, heard)
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
