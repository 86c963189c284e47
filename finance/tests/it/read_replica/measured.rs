//! Metrics of a read replica.

use chassis::{config::Server, database::ReadReplica};
use finance::app;
use migration::finance::Migrator;
use serde_json::json;
use testkit::{Backend, TestDatabase, TestService};
use uuid::Uuid;

use super::{FOR_EVER, is_from_replica, until};
use crate::running::{RECORD, input};

#[tokio::test]
async fn a_replica_that_is_the_primary_itself_works_and_is_measured() {
    let Some(mut db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.migrate::<Migrator>().await.expect("migrated");
    let itself = ReadReplica { url: db.url.clone(), max_staleness: FOR_EVER };
    let server = Server { read_replica: Some(itself.clone()), ..db.server("finance") };
    db.database = db.database.clone().with_replica(&itself, server.database_connections).expect("a replica");
    let mut metrics = None;
    let service = TestService::start(|shutdown| {
        let currency = "BRL".parse().expect("a currency");
        let service = app::build(&server, currency, &db.database, shutdown).expect("a service");
        metrics = Some(service.metrics.clone());
        service
    });
    let metrics = metrics.expect("built");
    let all = async |needs| service.client.send_for(&needs, "{ payments { totalCount } }").await;
    until(async || is_from_replica(&all(json!({})).await)).await;
    service.client.call(RECORD, json!({ "input": input(Uuid::new_v4(), "200.00") })).await;
    assert_eq!(all(json!({})).await.body["data"]["payments"]["totalCount"], 1);
    all(json!({ "maxStaleness": 0 })).await;
    let text = metrics.text();
    for sample in [
        "read_replica_queries_total{target=\"replica\",reason=\"fresh\"} ",
        "read_replica_queries_total{target=\"primary\",reason=\"wanted\"} 1",
        "read_replica_staleness_seconds ",
        "db_client_connection_max{db_client_connection_pool_name=\"replica\"} 16",
    ] {
        assert!(text.contains(sample), "{sample}: {text}");
    }
}
