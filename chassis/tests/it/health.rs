//! What supervisors and load balancers are told.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use chassis::{
    database::Database,
    health::{self, Heartbeat},
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

/// What `/livez` or `/readyz` says.
async fn ask(path: &str, database: &Database, shutdown: &CancellationToken) -> (u16, String) {
    get(path, health::router::<OneMigration>(database.clone(), shutdown.clone(), None)).await
}

async fn get(path: &str, router: Router) -> (u16, String) {
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
    let (status, missing) = ask("/readyz", &db.database, &shutdown).await;
    assert_eq!(status, 503);
    assert!(missing.contains("add_nothing"), "{missing}");
    assert_eq!(ask("/livez", &db.database, &shutdown).await.0, 200, "it is alive all the same");

    db.database.migrate::<OneMigration>().await.expect("migrated");
    assert_eq!(ask("/readyz", &db.database, &shutdown).await, (200, "ok".to_owned()));
}

#[rstest]
#[tokio::test]
async fn a_service_stays_ready_when_a_newer_version_has_migrated(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    db.database.migrate::<OneMigration>().await.expect("migrated");
    let older = health::router::<NoMigrations>(db.database.clone(), CancellationToken::new(), None);
    assert_eq!(get("/readyz", older).await, (200, "ok".to_owned()));
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
    assert_eq!(ask("/livez", &db.database, &shutdown).await.0, 200);
    assert_eq!(ask("/readyz", &db.database, &shutdown).await, (503, "shutting down".to_owned()));
}

#[tokio::test]
async fn a_service_whose_database_is_gone_is_alive_and_not_ready() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let shutdown = CancellationToken::new();
    db.database.read.clone().close().await.expect("closed");
    assert_eq!(ask("/livez", &db.database, &shutdown).await.0, 200);
    let (status, missing) = ask("/readyz", &db.database, &shutdown).await;
    assert_eq!((status, missing.as_str()), (503, "the database cannot be reached"));
}

#[tokio::test]
async fn a_service_whose_loop_completed_no_round_for_60_s_is_not_alive() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    tokio::time::pause();
    let heartbeat = Heartbeat::new("the loop");
    let router = health::router::<OneMigration>(db.database.clone(), CancellationToken::new(), Some(heartbeat.clone()));
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(get("/livez", router.clone()).await.0, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(get("/livez", router.clone()).await, (503, "the loop: no round for 61 s".to_owned()));
    heartbeat.beat();
    assert_eq!(get("/livez", router).await.0, 200);
}
