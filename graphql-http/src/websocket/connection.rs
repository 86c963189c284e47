//! One WebSocket with its concurrent operations.

use std::{future::pending, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use async_graphql::Executor;
use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
    http::request::Parts,
};
use futures_util::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use serde_json::Value;
use tokio::time::{Instant, interval_at, timeout};
use tokio_stream::StreamMap;

use super::protocol::{ClientMessage, Close, ServerMessage, parse};
use crate::{
    Caller, Endpoint, TaskContext, Transport,
    bad_request::BadRequest,
    meter::{Protocol, Sender},
    request,
    response::Outcome,
    shares::Share,
};

/// Time for `connection_init`.
const INITIALISATION_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a client to take a message. Events meanwhile are not queued for it.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval of pings. A client that is silent for twice as long is gone.
const PING_INTERVAL: Duration = Duration::from_secs(25);
/// Time for the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Operations of a WebSocket at once. A page has a few.
const MAX_OPERATIONS: usize = 100;
/// Bytes of an operation's id, which each of its messages repeats. A UUID has 36.
const MAX_ID: usize = 128;

pub(super) struct Connection<E, C> {
    pub(super) endpoint: Arc<Endpoint<E, C>>,
    /// The caller, or the upgrade whose credentials follow.
    pub(super) caller: Result<Caller, Box<Parts>>,
    /// A place among the WebSockets that wait for credentials.
    pub(super) uninitialised: Option<Share<Option<IpAddr>>>,
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) request_id: Arc<str>,
}

/// The outcomes of each operation by its id; `None` at the end.
type Operations = StreamMap<String, BoxStream<'static, Option<Outcome>>>;

impl<E: Executor, C: TaskContext> Connection<E, C> {
    pub(super) async fn serve(mut self, mut socket: WebSocket) {
        let (shutdown, transport) = (self.endpoint.shutdown.clone(), self.transport.clone());
        let closed = async move {
            match &transport {
                Some(transport) => transport.closed().await,
                None => pending().await,
            }
        };
        let close = tokio::select! {
            close = self.talk(&mut socket) => close,
            () = shutdown.cancelled() => Close::GoingAway,
            () = closed => Close::Idle,
        };
        tracing::debug!(?close, "a WebSocket is closed");
        // The client may be gone, or send for ever.
        drop(timeout(CLOSE_TIMEOUT, shake_hands(&mut socket, close)).await);
    }

