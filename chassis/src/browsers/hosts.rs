//! The names by which the service may be called.
//!
//! A page can give its own name a new address, that of this machine, and then calls the service as pages of the service do
//! (DNS rebinding). It cannot change the name, which the browser sends.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use super::same_origin::host;
use crate::config::Server;

#[derive(Debug)]
struct AllowedHosts {
    names: Vec<String>,
    /// The setting, for whoever is refused.
    flag: String,
}

/// Refuses what is addressed to another host than those that `server` allows.
pub(crate) fn require(router: Router, server: &Server) -> Router {
    let names = server.browsers.allowed_hosts.clone();
    if names.is_empty() && !server.bind.ip().is_loopback() {
        return router;
    }
    let allowed = AllowedHosts { names, flag: format!("--{}-allowed-hosts", server.name) };
    router.layer(middleware::from_fn_with_state(Arc::new(allowed), check))
}

async fn check(State(allowed): State<Arc<AllowedHosts>>, request: Request, next: Next) -> Response {
    let said = request.uri().authority().is_some() || request.headers().contains_key(header::HOST);
    match host(request.headers(), request.uri()) {
        Some(host) if !allowed.includes(host.host()) => allowed.refuse(host.host()),
        None if said => allowed.refuse("by what it was addressed to"),
        // Every browser says whom it calls.
        _ => next.run(request).await,
    }
}

impl AllowedHosts {
    fn includes(&self, host: &str) -> bool {
        is_loopback(host) || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    fn refuse(&self, host: &str) -> Response {
        let message =
            format!("This service is not called {host}; if clients may call it so, add the name to {}", self.flag);
        let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": "BAD_REQUEST" } }] });
        (StatusCode::MISDIRECTED_REQUEST, Json(body)).into_response()
    }
}

/// No page can be served to others under these names.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
