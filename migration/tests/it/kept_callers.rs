//! Names of callers are written with their deed, and stay. The version before, which writes none, goes on working.

use entity::{consultation, pending_payment};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use testkit::{Backend, TestDatabase};

use crate::rows::{finished, in_progress, insert, migrated, pending};

/// A consultation that ana has started, and one that she has also finished, with its payment, which olga has retried.
async fn callers(backend: Backend) -> Option<TestDatabase> {
    let db = migrated(backend).await?;
    let by = |name: &str| Some(name.to_owned());
    let started = consultation::Model { started_by: by("ana"), ..in_progress() };
    insert(&db.database, started).await.expect("inserted");
    let ended = consultation::Model { started_by: by("ana"), finished_by: by("ana"), ..finished() };
    let ended = insert(&db.database, ended).await.expect("inserted");
    let retried = pending_payment::Model { retried_by: by("olga"), ..pending(ended.id) };
    insert(&db.database, retried).await.expect("inserted");
    Some(db)
}

async fn consultations(db: &TestDatabase) -> Vec<consultation::Model> {
    consultation::Entity::find().all(&db.database.read).await.expect("rows")
}

#[rstest]
#[case::who_started("UPDATE consultation SET started_by = 'bruno'")]
#[case::who_started_is_forgotten("UPDATE consultation SET started_by = NULL")]
#[case::who_finished("UPDATE consultation SET finished_by = 'bruno' WHERE end_date IS NOT NULL")]
#[case::who_finished_is_forgotten("UPDATE consultation SET finished_by = NULL")]
#[case::that_it_is_finished("UPDATE consultation SET end_date = NULL, price_cents = NULL WHERE end_date IS NOT NULL")]
#[case::who_finished_before_the_end("UPDATE consultation SET finished_by = 'bruno' WHERE end_date IS NULL")]
#[case::who_finished_with_an_end_taken_back(
    "UPDATE consultation SET end_date = NULL, price_cents = NULL, finished_by = NULL"
)]
#[case::who_retried("UPDATE pending_payment SET retried_by = NULL")]
#[tokio::test]
async fn the_name_of_a_caller_never_changes(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] statement: &str,
) {
    let Some(db) = callers(backend).await else { return };
    let before = consultations(&db).await;
    let refused = db.database.write.execute_unprepared(statement).await.expect_err("refused").to_string();
    assert!(refused.contains("does not change") || refused.contains("not forgotten"), "{refused}");
    assert_eq!(consultations(&db).await, before);
}

#[rstest]
#[tokio::test]
async fn nobody_has_finished_what_is_in_progress(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let row = consultation::Model { finished_by: Some("ana".to_owned()), ..in_progress() };
    let refused = insert(&db.database, row).await.expect_err("refused").to_string();
    assert!(refused.contains("without an end"), "{refused}");
}

#[rstest]
#[case::of_this_version(", finished_by = 'bruno'", Some("bruno"))]
#[case::of_the_version_before("", None)]
#[tokio::test]
async fn a_finish_names_its_caller_or_comes_from_the_version_before(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] naming: &str,
    #[case] finished_by: Option<&str>,
) {
    let Some(db) = callers(backend).await else { return };
    let id = consultation::Entity::find_in_progress().one(&db.database.read).await.expect("a row").expect("one").id;
    let finish = format!(
        "UPDATE consultation SET end_date = '2021-08-02T13:00:00+00:00', price_cents = 1 {naming} WHERE end_date IS NULL"
    );
    db.database.write.execute_unprepared(&finish).await.expect("finished");
    let stored = consultation::Entity::find_by_id(id).one(&db.database.read).await.expect("a row").expect("one");
    assert_eq!((stored.started_by.as_deref(), stored.finished_by.as_deref()), (Some("ana"), finished_by));
}

#[rstest]
#[tokio::test]
async fn a_retry_may_follow_that_of_another(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = callers(backend).await else { return };
    let retries = ["UPDATE pending_payment SET retried_by = 'oto'", "UPDATE pending_payment SET tries = tries + 1"];
    for statement in retries {
        db.database.write.execute_unprepared(statement).await.expect("updated");
    }
    let row = pending_payment::Entity::find().one(&db.database.read).await.expect("a row").expect("one");
    assert_eq!(row.retried_by.as_deref(), Some("oto"));
}
