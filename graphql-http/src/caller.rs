//! The application's part in a request, by its extensions, and in a WebSocket, by traits.
//!
//! Credentials are the application's business. Its middleware checks them and inserts a [`Caller`]. A WebSocket may
//! bring them later, in `connection_init`: browsers cannot set headers on an upgrade. [`Authenticate`] checks those.

use std::{future::pending, net::IpAddr, sync::Arc};

use axum::http::request::Parts;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The authenticated user of a request, in the data of its operations too. Without one the caller is anonymous.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The name. Callers share the places for subscriptions by it; all anonymous ones are one caller.
    pub name: Arc<str>,
    /// The roles, among those of the [permissions](crate::Permissions).
    pub roles: Arc<[&'static str]>,
    /// The address of the client, where the application knows it.
    pub address: Option<IpAddr>,
    /// Cancelled when the credentials are withdrawn: event streams and WebSockets end.
    pub expired: CancellationToken,
    /// When the credentials expire by themselves: event streams and WebSockets end then. `None`: never.
    pub expires_at: Option<Instant>,
}

impl Caller {
    /// Completes when the credentials are no longer valid.
    pub(crate) async fn expired(&self) {
        let timer = async {
            match self.expires_at {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.expired.cancelled() => {}
            () = timer => {}
        }
    }
}

/// Checks the credentials in `connection_init` of a WebSocket whose upgrade had none.
pub trait Authenticate: Send + Sync + 'static {
    /// Returns the caller. `upgrade` is the head of the upgrade request, `payload` that of `connection_init`.
    fn authenticate<'a>(
        &'a self,
        upgrade: &'a Parts,
        payload: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Caller, Rejected>>;
}

/// Why the credentials of a WebSocket were rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// They are missing or wrong: close code 4403.
    Forbidden,
    /// They cannot be checked now: close code 1013.
    TryAgainLater,
}

/// The network of a WebSocket whose credentials follow in `connection_init`. Such WebSockets share their places by it; those
/// without it share them by the peer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientNetwork(pub IpAddr);

/// The connection below a WebSocket, for servers that limit their connections. In the extensions of the upgrade as
/// `Arc<dyn Transport>`; optional.
pub trait Transport: Send + Sync {
    /// The connection becomes a WebSocket, which may send `limit` bytes before it is initialised.
    fn upgraded(&self, limit: usize);

    /// The WebSocket is initialised: the limit of bytes ends.
    fn initialised(&self);

    /// An operation begins; it ends when the returned value is dropped.
    fn operation(self: Arc<Self>) -> Box<dyn Send + Sync>;

    /// Completes when the server wants the connection closed.
    fn closed(&self) -> BoxFuture<'_, ()>;
}
