//! Cancellations: against finishes, locks, repetitions, and a clock that was set back.

use super::*;
use crate::{
    rules::{CancelRefusal, Cancelled},
    store::cancel::{Cancellation, cancel},
};

fn a_cancellation(start: &Start) -> Cancellation {
    Cancellation {
        consultation_id: start.id,
        reason: "started by mistake".parse().expect("a reason"),
        cancelled_by: "bruno".into(),
    }
}

/// The answer when nobody else holds a lock.
async fn cancelled(db: &TestDatabase, row: &Cancellation) -> Cancelled {
    cancel(&db.database, row).await.expect("written").expect("not locked")
}

async fn payments(db: &TestDatabase) -> usize {
    pending_payment::Entity::find().all(&db.database.read).await.expect("rows").len()
}

#[rstest]
#[tokio::test]
async fn a_cancellation_is_final_and_its_repetition_shows_what_is_stored(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, starts, finishes)) = writers(backend).await else { return };
    let start = a_start();
    written(starts.write(std::slice::from_ref(&start)).await);
    let first = cancelled(&db, &a_cancellation(&start)).await.expect("cancelled");
    assert_eq!(
        (first.cancel_reason.as_deref(), first.cancelled_by.as_deref()),
        (Some("started by mistake"), Some("bruno"))
    );
    assert_eq!((first.price_cents, &first.finished_by), (None, &None));
    assert!(first.end_date.is_some_and(|end| end > first.start_date));
    let stored = consultation::Entity::find_by_id(start.id).one(&db.database.read).await.expect("a row");
    assert_eq!(stored.as_ref(), Some(&first), "what was answered is what is stored");

    let another = Cancellation {
        reason: "another".parse().expect("a reason"),
        cancelled_by: "ana".into(),
        ..a_cancellation(&start)
    };
    assert_eq!(cancelled(&db, &another).await, Err(CancelRefusal::Cancelled(first.clone().into())));
    let answers = written(finishes.write(&[a_finish(&start)]).await);
    assert_eq!(answers, [Err(FinishRefusal::Cancelled(first.into()))]);
    assert_eq!(payments(&db).await, 0);
    let next = Start { patient_id: start.patient_id, ..a_start() };
    assert!(written(starts.write(&[next]).await)[0].is_ok(), "the patient may come again");
}

#[rstest]
#[tokio::test]
async fn what_is_finished_or_unknown_cannot_be_cancelled(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, starts, finishes)) = writers(backend).await else { return };
    let start = a_start();
    written(starts.write(std::slice::from_ref(&start)).await);
    let finished = written(finishes.write(&[a_finish(&start)]).await).remove(0).expect("finished");
    let refused = cancelled(&db, &a_cancellation(&start)).await;
    assert_eq!(refused, Err(CancelRefusal::AlreadyFinished(finished.into())));
    assert_eq!(cancelled(&db, &a_cancellation(&a_start())).await, Err(CancelRefusal::NotFound));
    assert_eq!(payments(&db).await, 1);
}

#[rstest]
#[tokio::test]
async fn of_a_cancellation_and_a_finish_at_once_one_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, starts, finishes)) = writers(backend).await else { return };
    let rows: Vec<_> = std::iter::repeat_with(a_start).take(40).collect();
    written(starts.write(&rows).await);
    let insist = async |row: &Cancellation| loop {
        if let Some(answer) = cancel(&db.database, row).await.expect("no deadlock") {
            return answer;
        }
        tokio::task::yield_now().await;
    };
    let mut finishes_won = 0;
    for row in &rows {
        let (finish, cancellation) = ([a_finish(row)], a_cancellation(row));
        let (finished, cancelled) = tokio::join!(insistent(&finishes, &finish), insist(&cancellation));
        match (&finished[0], &cancelled) {
            (Ok(_), Err(CancelRefusal::AlreadyFinished(_))) => finishes_won += 1,
            (Err(FinishRefusal::Cancelled(_)), Ok(_)) => {}
            both => panic!("one wins: {both:?}"),
        }
    }
    assert_eq!(payments(&db).await, finishes_won);
}

#[tokio::test]
async fn a_repeated_cancellation_is_answered_after_a_commit_that_waits_for_the_standby() {
    let Some((mut db, starts, _)) = writers(Backend::Postgres).await else { return };
    let start = a_start();
    written(starts.write(std::slice::from_ref(&start)).await);
    let statements = db.record_statements();
    let waits = || {
        let recorded = std::mem::take(&mut *statements.lock().expect("no panic"));
        recorded.iter().filter(|sql| sql.contains("pg_logical_emit")).count()
    };
    cancelled(&db, &a_cancellation(&start)).await.expect("cancelled");
    assert_eq!(waits(), 0, "its own commit waits");
    cancelled(&db, &a_cancellation(&start)).await.expect_err("cancelled before");
    assert_eq!(waits(), 1);
}

#[tokio::test]
async fn a_locked_consultation_is_not_cancelled_until_it_is_unlocked() {
    let Some((db, starts, _)) = writers(Backend::Postgres).await else { return };
    let start = a_start();
    written(starts.write(std::slice::from_ref(&start)).await);
    let operator = db.database.begin().await.expect("a transaction");
    let lock = consultation::Entity::find_by_id(start.id).lock_exclusive();
    lock.one(&operator).await.expect("locked").expect("found");
    let answer = cancel(&db.database, &a_cancellation(&start)).await.expect("no wait");
    assert_eq!(answer, None);
    operator.rollback().await.expect("unlocked");
    assert!(cancelled(&db, &a_cancellation(&start)).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn a_cancellation_is_later_than_the_start_though_the_clock_was_set_back(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, starts, _)) = writers(backend).await else { return };
    let start = a_start();
    written(starts.write(std::slice::from_ref(&start)).await);
    let in_5_s = clock::now() + TimeDelta::seconds(5);
    let later = consultation::Entity::update_many().col_expr(consultation::Column::StartDate, Expr::value(in_5_s));
    later.exec(&db.database.write).await.expect("updated");
    let answer = cancelled(&db, &a_cancellation(&start)).await.expect("cancelled");
    assert_eq!(answer.end_date, Some(in_5_s + TimeDelta::milliseconds(1)));
}
