//! One connection: its operations share it, and none of them waits for another.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_graphql::{Executor, futures_util::stream::BoxStream};
use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
    http::{HeaderMap, header},
};
use futures_util::{StreamExt, future::ready, stream};
use serde_json::Value;
use tokio::time::{Instant, interval_at, timeout};
use tokio_stream::StreamMap;

use super::{
    super::{Endpoint, bad_request::BadRequest, request, response::Outcome, shares::Share, streams},
    protocol::{ClientMessage, Close, ServerMessage},
};
use crate::{
    auth::{Authenticator, Denied, Pass},
    server::{InProgress, Peer},
};

/// How long a client may take to introduce itself.
const INITIALISATION: Duration = Duration::from_secs(10);
/// How long it may take no message. What happens meanwhile is not kept for it: see [`crate::changes`].
const SEND_PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked whether it is there; silent for twice as long it is taken for gone.
const PING: Duration = Duration::from_secs(25);
/// Operations at once. A page has a few.
const MAX_OPERATIONS: usize = 100;
/// Bytes of the id of an operation, which each of its answers repeats. A UUID has 36.
const MAX_ID: usize = 128;

pub(super) struct Connection<E> {
    pub(super) endpoint: Endpoint<E>,
    pub(super) door: Door,
    /// A place among those whose credentials have still to come.
    pub(super) newcomer: Option<Share<IpAddr>>,
    pub(super) user: String,
    pub(super) peer: Arc<Peer>,
    pub(super) request_id: Arc<str>,
}

/// Who checks credentials, unless they came with the upgrade.
pub(super) struct Door {
    pub(super) pass: Option<Pass>,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) client: IpAddr,
}

/// The answers of each operation, by its id; at the end of them nothing once.
type Operations = StreamMap<String, BoxStream<'static, Option<Outcome>>>;

impl<E: Executor> Connection<E> {
    pub(super) async fn serve(mut self, mut socket: WebSocket) {
        let (shutdown, peer) = (self.endpoint.shutdown.clone(), Arc::clone(&self.peer));
        let close = tokio::select! {
            close = self.talk(&mut socket) => close,
            () = shutdown.cancelled() => Close::GoingAway,
            () = peer.closed() => Close::Idle,
        };
        tracing::debug!(?close, "a WebSocket is closed");
        // It may be gone already.
        drop(timeout(Duration::from_secs(1), socket.send(Message::Close(Some(close.frame())))).await);
    }

    async fn talk(&mut self, socket: &mut WebSocket) -> Close {
        let introduced = timeout(INITIALISATION, self.introduce(socket)).await;
        let pass = match introduced.unwrap_or(Err(Close::InitialisationTimeout)) {
            Ok(pass) => pass,
            Err(close) => return close,
        };
        let mut operations = Operations::new();
        let (mut pings, mut heard_at) = (interval_at(Instant::now() + PING, PING), Instant::now());
        loop {
            let next = tokio::select! {
                message = socket.recv() => {
                    heard_at = Instant::now();
                    read(message).and_then(|message| message.map_or(Ok(None), |it| self.receive(it, &mut operations)))
                }
                Some((id, outcome)) = operations.next(), if !operations.is_empty() => {
                    Ok(Some(answer(id, outcome, &mut operations).encode()))
                }
                () = pass.outdated.cancelled() => Err(Close::UsersChanged),
                _ = pings.tick() => {
                    if heard_at.elapsed() > 2 * PING { Err(Close::Lost) } else { Ok(Some(Message::Ping(Bytes::new()))) }
                }
            };
            match next {
                Ok(None) => {}
                Ok(Some(message)) => match timeout(SEND_PATIENCE, socket.send(message)).await {
                    Ok(Ok(())) => {}
                    _ => return Close::Lost,
                },
                Err(close) => return close,
            }
        }
    }

