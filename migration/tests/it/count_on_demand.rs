//! Row counts as a choice: a database has them, or views in their place, and either way the same totals.

use entity::consultation;
use migration::{
    MigratorTrait,
    consultation::{COUNT_ON_DEMAND, Migrator},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, Set, Unchanged};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use testkit::{Backend, TestDatabase};

use crate::{
    catalogue::catalogue,
    row_counts::number,
    rows::{at, finished, in_progress, insert, migrated},
};

/// The totals, by the statements of the services: all consultations, cancelled ones, pending payments.
async fn totals(db: &TestDatabase) -> [i64; 3] {
    let sum = async |sum: &str, table: &str| {
        number(db, &format!("SELECT COALESCE(CAST(SUM({sum}) AS bigint), 0) FROM {table}_count")).await
    };
    [
        sum("row_count", "consultation").await,
        sum("cancelled_count", "consultation").await,
        sum("row_count", "pending_payment").await,
    ]
}

async fn cancel(db: &TestDatabase) {
    let row = insert(&db.database, in_progress()).await.expect("inserted");
    let cancel = consultation::ActiveModel {
        id: Unchanged(row.id),
        end_date: Set(Some(at("12:10:00"))),
        cancel_reason: Set(Some("by mistake".to_owned())),
        ..Default::default()
    };
    consultation::Entity::update(cancel).exec(&db.database.write).await.expect("cancelled");
}

async fn set_up() -> Option<(TestDatabase, DatabaseConnection)> {
    let db = migrated(Backend::Postgres).await?;
    let connection = db.for_migrations().await;
    insert(&db.database, finished()).await.expect("inserted");
    cancel(&db).await;
    Some((db, connection))
}

#[tokio::test]
async fn totals_are_the_same_with_row_counts_and_without_and_after_each_change() {
    let Some((db, connection)) = set_up().await else { return };
    let manager = SchemaManager::new(&connection);
    let with_counts = catalogue(&db).await;
    assert_eq!(totals(&db).await, [2, 1, 0]);

    COUNT_ON_DEMAND.up(&manager).await.expect("chosen");
    cancel(&db).await;
    assert_eq!(totals(&db).await, [3, 2, 0], "counted");
    COUNT_ON_DEMAND.down(&manager).await.expect("taken back");
    assert_eq!(totals(&db).await, [3, 2, 0], "kept from now on");
    assert_eq!(catalogue(&db).await, with_counts, "as in a database that always had them");
    cancel(&db).await;
    consultation::Entity::delete_many().exec(&db.database.write).await.expect("deleted");
    assert_eq!(totals(&db).await, [0; 3]);
}

/// Citus takes neither them nor anything else that the choice is for.
#[tokio::test]
async fn without_row_counts_no_trigger_has_a_transition_table() {
    let Some((db, connection)) = set_up().await else { return };
    let manager = SchemaManager::new(&connection);
    let transitions = "SELECT count(*) FROM pg_trigger WHERE tgnewtable IS NOT NULL OR tgoldtable IS NOT NULL";
    assert_eq!(number(&db, transitions).await, 6, "of insertions and deletions in three tables");
    for choice in [COUNT_ON_DEMAND, migration::finance::COUNT_ON_DEMAND] {
        choice.up(&manager).await.expect("chosen");
    }
    assert_eq!(number(&db, transitions).await, 0);
}

#[tokio::test]
async fn a_choice_that_was_made_before_changes_nothing() {
    let Some((db, connection)) = set_up().await else { return };
    let manager = SchemaManager::new(&connection);
    let before = catalogue(&db).await;
    COUNT_ON_DEMAND.down(&manager).await.expect("as it is");
    assert_eq!(catalogue(&db).await, before);
    COUNT_ON_DEMAND.up(&manager).await.expect("chosen");
    let chosen = catalogue(&db).await;
    COUNT_ON_DEMAND.up(&manager).await.expect("as it is");
    assert_eq!((catalogue(&db).await, totals(&db).await), (chosen, [2, 1, 0]));
    // Later migrations leave the choice alone.
    Migrator::up(&connection, None).await.expect("nothing is pending");
    assert_eq!(totals(&db).await, [2, 1, 0]);
}

/// As a service goes on to send what it has prepared.
#[tokio::test]
async fn a_prepared_statement_survives_the_change() {
    let Some((db, connection)) = set_up().await else { return };
    let manager = SchemaManager::new(&connection);
    let prepared = db.for_migrations().await;
    let total = || {
        let sql = "SELECT CAST(SUM(row_count) AS bigint) FROM consultation_count";
        prepared.query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql))
    };
    for step in 0..3 {
        let total: i64 = total().await.expect("an answer").expect("a row").try_get_by_index(0).expect("a number");
        assert_eq!(total, 2, "step {step}");
        if step == 0 {
            COUNT_ON_DEMAND.up(&manager).await.expect("chosen");
        } else {
            COUNT_ON_DEMAND.down(&manager).await.expect("taken back");
        }
    }
}

#[tokio::test]
async fn what_others_may_do_with_a_count_survives_the_change() {
    let Some((db, connection)) = set_up().await else { return };
    let manager = SchemaManager::new(&connection);
    let role = format!("reader_{}", std::process::id());
    for sql in [
        format!("CREATE ROLE {role}"),
        format!("GRANT SELECT ON consultation_count TO {role}"),
        "GRANT SELECT ON pending_payment_count TO PUBLIC".to_owned(),
    ] {
        db.database.write.execute_unprepared(&sql).await.expect("granted");
    }
    let may_read = async |table: &str| {
        number(&db, &format!("SELECT has_table_privilege('{role}', '{table}_count', 'SELECT')::int::bigint")).await
    };
    COUNT_ON_DEMAND.up(&manager).await.expect("chosen");
    assert_eq!((may_read("consultation").await, may_read("pending_payment").await), (1, 1));
    COUNT_ON_DEMAND.down(&manager).await.expect("taken back");
    assert_eq!((may_read("consultation").await, may_read("pending_payment").await), (1, 1));
    let end = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    db.database.write.execute_unprepared(&end).await.expect("removed");
}
