//! Limits of one operation, and introspection.

use chassis::{config::Api, database::DEFAULT_CONNECTIONS};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    record_payments::RECORD_ALL,
    running::{input, running, start_under},
};

/// All fields of a page of payments.
const PAGE: &str = "payments(first: 100) {
    edges { cursor node { __typename id appointmentId totalPrice recordedAt } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";

#[tokio::test]
async fn a_whole_page_may_be_asked_for_but_not_many_at_once() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let page = service.client().call(&format!("{{ {PAGE} }}"), json!({})).await;
    assert_eq!(page["payments"]["edges"], json!([]));
    let pages = (0..6).map(|n| format!("page{n}: {PAGE} ")).collect::<Vec<_>>().concat();
    let (code, message) = service.client().error(&format!("{{ {pages} }}"), json!({})).await;
    assert_eq!(code, "OPERATION_TOO_LARGE", "{message}");
}

#[tokio::test]
async fn payments_of_several_lists_count_together() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let payments =
        |count| json!({ "payments": (0..count).map(|_| input(Uuid::new_v4(), "1")).collect::<Vec<Value>>() });
    let start = RECORD_ALL.find("recordPayments").expect("a field");
    let field = RECORD_ALL[start..].trim_end().strip_suffix('}').expect("a document");
    let aliased = (0..4).map(|n| format!("list{n}: {field} ")).collect::<Vec<_>>().concat();
    let several = format!("mutation ($payments: [RecordPaymentInput!]!) {{ {aliased} }}");
    service.client().call(&several, payments(10)).await;
    let (code, message) = service.client().error(&several, payments(100)).await;
    assert_eq!(code, "OPERATION_TOO_LARGE", "{message}");
    assert_eq!(service.stored().await.len(), 10);
}

#[tokio::test]
async fn while_reads_take_long_more_are_told_to_try_again_and_payments_are_recorded() {
    let Some(service) = running(Backend::Postgres).await else { return };
    let nap = Statement::from_string(DbBackend::Postgres, "SELECT 1 FROM pg_sleep(4.5)");
    let naps = (0..DEFAULT_CONNECTIONS / 2).map(|_| {
        let (read, nap) = (service.db.database.read.clone(), nap.clone());
        tokio::spawn(async move { read.query_one_raw(nap).await })
    });
    let naps: Vec<_> = naps.collect();
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM pg_sleep%' AND pid <> pg_backend_pid()
        AND datname = current_database() AND state = 'active'";
    let asleep = Statement::from_string(DbBackend::Postgres, asleep);
    let mut count = 0;
    while count < naps.len() {
        let row = service.db.database.write.query_one_raw(asleep.clone()).await.expect("a connection").expect("a row");
        count = usize::try_from(row.try_get_by_index::<i64>(0).expect("a number")).expect("in range");
    }
    let ask = async |query: &str| service.client().error(query, json!({})).await;
    let query = "{ payments { edges { node { id } } } payment(id: \"019aa0f0-0000-7000-8000-000000000000\") { id } }";
    let (refused, recorded) = tokio::join!(ask(query), service.record(Uuid::new_v4(), "1.00"));
    assert_eq!(recorded["userErrors"], json!([]), "{recorded}");
    assert_eq!(refused.0, "OVERLOADED", "{}", refused.1);
    assert!(refused.1.contains("try again"), "{}", refused.1);
    for nap in naps {
        nap.await.expect("no panic").expect("it was let through");
    }
    service.client().call(query, json!({})).await;
}

#[tokio::test]
async fn the_schema_may_be_hidden() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let hidden = start_under(&service.db, Api { introspection: false, ..Api::default() });
    let (code, message) = hidden.client.error("{ __schema { queryType { name } } }", json!({})).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{message}");
    let (_, message) = hidden.client.error("{ paymentz { edges { cursor } } }", json!({})).await;
    assert!(message.contains("paymentz") && !message.contains("\"payments\""), "{message}");
    let sdl = hidden.client.get("/schema.graphql").basic_auth("admin", Some("teste123")).send().await;
    assert_eq!(sdl.expect("an answer").status(), 404);
    assert_eq!(hidden.client.call("{ __typename }", json!({})).await["__typename"], "Query");
}
