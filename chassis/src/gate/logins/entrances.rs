//! Where credentials come in: with a request, or in `connection_init` of a WebSocket.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::{self, Next},
    response::Response,
};
use futures_util::future::BoxFuture;
use graphql_http::{Authenticate, Caller, ClientNetwork, Rejected};
use serde_json::Value;

use super::{Authenticator, denied::Denied};
use crate::{access_log, gate::client_address};

/// A WebSocket may bring its credentials in `connection_init`, as `{"Authorization": "Basic ..."}` or with `Bearer`:
/// pages cannot set headers.
impl Authenticate for Authenticator {
    fn authenticate<'a>(
        &'a self,
        upgrade: &'a Parts,
        payload: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Caller, Rejected>> {
        let given = payload.and_then(|payload| payload.get("Authorization").or_else(|| payload.get("authorization")));
        let given = given.and_then(Value::as_str).and_then(|given| given.parse().ok());
        let credentials: HeaderMap = given.map(|given| (header::AUTHORIZATION, given)).into_iter().collect();
        let client = self.client(&upgrade.extensions, &upgrade.headers);
        Box::pin(async move {
            self.admit(client, &credentials, &upgrade.extensions).await.map_err(|denied| match denied {
                Denied::Unauthenticated | Denied::BadToken(_) | Denied::TokensOff | Denied::PasswordsOff => {
                    Rejected::Forbidden
                }
                Denied::Throttled { .. } | Denied::Overloaded | Denied::NoKeys => Rejected::TryAgainLater,
            })
        })
    }
}

/// Lets only requests with valid credentials reach `router`, with their [`Caller`]. A WebSocket without credentials
/// passes: [`Authenticate`] checks those of its `connection_init`.
pub fn require(router: Router, authenticator: Arc<Authenticator>) -> Router {
    router.layer(middleware::from_fn_with_state(authenticator, check))
}

async fn check(State(authenticator): State<Arc<Authenticator>>, mut request: Request, next: Next) -> Response {
    let client = authenticator.client(request.extensions(), request.headers());
    if graphql_http::is_websocket(&request) && !request.headers().contains_key(header::AUTHORIZATION) {
        request.extensions_mut().insert(ClientNetwork(client_address::network(client)));
        return next.run(request).await;
    }
    match authenticator.admit(client, request.headers(), request.extensions()).await {
        Ok(caller) => {
            access_log::note_caller(&caller);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => denied.respond(authenticator.schemes()),
    }
}
