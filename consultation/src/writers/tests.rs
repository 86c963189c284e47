//! The writers: collisions within and between batches, locked rows, and repeated writes. A write whose response was
//! lost is written again: it must find its own rows.

mod backdated;
mod callers;
mod cancel;
mod locks;

use chassis::{changes::Changes, clock, traces::Span, write_coalescer::BatchWriter};
use chrono::TimeDelta;
use entity::{Money, consultation, pending_payment};
use migration::consultation::Migrator;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect, sea_query::Expr};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use super::{Finish, FinishWriter, Rules, Start, StartWriter, WakeUp};
use crate::rules::{FinishRefusal, Finished, StartRefusal};

async fn writers(backend: Backend) -> Option<(TestDatabase, StartWriter, FinishWriter)> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let (start, finish) = writers_of(&db);
    Some((db, start, finish))
}

fn writers_of(db: &TestDatabase) -> (StartWriter, FinishWriter) {
    let [longest, longest_backdate] = [TimeDelta::hours(24); 2];
    let rules = Rules { price_per_hour: Money::MAX, longest, longest_backdate };
    let (wake_up, changes) = (WakeUp::default(), Changes::new("consultation_changed").0);
    let start = StartWriter { database: db.database.clone(), rules, changes: changes.clone() };
    let finish = FinishWriter { database: db.database.clone(), rules, wake_up, changes };
    (start, finish)
}

fn a_start() -> Start {
    let [physician_id, patient_id] = [(); 2].map(|()| Uuid::new_v4());
    Start { id: clock::new_id(), physician_id, patient_id, date: None, started_by: "ana".into() }
}

/// A finish whose end is later than any start before.
fn a_finish(start: &Start) -> Finish {
    let end_date = Some(clock::now() + TimeDelta::minutes(1));
    let (pending_payment_id, finished_by, span) = (clock::new_id(), "ana".into(), Span::default());
    Finish { consultation_id: start.id, end_date, pending_payment_id, finished_by, span }
}

/// The answers when nobody else holds locks.
fn written<T>(answers: Result<Vec<Option<T>>, DbErr>) -> Vec<T> {
    answers.expect("written").into_iter().map(|answer| answer.expect("not locked")).collect()
}

/// The answers when locked rows are handed over again, as the coalescer does.
async fn insistent(finishes: &FinishWriter, rows: &[Finish]) -> Vec<Finished> {
    loop {
        let answers = finishes.write(rows).await.expect("no deadlock");
        if answers.iter().all(Option::is_some) {
            return answers.into_iter().flatten().collect();
        }
        tokio::task::yield_now().await;
    }
}

#[rstest]
#[tokio::test]
async fn a_repeated_write_is_answered_as_the_first(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((_db, starts, finishes)) = writers(backend).await else { return };
    let start = a_start();
    let finish = a_finish(&start);
    for _ in 0..2 {
        let answer = written(starts.write(std::slice::from_ref(&start)).await).remove(0);
        assert!(matches!(answer, Ok(consultation) if consultation.id == start.id));
    }
    for _ in 0..2 {
        let answer = written(finishes.write(std::slice::from_ref(&finish)).await).remove(0);
        assert!(matches!(answer, Ok(consultation) if consultation.end_date == finish.end_date));
    }
    let answer = written(starts.write(std::slice::from_ref(&start)).await).remove(0);
    assert!(matches!(answer, Ok(consultation) if consultation.id == start.id), "though it is finished");
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
    let answers = written(starts.write(&[first.clone(), second, other.clone()]).await);
    assert!(matches!(&answers[0], Ok(consultation) if consultation.id == first.id));
    assert!(
        matches!(&answers[1], Err(StartRefusal::PatientInConsultation(consultation)) if consultation.id == first.id)
    );
    assert!(matches!(&answers[2], Ok(consultation) if consultation.id == other.id));

    let unknown = a_finish(&a_start());
    let answers = finishes.write(&[a_finish(&first), unknown, a_finish(&first), a_finish(&other)]).await;
    let answers = written(answers);
    assert!(answers[0].is_ok());
    assert!(matches!(&answers[1], Err(FinishRefusal::NotFound)));
    assert!(matches!(&answers[2], Err(FinishRefusal::AlreadyFinished(consultation)) if consultation.id == first.id));
    assert!(matches!(&answers[3], Ok(consultation) if consultation.id == other.id));
}

#[rstest]
#[tokio::test]
async fn a_clock_that_was_set_back_since_the_start_does_not_refuse_a_finish_now(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, starts, finishes)) = writers(backend).await else { return };
    let start = a_start();
    written(starts.write(std::slice::from_ref(&start)).await);
    let in_5_s = clock::now() + TimeDelta::seconds(5);
    let later = consultation::Entity::update_many().col_expr(consultation::Column::StartDate, Expr::value(in_5_s));
    later.exec(&db.database.write).await.expect("updated");
    let finish = Finish { end_date: None, ..a_finish(&start) };
    let answer = written(finishes.write(&[finish]).await).remove(0);
    let end_date = in_5_s + TimeDelta::milliseconds(1);
    assert!(matches!(answer, Ok(consultation) if consultation.end_date == Some(end_date)));
}

#[rstest]
#[tokio::test]
async fn batches_of_two_replicas_share_the_consultations_that_both_want_to_finish(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, starts, finishes)) = writers(backend).await else { return };
    for _ in 0..10 {
        let started: Vec<_> = std::iter::repeat_with(a_start).take(50).collect();
        written(starts.write(&started).await);
        let here: Vec<_> = started.iter().map(a_finish).collect();
        // In the other order, in which row locks taken one by one would deadlock.
        let there: Vec<_> = started.iter().rev().map(a_finish).collect();
        let (here, there) = tokio::join!(insistent(&finishes, &here), insistent(&finishes, &there));
        for answers in here.iter().zip(there.iter().rev()) {
            assert!(
                matches!(
                    answers,
                    (Ok(_), Err(FinishRefusal::AlreadyFinished(_))) | (Err(FinishRefusal::AlreadyFinished(_)), Ok(_))
                ),
                "one wins: {answers:?}"
            );
        }
    }
}

/// While a synchronous standby is away, rows that are visible after a restart may yet be lost: see the chaos campaign.
#[tokio::test]
async fn what_was_done_before_is_answered_after_a_commit_that_waits_for_the_standby() {
    let Some((mut db, _, _)) = writers(Backend::Postgres).await else { return };
    let statements = db.record_statements();
    let (starts, finishes) = writers_of(&db);
    let waits = || {
        let recorded = std::mem::take(&mut *statements.lock().expect("no panic"));
        recorded.iter().filter(|sql| sql.contains("pg_logical_emit")).count()
    };
    let [start, other] = [a_start(), a_start()];
    written(starts.write(&[start.clone(), other.clone()]).await);
    written(finishes.write(&[a_finish(&start)]).await);
    assert_eq!(waits(), 0, "their own commits wait");
    written(starts.write(&[Start { patient_id: other.patient_id, ..a_start() }]).await);
    assert_eq!(waits(), 1, "the patient is in a consultation");
    written(finishes.write(&[a_finish(&start)]).await);
    assert_eq!(waits(), 1, "it is finished already");
    written(finishes.write(&[a_finish(&start), a_finish(&other)]).await);
    assert_eq!(waits(), 1, "the commit of the other is later, but perhaps of another session");
}
