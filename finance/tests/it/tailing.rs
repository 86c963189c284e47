//! Polling for new payments.

use chassis::clock;
use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    history::{recorded_at, recorded_through},
    running::{Running, running},
};

const TAIL: &str = "query ($after: String, $stable: Boolean) {
    payments(filter: { stable: $stable }, first: 100, after: $after) {
        edges { node { id } } pageInfo { endCursor } } }";

/// A poller: its cursor, and the payments that it has read.
struct Reader {
    stable: Value,
    after: Value,
    read: Vec<String>,
}

impl Reader {
    fn of(stable: Value) -> Self {
        Self { stable, after: Value::Null, read: Vec::new() }
    }

    async fn poll(&mut self, service: &Running) {
        let variables = json!({ "after": self.after, "stable": self.stable });
        let page = service.client().call(TAIL, variables).await["payments"].take();
        let ids = page["edges"].as_array().expect("edges").iter().map(|edge| edge["node"]["id"].as_str());
        self.read.extend(ids.map(|id| id.expect("an id").to_owned()));
        if !page["pageInfo"]["endCursor"].is_null() {
            self.after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

#[rstest]
#[tokio::test]
async fn who_polls_for_stable_payments_reads_also_those_that_are_committed_late(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let seconds_ago = |seconds| clock::now() - TimeDelta::seconds(seconds);
    let old = recorded_at(&service.db, seconds_ago(70)).await.id.to_string();
    // SQLite has one writer at a time: there the late writer begins later, as with a clock that is behind.
    let slow =
        if backend == Backend::Postgres { Some(service.db.database.begin().await.expect("begun")) } else { None };
    let mut late = None;
    if let Some(slow) = &slow {
        late = Some(recorded_through(slow, seconds_ago(56)).await.id.to_string());
    }
    let fast = recorded_at(&service.db, seconds_ago(54)).await.id.to_string();

    let (mut reader, mut careless) = (Reader::of(json!(true)), Reader::of(json!(null)));
    reader.poll(&service).await;
    careless.poll(&service).await;
    assert_eq!(reader.read, [old.as_str()], "the fast one may yet have company before it");
    assert_eq!(careless.read, [old.as_str(), &fast]);
    match slow {
        Some(slow) => slow.commit().await.expect("committed"),
        None => late = Some(recorded_at(&service.db, seconds_ago(56)).await.id.to_string()),
    }
    while !reader.read.contains(&fast) {
        reader.poll(&service).await;
    }
    careless.poll(&service).await;
    assert_eq!(reader.read, [old.clone(), late.expect("it is committed"), fast.clone()]);
    assert_eq!(careless.read, [old, fast], "whose cursor is behind the late one for ever");
}

#[rstest]
#[tokio::test]
async fn a_payment_is_listed_at_once_and_stable_later(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let recorded = service.record(Uuid::new_v4(), "1.00").await["payment"]["id"].take();
    for (stable, count) in [(json!(null), 1), (json!(false), 1), (json!(true), 0)] {
        let mut reader = Reader::of(stable);
        reader.poll(&service).await;
        assert_eq!(reader.read, vec![recorded.as_str().expect("an id"); count]);
    }
}
