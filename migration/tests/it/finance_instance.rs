//! The identity of a finance database: exactly one, for ever.

use entity::{delivery_destination, finance_instance};
use migration::finance::Migrator;
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, prelude::Uuid};
use testkit::{Backend, TestDatabase};

use crate::rows::{at, breaks_a_check, insert, is_duplicate, migrated};

async fn identities(db: &TestDatabase) -> Vec<Uuid> {
    let rows = finance_instance::Entity::find().all(&db.database.read).await.expect("rows");
    rows.into_iter().map(|row| row.id).collect()
}

#[rstest]
#[tokio::test]
async fn each_database_has_an_instance_id_of_its_own_which_another_migration_keeps(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((one, other)) = migrated(backend).await.zip(migrated(backend).await) else { return };
    let before = identities(&one).await;
    assert_eq!(before.len(), 1);
    assert_ne!(before, identities(&other).await);
    one.database.migrate::<Migrator>().await.expect("migrated");
    assert_eq!(identities(&one).await, before);
}

#[rstest]
#[case::a_second("INSERT INTO finance_instance SELECT NOT singleton, id FROM finance_instance")]
#[case::another("INSERT INTO finance_instance SELECT singleton, id FROM finance_instance")]
#[case::changed("UPDATE finance_instance SET id = id")]
#[case::deleted("DELETE FROM finance_instance")]
#[tokio::test]
async fn the_instance_id_of_finance_is_never_added_to_changed_or_deleted(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] statement: &str,
) {
    let Some(db) = migrated(backend).await else { return };
    let before = identities(&db).await;
    db.database.write.execute_unprepared(statement).await.expect_err("refused");
    assert_eq!(identities(&db).await, before);
}

#[rstest]
#[case::replaced_in_sqlite(Backend::Sqlite, "REPLACE INTO finance_instance VALUES (true, randomblob(16))")]
#[case::truncated_in_postgresql(Backend::Postgres, "TRUNCATE finance_instance")]
#[tokio::test]
async fn nor_by_the_databases_own_ways(#[case] backend: Backend, #[case] statement: &str) {
    let Some(db) = migrated(backend).await else { return };
    let before = identities(&db).await;
    let refused = db.database.write.execute_unprepared(statement).await.expect_err("refused").to_string();
    assert!(refused.contains("never changes"), "{refused}");
    assert_eq!(identities(&db).await, before);
}

#[rstest]
#[tokio::test]
async fn payments_have_one_destination(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let destination =
        |singleton| delivery_destination::Model { singleton, instance_id: Uuid::new_v4(), accepted_at: at("12:00:00") };
    assert!(breaks_a_check(&insert(&db.database, destination(false)).await));
    insert(&db.database, destination(true)).await.expect("inserted");
    assert!(is_duplicate(&insert(&db.database, destination(true)).await));
}
