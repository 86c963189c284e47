//! The messages of the protocol, and the codes with which a connection is closed.

use async_graphql::{Response, ServerError};
use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::response::{Outcome, answer_too_large, json::bounded};

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

/// What the service says.
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
    /// The operation was not executed; it is over.
    Error {
        id: String,
        payload: Vec<ServerError>,
    },
    Complete {
        id: String,
    },
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The client is gone, or no longer takes or sends anything.
    Lost,
    /// The service ends; another replica may answer.
    GoingAway,
    /// There is no room for a connection that does nothing.
    Idle,
    InvalidMessage,
    IdTooLong,
    /// An operation before `connection_ack`.
    Unauthorized,
    /// Wrong or no credentials.
    Forbidden,
    /// Too many logins failed, or are being checked.
    TryAgainLater,
    /// The credentials may not be right any more.
    UsersChanged,
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

    /// What is sent in its place if it is too large.
    fn too_large(&self) -> Self {
        match self {
            Self::Next { id, .. } => Self::Next { id: id.clone(), payload: Outcome::too_large() },
            Self::Error { id, .. } => Self::Error { id: id.clone(), payload: vec![answer_too_large()] },
            Self::Complete { id } => Self::Complete { id: id.clone() },
            // They are no longer than what the client sent.
            Self::ConnectionAck | Self::Pong { .. } => Self::Pong { payload: None },
        }
    }
}

impl Close {
    /// By the protocol, and for [`Close::GoingAway`] and [`Close::TryAgainLater`] by that of WebSockets.
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Lost => (1008, "Connection lost"),
            Self::GoingAway => (1001, "The service is shutting down; connect again"),
            Self::Idle => (1013, "The connection is idle and others wait; connect again"),
            Self::InvalidMessage => (4400, "Invalid message"),
            Self::IdTooLong => (4400, "The id of an operation has at most 128 bytes"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::TryAgainLater => (1013, "Too many logins failed or are being checked; try again later"),
            Self::UsersChanged => (4403, "The users have changed; connect again"),
            Self::InitialisationTimeout => (4408, "Connection initialisation timeout"),
            Self::SubscriberExists => (4409, "Subscriber for this id already exists"),
            Self::TooManyInitialisations => (4429, "Too many initialisation requests"),
        };
        CloseFrame { code, reason: reason.into() }
    }
}
