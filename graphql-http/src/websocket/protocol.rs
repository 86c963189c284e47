//! The messages of the protocol, and its close codes.

use async_graphql::{Response, ServerError};
use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Rejected,
    json::bounded,
    response::{too_large, too_large_response},
};

/// A message of the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

/// A message of the server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: String,
        payload: Response,
    },
    /// The operation was not executed and has ended.
    Error {
        id: String,
        payload: Vec<ServerError>,
    },
    Complete {
        id: String,
    },
}

/// The reason why a WebSocket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The client is gone, or neither receives nor sends anything.
    Lost,
    /// The server shuts down; another replica may answer.
    GoingAway,
    /// An idle connection makes room for others.
    Idle,
    InvalidMessage,
    IdTooLong,
    /// An operation before `connection_ack`.
    Unauthorized,
    /// Credentials are missing or wrong.
    Forbidden,
    /// Credentials cannot be checked now.
    TryAgainLater,
    /// The credentials are no longer valid. Clients give up at 4401; at 4403 they connect again, with new credentials.
    CredentialsExpired,
    InitialisationTimeout,
    /// Two operations with one id.
    SubscriberExists,
    TooManyInitialisations,
}

impl ServerMessage {
    pub(super) fn encode(&self) -> Message {
        let json = bounded(self).or_else(|| bounded(&self.too_large()));
        Message::Text(json.unwrap_or_default().into())
    }

    /// The replacement of a message that is too large.
    fn too_large(&self) -> Self {
        match self {
            Self::Next { id, .. } => Self::Next { id: id.clone(), payload: too_large_response() },
            Self::Error { id, .. } => Self::Error { id: id.clone(), payload: vec![too_large()] },
            Self::Complete { id } => Self::Complete { id: id.clone() },
            // They are no longer than the client's message.
            Self::ConnectionAck | Self::Pong { .. } => Self::Pong { payload: None },
        }
    }
}

impl Close {
    /// The close frame. Codes from 4400 are the protocol's, those below are WebSocket's.
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Lost => (1008, "Connection lost"),
            Self::GoingAway => (1001, "The server is shutting down; connect again"),
            Self::Idle => (1013, "The connection is idle and others wait; connect again"),
            Self::InvalidMessage => (4400, "Invalid message"),
            Self::IdTooLong => (4400, "The id of an operation has at most 128 bytes"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::TryAgainLater => (1013, "Credentials cannot be checked now; try again later"),
            Self::CredentialsExpired => (4403, "The credentials have expired; connect again"),
            Self::InitialisationTimeout => (4408, "Connection initialisation timeout"),
            Self::SubscriberExists => (4409, "Subscriber for this id already exists"),
            Self::TooManyInitialisations => (4429, "Too many initialisation requests"),
        };
        CloseFrame { code, reason: reason.into() }
    }
}

impl From<Rejected> for Close {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Forbidden => Self::Forbidden,
            Rejected::TryAgainLater => Self::TryAgainLater,
        }
    }
}

/// Parses the client's message. `None` is a keep-alive ping or pong.
pub(super) fn parse(message: Option<Result<Message, axum::Error>>) -> Result<Option<ClientMessage>, Close> {
    match message {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).map(Some).map_err(|_| Close::InvalidMessage),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(Close::InvalidMessage),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Close::Lost),
    }
}