    async fn introduce(&mut self, socket: &mut WebSocket) -> Result<Pass, Close> {
        let payload = loop {
            match read(socket.recv().await)? {
                Some(ClientMessage::ConnectionInit { payload }) => break payload,
                Some(ClientMessage::Ping { payload }) => send(socket, &ServerMessage::Pong { payload }).await?,
                Some(ClientMessage::Subscribe { .. }) => return Err(Close::Unauthorized),
                _ => {}
            }
        };
        let pass = if let Some(pass) = self.door.pass.take() {
            pass
        } else {
            let credentials = credentials(payload.as_ref());
            let pass = self.door.admit(&credentials).await?;
            self.user = streams::user(&credentials);
            pass
        };
        self.newcomer = None;
        self.peer.may_send_all();
        send(socket, &ServerMessage::ConnectionAck).await?;
        Ok(pass)
    }

    /// Takes a message, and gives the answer to it if it has one of its own.
    fn receive(&self, message: ClientMessage, operations: &mut Operations) -> Result<Option<Message>, Close> {
        match message {
            ClientMessage::ConnectionInit { .. } => return Err(Close::TooManyInitialisations),
            ClientMessage::Ping { payload } => return Ok(Some(ServerMessage::Pong { payload }.encode())),
            ClientMessage::Pong => {}
            ClientMessage::Complete { id } => drop(operations.remove(&id)),
            ClientMessage::Subscribe { id, .. } if id.len() > MAX_ID => return Err(Close::IdTooLong),
            ClientMessage::Subscribe { id, .. } if operations.contains_key(&id) => return Err(Close::SubscriberExists),
            ClientMessage::Subscribe { id, payload } => {
                let answers = if operations.len() < MAX_OPERATIONS {
                    request::from_message(payload)
                        .and_then(|request| self.endpoint.admit(request))
                        .and_then(|admitted| self.endpoint.stream(admitted, &self.user, Arc::clone(&self.request_id)))
                } else {
                    Err(BadRequest::too_many_operations(MAX_OPERATIONS))
                };
                let answers = answers.unwrap_or_else(|refusal| stream::once(ready(refusal.into())).boxed());
                let in_progress = InProgress::begin(Arc::clone(&self.peer));
                let end = stream::once(async move { drop(in_progress) }).map(|()| None);
                operations.insert(id, answers.map(Some).chain(end).boxed());
            }
        }
        Ok(None)
    }
}

impl Door {
    async fn admit(&self, credentials: &HeaderMap) -> Result<Pass, Close> {
        self.authenticator.admit(self.client, credentials).await.map_err(|denied| match denied {
            Denied::Unauthenticated => Close::Forbidden,
            Denied::Throttled { .. } | Denied::Overloaded => Close::TryAgainLater,
        })
    }
}

/// What the client says; nothing if it is only that it is there.
fn read(message: Option<Result<Message, axum::Error>>) -> Result<Option<ClientMessage>, Close> {
    match message {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).map(Some).map_err(|_| Close::InvalidMessage),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(Close::InvalidMessage),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Close::Lost),
    }
}

fn answer(id: String, outcome: Option<Outcome>, operations: &mut Operations) -> ServerMessage {
    match outcome.map(Outcome::into_request_errors) {
        Some(Ok(payload)) => ServerMessage::Next { id, payload },
        None => ServerMessage::Complete { id },
        Some(Err(payload)) => {
            // Nothing follows an error.
            operations.remove(&id);
            ServerMessage::Error { id, payload }
        }
    }
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Close> {
    socket.send(message.encode()).await.map_err(|_| Close::Lost)
}

/// The credentials in the payload of `connection_init`, as the header that they stand for.
fn credentials(payload: Option<&Value>) -> HeaderMap {
    let given = payload.and_then(|payload| payload.get("Authorization").or_else(|| payload.get("authorization")));
    let given = given.and_then(Value::as_str).and_then(|given| given.parse().ok());
    given.map(|given| (header::AUTHORIZATION, given)).into_iter().collect()
}
