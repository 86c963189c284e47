//! Queries on a read replica, a standby of PostgreSQL.

use std::time::Duration;

use chassis::config::Server;
use migration::consultation::Migrator;
use serde_json::{Value, json};
use testkit::{GraphqlClient, Replication};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::running::{FINISH, NOBODY, START, domain, start_server};

const FOR_EVER: Duration = Duration::from_hours(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const SOON: Duration = Duration::from_secs(20);

/// Waits until queries read from the replica.
async fn until_on_replica(client: &GraphqlClient) {
    let on_replica = async {
        while client.send_for(&json!({}), "{ consultations { totalCount } }").await.staleness().is_none() {
            sleep(POLL_INTERVAL).await;
        }
    };
    timeout(SOON, on_replica).await.expect("in time");
}

/// Each way to read this consultation and its payment.
fn queries(id: &str, payment: &str) -> [String; 8] {
    let of_physician = "{ consultations(filter: { status: FINISHED }) { totalCount edges { node {";
    [
        format!("{{ consultation(id: \"{id}\") {{ id pendingPayment {{ id }} }} }}"),
        format!("{{ node(id: \"{id}\") {{ id }} }}"),
        format!("{{ node(id: \"{payment}\") {{ id }} }}"),
        format!("{{ nodes(ids: [\"{id}\", \"{payment}\"]) {{ id }} }}"),
        format!("{of_physician} id pendingPayment {{ id }} }} }} }} }}"),
        "{ consultations { totalCount edges { node { id } } } }".to_owned(),
        "{ pendingPayments { totalCount edges { node { id consultation { id } } } } }".to_owned(),
        format!(
            "{{ _entities(representations: [{{ __typename: \"Consultation\", id: \"{id}\" }}]) {{
                ... on Consultation {{ id pendingPayment {{ id }} }} }} }}"
        ),
    ]
}

#[tokio::test]
async fn every_query_may_read_from_a_replica_and_is_current_with_the_token_of_a_mutation() {
    let Some(servers) = Replication::start().await else { return };
    let mut db = servers.database().await;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let replica = servers.replica(FOR_EVER);
    let server = Server { read_replica: Some(replica.clone()), ..db.server("consultation") };
    db.database = db.database.clone().with_replica(&replica, server.database_connections).expect("a replica");
    let service = start_server(&db, &server, &domain(), NOBODY);
    let client = &service.client;
    until_on_replica(client).await;

    servers.on_standby("SELECT pg_wal_replay_pause()").await;
    let people = json!({ "physician": Uuid::new_v4(), "patient": Uuid::new_v4() });
    let started = client.call(START, people).await;
    let id = started["startConsultation"]["consultation"]["id"].as_str().expect("an id");
    // The mutation's own result has the row, although the replica lacks it.
    let finished = client.send(FINISH, json!({ "id": id })).await;
    assert_eq!(finished.body["data"]["finishConsultation"]["consultation"]["status"], "FINISHED", "{}", finished.body);
    let token = &finished.body["extensions"]["consistency"]["token"];
    let current = json!({ "token": token });
    let payment = client.send_for(&current, &queries(id, id)[0]).await.body;
    let payment = payment["data"]["consultation"]["pendingPayment"]["id"].as_str().expect("an id").to_owned();
    for query in queries(id, &payment) {
        let shows = |body: &Value| [id, &payment].iter().any(|id| body["data"].to_string().contains(*id));
        let late = client.send_for(&json!({}), &query).await;
        assert!(late.staleness().is_some() && !shows(&late.body), "{query}: {}", late.body);
        let own = client.send_for(&current, &query).await;
        assert!(own.staleness().is_none() && shows(&own.body), "{query}: {}", own.body);
        assert!(late.body["errors"].is_null() && own.body["errors"].is_null(), "{}", own.body);
    }
}
