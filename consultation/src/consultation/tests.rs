//! A write whose commit was answered by a cut connection is written again: it must find its own traces.

use chassis::{changes::Changes, clock, write_coalescer::BatchWriter};
use chrono::TimeDelta;
use entity::Money;
use migration::consultation::Migrator;
use rstest::rstest;
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::outbox::WakeUp;

use super::{Finish, FinishWriter, Finished, Start, StartWriter, Started};

async fn writers(backend: Backend) -> Option<(TestDatabase, StartWriter, FinishWriter)> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let start = StartWriter { database: db.database.clone() };
    let (finished, changes) = (WakeUp::default(), Changes::new("consultation_changed"));
    let finish = FinishWriter { database: db.database.clone(), price_per_hour: Money::MAX, finished, changes };
    Some((db, start, finish))
}

fn a_start() -> Start {
    let now = clock::now();
    Start { id: clock::id_at(now), physician_id: Uuid::new_v4(), patient_id: Uuid::new_v4(), start_date: now }
}

fn a_finish(start: &Start) -> Finish {
    let end_date = start.start_date + TimeDelta::minutes(1);
    Finish {
        consultation_id: start.id,
        end_date: Some(end_date),
        now: end_date,
        pending_payment_id: clock::id_at(end_date),
    }
}

#[rstest]
#[tokio::test]
async fn a_repeated_write_is_answered_as_the_first(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((_db, starts, finishes)) = writers(backend).await else { return };
    let start = a_start();
    let finish = a_finish(&start);
    for _ in 0..2 {
        let answer = starts.write(std::slice::from_ref(&start)).await.expect("written").remove(0);
        assert!(matches!(answer, Started::Started(consultation) if consultation.id == start.id));
    }
    for _ in 0..2 {
        let answer = finishes.write(std::slice::from_ref(&finish)).await.expect("written").remove(0);
        assert!(matches!(answer, Finished::Finished(consultation) if consultation.end_date == finish.end_date));
    }
    let answer = starts.write(std::slice::from_ref(&start)).await.expect("written").remove(0);
    assert!(matches!(answer, Started::Started(consultation) if consultation.id == start.id), "though it is finished");
}

#[rstest]
#[tokio::test]
async fn two_rows_of_one_batch_may_collide_and_the_first_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, starts, finishes)) = writers(backend).await else { return };
    let first = a_start();
    let second = Start { patient_id: first.patient_id, ..a_start() };
    let other = a_start();
    let answers = starts.write(&[first.clone(), second, other.clone()]).await.expect("written");
    assert!(matches!(&answers[0], Started::Started(consultation) if consultation.id == first.id));
    assert!(matches!(&answers[1], Started::PatientInConsultation(consultation) if consultation.id == first.id));
    assert!(matches!(&answers[2], Started::Started(consultation) if consultation.id == other.id));

    let unknown = a_finish(&a_start());
    let answers =
        finishes.write(&[a_finish(&first), unknown, a_finish(&first), a_finish(&other)]).await.expect("written");
    assert!(matches!(&answers[0], Finished::Finished(_)));
    assert!(matches!(&answers[1], Finished::NotFound));
    assert!(matches!(&answers[2], Finished::AlreadyFinished(consultation) if consultation.id == first.id));
    assert!(matches!(&answers[3], Finished::Finished(consultation) if consultation.id == other.id));
}

#[rstest]
#[tokio::test]
async fn a_clock_that_is_behind_the_start_does_not_refuse_a_finish_now(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, starts, finishes)) = writers(backend).await else { return };
    let start = a_start();
    starts.write(std::slice::from_ref(&start)).await.expect("written");
    let now = start.start_date - TimeDelta::seconds(5);
    let finish = Finish { end_date: None, now, ..a_finish(&start) };
    let answer = finishes.write(&[finish]).await.expect("written").remove(0);
    let end_date = start.start_date + TimeDelta::milliseconds(1);
    assert!(matches!(answer, Finished::Finished(consultation) if consultation.end_date == Some(end_date)));
}

#[rstest]
#[tokio::test]
async fn batches_of_two_replicas_share_the_consultations_that_both_want_to_finish(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, starts, finishes)) = writers(backend).await else { return };
    for _ in 0..10 {
        let started: Vec<_> = std::iter::repeat_with(a_start).take(50).collect();
        starts.write(&started).await.expect("written");
        let here: Vec<_> = started.iter().map(a_finish).collect();
        // In the other order, in which row locks taken one by one would end in a deadlock.
        let there: Vec<_> = started.iter().rev().map(a_finish).collect();
        let (here, there) = tokio::join!(finishes.write(&here), finishes.write(&there));
        let (here, there) = (here.expect("no deadlock"), there.expect("no deadlock"));
        for answers in here.iter().zip(there.iter().rev()) {
            assert!(
                matches!(
                    answers,
                    (Finished::Finished(_), Finished::AlreadyFinished(_))
                        | (Finished::AlreadyFinished(_), Finished::Finished(_))
                ),
                "one wins: {answers:?}"
            );
        }
    }
}
