//! The doors of a GraphQL API: each transport, for tests that a refusal holds at every one.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::{Answer, GraphqlClient, Socket};

const FORBIDDEN: &str = "FORBIDDEN";

/// A user at the doors of a service.
#[derive(Debug)]
pub struct Doors {
    client: GraphqlClient,
    socket: Socket,
    operations: usize,
}

impl Doors {
    /// The doors for a user, who has the development password.
    pub async fn of(client: &GraphqlClient, user: &str) -> Self {
        let socket = Socket::introduced_as(&client.base, user).await;
        Self { client: client.as_user(user), socket, operations: 0 }
    }

    /// Each door, and whether it refuses the operation as forbidden. A mutation runs at each that does not.
    pub async fn refusals(&mut self, query: &str) -> [(&'static str, bool); 4] {
        let post = self.client.send(query, json!({})).await;
        let url = Url::parse_with_params("http://any/graphql", [("query", query)]).expect("a URL");
        let path = format!("/graphql?{}", url.query().unwrap_or_default());
        let get = Answer::of(self.client.request(Method::GET, &path)).await;
        [
            ("POST", is_refused(&post)),
            ("GET", is_refused(&get)),
            ("events", self.refuses_events(query).await),
            ("WebSocket", self.refuses_message(query).await),
        ]
    }

    /// Permitted events may have no end: only the answer of a refusal is read.
    async fn refuses_events(&self, query: &str) -> bool {
        let body = json!({ "query": query }).to_string();
        let request = self.client.request(Method::POST, "/graphql").header("content-type", "application/json");
        let request = request.header("accept", "text/event-stream").body(body);
        let answer = request.try_clone().expect("a text").send().await.expect("an answer");
        answer.status() != 200 && is_refused(&Answer::of(request).await)
    }

    async fn refuses_message(&mut self, query: &str) -> bool {
        self.operations += 1;
        let id = self.operations.to_string();
        self.socket.subscribe(&id, query, json!({})).await;
        let outcome = loop {
            let message = self.socket.next().await;
            if message["id"] == id {
                break message;
            }
        };
        self.socket.send(json!({ "type": "complete", "id": id })).await;
        let code = outcome.pointer("/payload/0/extensions/code").and_then(Value::as_str);
        outcome["type"] == "error" && code == Some(FORBIDDEN)
    }
}

/// A refusal has its status, whatever media type the client accepts, and no data.
fn is_refused(answer: &Answer) -> bool {
    let is_refused = answer.code() == FORBIDDEN;
    assert_eq!(answer.status == 403, is_refused, "{}", answer.body);
    assert!(!is_refused || answer.body.get("data").is_none(), "{}", answer.body);
    is_refused
}
