//! What an observer is told, by every transport.

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use async_graphql::{Context, Object, Result, Schema, Subscription};
use axum::Extension;
use futures_util::{Stream, StreamExt, stream};
use graphql_http::{
    Caller, Endpoint, Options, Permissions, Rule,
    observer::{Ending, Observer, Operation, Touched},
};
use rstest::rstest;
use serde_json::json;
use testkit::{GraphqlClient, Socket};
use tokio_util::sync::DropGuard;
use uuid::Uuid;

use super::api::listen;

const ROLES: &[&str] = &["reader"];
static PERMISSIONS: Permissions = Permissions {
    roles: &["reader", "editor"],
    root_fields: &[
        Rule::new("notes", ROLES),
        Rule::new("fault", ROLES),
        Rule::new("panics", ROLES),
        Rule::new("idle", ROLES),
        Rule::new("erase", &["editor"]),
        Rule::new("change", ROLES),
        Rule::new("changed", ROLES),
    ],
    sensitive: &[Rule::new("author", ROLES)],
};

/// Reads as many notes.
fn read(ctx: &Context<'_>, number: usize) -> usize {
    Touched::by(ctx).add((0..number).map(|_| Uuid::nil()));
    number
}

struct Query;

#[Object]
impl Query {
    async fn notes(&self, ctx: &Context<'_>, number: usize, author: Option<String>) -> usize {
        if author.as_deref() == Some("nobody") { 0 } else { read(ctx, number) }
    }

    async fn fault(&self, ctx: &Context<'_>) -> Result<usize> {
        read(ctx, 1);
        ready(Err("a fault".into())).await
    }

    async fn panics(&self, ctx: &Context<'_>) -> usize {
        assert_eq!(read(ctx, 1), 0, "a panic after a read");
        0
    }

    async fn idle(&self) -> bool {
        true
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn change(&self, ctx: &Context<'_>) -> usize {
        read(ctx, 1)
    }

    async fn erase(&self, ctx: &Context<'_>) -> usize {
        read(ctx, 1)
    }
}

struct Changes;

#[Subscription]
impl Changes {
    /// Two events, of one note and of two.
    async fn changed<'ctx>(&self, ctx: &Context<'ctx>) -> impl Stream<Item = usize> + use<'ctx> {
        let touched = Touched::by(ctx);
        stream::iter([1, 2]).inspect(move |number| touched.add((0..*number).map(|_| Uuid::nil())))
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Observer for Told {
    fn observe(&self, operation: &Operation<'_>) {
        let Operation { caller, kind, root_fields, sensitive, ids, count, ending, .. } = operation;
        let ending = match ending {
            Ending::Done => "done".to_owned(),
            Ending::Failed => "failed".to_owned(),
            Ending::Refused(rule) => format!("refused {}", rule.name),
        };
        let told = format!("{} {kind} {root_fields:?} {sensitive:?} {} of {count} {ending}", caller.name, ids.len());
        self.0.lock().expect("no panic").push(told);
    }
}

fn serve() -> (GraphqlClient, Told, DropGuard) {
    let told = Told::default();
    let endpoint = Endpoint::new(Schema::new(Query, Mutation, Changes), Options::default());
    let endpoint = endpoint.with_permissions(&PERMISSIONS).with_observer(Arc::new(told.clone()));
    let reader = Caller { name: "ana".into(), roles: ["reader"].into(), ..Caller::default() };
    let (client, server) = listen(graphql_http::router(endpoint, String::new()).layer(Extension(reader)));
    (client, told, server)
}

#[rstest]
#[case::a_read("{ notes(number: 2) }", &["ana query [\"notes\"] [] 2 of 2 done"])]
#[case::of_none("{ notes(number: 0) }", &["ana query [\"notes\"] [] 0 of 0 done"])]
#[case::of_more_than_a_page("{ notes(number: 101) }", &["ana query [\"notes\"] [] 100 of 101 done"])]
#[case::of_two_fields("{ one: notes(number: 1) notes(number: 2) idle }",
    &["ana query [\"notes\", \"idle\"] [] 3 of 3 done"])]
#[case::by_a_sensitive_name("{ notes(number: 1, author: \"secret\") }", &["ana query [\"notes\"] [\"author\"] 1 of 1 done"])]
#[case::a_change("mutation { change }", &["ana mutation [\"change\"] [] 1 of 1 done"])]
#[case::with_a_fault("{ fault }", &["ana query [\"fault\"] [] 1 of 1 failed"])]
#[case::with_a_panic("{ panics }", &["ana query [\"panics\"] [] 1 of 1 failed"])]
#[case::each_event("subscription { changed }",
    &["ana subscription [\"changed\"] [] 1 of 1 done", "ana subscription [\"changed\"] [] 2 of 2 done"])]
#[case::a_refusal("mutation { change erase }", &["ana mutation [\"change\", \"erase\"] [] 0 of 0 refused erase"])]
#[case::nothing_that_touches_nothing("{ idle __typename }", &[])]
#[case::nothing_that_is_invalid("{ notes(number: \"x\") }", &[])]
#[tokio::test]
async fn an_observer_is_told_once_of_each_operation_that_touches_objects(#[case] query: &str, #[case] told: &[&str]) {
    let (client, observer, _server) = serve();
    let is_subscription = query.starts_with("subscription");
    if !is_subscription {
        client.send(query, json!({})).await;
        assert_eq!(observer.take(), told, "by POST");
    }
    if !told.iter().any(|told| told.contains("refused")) {
        let mut events = client.events(query, json!({})).await;
        while events.next().await.is_some_and(|event| !event.is_null()) {}
        assert_eq!(observer.take(), told, "as events");
    }
    let mut socket = Socket::connect(&client.base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init" })).await;
    socket.next().await;
    socket.subscribe("a", query, json!({})).await;
    while !["complete", "error"].contains(&socket.next().await["type"].as_str().expect("a type")) {}
    assert_eq!(observer.take(), told, "over a WebSocket");
}
