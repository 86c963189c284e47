//! Recordings that were committed and whose response was lost: subscribers learn that they missed payments.

use chassis::{
    changes::{Change, Changes},
    database::Database,
    health::Heartbeat,
    metrics::WriterMeter,
    replicas,
    write_coalescer::{BatchWriter, WriteCoalescer, WriteError},
};
use entity::{Money, payment};
use finance::{
    rules::Recorded,
    writer::{Record, RecordWriter},
};
use futures_util::{FutureExt, StreamExt};
use rstest::rstest;
use sea_orm::EntityTrait;
use testkit::Backend;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::record_writer::{record, rival, until_somebody_waits, write, writer};

/// The changes of a replica. It listens when this returns.
async fn replica(database: Database) -> Changes {
    let (changes, channel) = Changes::new("payment_recorded");
    let mut heard = changes.subscribe();
    let shutdown = CancellationToken::new();
    tokio::spawn(replicas::connect(vec![channel], database, Heartbeat::new("hints"), shutdown));
    assert_eq!(heard.next().await, Some(Change::Missed), "what was said before it listened");
    changes
}

#[tokio::test]
async fn a_recording_whose_answer_was_lost_is_told_to_the_subscribers_of_all_replicas_as_missed() {
    let Some((db, _)) = writer(Backend::Postgres).await else { return };
    let (url, proxy) = db.through_proxy().await;
    let recorded = replica(db.database.clone()).await;
    let elsewhere = replica(Database::connect(&db.url).await.expect("a database")).await;
    let (mut here, mut there) = (recorded.subscribe(), elsewhere.subscribe());
    let database = Database::connect(&url).await.expect("a database");
    let (coalescer, writing) =
        WriteCoalescer::new(RecordWriter { database, recorded }, Heartbeat::new("writer"), WriterMeter::default());
    tokio::spawn(writing);

    let appointment = Uuid::new_v4();
    let (rival, _) = rival(&db, appointment).await;
    let caller = coalescer.clone();
    let lost = tokio::spawn(async move { caller.write(Record::new(appointment, Money::MAX, "ana".into())).await });
    until_somebody_waits(&db.database.read).await;
    proxy.silence();
    rival.rollback().await.expect("out of the way");
    let answer = lost.await.expect("no panic");
    assert!(matches!(answer, Err(WriteError::Failed(_))), "{answer:?}");
    assert_eq!(payment::Entity::find().all(&db.database.read).await.expect("rows").len(), 1, "it was recorded");
    assert_eq!((here.next().await, there.next().await), (Some(Change::Missed), Some(Change::Missed)));

    // Sent again it is recorded already.
    let again = coalescer.write(Record::new(appointment, Money::MAX, "ana".into())).await;
    assert!(matches!(again, Ok(Recorded::Already(_))), "{again:?}");
}

#[rstest]
#[tokio::test]
async fn a_recorded_payment_is_told_although_the_look_up_of_its_neighbour_fails(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, first)) = writer(backend).await else { return };
    let before = record(Uuid::new_v4(), Money::MAX);
    write(&first, std::slice::from_ref(&before)).await;
    let database = Database::open(&db.url, 1).await.expect("one connection");
    let recorded = Changes::new("payment_recorded").0;
    let mut told = recorded.subscribe();
    let writer = RecordWriter { database: database.clone(), recorded };
    let rows = [record(Uuid::new_v4(), Money::MAX), before];
    // It queues for the connection behind the insert, and holds it until the look-up is given up.
    let (written, other) = tokio::join!(writer.write(&rows), database.begin());
    let fault = written.expect_err("no connection to look the other payment up");
    assert!(!RecordWriter::may_have_written(&fault), "nobody is told for this fault: {fault}");
    other.expect("the connection").rollback().await.expect("rolled back");
    let payments = payment::Entity::find().all(&db.database.read).await.expect("rows");
    assert_eq!(payments.len(), 2, "one was recorded");
    let Some(Some(Change::Of(id))) = told.next().now_or_never() else { panic!("nobody was told") };
    assert!(payments.iter().any(|payment| payment.id == id), "the id of the payment");
}
