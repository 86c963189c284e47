//! Subscribers of one replica learn what another recorded, also when that ends or is killed right after its commit.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use testkit::{Backend, Events, Process, TestDatabase, free_port};
use uuid::Uuid;

const FOLLOW: &str = "subscription { paymentRecorded { appointmentId } }";

/// Two replicas of finance: one that records, and one whose subscriber follows.
struct Replicas {
    writing: Process,
    _followed: Process,
    events: Events,
    _db: TestDatabase,
}

impl Replicas {
    /// Starts both. The subscriber has heard of a payment: the replicas have found each other.
    async fn start() -> Option<Self> {
        let db = TestDatabase::empty(Backend::Postgres).await?;
        db.database.migrate::<migration::finance::Migrator>().await.expect("migrated");
        let (writing, followed) = (replica(&db).await, replica(&db).await);
        // One that begins to listen says once that something may have been missed.
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

    /// Records two payments, whose messages are told together a moment after the first was.
    async fn record_two(&self) -> String {
        record(&self.writing).await;
        record(&self.writing).await
    }

    /// What the subscriber is told, up to the payment of this appointment or the end.
    async fn told(&mut self, appointment: &str) -> Told {
        loop {
            let event = self.events.next().await.expect("an event");
            if event["data"]["paymentRecorded"]["appointmentId"] == appointment {
                return Told::All;
            }
            if event["errors"][0]["extensions"]["code"] == "EVENTS_MISSED" {
                return Told::Missed;
            }
        }
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
    let record = "mutation ($id: UUID!) { recordPayment(input: { appointmentId: $id, totalPrice: \"7.00\" }) { payment { id } } }";
    let appointment = Uuid::new_v4().to_string();
    replica.client.call(record, json!({ "id": appointment })).await;
    appointment
}

#[tokio::test]
async fn what_a_replica_recorded_right_before_it_ended_is_told_to_the_subscribers_of_others() {
    let Some(mut replicas) = Replicas::start().await else { return };
    let last = replicas.record_two().await;
    replicas.writing.signal(Signal::SIGTERM);
    assert_eq!(replicas.told(&last).await, Told::All);
    assert_eq!(replicas.writing.exit_code().await, Some(0));
}

#[tokio::test]
async fn subscribers_of_others_are_told_when_a_replica_was_killed_before_it_said_what_it_recorded() {
    let Some(mut replicas) = Replicas::start().await else { return };
    let last = replicas.record_two().await;
    replicas.writing.signal(Signal::SIGKILL);
    // All, if its message was faster than the signal.
    let told = replicas.told(&last).await;
    assert!([Told::Missed, Told::All].contains(&told), "{told:?}");
}
