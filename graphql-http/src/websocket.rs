//! Operations over a WebSocket, by the protocol `graphql-transport-ws`:
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! Credentials come with the upgrade, as browsers send those that they remember, or in the payload of
//! `connection_init` as `{"Authorization": "Basic ..."}`, since pages cannot set headers here.

mod connection;
mod protocol;

use std::{net::IpAddr, sync::Arc};

use async_graphql::Executor;
use axum::{
    Router,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{
    Endpoint,
    bad_request::BadRequest,
    request::MAX_BODY,
    response::{MediaType, Outcome},
    shares::Shares,
    streams,
};
use crate::{
    auth::Authenticator, browsers::same_origin::is_cross_site, client_address, language::Language,
    request_id::RequestId, server::Peer,
};
use connection::{Connection, Door};

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// WebSockets that may wait for credentials at once, shared by the addresses of their clients.
const MAX_NEWCOMERS: usize = 100;
/// What a client may send before `connection_ack`: credentials, and frames of the protocol below.
const MAX_INTRODUCTION: usize = 8 * 1024;
/// The library's default of 128 KiB a socket is for bulk.
const READ_BUFFER: usize = 4 * 1024;

#[derive(Clone)]
struct Gate<E> {
    endpoint: Endpoint<E>,
    authenticator: Arc<Authenticator>,
    newcomers: Arc<Shares<IpAddr>>,
}

/// Answers the upgrades of `/graphql` for `endpoint`; everything else is for `router`. Goes around the check
/// of credentials of `router`, since here they may come later.
pub fn before<E: Executor>(router: Router, endpoint: Endpoint<E>, authenticator: Arc<Authenticator>) -> Router {
    let newcomers = Arc::new(Shares::new(MAX_NEWCOMERS));
    router.layer(middleware::from_fn_with_state(Gate { endpoint, authenticator, newcomers }, intercept))
}

async fn intercept<E: Executor>(State(gate): State<Gate<E>>, request: Request, next: Next) -> Response {
    let upgrades =
        request.headers().get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if matches!(request.uri().path(), "/graphql" | "/graphql/") && upgrades {
        gate.upgrade(request).await
    } else {
        next.run(request).await
    }
}

impl<E: Executor> Gate<E> {
    async fn upgrade(self, request: Request) -> Response {
        let (mut parts, _) = request.into_parts();
        if is_cross_site(&parts.headers, &parts.uri, &parts.extensions) {
            return Outcome::from(BadRequest::cross_site()).encode(MediaType::Json);
        }
        let client = self.authenticator.client(&parts.extensions, &parts.headers);
        let pass = if parts.headers.contains_key(header::AUTHORIZATION) {
            match self.authenticator.admit(client, &parts.headers).await {
                Ok(pass) => Some(pass),
                Err(denied) => return self.authenticator.refuse(denied),
            }
        } else {
            None
        };
        if !offers_protocol(&parts.headers) {
            return (StatusCode::BAD_REQUEST, format!("Offer the WebSocket protocol {PROTOCOL}\n")).into_response();
        }
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade.protocols([PROTOCOL]).max_message_size(MAX_BODY).max_frame_size(MAX_BODY),
            Err(refusal) => return refusal.into_response(),
        };
        let Some(peer) = parts.extensions.remove::<Arc<Peer>>() else {
            return (StatusCode::NOT_IMPLEMENTED, "This server opens no WebSockets\n").into_response();
        };
        let newcomer = pass.is_none().then(|| self.newcomers.take(client_address::network(client)));
        if matches!(newcomer, Some(None)) {
            return Outcome::from(BadRequest::too_many_newcomers()).encode(MediaType::Json);
        }
        peer.becomes_websocket(MAX_INTRODUCTION);
        let connection = Connection {
            endpoint: self.endpoint,
            door: Door { pass, authenticator: self.authenticator, client },
            user: streams::user(&parts.headers),
            newcomer: newcomer.flatten(),
            peer,
            request_id: parts.extensions.get::<RequestId>().map(|id| id.as_str().into()).unwrap_or_default(),
        };
        let language = Language::current();
        let upgrade = upgrade.read_buffer_size(READ_BUFFER);
        upgrade.on_upgrade(move |socket| language.scope(connection.serve(socket)).in_current_span())
    }
}

fn offers_protocol(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|offer| offer.to_str().ok());
    offers.flat_map(|offer| offer.split(',')).any(|offer| offer.trim() == PROTOCOL)
}
