//! Rows that another session has locked: they delay their own callers only.

use super::*;

#[tokio::test]
async fn a_locked_consultation_delays_no_other() {
    let Some((db, starts, finishes)) = writers(Backend::Postgres).await else { return };
    let [locked, free] = [a_start(), a_start()];
    written(starts.write(&[locked.clone(), free.clone()]).await);
    let operator = db.database.begin().await.expect("a transaction");
    let lock = consultation::Entity::find_by_id(locked.id).lock_exclusive();
    lock.one(&operator).await.expect("locked").expect("found");

    let rows = [a_finish(&locked), a_finish(&free), a_finish(&locked)];
    let answers = finishes.write(&rows).await.expect("written");
    assert!(matches!(&answers[..], [None, Some(Ok(_)), None]), "{answers:?}");

    operator.rollback().await.expect("unlocked");
    let answers = written(finishes.write(&rows).await);
    assert!(
        matches!(&answers[..], [Ok(_), Ok(_), Err(FinishRefusal::AlreadyFinished(_))]),
        "what was written before recognises itself: {answers:?}"
    );
}

#[tokio::test]
async fn a_patient_whose_consultation_somebody_changes_delays_no_other_start() {
    let Some((db, starts, _)) = writers(Backend::Postgres).await else { return };
    let busy = a_start();
    written(starts.write(std::slice::from_ref(&busy)).await);
    let operator = db.database.begin().await.expect("a transaction");
    let change = format!("UPDATE consultation SET physician_id = physician_id WHERE id = '{}'", busy.id);
    operator.execute_unprepared(&change).await.expect("changed, not committed");
    let began = std::time::Instant::now();
    let answers = starts.write(&[Start { patient_id: busy.patient_id, ..a_start() }, a_start()]).await;
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_millis(500) && answers.is_ok(), "{took:?}: {answers:?}");
}
