//! Operations over a WebSocket, by the protocol `graphql-transport-ws`:
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! Credentials come with the upgrade, where the application checks them, or in the payload of `connection_init`.

mod connection;
mod protocol;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_graphql::Executor;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, WebSocketUpgrade},
    http::{Extensions, HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use crate::{
    ClientNetwork, Endpoint, TaskContext, Transport,
    bad_request::BadRequest,
    cross_site::is_cross_site,
    http::{PATHS, request_id},
    media_type::MediaType,
    request::MAX_BODY,
};
use connection::Connection;

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// Bytes before `connection_ack`: credentials, of which a token takes some kilobytes, and frames of the protocol below.
const MAX_INITIALISATION: usize = 12 * 1024;
/// Bytes of a socket's read buffer. The library's default of 128 KiB is for bulk transfers.
const READ_BUFFER: usize = 4 * 1024;

/// Whether the client asks to upgrade to a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether [`crate::router`] takes the request for the upgrade of a WebSocket. Middleware that checks credentials may let
/// it pass without any, with a [`ClientNetwork`] in its extensions: then [`crate::Authenticate`] checks those of
/// `connection_init`. It compares whole paths, so that it does not recognise those of a nested router.
pub fn is_websocket<B>(request: &axum::http::Request<B>) -> bool {
    is_upgrade(request.headers()) && PATHS.contains(&request.uri().path())
}

/// Answers an upgrade.
pub(crate) async fn upgrade<E: Executor, C: TaskContext>(endpoint: Arc<Endpoint<E, C>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if is_cross_site(&parts.headers, &parts.uri, &parts.extensions) {
        return endpoint.refuse(BadRequest::cross_site()).encode(MediaType::Json);
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]).max_message_size(MAX_BODY).max_frame_size(MAX_BODY),
        Err(refusal) => return refusal.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, format!("Offer the WebSocket protocol {PROTOCOL}\n")).into_response();
    }
    let caller = endpoint.caller(&parts.extensions);
    let uninitialised = caller.is_none().then(|| endpoint.uninitialised.take(network(&parts.extensions)));
    if matches!(uninitialised, Some(None)) {
        return endpoint.refuse(BadRequest::too_many_uninitialised()).encode(MediaType::Json);
    }
    let transport = parts.extensions.get::<Arc<dyn Transport>>().cloned();
    if let Some(transport) = &transport {
        transport.upgraded(MAX_INITIALISATION);
    }
    let request_id = request_id(&parts.extensions);
    let (caller, uninitialised) = (caller.ok_or_else(|| Box::new(parts)), uninitialised.flatten());
    let connection = Connection { endpoint, caller, uninitialised, transport, request_id };
    let context = C::capture();
    let upgrade = upgrade.read_buffer_size(READ_BUFFER);
    upgrade.on_upgrade(move |socket| context.scope(connection.serve(socket)).in_current_span())
}

/// The network that the application names, or the address of the peer.
fn network(extensions: &Extensions) -> Option<IpAddr> {
    let peer = || extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    extensions.get::<ClientNetwork>().map(|network| network.0).or_else(peer)
}
