//! Time limits, under a paused clock.

use std::{convert::Infallible, future::pending};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use axum::{body::Body, http::Request};
use futures_util::stream;
use graphql_http::{Endpoint, Options};
use tower::ServiceExt;

struct Query;

#[Object]
impl Query {
    async fn never(&self) -> bool {
        pending().await
    }
}

async fn status(body: Body) -> u16 {
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let request = Request::post("/graphql").header("content-type", "application/json").body(body).expect("a request");
    let router = graphql_http::router(Endpoint::new(schema, Options::default()), String::new());
    router.oneshot(request).await.expect("an answer").status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_takes_too_long_is_answered_all_the_same() {
    assert_eq!(status(Body::from(r#"{ "query": "{ never }" }"#)).await, 504);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_refused() {
    assert_eq!(status(Body::from_stream(stream::pending::<Result<String, Infallible>>())).await, 408);
}
