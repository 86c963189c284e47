//! Queries on a read replica, a standby of PostgreSQL.

mod cost;
mod measured;
mod outages;

use std::{future::Future, time::Duration};

use chassis::{clock, config::Server, database::ReadReplica};
use chrono::TimeDelta;
use migration::finance::Migrator;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Backend, GraphqlClient, Replication, TestDatabase, TestService};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{
    history::recorded_at,
    running::{RECORD, input, running, start_server},
};

const FOR_EVER: Duration = Duration::from_hours(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const SOON: Duration = Duration::from_secs(20);

/// A service on a primary with a standby.
struct Replicated {
    servers: Replication,
    db: TestDatabase,
    service: TestService,
}

impl Replicated {
    async fn start(max_staleness: Duration) -> Option<Self> {
        let servers = Replication::start().await?;
        let mut db = servers.database().await;
        db.database.migrate::<Migrator>().await.expect("migrated");
        let service = serve(&mut db, &servers.replica(max_staleness));
        let this = Self { servers, db, service };
        this.until_on_replica().await;
        Some(this)
    }

    fn client(&self) -> &GraphqlClient {
        &self.service.client
    }

    /// Waits until queries read from the replica.
    async fn until_on_replica(&self) {
        until(async || is_from_replica(&self.ask("{ payments { totalCount } }", json!({})).await)).await;
    }

    /// The response to a query with these extensions `consistency`.
    async fn ask(&self, query: &str, consistency: Value) -> Answer {
        let answer = self.client().send_for(&consistency, query).await;
        assert!(answer.body["errors"].is_null(), "{query}: {}", answer.body);
        answer
    }

    /// Records a payment. Returns its id and its token.
    async fn record(&self, appointment: Uuid) -> (String, Value) {
        let answer = self.client().send(RECORD, json!({ "input": input(appointment, "200.00") })).await;
        let id = answer.body["data"]["recordPayment"]["payment"]["id"].as_str().expect("recorded").to_owned();
        (id, answer.body["extensions"]["consistency"]["token"].clone())
    }
}

fn serve(db: &mut TestDatabase, replica: &ReadReplica) -> TestService {
    let server = Server { read_replica: Some(replica.clone()), ..db.server("finance") };
    db.database = db.database.clone().with_replica(replica, server.database_connections).expect("a replica");
    start_server(db, &server)
}

fn is_from_replica(answer: &Answer) -> bool {
    answer.staleness().is_some()
}

async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let all = async {
        while !holds().await {
            sleep(POLL_INTERVAL).await;
        }
    };
    timeout(SOON, all).await.expect("in time");
}

/// Each way to read this payment.
fn queries(id: &str, appointment: Uuid) -> [String; 8] {
    let of_type = |name: &str| format!("representations: [{{ __typename: \"{name}\", id: ");
    let (payment, consultation) = (of_type("Payment"), of_type("Consultation"));
    [
        format!("{{ payment(id: \"{id}\") {{ id }} }}"),
        format!("{{ payment(appointmentId: \"{appointment}\") {{ id }} }}"),
        format!("{{ node(id: \"{id}\") {{ id }} }}"),
        format!("{{ nodes(ids: [\"{id}\"]) {{ id }} }}"),
        format!("{{ payments(filter: {{ appointmentIds: [\"{appointment}\"] }}) {{ edges {{ node {{ id }} }} }} }}"),
        "{ payments { totalCount edges { node { id } } } }".to_owned(),
        format!("{{ _entities({payment}\"{id}\" }}]) {{ ... on Payment {{ id }} }} }}"),
        format!(
            "{{ _entities({consultation}\"{appointment}\" }}]) {{ ... on Consultation {{ payment {{ id }} }} }} }}"
        ),
    ]
}

