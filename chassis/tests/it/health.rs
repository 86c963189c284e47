//! `/livez` and `/readyz`.

mod database;

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use chassis::{
    database::Database,
    health::{self, Heartbeat, Monitor},
};
use rstest::rstest;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) struct NoMigrations;

struct OneMigration;

struct AddNothing;

impl MigratorTrait for NoMigrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Vec::new()
    }
}

impl MigratorTrait for OneMigration {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(AddNothing)]
    }
}

impl MigrationName for AddNothing {
    fn name(&self) -> &'static str {
        "add_nothing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddNothing {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// The response of `/livez` or `/readyz` after one check.
async fn ask(path: &str, db: &TestDatabase, shutdown: &CancellationToken) -> (u16, String) {
    let mut monitor = monitor::<OneMigration>(db);
    monitor.check().await;
    get(path, health::router(monitor.readiness, shutdown.clone(), Vec::new())).await
}

pub(crate) fn monitor<M: MigratorTrait>(db: &TestDatabase) -> Monitor<M> {
    Monitor::new(&db.server("service"), &db.database)
}

pub(crate) async fn get(path: &str, router: Router) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = router.oneshot(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[rstest]
#[tokio::test]
async fn a_service_is_ready_once_its_database_is_migrated(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let shutdown = CancellationToken::new();
    let (status, missing) = ask("/readyz", &db, &shutdown).await;
    assert_eq!(status, 503);
    assert!(missing.contains("add_nothing"), "{missing}");
    assert_eq!(ask("/livez", &db, &shutdown).await.0, 200, "it is alive all the same");

    db.database.migrate::<OneMigration>().await.expect("migrated");
    assert_eq!(ask("/readyz", &db, &shutdown).await, (200, "ok".to_owned()));
}

#[rstest]
#[tokio::test]
async fn a_service_stays_ready_when_a_newer_version_has_migrated(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    db.database.migrate::<OneMigration>().await.expect("migrated");
    let mut older = monitor::<NoMigrations>(&db);
    older.check().await;
    let router = health::router(older.readiness, CancellationToken::new(), Vec::new());
    assert_eq!(get("/readyz", router).await, (200, "ok".to_owned()));
}

#[rstest]
#[tokio::test]
async fn replicas_may_migrate_at_the_same_time(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let replica = Database::connect(&db.url).await.expect("a database");
    let (one, other) = tokio::join!(db.database.migrate::<OneMigration>(), replica.migrate::<OneMigration>());
    assert!(one.is_ok() && other.is_ok(), "{one:?}, {other:?}");
}

#[tokio::test]
async fn a_service_that_shuts_down_is_alive_and_not_ready() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    db.database.migrate::<OneMigration>().await.expect("migrated");
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    assert_eq!(ask("/livez", &db, &shutdown).await.0, 200);
    assert_eq!(ask("/readyz", &db, &shutdown).await, (503, "shutting down".to_owned()));
}

#[tokio::test]
async fn a_service_whose_database_was_not_checked_lately_is_not_ready() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let mut monitor = monitor::<NoMigrations>(&db);
    let router = health::router(monitor.readiness.clone(), CancellationToken::new(), Vec::new());
    let unchecked = (503, "the database has not been checked yet".to_owned());
    assert_eq!(get("/readyz", router.clone()).await, unchecked);
    monitor.check().await;
    assert_eq!(get("/readyz", router.clone()).await.0, 200);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(get("/readyz", router).await, (503, "the database has not answered for 6 s".to_owned()));
}

#[tokio::test]
async fn a_service_whose_loop_completed_no_round_for_60_s_is_not_alive() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    tokio::time::pause();
    let heartbeats = ["one loop", "another"].map(Heartbeat::new);
    let readiness = monitor::<NoMigrations>(&db).readiness;
    let router = health::router(readiness, CancellationToken::new(), heartbeats.to_vec());
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(get("/livez", router.clone()).await.0, 200);
    heartbeats[1].rest();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(get("/livez", router.clone()).await, (503, "one loop: no round for 61 s".to_owned()));
    heartbeats[0].beat();
    assert_eq!(get("/livez", router).await.0, 200, "the other waits for work");
}
