//! What fails a span, and what does not.

use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Backend, TracedSpan};
use uuid::Uuid;

use super::{FINISH, named, traced};
use crate::cluster::{finish, start};

fn stored<'a>(spans: &'a [TracedSpan], is_stored: &str) -> Vec<&'a TracedSpan> {
    let mut created = named(spans, "create pending_payment");
    created.retain(|span| span.attributes.get("pending_payment.stored").is_some_and(|stored| stored == is_stored));
    created
}

#[tokio::test]
async fn a_finish_that_waits_for_a_locked_row_fails_no_span() {
    let Some((collector, cluster)) = traced(Backend::Postgres, "1").await else { return };
    let client = &cluster.consultation.client;
    let id = start(client, Uuid::new_v4()).await;
    let operator = cluster.consultation_db().database.begin().await.expect("a transaction");
    operator.execute_unprepared("SELECT id FROM consultation FOR UPDATE").await.expect("locked");
    let unlock = async {
        collector.spans_once(|spans| stored(spans, "false").len() > 1).await;
        operator.rollback().await.expect("unlocked");
    };
    tokio::join!(finish(client, &id), unlock);
    let spans = collector.spans_once(|spans| !named(spans, "write record").is_empty()).await;
    assert_eq!(stored(&spans, "true").len(), 1, "{spans:#?}");
    assert!(spans.iter().all(|span| span.failure.is_none()), "{spans:#?}");
}

#[rstest]
#[tokio::test]
async fn a_finish_of_which_nobody_knows_whether_it_is_stored_fails_its_spans(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((collector, cluster)) = traced(backend, "1").await else { return };
    let client = &cluster.consultation.client;
    let id = start(client, Uuid::new_v4()).await;
    let database = &cluster.consultation_db().database.write;
    database.execute_unprepared("ALTER TABLE pending_payment RENAME TO gone").await.expect("renamed");
    client.error(FINISH, json!({ "id": id })).await;
    let is_served = |span: &TracedSpan| span.failure.as_deref() == Some("fault");
    let spans = collector.spans_once(|spans| spans.iter().any(is_served)).await;
    for (name, reason) in
        [("create pending_payment", "not known to be stored"), ("write finish", "not all rows were written")]
    {
        let failed = named(&spans, name);
        assert!(!failed.is_empty() && failed.iter().all(|span| span.failure.as_deref() == Some(reason)), "{failed:#?}");
    }
}
