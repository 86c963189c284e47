//! Only documents that have run are remembered: invalid ones must not take their places.

use std::{future::ready, io, sync::Arc};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
use rstest::rstest;

use crate::{
    Caller, Endpoint, Options,
    meter::{Protocol, Sender},
};

struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        name.unwrap_or_default()
    }

    async fn fault(&self) -> async_graphql::Result<bool> {
        Ok(ready(Err::<bool, _>(io::Error::other("a fault"))).await?)
    }
}

/// Number of remembered documents after a request.
async fn known_after(document: &str) -> usize {
    let endpoint = Arc::new(Endpoint::new(Schema::new(Query, EmptyMutation, EmptySubscription), Options::default()));
    let sender = Sender { caller: Caller::default(), request_id: "".into(), protocol: Protocol::Http };
    if let Ok(admitted) = endpoint.admit(Request::new(document), &sender) {
        endpoint.execute(admitted).await;
    }
    endpoint.parsed.count()
}

#[rstest]
#[case::of_an_unknown_field("{ hallo }")]
#[case::of_a_wrong_argument("{ hello(name: 1) }")]
#[case::of_a_field_that_is_repeated(&format!("{{ {} }}", "hello ".repeat(21)))]
#[case::of_a_variable_that_is_missing("query ($name: String!) { hello(name: $name) }")]
#[case::of_no_end("{ hello")]
#[tokio::test]
async fn an_invalid_document_is_not_remembered(#[case] document: &str) {
    assert_eq!(known_after(document).await, 0);
}

#[rstest]
#[case("{ hello }")]
#[case("{ fault }")]
#[tokio::test]
async fn a_document_that_has_run_is_remembered(#[case] document: &str) {
    assert_eq!(known_after(document).await, 1);
}
