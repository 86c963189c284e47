//! Replicas that are late, lost, silent or promoted.

use std::time::{Duration, Instant};

use chassis::database::ReadReplica;
use migration::finance::Migrator;
use serde_json::json;
use testkit::{Log, Replication, TestDatabase};
use uuid::Uuid;

use super::{FOR_EVER, Replicated, is_from_replica, queries, serve, until};

#[tokio::test]
async fn beyond_the_bound_queries_read_from_the_primary_and_come_back_by_themselves() {
    let Some(replicated) = Replicated::start(Duration::from_secs(1)).await else { return };
    replicated.servers.on_standby("SELECT pg_wal_replay_pause()").await;
    let appointment = Uuid::new_v4();
    let (id, _) = replicated.record(appointment).await;
    let [query, ..] = queries(&id, appointment);
    until(async || {
        let answer = replicated.ask(&query, json!({})).await;
        let staleness = answer.staleness();
        assert!(staleness.is_none_or(|staleness| staleness <= 1.0), "{}", answer.body);
        assert_eq!(staleness.is_none(), answer.body["data"]["payment"]["id"] == id.as_str(), "{}", answer.body);
        staleness.is_none()
    })
    .await;
    replicated.servers.on_standby("SELECT pg_wal_replay_resume()").await;
    replicated.until_on_replica().await;
}

#[tokio::test]
async fn a_killed_replica_costs_no_query_and_one_line_in_the_log() {
    let log = Log::capture();
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    let (id, token) = replicated.record(Uuid::new_v4()).await;
    until(async || is_from_replica(&replicated.ask("{ payments { totalCount } }", json!({ "token": token })).await))
        .await;
    let [query, ..] = queries(&id, Uuid::nil());
    let asking = async {
        loop {
            assert_eq!(replicated.ask(&query, json!({})).await.body["data"]["payment"]["id"], id.as_str());
        }
    };
    tokio::select! {
        () = replicated.servers.kill_standby() => {}
        () = asking => {}
    }
    until(async || log.text().contains("queries read from the primary")).await;
    assert!(!is_from_replica(&replicated.ask(&query, json!({})).await));
    replicated.servers.restart_standby().await;
    replicated.until_on_replica().await;
    let lines = |part| log.text().matches(part).count();
    assert_eq!(
        [lines("queries read from the primary"), lines("queries read from the replica")],
        [1, 2],
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn a_promoted_replica_serves_no_queries_beside_the_primary() {
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    replicated.servers.promote_standby().await;
    until(async || !is_from_replica(&replicated.ask("{ payments { totalCount } }", json!({})).await)).await;
    // Its history is its own from now on, however far it goes.
    replicated.servers.on_standby("SELECT pg_switch_wal()").await;
    let (id, _) = replicated.record(Uuid::new_v4()).await;
    for query in queries(&id, Uuid::nil()).iter().take(1) {
        let answer = replicated.ask(query, json!({})).await;
        assert!(!is_from_replica(&answer) && answer.body["data"]["payment"]["id"] == id.as_str(), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_silent_replica_delays_a_query_for_no_longer_than_it_takes_to_notice() {
    let Some(servers) = Replication::start().await else { return };
    let mut db = servers.database().await;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let standby = servers.replica(FOR_EVER);
    let (url, proxy) = TestDatabase::at(standby.url.clone()).await.through_proxy().await;
    let service = serve(&mut db, &ReadReplica { url, ..standby });
    let replicated = Replicated { servers, db, service };
    replicated.until_on_replica().await;
    proxy.silence();
    let began = Instant::now();
    replicated.ask("{ payments { totalCount } }", json!({})).await;
    // A statement alone has 6 s.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    replicated.until_on_replica().await;
}
