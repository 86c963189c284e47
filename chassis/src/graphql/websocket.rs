//! Operations over a WebSocket, by the protocol `graphql-transport-ws`:
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! Credentials come with the upgrade, as browsers send those that they remember, or in the payload of
//! `connection_init` as `{"Authorization": "Basic ..."}`, since pages cannot set headers here.

mod connection;
mod protocol;

use std::sync::Arc;

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
};
use crate::{
    auth::{self, Authenticator},
    browsers::same_origin::is_cross_site,
    language::Language,
    request_id::RequestId,
};
use connection::Connection;

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";

#[derive(Clone)]
struct Gate<E> {
    endpoint: Endpoint<E>,
    authenticator: Arc<Authenticator>,
}

/// Answers the upgrades of `/graphql` for `endpoint`; everything else is for `router`. Goes around the check
/// of credentials of `router`, since here they may come later.
pub fn before<E: Executor>(router: Router, endpoint: Endpoint<E>, authenticator: Arc<Authenticator>) -> Router {
    router.layer(middleware::from_fn_with_state(Gate { endpoint, authenticator }, intercept))
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
        let is_admitted = match parts.headers.contains_key(header::AUTHORIZATION) {
            true if self.authenticator.admits(&parts.headers).await => true,
            true => return auth::challenge(&self.authenticator),
            false => false,
        };
        if !offers_protocol(&parts.headers) {
            return (StatusCode::BAD_REQUEST, format!("Offer the WebSocket protocol {PROTOCOL}\n")).into_response();
        }
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.as_str().into()).unwrap_or_default();
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade.protocols([PROTOCOL]).max_message_size(MAX_BODY).max_frame_size(MAX_BODY),
            Err(refusal) => return refusal.into_response(),
        };
        let authenticator = (!is_admitted).then_some(self.authenticator);
        let connection = Connection { endpoint: self.endpoint, authenticator, request_id };
        let language = Language::current();
        upgrade.on_upgrade(move |socket| language.scope(connection.serve(socket)).in_current_span())
    }
}

fn offers_protocol(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|offer| offer.to_str().ok());
    offers.flat_map(|offer| offer.split(',')).any(|offer| offer.trim() == PROTOCOL)
}
