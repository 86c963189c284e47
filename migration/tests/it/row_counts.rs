//! Row counts behind totals.

use entity::{consultation, pending_payment};
use rstest::rstest;
use sea_orm::{
    ActiveValue::{NotSet, Set, Unchanged},
    ConnectionTrait, EntityTrait, Statement,
};
use testkit::{Backend, TestDatabase};

use crate::rows::{at, finished, in_progress, insert, migrated, pending};

pub(crate) async fn number(db: &TestDatabase, sql: &str) -> i64 {
    let database = &db.database.read;
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.expect("read").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// The stored and the actual count of both tables.
async fn counts(db: &TestDatabase) -> [(i64, i64); 2] {
    let kept = async |table: &str| {
        number(db, &format!("SELECT CAST(COALESCE(SUM(row_count), 0) AS BIGINT) FROM {table}_count")).await
    };
    let there = async |table: &str| number(db, &format!("SELECT count(*) FROM {table}")).await;
    [
        (kept("consultation").await, there("consultation").await),
        (kept("pending_payment").await, there("pending_payment").await),
    ]
}

#[rstest]
#[tokio::test]
async fn counts_follow_what_is_inserted_and_deleted(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    assert_eq!(counts(&db).await, [(0, 0); 2]);
    for _ in 0..3 {
        let consultation = insert(&db.database, finished()).await.expect("inserted");
        let row =
            pending_payment::Model { finished: true, finished_at: Some(at("13:00:01")), ..pending(consultation.id) };
        insert(&db.database, row).await.expect("inserted");
    }
    assert_eq!(counts(&db).await, [(3, 3); 2]);

    let open = insert(&db.database, in_progress()).await.expect("inserted");
    let refused = insert(&db.database, open).await;
    assert!(refused.is_err(), "its id is taken");
    assert_eq!(counts(&db).await, [(4, 4), (3, 3)]);

    pending_payment::Entity::delete_many().exec(&db.database.write).await.expect("deleted");
    assert_eq!(counts(&db).await, [(4, 4), (0, 0)]);
}

#[rstest]
#[tokio::test]
async fn cancelled_rows_are_counted_too(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let cancelled = async || number(&db, "SELECT CAST(SUM(cancelled_count) AS BIGINT) FROM consultation_count").await;
    let later = insert(&db.database, in_progress()).await.expect("inserted");
    insert(&db.database, finished()).await.expect("inserted");
    assert_eq!(cancelled().await, 0);

    // Imported ones are inserted so.
    let at_once = consultation::Model {
        end_date: Some(at("12:10:00")),
        cancel_reason: Some("by mistake".to_owned()),
        ..in_progress()
    };
    let at_once = insert(&db.database, at_once).await.expect("inserted");
    let cancel = consultation::ActiveModel {
        id: Unchanged(later.id),
        end_date: Set(Some(at("12:10:00"))),
        cancel_reason: Set(Some("by mistake".to_owned())),
        ..Default::default()
    };
    consultation::Entity::update(cancel).exec(&db.database.write).await.expect("cancelled");
    assert_eq!(cancelled().await, 2);

    // A forgotten patient's reason is replaced.
    let forget = consultation::ActiveModel {
        id: Unchanged(later.id),
        cancel_reason: Set(Some("forgotten".to_owned())),
        ..Default::default()
    };
    consultation::Entity::update(forget).exec(&db.database.write).await.expect("replaced");
    assert_eq!(cancelled().await, 2);
    consultation::Entity::delete_by_id(at_once.id).exec(&db.database.write).await.expect("deleted");
    assert_eq!((cancelled().await, counts(&db).await), (1, [(2, 2), (0, 0)]));
}

#[rstest]
#[tokio::test]
async fn rows_from_before_are_counted(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    use migration::{MigratorTrait, consultation::Migrator};
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let before = Migrator::migrations().iter().position(|m| m.name().ends_with("count_consultations")).expect("known");
    Migrator::up(&db.for_migrations().await, u32::try_from(before).ok()).await.expect("migrated");
    for _ in 0..3 {
        // Columns that later migrations add.
        let row = consultation::ActiveModel {
            started_by: NotSet,
            finished_by: NotSet,
            cancel_reason: NotSet,
            cancelled_by: NotSet,
            origin: NotSet,
            ..finished().into()
        };
        consultation::Entity::insert(row).exec_without_returning(&db.database.write).await.expect("inserted");
    }
    db.database.migrate::<Migrator>().await.expect("migrated");
    insert(&db.database, finished()).await.expect("inserted");
    assert_eq!(counts(&db).await, [(4, 4), (0, 0)]);
}

#[tokio::test]
async fn an_emptied_table_is_counted_anew() {
    let Some(db) = migrated(Backend::Postgres).await else { return };
    insert(&db.database, finished()).await.expect("inserted");
    db.database.write.execute_unprepared("TRUNCATE consultation CASCADE").await.expect("emptied");
    insert(&db.database, finished()).await.expect("inserted");
    assert_eq!(counts(&db).await, [(1, 1), (0, 0)]);
}