#[tokio::test]
async fn a_query_on_a_replica_may_be_late_and_with_a_token_it_shows_ones_own_write() {
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    replicated.servers.on_standby("SELECT pg_wal_replay_pause()").await;
    let appointment = Uuid::new_v4();
    let (id, token) = replicated.record(appointment).await;
    assert!(token.is_string(), "{token}");
    for query in queries(&id, appointment) {
        let late = replicated.ask(&query, json!({})).await;
        assert!(is_from_replica(&late) && !late.body.to_string().contains(&id), "{query}: {}", late.body);
        for consistency in [json!({ "token": token }), json!({ "maxStaleness": 0 })] {
            let current = replicated.ask(&query, consistency).await;
            assert!(!is_from_replica(&current) && current.body["data"].to_string().contains(&id), "{}", current.body);
        }
    }
    let none = replicated.ask("{ payments { totalCount } }", json!({})).await;
    assert_eq!(none.body["data"]["payments"]["totalCount"], 0, "the count is of the replica, too");

    replicated.servers.on_standby("SELECT pg_wal_replay_resume()").await;
    let [query, ..] = queries(&id, appointment);
    let with_token = async || replicated.ask(&query, json!({ "token": token })).await;
    until(async || is_from_replica(&with_token().await)).await;
    assert_eq!(with_token().await.body["data"]["payment"]["id"], id.as_str());
}

#[tokio::test]
async fn a_subscription_and_a_mutation_read_from_the_primary() {
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    let client = replicated.client();
    let mut events = client.events("subscription { paymentRecorded { appointmentId } }", json!({})).await;
    replicated.servers.on_standby("SELECT pg_wal_replay_pause()").await;
    let appointment = Uuid::new_v4();
    let (first, second) = (replicated.record(appointment).await.0, replicated.record(appointment).await.0);
    assert_eq!(first, second, "the second reads what the first has stored");
    let event = timeout(SOON, events.next()).await.expect("in time").expect("an event");
    assert!(event.to_string().contains(&appointment.to_string()), "{event}");
}

#[tokio::test]
async fn a_token_of_another_server_leads_to_the_primary_and_a_malformed_one_is_refused() {
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    let query = "{ payments { totalCount } }";
    // Of the position 0 in system 0.
    let foreign = "A".repeat(27);
    assert!(!is_from_replica(&replicated.ask(query, json!({ "token": foreign })).await));
    for consistency in [json!({ "token": "0/16B3748" }), json!({ "token": 7 }), json!({ "maxStaleness": -1 })] {
        let answer = replicated.client().send_for(&consistency, query).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{}", answer.body);
        assert!(answer.body.to_string().contains("consistency"), "{}", answer.body);
    }
}

#[rstest]
#[tokio::test]
async fn without_a_replica_nothing_is_said_of_consistency(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let recorded = service.client().send(RECORD, json!({ "input": input(Uuid::new_v4(), "200.00") })).await;
    let listed = service.client().send("{ payments { totalCount } }", json!({})).await;
    assert!(recorded.body["extensions"].is_null() && listed.body["extensions"].is_null(), "{}", listed.body);
}

#[tokio::test]
async fn stable_payments_on_a_replica_are_those_that_were_stable_as_long_ago_as_it_may_be_late() {
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    let ago = |minutes| clock::now() - TimeDelta::minutes(minutes);
    let [old, recent] = [recorded_at(&replicated.db, ago(62)).await, recorded_at(&replicated.db, ago(2)).await];
    let ids = |answer: &Answer| {
        let edges = answer.body["data"]["payments"]["edges"].as_array().expect("edges").clone();
        edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let stable = "{ payments(filter: { stable: true }) { edges { node { id } } } }";
    let shown = async || replicated.ask(stable, json!({})).await;
    until(async || ids(&shown().await) == [old.id.to_string()]).await;
    assert!(is_from_replica(&shown().await));
    let now = replicated.ask(stable, json!({ "maxStaleness": 0 })).await;
    assert_eq!(ids(&now), [old.id.to_string(), recent.id.to_string()]);
}
