//! Starts with a date of their own: judged by the database's clock, each row of a batch by itself.

use super::*;
use crate::rules::InvalidStartDate::{InFuture, TooEarly};

const LONGEST: TimeDelta = TimeDelta::hours(24);

fn a_start_ago(ago: TimeDelta) -> Start {
    let start_date = clock::now() - ago;
    Start { id: clock::id_at(start_date), date: Some(start_date), ..a_start() }
}

#[rstest]
#[tokio::test]
async fn each_row_of_a_batch_has_its_own_start_or_refusal(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, starts, _)) = writers(backend).await else { return };
    let [hour, minute] = [TimeDelta::hours(1), TimeDelta::minutes(1)];
    let backdated = a_start_ago(hour);
    let patient_id = backdated.patient_id;
    let rows = [
        a_start(),
        a_start_ago(-minute),
        backdated.clone(),
        a_start_ago(LONGEST + minute),
        Start { patient_id, ..a_start_ago(minute) },
        a_start_ago(LONGEST - minute),
    ];
    let answers = written(starts.write(&rows).await);
    assert!(matches!(&answers[0], Ok(now) if clock::now() - now.start_date < minute));
    assert!(matches!(&answers[1], Err(StartRefusal::InvalidStartDate(InFuture { .. }))));
    assert!(answers[2].is_ok());
    assert_eq!(answers[3], Err(StartRefusal::InvalidStartDate(TooEarly { longest: LONGEST })));
    assert!(matches!(&answers[4], Err(StartRefusal::PatientInConsultation(other)) if other.id == backdated.id));
    assert!(answers[5].is_ok());
    for number in [2, 5] {
        let stored = consultation::Entity::find_by_id(rows[number].id).one(&db.database.read).await.expect("a row");
        assert_eq!(stored.as_ref().map(|row| row.start_date), rows[number].date, "exactly as it was given");
        assert_eq!(answers[number], Ok(stored.expect("started")), "what was answered is what is stored");
    }
}

#[rstest]
#[tokio::test]
async fn a_repeated_start_is_answered_as_the_first_though_its_date_is_too_old_by_now(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, mut starts, _)) = writers(backend).await else { return };
    let start = a_start_ago(TimeDelta::hours(1));
    let rows = [start.clone(), a_start_ago(TimeDelta::hours(2))];
    written(starts.write(&rows[..1]).await);
    // As if time had passed.
    starts.rules.longest_backdate = TimeDelta::minutes(30);
    let answers = written(starts.write(&rows).await);
    assert!(matches!(&answers[0], Ok(stored) if stored.id == start.id), "{answers:?}");
    assert!(matches!(&answers[1], Err(StartRefusal::InvalidStartDate(TooEarly { .. }))));
}

#[rstest]
#[tokio::test]
async fn starts_without_a_date_ask_for_no_clock(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((mut db, _, _)) = writers(backend).await else { return };
    let statements = db.record_statements();
    let (starts, _) = writers_of(&db);
    let sent = async |rows: &[Start]| {
        written(starts.write(rows).await);
        let sent = std::mem::take(&mut *statements.lock().expect("no panic"));
        sent.iter().map(|sql| if sql.contains("INSERT INTO") { "INSERT" } else { "SELECT" }).collect::<Vec<_>>()
    };
    assert_eq!(sent(&[a_start(), a_start()]).await, ["INSERT"]);
    assert_eq!(sent(&[a_start(), a_start_ago(TimeDelta::hours(1))]).await, ["SELECT", "INSERT"]);
}