    async fn talk(&mut self, socket: &mut WebSocket) -> Close {
        let initialised = timeout(INITIALISATION_TIMEOUT, self.initialise(socket)).await;
        let sender = match initialised.unwrap_or(Err(Close::InitialisationTimeout)) {
            Ok(sender) => sender,
            Err(close) => return close,
        };
        let mut operations = Operations::new();
        let mut expired = pin!(sender.caller.expired());
        let (mut pings, mut heard_at) = (interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL), Instant::now());
        loop {
            let next = tokio::select! {
                message = socket.recv() => {
                    heard_at = Instant::now();
                    let message = parse(message);
                    message.and_then(|message| {
                        message.map_or(Ok(None), |message| self.receive(message, &sender, &mut operations))
                    })
                }
                Some((id, outcome)) = operations.next(), if !operations.is_empty() => {
                    Ok(Some(message(id, outcome, &mut operations).encode()))
                }
                () = &mut expired => Err(Close::CredentialsExpired),
                _ = pings.tick() => {
                    let is_lost = heard_at.elapsed() > 2 * PING_INTERVAL;
                    if is_lost { Err(Close::Lost) } else { Ok(Some(Message::Ping(Bytes::new()))) }
                }
            };
            match next {
                Ok(None) => {}
                Ok(Some(message)) => match timeout(SEND_TIMEOUT, socket.send(message)).await {
                    Ok(Ok(())) => {}
                    _ => return Close::Lost,
                },
                Err(close) => return close,
            }
        }
    }

    /// Waits for `connection_init` and acknowledges it. Returns the sender of the operations.
    async fn initialise(&mut self, socket: &mut WebSocket) -> Result<Sender, Close> {
        let payload = loop {
            match parse(socket.recv().await)? {
                Some(ClientMessage::ConnectionInit { payload }) => break payload,
                Some(ClientMessage::Ping { payload }) => send(socket, &ServerMessage::Pong { payload }).await?,
                Some(ClientMessage::Subscribe { .. }) => return Err(Close::Unauthorized),
                _ => {}
            }
        };
        let caller = match (&self.caller, &self.endpoint.authenticator) {
            (Ok(caller), _) => caller.clone(),
            (Err(upgrade), Some(authenticator)) => authenticator.authenticate(upgrade, payload.as_ref()).await?,
            (Err(_), None) => return Err(Close::Forbidden),
        };
        // The head of the upgrade keeps its buffer and its credentials in memory.
        self.caller = Ok(caller.clone());
        self.uninitialised = None;
        if let Some(transport) = &self.transport {
            transport.initialised();
        }
        send(socket, &ServerMessage::ConnectionAck).await?;
        Ok(Sender { caller, request_id: Arc::clone(&self.request_id), protocol: Protocol::WebSocket })
    }

    /// Handles a message. Returns the reply, if it has one of its own.
    fn receive(
        &self,
        message: ClientMessage,
        sender: &Sender,
        operations: &mut Operations,
    ) -> Result<Option<Message>, Close> {
        match message {
            ClientMessage::ConnectionInit { .. } => return Err(Close::TooManyInitialisations),
            ClientMessage::Ping { payload } => return Ok(Some(ServerMessage::Pong { payload }.encode())),
            ClientMessage::Pong => {}
            ClientMessage::Complete { id } => drop(operations.remove(&id)),
            ClientMessage::Subscribe { id, .. } if id.len() > MAX_ID => return Err(Close::IdTooLong),
            ClientMessage::Subscribe { id, .. } if operations.contains_key(&id) => return Err(Close::SubscriberExists),
            ClientMessage::Subscribe { id, payload } => {
                let outcomes = if operations.len() < MAX_OPERATIONS {
                    self.begin(payload, sender)
                } else {
                    Err(BadRequest::too_many_operations(MAX_OPERATIONS))
                };
                let outcomes =
                    outcomes.unwrap_or_else(|refusal| stream::once(ready(self.endpoint.refuse(refusal))).boxed());
                let operation = self.transport.clone().map(Transport::operation);
                let end = stream::once(async move { drop(operation) }).map(|()| None);
                operations.insert(id, outcomes.map(Some).chain(end).boxed());
            }
        }
        Ok(None)
    }

    fn begin(&self, payload: Value, sender: &Sender) -> Result<BoxStream<'static, Outcome>, BadRequest> {
        self.endpoint.stream(self.endpoint.admit(request::from_message(payload)?, sender)?)
    }
}

/// The closing handshake. A close of the client is answered when the socket is read on. A close of ours may only be lost
/// with what the client has sent meanwhile: a connection that ends with unread bytes is reset.
async fn shake_hands(socket: &mut WebSocket, close: Close) {
    // Fails after a close of the client.
    drop(socket.send(Message::Close(Some(close.frame()))).await);
    while let Some(Ok(_)) = socket.recv().await {}
}

fn message(id: String, outcome: Option<Outcome>, operations: &mut Operations) -> ServerMessage {
    match outcome.map(Outcome::into_result) {
        Some(Ok(payload)) => ServerMessage::Next { id, payload },
        None => ServerMessage::Complete { id },
        Some(Err(payload)) => {
            // An error ends the operation.
            operations.remove(&id);
            ServerMessage::Error { id, payload }
        }
    }
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Close> {
    socket.send(message.encode()).await.map_err(|_| Close::Lost)
}
