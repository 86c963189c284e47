//! The migrators: one per service, in one shared database or in two.

use migration::{MigratorTrait, consultation::Migrator as Consultation, finance::Migrator as Finance};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, prelude::async_trait};
use testkit::{Backend, TestDatabase};

use crate::catalogue::{applied, catalogue, tables};

const CONSULTATION_TABLES: [&str; 8] = [
    "consultation",
    "consultation_count",
    "consultation_migration",
    "delivery_destination",
    "pending_payment",
    "pending_payment_count",
    "reconciliation",
    "redelivery",
];
const FINANCE_TABLES: [&str; 4] = ["finance_instance", "finance_migration", "payment", "payment_count"];

async fn migrate<M: MigratorTrait>(db: &TestDatabase) {
    db.database.migrate::<M>().await.expect("migrated");
    assert!(db.database.pending_migrations::<M>().await.expect("an answer").is_empty());
}

/// Both, in this order, in one database.
async fn shared(backend: Backend, finance_first: bool) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    if finance_first {
        migrate::<Finance>(&db).await;
    }
    migrate::<Consultation>(&db).await;
    migrate::<Finance>(&db).await;
    Some(db)
}

#[rstest]
#[tokio::test]
async fn both_work_in_one_database_in_any_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(false, true)] finance_first: bool,
) {
    let Some(db) = shared(backend, finance_first).await else { return };
    let mut both = [&CONSULTATION_TABLES[..], &FINANCE_TABLES].concat();
    both.sort_unstable();
    assert_eq!(tables(&db).await, both);
}

#[rstest]
#[tokio::test]
async fn each_works_in_a_database_of_its_own(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((one, other)) = TestDatabase::empty(backend).await.zip(TestDatabase::empty(backend).await) else { return };
    migrate::<Consultation>(&one).await;
    migrate::<Finance>(&other).await;
    assert_eq!(tables(&one).await, CONSULTATION_TABLES);
    assert_eq!(tables(&other).await, FINANCE_TABLES);
}

#[rstest]
#[tokio::test]
async fn each_has_a_migration_table_of_its_own(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = shared(backend, false).await else { return };
    let count = async |table| applied(&db, table).await.len();
    assert_eq!(count("consultation_migration").await, Consultation::migrations().len());
    assert_eq!(count("finance_migration").await, Finance::migrations().len());
}

#[rstest]
#[tokio::test]
async fn migrating_again_changes_nothing(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = shared(backend, false).await else { return };
    let state = async || {
        let applied = [applied(&db, "consultation_migration").await, applied(&db, "finance_migration").await];
        (catalogue(&db).await, applied)
    };
    let before = state().await;
    assert!(before.0.iter().any(|line| line.contains("pending_payment_due")), "{before:?}");
    for _ in 0..2 {
        migrate::<Consultation>(&db).await;
        migrate::<Finance>(&db).await;
    }
    assert_eq!(state().await, before);
}

#[rstest]
#[tokio::test]
async fn what_is_missing_is_named_without_creating_anything(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let missing = db.database.pending_migrations::<Consultation>().await.expect("an answer");
    let (of_indexes, others): (Vec<_>, Vec<_>) = missing.iter().partition(|name| name.contains("_000019_"));
    assert_eq!((of_indexes.len(), of_indexes[0].as_str()), (13, "m20261128_000019_consultation_start"));
    assert_eq!(
        others,
        [
            "m20261124_000001_create_consultation",
            "m20261124_000002_create_pending_payment",
            "m20261124_000004_keep_pending_payments",
            "m20261124_000005_count_consultations",
            "m20261124_000007_room_for_claims",
            "m20261124_000009_create_delivery_destination",
            "m20261127_000011_name_starters",
            "m20261128_000013_trace_payments",
            "m20261128_000014_create_reconciliation",
            "m20261128_000015_cancel_consultations",
            "m20261128_000016_name_origins",
            "m20261128_000017_settle_payments",
            "m20261128_000018_redeliver_payments",
            "m20261128_000021_validate_checks",
            "m20261128_000022_drop_indexes_by_id"
        ]
    );
    let missing = db.database.pending_migrations::<Finance>().await.expect("an answer");
    assert_eq!(
        missing,
        [
            "m20261124_000003_create_payment",
            "m20261124_000006_count_payments",
            "m20261124_000008_create_finance_instance",
            "m20261127_000010_keep_payments",
            "m20261127_000012_name_recorder",
            "m20261128_000020_payment_recorded"
        ]
    );
    assert!(tables(&db).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn taking_one_down_leaves_the_others_tables_and_it_comes_back_the_same(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = shared(backend, false).await else { return };
    let before = catalogue(&db).await;
    Consultation::down(&db.for_migrations().await, None).await.expect("down");
    let mut left = [&FINANCE_TABLES[..], &["consultation_migration"]].concat();
    left.sort_unstable();
    assert_eq!(tables(&db).await, left);
    migrate::<Consultation>(&db).await;
    Finance::down(&db.for_migrations().await, None).await.expect("down");
    let mut left = [&CONSULTATION_TABLES[..], &["finance_migration"]].concat();
    left.sort_unstable();
    assert_eq!(tables(&db).await, left);
    migrate::<Finance>(&db).await;
    assert_eq!(catalogue(&db).await, before);
}

#[rstest]
#[tokio::test]
async fn a_migration_that_fails_half_way_leaves_nothing_and_can_be_tried_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let database = &db.database.write;
    // Takes the name of an index that is created after its table.
    database.execute_unprepared("CREATE TABLE pending_payment_due (id integer)").await.expect("created");
    assert!(db.database.migrate::<Consultation>().await.is_err());
    assert!(!tables(&db).await.contains(&"pending_payment".to_owned()), "its table went with it");
    database.execute_unprepared("DROP TABLE pending_payment_due").await.expect("dropped");
    migrate::<Consultation>(&db).await;
    assert_eq!(tables(&db).await, CONSULTATION_TABLES);
}

/// Fails under the limits of requests.
struct ReadsWholeTables;

#[async_trait::async_trait]
impl MigratorTrait for ReadsWholeTables {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(ReadWholeTables)]
    }
}

struct ReadWholeTables;

impl MigrationName for ReadWholeTables {
    fn name(&self) -> &'static str {
        "read_whole_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ReadWholeTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let check = "DO $$ BEGIN ASSERT current_setting('statement_timeout') = '0'
            AND current_setting('enable_seqscan') = 'on'; END $$";
        manager.get_connection().execute_unprepared(check).await.map(drop)
    }
}

#[tokio::test]
async fn a_migration_may_take_longer_than_a_request() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    migrate::<ReadsWholeTables>(&db).await;
}
