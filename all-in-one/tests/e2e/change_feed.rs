//! Subscribers of one replica see payments recorded by another, also when that one ends or is killed right after its
//! commit.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use testkit::{Backend, Events, GraphqlClient, Process, TestDatabase, free_port};
use tokio::time::timeout;
use uuid::Uuid;

/// Above the silence after which a replica counts as dead.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

const RECORD: &str =
    "mutation ($id: UUID!) { recordPayment(input: { appointmentId: $id, totalPrice: \"7.00\" }) { payment { id } } }";
const FOLLOW: &str = "subscription { paymentRecorded { appointmentId } }";

/// Two replicas of finance: one records, the other one has a subscriber.
struct Replicas {
    writing: Process,
    _followed: Process,
    events: Events,
    _db: TestDatabase,
}

impl Replicas {
    /// Starts both. The subscriber has received a payment: the replicas are connected.
    async fn start() -> Option<Self> {
        let db = TestDatabase::empty(Backend::Postgres).await?;
        db.database.migrate::<migration::finance::Migrator>().await.expect("migrated");
        let (writing, followed) = (replica(&db).await, replica(&db).await);
        // A new connection reports missed changes once.
        for _ in 0..3 {
            let mut events = followed.client.events(FOLLOW, json!({})).await;
            let event = loop {
                record(&writing).await;
                match events.next().await.expect("an event") {
                    Value::Null => {}
                    event => break event,
                }
            };
            if event["errors"].is_null() {
                return Some(Self { writing, _followed: followed, events, _db: db });
            }
        }
        panic!("a replica begins to listen again and again");
    }

    /// Records two payments, whose notifications are sent together a moment after the first one.
    async fn record_two(&self) -> String {
        record(&self.writing).await;
        record(&self.writing).await
    }

    /// Whether the subscriber receives the payments of all these appointments, or a report of missed ones.
    async fn told(&mut self, mut appointments: HashSet<String>) -> Told {
        while !appointments.is_empty() {
            let event = timeout(TOLD_WITHIN, self.events.next()).await.expect("told in time").expect("an event");
            if let Some(appointment) = event["data"]["paymentRecorded"]["appointmentId"].as_str() {
                appointments.remove(appointment);
            }
            if event["errors"][0]["extensions"]["code"] == "EVENTS_MISSED" {
                return Told::Missed;
            }
        }
        Told::All
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    All,
    Missed,
}

async fn replica(db: &TestDatabase) -> Process {
    let (port, url) = (free_port(), db.url());
    let bind = format!("127.0.0.1:{port}");
    Process::start("finance", port, &[("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url)]).await
}

async fn record(replica: &Process) -> String {
    let appointment = Uuid::new_v4().to_string();
    replica.client.call(RECORD, json!({ "id": appointment })).await;
    appointment
}

/// The appointment, if the recording was acknowledged.
async fn try_record(client: &GraphqlClient) -> Option<String> {
    let appointment = Uuid::new_v4().to_string();
    let body = json!({ "query": RECORD, "variables": { "id": appointment } }).to_string();
    let request = client.post().basic_auth("admin", Some("teste123")).header("content-type", "application/json");
    let answer = request.body(body).send().await.ok()?.bytes().await.ok()?;
    let answer: Value = serde_json::from_slice(&answer).ok()?;
    answer["data"]["recordPayment"]["payment"].is_object().then_some(appointment)
}

#[tokio::test]
async fn what_a_replica_recorded_right_before_it_ended_is_told_to_the_subscribers_of_others() {
    let Some(mut replicas) = Replicas::start().await else { return };
    let client = replicas.writing.client.clone();
    let mut recording: FuturesUnordered<_> = (0..200).map(|_| try_record(&client)).collect();
    let mut acknowledged = HashSet::new();
    while let Some(recorded) = recording.next().await {
        acknowledged.extend(recorded);
        if acknowledged.len() == 20 {
            // Requests in progress are recorded and answered.
            replicas.writing.signal(Signal::SIGTERM);
        }
    }
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    assert_eq!(replicas.told(acknowledged).await, Told::All);
    assert_eq!(replicas.writing.exit_code().await, Some(0));
}

#[tokio::test]
async fn subscribers_of_others_are_told_when_a_replica_was_killed_before_it_said_what_it_recorded() {
    let Some(mut replicas) = Replicas::start().await else { return };
    let last = replicas.record_two().await;
    replicas.writing.signal(Signal::SIGKILL);
    // All, if the notification was faster than the signal.
    let told = replicas.told(HashSet::from([last])).await;
    assert!([Told::Missed, Told::All].contains(&told), "{told:?}");
}
