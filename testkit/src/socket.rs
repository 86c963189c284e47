//! Streamed responses: over a WebSocket, and as server-sent events.

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Duration, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, ClientRequestBuilder, Message,
        http::{StatusCode, Uri},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Longest wait for an expected message.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A WebSocket to `/graphql` of a service.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects with these headers, or returns the status of the refusal.
    ///
    /// # Errors
    /// When the upgrade is refused.
    pub async fn connect(base: &str, headers: &[(&str, &str)]) -> Result<Self, StatusCode> {
        let address: Uri = format!("{}/graphql", base.replacen("http", "ws", 1)).parse().expect("an address");
        let request = ClientRequestBuilder::new(address).with_sub_protocol("graphql-transport-ws");
        let request = headers.iter().fold(request, |request, (name, value)| request.with_header(*name, *value));
        match timeout(TEST_TIMEOUT, connect_async(request)).await.expect("an answer in time") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(refusal)) => Err(refusal.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects and authenticates as the development user.
    pub async fn introduced(base: &str) -> Self {
        Self::introduced_as(base, "admin").await
    }

    /// Connects and authenticates as a user with the development password.
    pub async fn introduced_as(base: &str, user: &str) -> Self {
        let mut socket = Self::connect(base, &[]).await.expect("an upgrade");
        let payload =
            json!({ "Authorization": format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:teste123"))) });
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// Starts an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("sent");
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        match self.receive().await {
            Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("not a message: {other:?}"),
        }
    }

    /// Whether the `connection_init` is acknowledged, rather than answered by closing the connection.
    pub async fn is_acknowledged(&mut self) -> bool {
        match self.receive().await {
            Message::Text(text) => text.contains("connection_ack"),
            _ => false,
        }
    }

    /// The code of the close frame, which must be the next message.
    pub async fn closed(&mut self) -> u16 {
        match self.receive().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("not closed: {other:?}"),
        }
    }

    /// The code of the close frame, after any other messages.
    pub async fn closed_at_last(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.receive().await {
                return frame.map(|frame| frame.code.into()).expect("a code");
            }
        }
    }

    /// Closes the connection normally. Returns the code with which the service answers; `None` if it does not.
    pub async fn close(mut self) -> Option<u16> {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.0.close(Some(frame)).await.expect("sent");
        loop {
            match timeout(TEST_TIMEOUT, self.0.next()).await.expect("in time")? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    async fn receive(&mut self) -> Message {
        loop {
            match timeout(TEST_TIMEOUT, self.0.next()).await.expect("in time").expect("not ended").expect("a message") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct Events {
    response: Response,
    text: String,
}

impl Events {
    /// Sends `request` for an event stream.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.header("accept", "text/event-stream").send().await.expect("an answer");
        assert_eq!(response.headers()["content-type"], "text/event-stream", "status {}", response.status());
        Self { response, text: String::new() }
    }

    /// The data of the next event: a response, or null when the operation is complete. `None` when the connection ended
    /// before.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                match event.split_once('\n') {
                    Some(("event: next", data)) => {
                        let data = data.strip_prefix("data: ").expect("data");
                        return Some(serde_json::from_str(data).expect("JSON"));
                    }
                    Some(("event: complete", "data:")) => return Some(Value::Null),
                    _ => assert!(event.starts_with(':'), "{event}"),
                }
            }
            let chunk = timeout(TEST_TIMEOUT, self.response.chunk()).await.expect("in time").expect("a chunk")?;
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}
