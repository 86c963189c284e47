//! Queries on a replica of the application's data.

use std::{
    future::{pending, ready},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, EmptySubscription, Object, Result, Schema, ServerError};
use futures_util::{FutureExt, future::BoxFuture};
use graphql_http::{
    Endpoint, Options,
    consistency::{Consistency, MalformedToken, Needs, Replica},
};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, GraphqlClient};
use tokio_util::sync::CancellationToken;

/// What the fields of the API show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Primary,
    Replica,
    /// A replica that fails.
    Failing,
    /// A replica that never answers.
    Silent,
}

#[derive(Debug, thiserror::Error)]
#[error("the replica failed")]
struct Failed;

struct Query;

#[Object]
impl Query {
    async fn source(&self, ctx: &Context<'_>) -> Result<String> {
        match ctx.data_unchecked::<Source>() {
            Source::Failing => Err(async_graphql::Error::new_with_source(Failed)),
            Source::Silent => pending().await,
            source => Ok(format!("{source:?}")),
        }
    }

    /// Shown beside a field that fails.
    async fn other(&self, ctx: &Context<'_>) -> String {
        format!("{:?}", ctx.data_unchecked::<Source>())
    }

    async fn refused(&self) -> Option<Result<bool>> {
        Some(Err(async_graphql::Error::new("no")))
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn source(&self, ctx: &Context<'_>) -> String {
        format!("{:?}", ctx.data_unchecked::<Source>())
    }
}

/// A replica that is a second late.
struct Chosen {
    source: Source,
    lost: CancellationToken,
    repeated: Arc<AtomicUsize>,
}

impl Consistency for Chosen {
    fn replica(&self, needs: &Needs) -> Result<Option<Replica>, MalformedToken> {
        let staleness = Duration::from_secs(1);
        if needs.token.as_deref().is_some_and(|token| token != "t") {
            return Err(MalformedToken("want t"));
        }
        let fits = needs.token.is_none() && needs.max_staleness.is_none_or(|most| most >= staleness);
        let (source, lost) = (self.source, self.lost.clone());
        Ok(fits.then(|| Replica { staleness, provide: Arc::new(move |data| data.insert(source)), lost }))
    }

    fn token(&self) -> BoxFuture<'_, Option<String>> {
        ready(Some("t".to_owned())).boxed()
    }

    fn is_about_replica(&self, error: &ServerError) -> bool {
        error.source::<Failed>().is_some()
    }

    fn repeated(&self) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
    }
}

/// A server whose replica is this one, and the number of its repeated queries.
fn serve(source: Source, lost: CancellationToken) -> (GraphqlClient, Arc<AtomicUsize>) {
    let repeated = Arc::new(AtomicUsize::new(0));
    let chosen = Chosen { source, lost, repeated: Arc::clone(&repeated) };
    let schema = Schema::build(Query, Mutation, EmptySubscription).data(Source::Primary).finish();
    let endpoint = Endpoint::new(schema, Options::default()).with_consistency(Arc::new(chosen));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("non-blocking");
    let client = GraphqlClient::new(format!("http://{}", listener.local_addr().expect("an address")));
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let router = graphql_http::router(endpoint, String::new());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (client, repeated)
}

fn shown(answer: &Answer) -> (&Value, Option<f64>) {
    (&answer.body["data"]["source"], answer.staleness())
}

#[rstest]
#[case::nothing_wanted(Value::Null, Some(1.0))]
#[case::late_enough(json!({ "maxStaleness": 1.5, "unknown": 1 }), Some(1.0))]
#[case::too_late(json!({ "maxStaleness": 0.5 }), None)]
#[case::with_a_token(json!({ "token": "t" }), None)]
#[case::nulls(json!({ "token": null, "maxStaleness": null }), Some(1.0))]
#[tokio::test]
async fn a_query_reads_from_the_replica_if_that_meets_its_needs(#[case] needs: Value, #[case] staleness: Option<f64>) {
    let (client, _) = serve(Source::Replica, CancellationToken::new());
    let answer = client.send_for(&needs, "{ source }").await;
    let source = if staleness.is_some() { "Replica" } else { "Primary" };
    assert_eq!(shown(&answer), (&json!(source), staleness), "{}", answer.body);
}

#[rstest]
#[case(json!({ "token": "other" }), "Malformed extension \"consistency\": \"token\": want t")]
#[case(json!({ "token": 1 }), "Malformed extension \"consistency\"")]
#[case(json!({ "maxStaleness": -1 }), "Malformed extension \"consistency\": \"maxStaleness\": want seconds")]
#[case(json!("t"), "Malformed extension \"consistency\"")]
#[tokio::test]
async fn malformed_needs_are_refused(#[case] needs: Value, #[case] message: &str) {
    let (client, _) = serve(Source::Replica, CancellationToken::new());
    let answer = client.send_for(&needs, "{ source }").await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
    assert!(
        answer.body["errors"][0]["message"].as_str().is_some_and(|text| text.starts_with(message)),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_mutation_runs_on_the_primary_and_has_a_token() {
    let (client, _) = serve(Source::Replica, CancellationToken::new());
    let answer = client.send_for(&Value::Null, "mutation { source }").await;
    assert_eq!(
        answer.body,
        json!({ "data": { "source": "Primary" }, "extensions": { "consistency": { "token": "t" } } })
    );
    let invalid = client.send_for(&Value::Null, "mutation { unknown }").await;
    assert!(invalid.body["extensions"].is_null(), "{}", invalid.body);
}

#[tokio::test]
async fn a_query_whose_replica_fails_runs_again_as_a_whole() {
    let (client, repeated) = serve(Source::Failing, CancellationToken::new());
    let answer = client.send_for(&Value::Null, "{ other source }").await;
    assert_eq!(answer.body, json!({ "data": { "other": "Primary", "source": "Primary" } }));
    assert_eq!(repeated.load(Ordering::Relaxed), 1);
    let refused = client.send_for(&Value::Null, "{ other refused }").await;
    assert_eq!((&refused.body["data"]["other"], refused.staleness()), (&json!("Failing"), Some(1.0)), "its own error");
    assert_eq!(repeated.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_query_on_a_replica_that_is_lost_runs_again() {
    let lost = CancellationToken::new();
    let (client, repeated) = serve(Source::Silent, lost.clone());
    let asked = tokio::spawn(async move { client.send_for(&Value::Null, "{ source }").await });
    lost.cancel();
    let answer = asked.await.expect("no panic");
    assert_eq!((shown(&answer), repeated.load(Ordering::Relaxed)), ((&json!("Primary"), None), 1));
}
