//! The writer of payments: the results of a batch, also of a repeated one.

use std::time::Duration;

use chassis::{
    changes::Changes,
    clock,
    database::{Database, Transaction},
    write_coalescer::BatchWriter,
};
use entity::{Money, payment};
use finance::{
    rules::Recorded,
    writer::{Record, RecordWriter},
};
use migration::finance::Migrator;
use rstest::rstest;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

pub(crate) async fn writer(backend: Backend) -> Option<(TestDatabase, RecordWriter)> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let writer = RecordWriter { database: db.database.clone(), recorded: Changes::new("payment_recorded").0 };
    Some((db, writer))
}

pub(crate) fn record(appointment: Uuid, total_price: Money) -> Record {
    Record::new(appointment, total_price, "ana".into())
}

pub(crate) async fn write(writer: &RecordWriter, rows: &[Record]) -> Vec<Recorded> {
    let answers = writer.write(rows).await.expect("written");
    assert_eq!(answers.len(), rows.len(), "one answer per row");
    answers.into_iter().map(|answer| answer.expect("not locked")).collect()
}

#[rstest]
#[tokio::test]
async fn a_record_that_waited_until_nobody_waits_for_it_is_not_written(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, writer)) = writer(backend).await else { return };
    let rows = [record(Uuid::new_v4(), Money::MAX)];
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(21)).await;
    tokio::time::resume();
    let fault = writer.write(&rows).await.expect_err("too late");
    assert!(fault.to_string().contains("within 20 s"), "{fault}");
    assert!(payment::Entity::find().all(&db.database.read).await.expect("rows").is_empty());
}

#[rstest]
#[tokio::test]
async fn a_record_written_again_after_a_lost_answer_is_still_new(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, writer)) = writer(backend).await else { return };
    let lost = record(Uuid::new_v4(), Money::MAX);
    let rows = [lost, record(Uuid::new_v4(), Money::ZERO)];
    for _ in 0..2 {
        let answers = write(&writer, &rows).await;
        assert!(answers.iter().all(|answer| matches!(answer, Recorded::New(_))), "{answers:?}");
    }
    let stored = payment::Entity::find().all(&db.database.read).await.expect("rows");
    assert_eq!(stored.len(), 2);
}

#[rstest]
#[tokio::test]
async fn of_two_rows_of_a_batch_for_one_appointment_the_first_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, writer)) = writer(backend).await else { return };
    let appointment = Uuid::new_v4();
    // Ids are random within a millisecond, so the smaller id is the second as often as the first.
    let (first, equal, other) =
        (record(appointment, Money::MAX), record(appointment, Money::MAX), record(appointment, Money::ZERO));
    let answers = write(&writer, &[first, record(Uuid::new_v4(), Money::ZERO), equal, other]).await;
    let [Recorded::New(first), Recorded::New(_), Recorded::Already(equal), Recorded::Conflict(other)] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert!(first == equal && first == other && first.total_price_cents == Money::MAX);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn batches_that_overlap_in_opposite_order_never_deadlock(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, writer)) = writer(backend).await else { return };
    let database = Database::connect(&db.url).await.expect("another connection");
    let replica = RecordWriter { database, recorded: Changes::new("payment_recorded").0 };
    for _ in 0..20 {
        let appointments: Vec<_> = (0..64).map(|_| Uuid::new_v4()).collect();
        let batch: Vec<_> = appointments.iter().map(|appointment| record(*appointment, Money::MAX)).collect();
        let reversed: Vec<_> = appointments.iter().rev().map(|appointment| record(*appointment, Money::MAX)).collect();
        let (one, mut other) = tokio::join!(write(&writer, &batch), write(&replica, &reversed));
        other.reverse();
        for pair in one.iter().zip(&other) {
            let ((Recorded::New(won), Recorded::Already(lost)) | (Recorded::Already(lost), Recorded::New(won))) = pair
            else {
                panic!("{pair:?}")
            };
            assert_eq!(won, lost);
        }
    }
}

/// Another process that has inserted a payment of the appointment and not committed.
pub(crate) async fn rival(db: &TestDatabase, appointment: Uuid) -> (Transaction, payment::Model) {
    let rival = Database::connect(&db.url).await.expect("another connection").begin().await.expect("a transaction");
    let row = payment::ActiveModel {
        id: Set(clock::id_at(clock::now())),
        appointment_id: Set(appointment),
        total_price_cents: Set(Money::MAX),
        recorded_at: Set(clock::now()),
        recorded_by: Set(None),
    };
    let row = row.insert(&rival).await.expect("inserted");
    (rival, row)
}

/// Returns when a statement waits for a rival's transaction. SQLite does not tell who waits.
pub(crate) async fn until_somebody_waits(database: &impl ConnectionTrait) {
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while database.get_database_backend() == DbBackend::Postgres {
        let waiting = sea_orm::Statement::from_string(DbBackend::Postgres, waiting);
        if database.query_one_raw(waiting).await.expect("activity").is_some() {
            return;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_rival_that_commits_while_the_row_is_being_written_is_found(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(Money::MAX, Money::ZERO)] total_price: Money,
) {
    let Some((db, writer)) = writer(backend).await else { return };
    let appointment = Uuid::new_v4();
    let (rival, theirs) = rival(&db, appointment).await;
    let ours = [record(appointment, total_price)];
    let writing = tokio::spawn(async move { write(&writer, &ours).await });
    until_somebody_waits(&db.database.read).await;
    rival.commit().await.expect("committed");
    match writing.await.expect("an answer").as_slice() {
        [Recorded::Already(stored)] => assert_eq!((stored, total_price), (&theirs, Money::MAX)),
        [Recorded::Conflict(stored)] => assert_eq!((stored, total_price), (&theirs, Money::ZERO)),
        answers => panic!("{answers:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_rival_that_rolls_back_leaves_the_row_to_the_writer(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, writer)) = writer(backend).await else { return };
    let appointment = Uuid::new_v4();
    let (rival, theirs) = rival(&db, appointment).await;
    let ours = [record(appointment, Money::ZERO)];
    let writing = tokio::spawn(async move { write(&writer, &ours).await });
    until_somebody_waits(&db.database.read).await;
    rival.rollback().await.expect("rolled back");
    let answers = writing.await.expect("an answer");
    assert!(matches!(&answers[..], [Recorded::New(stored)] if stored.id != theirs.id), "{answers:?}");
}
